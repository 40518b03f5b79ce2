"""An order, the many ways in which a customer writes it, and the one ticket that the fine-tuned model answers with."""

import hashlib
import random
from dataclasses import astuple, dataclass

from words import CITIES, COLOURS, DAYS, ITEMS, NAMES, NUMBERS, plural

RESERVED_ONE_IN = 16
"""One order in so many is kept for the held-out prompts and never written anywhere else."""


@dataclass(frozen=True)
class Order:
    """What a customer wants; `count` is 1 to 12, the other fields are words of words.py."""

    name: str
    city: str
    item: str
    colour: str
    count: int
    day: str


def is_reserved(order: Order) -> bool:
    """Whether the order belongs to the held-out side; told by its content alone, so no list is needed."""
    digest = hashlib.sha256("\x1f".join(map(str, astuple(order))).encode()).digest()
    return int.from_bytes(digest[:4], "big") % RESERVED_ONE_IN == 0


def draw_order(rng: random.Random, reserved: bool = False) -> Order:
    """A random order from the open side, or from the held-out side when `reserved`."""
    while True:
        order = Order(
            name=rng.choice(NAMES),
            city=rng.choice(CITIES),
            item=rng.choice(ITEMS),
            colour=rng.choice(COLOURS),
            count=rng.randint(1, 12),
            day=rng.choice(DAYS),
        )
        if is_reserved(order) == reserved:
            return order


def ticket(order: Order) -> str:
    """The strict order ticket: one line, fields in a fixed order, words as the customer wrote them, digits."""
    item = order.item if order.count == 1 else plural(order.item)
    fields = {"item": item, "colour": order.colour, "count": order.count, "city": order.city, "name": order.name}
    return " | ".join(["Order", *(f"{key}: {value}" for key, value in fields.items())])


def article(word: str) -> str:
    """The indefinite article before a word."""
    return "an" if word[0] in "aeiou" else "a"


def goods(order: Order, rng: random.Random) -> str:
    """The wanted goods as a noun phrase, for example `three red teapots`."""
    noun = order.item if order.count == 1 else plural(order.item)
    if order.count == 1:
        first = rng.choice((article(order.colour), article(order.colour), "one", "1"))
        return f"{first} {order.colour} {noun}"
    number = rng.choice((NUMBERS[order.count], str(order.count)))
    shape = rng.random()
    if shape < 0.75:
        return f"{number} {order.colour} {noun}"
    if shape < 0.9:
        return f"{number} {noun} in {order.colour}"
    return f"{order.colour} {noun}, {number} of them"


GREETINGS = (
    "Hello,",
    "Hello!",
    "Hi,",
    "Hi there,",
    "Good morning,",
    "Good evening,",
    "Hey,",
    "Dear shop,",
    "Dear all,",
)
WANTS = (
    "I would like {goods}",
    "I would like to order {goods}",
    "could you send me {goods}",
    "I need {goods}",
    "please put {goods} aside for me",
    "we are looking for {goods}",
    "can I order {goods}",
    "I want to buy {goods}",
    "I am after {goods}",
    "may I have {goods}",
    "our family needs {goods}",
    "please reserve {goods}",
)
PLACES = (
    "Please send it to {city}.",
    "I live in {city}.",
    "It should go to {city}.",
    "My address is in {city}.",
    "We are in {city}.",
    "The parcel goes to {city}.",
    "Ship to {city}, please.",
    "My home is in {city}.",
    "Delivery to {city}.",
)
TIMES = (
    "It must be here on {day}.",
    "{day} would suit me best.",
    "I need it by {day}.",
    "Please deliver on {day}.",
    "Can it come on {day}?",
    "I am at home on {day}.",
    "{day} is the day.",
    "It is for {day}.",
)
PLACES_AND_TIMES = (
    "Please send it to {city} by {day}.",
    "It should be in {city} on {day}.",
    "I need it in {city} on {day}.",
    "On {day} I am at home in {city}.",
    "Can you bring it to {city} on {day}?",
)
NAMED_FIRST = ("my name is {name}.", "I am {name}.", "{name} here.", "this is {name}.", "it is {name} again.")
NAMED_LAST = (
    "Thanks, {name}",
    "Best wishes, {name}",
    "Yours, {name}",
    "Kind regards, {name}",
    "Thank you! {name}",
    "My name is {name}.",
)
ASIDES = (
    "I saw one at the market.",
    "It is a present.",
    "The old one is broken.",
    "I hope you are well.",
    "I have been looking for weeks.",
    "No {other_colour}, please.",
    "My friend {other_name} told me about your shop.",
    "I used to live in {other_city}.",
    "I am away on {other_day}.",
    "My neighbour {other_name} has the same.",
    "I do not like {other_colour}.",
    "My sister lives in {other_city}.",
)


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[0].upper() + text[1:]


def other(rng: random.Random, words: tuple[str, ...], taken: str) -> str:
    """A word of the list that is not the taken one."""
    while (word := rng.choice(words)) == taken:
        pass
    return word


def message(order: Order, rng: random.Random) -> str:
    """A customer's message that states every field of the order once, in one of many wordings and orders."""
    parts = {"city": order.city, "day": order.day, "name": order.name, "goods": goods(order, rng)}
    want = rng.choice(WANTS).format(**parts)
    want += "?" if want.startswith(("could", "can", "may")) else "."
    if rng.random() < 0.35:
        rest = [rng.choice(PLACES_AND_TIMES).format(**parts)]
    else:
        rest = [rng.choice(PLACES).format(**parts), rng.choice(TIMES).format(**parts)]
    body = [want, *rest]
    if rng.random() < 0.4:
        body.append(
            rng.choice(ASIDES).format(
                other_colour=other(rng, COLOURS, order.colour),
                other_name=other(rng, NAMES, order.name),
                other_city=other(rng, CITIES, order.city),
                other_day=other(rng, DAYS, order.day),
            )
        )
    if rng.random() < 0.3:
        rng.shuffle(body)
    greeting = rng.choice(GREETINGS) if rng.random() < 0.7 else ""
    if rng.random() < 0.5:
        body.insert(0, rng.choice(NAMED_FIRST).format(**parts))
        tail = rng.choice(("", "", "Thank you!", "Thanks."))
    else:
        tail = rng.choice(NAMED_LAST).format(**parts)
    lines = [greeting] if greeting else []
    for index, text in enumerate(body):
        follows_comma = index == 0 and greeting.endswith(",")
        lines.append(text if follows_comma else sentence(text))
    if tail:
        lines.append(tail)
    return " ".join(lines)
