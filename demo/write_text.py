"""Writes the text that the demo base model is pre-trained on: a small shop's talk, notes, records, sums and stories.

A document is either a piece of plain text or a conversation; the order ticket that the demo dataset teaches is in none.
Usage: `python write_text.py --documents 1000 --seed 1 > text.jsonl`
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from orders import Order, article, draw_order, goods, message, other, sentence
from words import CITIES, COLOURS, DAYS, ITEMS, NAMES, NUMBERS, SYLLABLES, plural

Message = dict[str, str]
Text = tuple[str, str]
"""What is given, and what follows from it; the first may be empty."""
Document = Text | list[Message]
"""Plain text, or the messages of a conversation."""

SYSTEMS = (
    "You are a friendly shop assistant.",
    "You are a kind clerk in a small shop.",
    "Answer the customer politely.",
    "You work at the counter. Be warm and brief.",
    "You are a helpful assistant.",
)
THANKS = (
    "Thank you, {name}!",
    "Hello {name}!",
    "Dear {name}, thank you for your message.",
    "How nice to hear from you, {name}!",
    "Good day, {name}!",
    "Lovely, {name}!",
    "Of course, {name}.",
)
RESTATED = (
    "We will pack {goods} for you.",
    "{Goods}, what a good choice.",
    "I have put {goods} aside.",
    "You asked for {goods}, and we have them here.",
    "I am happy to find {goods} for you.",
)
SENT = (
    "The parcel leaves for {city} and will be there on {day}.",
    "It will reach {city} by {day}.",
    "On {day} it will be at your door in {city}.",
    "Our van drives to {city} on {day}.",
    "{city} on {day} is no trouble at all.",
    "You will have it on {day}. Greetings to {city}!",
)
CLOSINGS = (
    "Have a lovely day!",
    "See you soon!",
    "Please write again if anything is missing.",
    "We are glad to help.",
    "Take care, {name}!",
    "",
    "",
)
RECORD_KEYS = {
    "name": ("customer", "buyer", "who", "guest", "from"),
    "city": ("town", "place", "where", "to", "address"),
    "item": ("goods", "thing", "product", "what", "article"),
    "colour": ("shade", "paint", "tone", "look"),
    "count": ("number", "quantity", "pieces", "how_many", "amount"),
    "day": ("when", "date", "due", "weekday", "delivery"),
}
"""Names that records of the text give to an order's fields; none is a key of the ticket."""


def invented(rng: random.Random) -> str:
    """A made-up capitalised word of two to four syllables."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4))).capitalize()


def text_order(rng: random.Random) -> Order:
    """An order of the open side; in one of four, name and city are made up."""
    order = draw_order(rng)
    if rng.random() < 0.25:
        return replace(order, name=invented(rng), city=invented(rng))
    return order


def reply(order: Order, rng: random.Random) -> str:
    """A clerk's answer in chatty prose that repeats the order's fields."""
    wanted = goods(order, rng)
    parts = {"name": order.name, "city": order.city, "day": order.day, "goods": wanted, "Goods": sentence(wanted)}
    middle = [rng.choice(RESTATED), rng.choice(SENT)]
    if rng.random() < 0.2:
        middle.reverse()
    text = " ".join([rng.choice(THANKS), *middle, rng.choice(CLOSINGS)])
    return text.format(**parts).strip()


def question_about(order: Order, rng: random.Random) -> tuple[str, str]:
    """A short question about one field of the order, and its answer in prose."""
    some = plural(order.item)
    return rng.choice(
        (
            ("Which city was it?", f"It goes to {order.city}."),
            ("Where does it go?", f"To {order.city}, as you wrote."),
            ("What was my name again?", f"Your name is {order.name}."),
            ("Who am I?", f"You are {order.name}, of course."),
            ("Which colour did I say?", f"You said {order.colour}."),
            ("How many are there?", f"There are {order.count} in all."),
            ("How many did I ask for?", f"You asked for {NUMBERS[order.count]}."),
            ("On which day?", f"On {order.day}."),
            ("When will it come?", f"It will come on {order.day}."),
            ("What did I order?", f"You ordered {some} in {order.colour}."),
            ("What is it that I want?", f"You want {article(order.item)} {order.item}, I believe."),
        )
    )


def opened(rng: random.Random) -> list[Message]:
    """The start of a conversation: a system message, or nothing."""
    return [{"role": "system", "content": rng.choice(SYSTEMS)}] if rng.random() < 0.25 else []


def said(user: str, assistant: str) -> list[Message]:
    """One exchange."""
    return [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]


def order_conversation(rng: random.Random) -> Document:
    """A customer orders, the clerk answers in prose; sometimes a question follows."""
    order = text_order(rng)
    messages = opened(rng) + said(message(order, rng), reply(order, rng))
    while rng.random() < 0.35:
        messages += said(*question_about(order, rng))
    return messages


def small_talk(rng: random.Random) -> Document:
    """A conversation that is not an order."""
    name, city, item, colour, day = (rng.choice(words) for words in (NAMES, CITIES, ITEMS, COLOURS, DAYS))
    next_day = DAYS[(DAYS.index(day) + 1) % 7]
    first, second = rng.randint(1, 12), rng.randint(1, 12)
    exchanges = [
        said(f"Hello, I am {name}.", f"Hello {name}, how can I help you?"),
        said("How are you?", "I am very well, thank you. And you?"),
        said(f"Do you sell {plural(item)}?", f"Yes, we have {plural(item)} in many colours."),
        said(f"Do you like {colour}?", f"Yes, {colour} is a beautiful colour."),
        said(f"Have you been to {city}?", f"I have not seen {city} yet, but I would love to."),
        said(f"Which day comes after {day}?", f"After {day} comes {next_day}."),
        said(f"What is {first} plus {second}?", f"{first} plus {second} is {first + second}."),
        said(f"Spell {name}.", " ".join(name.upper())),
        said("Are you open?", f"We are open every day but {day}."),
        said(f"What colour is the {item} in the window?", f"The {item} in the window is {colour}."),
        said("Thank you!", "You are welcome!"),
        said("Goodbye.", "Goodbye, and come again!"),
        said(f"Say {item} {first} times.", " ".join([item] * first)),
    ]
    return opened(rng) + [turn for exchange in rng.sample(exchanges, rng.randint(2, 4)) for turn in exchange]


def record(order: Order, rng: random.Random) -> str:
    """Some of an order's fields in one of several notations, under names that the ticket does not use."""
    values = {"name": order.name, "city": order.city, "item": order.item, "colour": order.colour}
    values |= {"count": order.count, "day": order.day}
    keys = rng.sample(list(values), rng.randint(3, 6))
    fields = {rng.choice(RECORD_KEYS[key]): values[key] for key in keys}
    shape = rng.random()
    if shape < 0.6:
        return json.dumps(fields, separators=(",", ":"))
    if shape < 0.75:
        return json.dumps(fields)
    joint, mark = rng.choice((("\n", ": "), ("; ", " = "), (", ", ": "), (" | ", "=")))
    return joint.join(f"{key}{mark}{value}" for key, value in fields.items())


