"""The shapes that a dataset's rows come in, and the one form that they all become: a conversation."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass

from lora_trainer.rows import RowFault

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
SHAREGPT_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "observation": "tool",
    "tool": "tool",
}
# A row is rendered once for each of its answers: the time grows with the square of its turns.
TURNS_MAX = 512
CANONICAL = json.JSONEncoder(sort_keys=True)
# Fields that tell a shape, in the order in which they are looked for.
SIGNS = (
    ("chat", ("messages",)),
    ("sharegpt", ("conversations",)),
    ("prompt_completion", ("prompt", "completion")),
    ("alpaca", ("instruction", "output")),
    ("text", ("text",)),
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one row teaches. `trained` says of each message if the loss is taken on it; `text` is set for plain text."""

    messages: tuple[dict, ...]
    trained: tuple[bool, ...]
    tools: list | None = None
    text: str | None = None
    plain_pair: bool = False
    """A prompt and a completion of plain strings: they can be joined as they are for a base without a template."""

    @property
    def turns(self) -> int:
        """Messages other than the system's; a plain text is one."""
        return 1 if self.text is not None else sum(message["role"] != "system" for message in self.messages)

    @property
    def key(self) -> bytes:
        """16 bytes that are equal for equal content."""
        content = self.text if self.text is not None else [self.messages, self.trained, self.tools]
        return hashlib.blake2b(CANONICAL.encode(content).encode(), digest_size=16).digest()


def detect_shape(row: dict, mapping: dict[str, str]) -> str | None:
    """The shape of a row by its fields; the fields that a mapping names come first."""
    for fields in (set(mapping), set(row) | set(mapping)):
        for shape, signs in SIGNS:
            if fields.issuperset(signs):
                return shape
    return None


def read_shape(row: dict, shape: str, mapping: dict[str, str]) -> Conversation:
    """The conversation of a row. Raises RowFault."""
    fields = {name: value for name, value in row.items() if name not in mapping}
    for name, column in mapping.items():
        if column in row:
            fields[name] = row[column]
    return READERS[shape](fields, mapping)


def field_of(fields: dict, name: str, mapping: dict[str, str]) -> object:
    value = fields.get(name)
    if value is None:
        column = mapping.get(name, name)
        also = "" if column == name else f" (mapped to {name!r})"
        raise RowFault("missing_field", f"The field {column[:60]!r}{also} is missing.", column)
    return value


def text_of(value: object, what: str, empty: bool = False) -> str:
    """A string that says something. Content in parts is joined when every part is text. Raises RowFault."""
    if isinstance(value, list) and value and all(isinstance(p, dict) and p.get("type") == "text" for p in value):
        value = "".join(str(part.get("text", "")) for part in value)
    if not isinstance(value, str):
        raise RowFault("wrong_type", f"{what} must be text.")
    if not empty and not value.strip():
        raise RowFault("empty_text", f"{what} is empty.")
    return value


def tools_of(fields: dict) -> list | None:
    """The tools offered to the assistant; ShareGPT files write them as JSON inside a string. Raises RowFault."""
    tools = fields.get("tools")
    if isinstance(tools, str):
        try:
            tools = json.loads(tools) if tools.strip() else None
        except (ValueError, RecursionError):
            raise RowFault("wrong_type", "tools must be a list, or JSON text of one.") from None
    if not tools:
        return None
    if not isinstance(tools, list):
        raise RowFault("wrong_type", "tools must be a list.")
    return tools


def conversation_of(messages: list[tuple[dict, bool]], tools: list | None, plain_pair: bool = False) -> Conversation:
    """Checks the order of turns. Raises RowFault."""
    if len(messages) > TURNS_MAX:
        raise RowFault("too_many_turns", f"Has {len(messages)} turns; at most {TURNS_MAX}: split the conversation.")
    roles = [message["role"] for message, _ in messages]
    turns = roles[1:] if roles and roles[0] == "system" else roles
    if "system" in turns:
        raise RowFault("invalid_conversation", "A system message may only stand once, at the beginning.")
    if "assistant" not in turns:
        raise RowFault("no_assistant_turn", "There is no assistant turn to learn from.")
    if turns[0] != "user":
        raise RowFault("invalid_conversation", f"The first turn must be the user's, not the {turns[0]}'s.")
    for before, after in itertools.pairwise(turns):
        if before == after != "tool" or (after == "tool" and before == "user"):
            raise RowFault("invalid_conversation", f"A {after} turn may not follow a {before} turn.")
    if not any(trained for _, trained in messages):
        raise RowFault("nothing_to_train", "Every assistant turn has weight 0.")
    messages = [
        (message, trained) for message, trained in messages if message["role"] != "system" or message["content"]
    ]
    return Conversation(
        tuple(message for message, _ in messages), tuple(trained for _, trained in messages), tools, None, plain_pair
    )


