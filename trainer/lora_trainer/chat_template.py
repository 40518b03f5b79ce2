"""Renders a model's chat template as transformers does, without transformers, and finds what the loss is taken on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, NoReturn

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lora_trainer.rows import RowFault

# Some templates print today's date; a fixed one keeps a run the same on every day (it is Llama's own default).
TEMPLATE_DATE = datetime(2024, 7, 26)
# Put behind an answer to see where the template lets it end; no text of a dataset is likely to hold it.
END_MARK = "\u241e"


class GenerationTag(Extension):
    """Lets `{% generation %}` of a template through; the mask is found by rendering, so the tag says nothing."""

    tags: ClassVar[set[str]] = {"generation"}

    def parse(self, parser: Any) -> Any:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def refuse(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def to_json(value: object, ensure_ascii: bool = False, **options: Any) -> str:
    """jinja2's own filter escapes for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


class ChatTemplate:
    """A compiled template with the special tokens that it may name."""

    def __init__(self, source: str, special_tokens: dict[str, str], control_tokens: Iterable[str] = ()) -> None:
        """`special_tokens` are those that the template names, `control_tokens` all that the tokenizer has.

        Raises jinja2.TemplateError where `source` is no template.
        """
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, GenerationTag]
        )
        environment.filters["tojson"] = to_json
        environment.globals["raise_exception"] = refuse
        environment.globals["strftime_now"] = TEMPLATE_DATE.strftime
        self._template = environment.from_string(source)
        self._special_tokens = special_tokens
        self._control_tokens = sorted(control_tokens, key=len, reverse=True)

    def render(self, messages: list[dict], tools: list | None = None, add_generation_prompt: bool = False) -> str:
        """The text of a conversation. Raises RowFault where the template refuses it."""
        try:
            return self._template.render(
                messages=messages,
                tools=tools,
                documents=None,
                add_generation_prompt=add_generation_prompt,
                **self._special_tokens,
            )
        except (jinja2.TemplateError, TypeError, ValueError, KeyError, OverflowError) as error:
            raise RowFault("template_refused", f"The model's chat template refuses it: {error}"[:300]) from None

    def render_with_spans(
        self, messages: list[dict], trained: list[bool], tools: list | None = None
    ) -> tuple[str, list[tuple[int, int]]]:
        """The text and the spans [start, end) of the trained answers, each with the mark that ends it.

        An answer is what the text has beyond the rendering of everything before it; that rendering is checked to be
        a true beginning of the text. Raises RowFault where it is not.
        """
        text = self.render(messages, tools)
        spans = []
        for place, message in enumerate(messages):
            if not trained[place]:
                continue
            start = self._start(text, messages[:place], tools)
            end = self._end(text, messages, place, tools)
            if start is None or end is None or end <= start:
                raise RowFault(
                    "template_not_maskable",
                    f"The chat template changes what stands before the answer in message {place + 1}, so the answer "
                    f"of the {message['role']} cannot be told from the prompt.",
                )
            spans.append((start, end))
        return text, spans

    def _start(self, text: str, before: list[dict], tools: list | None) -> int | None:
        """Where the answer begins: behind the prompt that generation would be given, else behind what came before."""
        for generation_prompt in (True, False):
            prompt = self.render(before, tools, add_generation_prompt=generation_prompt)
            if text.startswith(prompt):
                return len(prompt)
        return None

    def _end(self, text: str, messages: list[dict], place: int, tools: list | None) -> int | None:
        """Where the answer ends, its end mark included."""
        if place == len(messages) - 1:
            return len(text)
        until = self.render(messages[: place + 1], tools)
        if text.startswith(until):
            return len(until)
        # Some templates show an answer otherwise once it is no longer the last (they drop its reasoning).
        # A mark behind the answer shows where it ends: from there on the two renderings are the same.
        answer = messages[place]
        if not answer["content"]:
            return None
        marked = [*messages]
        marked[place] = answer | {"content": answer["content"].rstrip() + END_MARK}
        tail = self.render(marked, tools).partition(END_MARK)[2]
        if not tail or not text.endswith(tail):
            return None
        return len(text) - len(tail) + len(next(filter(tail.startswith, self._control_tokens), ""))