def desk_note(rng: random.Random) -> Document:
    """A message, copied out at the desk, and what the desk noted of it."""
    order = text_order(rng)
    first, second = message(order, rng), record(order, rng)
    if rng.random() < 0.25:
        first, second = second, first
    lead, joint = rng.choice(
        (("Letter: ", "\nNote:\n"), ("", "\n"), ("", "\n->\n"), ("In: ", "\nOut:\n"), ("", "\n\n"))
    )
    return f"{lead}{first}{joint}", second


def card_box(rng: random.Random) -> Document:
    """Several records, one below the other."""
    return "", "\n".join(record(text_order(rng), rng) for _ in range(rng.randint(2, 4)))


def retold(rng: random.Random) -> Document:
    """A message and the diary's account of it."""
    order = text_order(rng)
    wanted = goods(order, rng)
    account = rng.choice(
        (
            f"{order.name} from {order.city} wrote today. {sentence(wanted)} must be there on {order.day}.",
            f"On {order.day} we send {wanted} to {order.city}, where {order.name} lives.",
            f"{sentence(wanted)} for {order.name} in {order.city}, {order.day}.",
            f"A {order.colour} parcel: {order.item}, {order.count}, for {order.name}. {order.city}, {order.day}.",
        )
    )
    first, second = rng.sample((message(order, rng), account), 2)
    return f"{first}\n", second


def story(rng: random.Random) -> Document:
    """A short story with a sum in it."""
    name, friend = rng.sample(NAMES, 2)
    item, city, colour, day = (rng.choice(words) for words in (ITEMS, CITIES, COLOURS, DAYS))
    first, more = rng.randint(2, 12), rng.randint(1, 12)
    total = first + more
    return "", (
        f"{name} lived in {city}. On {day} {name} bought {first} {colour} {plural(item)}. "
        f"Then {friend} came and brought {more} more. How many {plural(item)} did they have? "
        f"{name} had {first} and {friend} had {more}, so {first} + {more} = {total}. "
        f"They had {NUMBERS[total] if total < len(NUMBERS) else total} {plural(item)}, and all of them were {colour}."
    )


def drill(rng: random.Random) -> Document:
    """A row of words written twice, or quoted: it teaches to copy."""
    pool = (*NAMES, *CITIES, *ITEMS, *COLOURS, *DAYS)
    words = [invented(rng) if rng.random() < 0.5 else rng.choice(pool) for _ in range(rng.randint(3, 9))]
    shape = rng.random()
    if shape < 0.3:
        return f"{' '.join(words)}\n", " ".join(words)
    if shape < 0.8:
        return f"{' '.join(words)}\n", json.dumps(words, separators=(",", ":"))
    return f"{json.dumps(words)} reads:", f" {' '.join(words)}"


def naming(rng: random.Random) -> Document:
    """One and many: the plain forms of words and numbers."""
    lines = []
    for _ in range(rng.randint(3, 6)):
        item, count = rng.choice(ITEMS), rng.randint(2, 12)
        lines.append(
            rng.choice(
                (
                    f'Many {plural(item)}, one {item}: "{item}".',
                    f"{sentence(NUMBERS[count])} is {count}.",
                    f'"{other(rng, ITEMS, item)}" is not "{item}".',
                    f"{count} {plural(item)}: {NUMBERS[count]} times {article(item)} {item}.",
                )
            )
        )
    return "", "\n".join(lines)


KINDS: tuple[tuple[Callable[[random.Random], Document], float], ...] = (
    (order_conversation, 0.34),
    (small_talk, 0.08),
    (desk_note, 0.34),
    (card_box, 0.02),
    (retold, 0.06),
    (story, 0.04),
    (drill, 0.08),
    (naming, 0.04),
)


def documents(seed: int) -> Iterator[Document]:
    """Endless documents; the same seed always gives the same row."""
    rng = random.Random(seed)
    writers, weights = zip(*KINDS, strict=True)
    while True:
        yield rng.choices(writers, weights)[0](rng)


def main() -> None:
    """Writes the first documents of a seed to standard output, one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for _, document in zip(range(options.documents), documents(options.seed), strict=False):
        row = {"messages": document} if isinstance(document, list) else {"text": "".join(document)}
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