def chat_message(message: object, place: int) -> tuple[dict, bool]:
    """One message in OpenAI's form and if it is trained. Raises RowFault."""
    what = f"Message {place}"
    if not isinstance(message, dict):
        raise RowFault("wrong_type", f"{what} must be an object.")
    role = ROLES.get(message["role"]) if isinstance(message.get("role"), str) else None
    if role is None:
        raise RowFault("unknown_role", f"{what} has the role {str(message.get('role'))[:40]!r}.")
    calls = message.get("tool_calls")
    if calls is not None and (role != "assistant" or not isinstance(calls, list)):
        raise RowFault("wrong_type", f"{what}: tool_calls must be a list in an assistant's message.")
    content = message.get("content")
    if content is None and "content" not in message and not calls:
        raise RowFault("missing_field", f"{what} has no content.")
    content = (
        "" if content is None and calls else text_of(content, what, empty=bool(calls) or role in ("system", "tool"))
    )
    weight = message.get("weight", 1)
    if weight not in (0, 1):
        raise RowFault("wrong_type", f"{what}: weight must be 0 or 1.")
    clean = {"role": role, "content": content}
    clean |= {name: message[name] for name in ("name", "tool_call_id") if message.get(name)}
    if calls:
        clean["tool_calls"] = [tool_call(call, what) for call in calls]
    return clean, role == "assistant" and bool(weight)


def tool_call(call: object, what: str) -> dict:
    """A call with its arguments as an object: OpenAI writes them as JSON text, templates print objects."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RowFault("wrong_type", f"{what}: a tool call must have a function with a name.")
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            raise RowFault("wrong_type", f"{what}: the arguments of a tool call are not JSON.") from None
    return call | {"function": function | {"arguments": arguments}}


def chat_messages(value: object, field: str) -> list[tuple[dict, bool]]:
    if not isinstance(value, list):
        raise RowFault("wrong_type", f"{field} must be a list of messages.")
    if not value:
        raise RowFault("empty_text", f"{field} is empty.")
    return [chat_message(message, place) for place, message in enumerate(value, start=1)]


def read_chat(fields: dict, mapping: dict[str, str]) -> Conversation:
    return conversation_of(chat_messages(field_of(fields, "messages", mapping), "messages"), tools_of(fields))


def read_sharegpt(fields: dict, mapping: dict[str, str]) -> Conversation:
    turns = field_of(fields, "conversations", mapping)
    if not isinstance(turns, list) or not turns:
        raise RowFault("wrong_type", "conversations must be a list of turns.")
    messages: list[tuple[dict, bool]] = []
    if system := fields.get("system"):
        messages.append(({"role": "system", "content": text_of(system, "system")}, False))
    for place, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict):
            raise RowFault("wrong_type", f"Turn {place} must be an object.")
        sender = turn.get("from")
        role = SHAREGPT_ROLES.get(sender) if isinstance(sender, str) else None
        if role is None:
            raise RowFault("unknown_role", f"Turn {place} is from {str(sender)[:40]!r}.")
        if turn.get("value") is None:
            raise RowFault("missing_field", f"Turn {place} has no value.")
        content = text_of(turn["value"], f"Turn {place}", empty=role in ("system", "tool"))
        messages.append(({"role": role, "content": content}, role == "assistant"))
    return conversation_of(messages, tools_of(fields))


def read_alpaca(fields: dict, mapping: dict[str, str]) -> Conversation:
    question = text_of(field_of(fields, "instruction", mapping), "instruction")
    context = text_of(fields.get("input") or "", "input", empty=True)
    answer = text_of(field_of(fields, "output", mapping), "output")
    messages: list[tuple[dict, bool]] = []
    if system := fields.get("system"):
        messages.append(({"role": "system", "content": text_of(system, "system")}, False))
    history = fields.get("history") or []
    if not isinstance(history, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in history):
        raise RowFault("wrong_type", "history must be a list of [question, answer] pairs.")
    last = f"{question}\n{context}" if context.strip() else question
    for asked, said in [*history, [last, answer]]:
        messages.append(({"role": "user", "content": text_of(asked, "A question")}, False))
        messages.append(({"role": "assistant", "content": text_of(said, "An answer")}, True))
    return conversation_of(messages, tools_of(fields))


def read_prompt_completion(fields: dict, mapping: dict[str, str]) -> Conversation:
    prompt, completion = field_of(fields, "prompt", mapping), field_of(fields, "completion", mapping)
    if isinstance(prompt, list) and isinstance(completion, list):
        asked = [(message, False) for message, _ in chat_messages(prompt, "prompt")]
        return conversation_of(asked + chat_messages(completion, "completion"), tools_of(fields))
    asked = text_of(prompt, mapping.get("prompt", "prompt"))
    said = text_of(completion, mapping.get("completion", "completion"))
    messages: list[tuple[dict, bool]] = [({"role": "user", "content": asked}, False)]
    if system := fields.get("system"):
        messages.insert(0, ({"role": "system", "content": text_of(system, "system")}, False))
    messages.append(({"role": "assistant", "content": said}, True))
    return conversation_of(messages, tools_of(fields), plain_pair=len(messages) == 2)


def read_text(fields: dict, mapping: dict[str, str]) -> Conversation:
    return Conversation((), (), text=text_of(field_of(fields, "text", mapping), mapping.get("text", "text")))


READERS: dict[str, Callable[[dict, dict[str, str]], Conversation]] = {
    "chat": read_chat,
    "sharegpt": read_sharegpt,
    "alpaca": read_alpaca,
    "prompt_completion": read_prompt_completion,
    "text": read_text,
}
