"""Turns conversations into token ids and loss masks. Needs tokenizers and jinja2, never torch or transformers."""

from __future__ import annotations

import json
import re
from array import array
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from lora_trainer.chat_template import END_MARK, ChatTemplate
from lora_trainer.failure import TrainerFailure
from lora_trainer.rows import RowFault
from lora_trainer.shapes import Conversation

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
SPECIAL_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A row as the model sees it: token ids, and for each of them 1 where the loss is taken on it."""

    ids: array
    mask: bytes

    @property
    def trained(self) -> int:
        """Tokens that are a target. The first token is never one: nothing predicts it."""
        return self.mask.count(1, 1)

    def cut(self, length: int) -> Tokens:
        return self if len(self.ids) <= length else Tokens(self.ids[:length], self.mask[:length])


def read_json(path: Path) -> dict:
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


class ChatTokenizer:
    """The tokenizer of a model folder together with its chat template."""

    def __init__(self, folder: Path) -> None:
        """Raises TrainerFailure where the folder has no tokenizer.json or one that cannot be read."""
        if not (folder / "tokenizer.json").is_file():
            raise TrainerFailure(
                "model_not_found",
                "The base model has no tokenizer.json.",
                "Take a model with a fast tokenizer, or save its tokenizer once with transformers.",
                "base_model.path",
            )
        try:
            self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            config = read_json(folder / "special_tokens_map.json") | read_json(folder / "tokenizer_config.json")
            self.special_tokens = {
                name: value if isinstance(value, str) else value["content"]
                for name in SPECIAL_NAMES
                if (value := config.get(name))
            }
            source = self._template_source(folder, config)
            controls = {n: t.content for n, t in self.tokenizer.get_added_tokens_decoder().items() if t.special}
            self._control_ids, self._controls = set(controls), sorted(controls.values(), key=len, reverse=True)
            self.template = ChatTemplate(source, self.special_tokens, self._controls) if source else None
            self._eos_ids = self._read_eos_ids(folder)
        except TrainerFailure:
            raise
        except Exception as error:  # the tokenizers library raises bare Exception
            raise TrainerFailure(
                "model_not_found",
                f"The base model's tokenizer cannot be read: {error}"[:500],
                "Fetch the model again.",
                "base_model.path",
            ) from None
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    @cached_property
    def special_pattern(self) -> re.Pattern[str]:
        """Finds the model's control tokens in a text, where they act as such; matches nothing if there are none."""
        return re.compile("|".join(map(re.escape, self._controls)) or "(?!)")

    @staticmethod
    def _template_source(folder: Path, config: dict) -> str | None:
        file = folder / "chat_template.jinja"
        if file.is_file():
            return file.read_text("utf-8")
        template = config.get("chat_template")
        if isinstance(template, list):
            named = {entry["name"]: entry["template"] for entry in template}
            return named.get("default", next(iter(named.values()), None))
        return template

    def _read_eos_ids(self, folder: Path) -> list[int]:
        """The tokens that end a text, by the model's own word: tokenizer, config.json, generation_config.json."""
        found: list[int] = []
        if (eos := self.special_tokens.get("eos_token")) is not None:
            found.append(self.tokenizer.token_to_id(eos))
        for name in ("generation_config.json", "config.json"):
            value = read_json(folder / name).get("eos_token_id")
            found += value if isinstance(value, list) else [value]
        return list(dict.fromkeys(number for number in found if number is not None))

    @property
    def pad_id(self) -> int:
        """What fills a batch; masked everywhere, so any token will do."""
        pad = self.tokenizer.token_to_id(self.special_tokens.get("pad_token", ""))
        return pad if pad is not None else (self._eos_ids or [0])[0]

    def stop_ids(self) -> list[int]:
        """Tokens after which generation stops: the ends of a text, and what the template puts behind an answer."""
        found = list(self._eos_ids)
        if self.template is not None:
            turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": END_MARK}]
            try:
                behind = self.template.render(turns).rpartition(END_MARK)[2]
            except RowFault:
                behind = ""
            ids = self.tokenizer.encode(behind, add_special_tokens=False).ids
            if ids and ids[0] in self._control_ids:
                found.append(ids[0])
        return list(dict.fromkeys(found))

    def encode_prompt(self, messages: list[dict], tools: list | None = None) -> list[int]:
        """Ids of a conversation that the assistant is to go on with. Raises RowFault."""
        if self.template is None:
            return self.tokenizer.encode(messages[-1]["content"]).ids
        text = self.template.render(messages, tools, add_generation_prompt=True)
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def render(self, conversation: Conversation) -> tuple[str, list[tuple[int, int]]]:
        """The text of a row and the character spans that are trained, as `encode` takes them. Raises RowFault."""
        if conversation.text is not None:
            return conversation.text, [(0, len(conversation.text))]
        if self.template is not None:
            messages = [*conversation.messages]
            return self.template.render_with_spans(messages, [*conversation.trained], conversation.tools)
        if conversation.plain_pair:
            prompt, completion = (message["content"] for message in conversation.messages)
            return prompt + completion, [(len(prompt), len(prompt) + len(completion))]
        raise RowFault("no_chat_template", "The base model has no chat template to write a conversation with.")

    def encode(self, conversations: list[Conversation]) -> list[Tokens | RowFault]:
        """Ids and mask of each row, or the rule that it breaks. Together they are encoded several times faster."""
        rendered: list[tuple[str, list[tuple[int, int]]] | RowFault] = []
        for conversation in conversations:
            try:
                rendered.append(self.render(conversation))
            except RowFault as fault:
                rendered.append(fault)
        # A template writes its own beginning; plain text gets the one that the tokenizer adds.
        plain = [c.text is not None or self.template is None for c in conversations]
        encoded: dict[int, Encoding] = {}
        for add_special in (False, True):
            places = [
                p for p, item in enumerate(rendered) if not isinstance(item, RowFault) and plain[p] is add_special
            ]
            texts = [rendered[place][0] for place in places]
            encoded |= zip(places, self.tokenizer.encode_batch(texts, add_special_tokens=add_special), strict=True)
        return [
            item if isinstance(item, RowFault) else self._tokens(item[0], item[1], encoded[place], plain[place])
            for place, item in enumerate(rendered)
        ]

    def _tokens(self, text: str, spans: list[tuple[int, int]], encoding: Encoding, plain: bool) -> Tokens | RowFault:
        ids = array("i", encoding.ids)
        mask = bytearray(len(ids))
        for start, end in spans:
            first = self._token_at(encoding, start, len(text), len(ids))
            # A token that begins inside the prompt is not the answer's own.
            while first < len(ids) and (where := encoding.token_to_chars(first)) is not None and where[0] < start:
                first += 1
            last = self._token_at(encoding, end, len(text), len(ids))
            last = self._without_trailing_space(ids, encoding, text, first, last)
            mask[first:last] = b"\x01" * (last - first)
        if plain and self._eos_ids and (not ids or ids[-1] != self._eos_ids[0]):
            ids.append(self._eos_ids[0])
            mask.append(1)
        tokens = Tokens(ids, bytes(mask))
        if tokens.trained == 0:
            return RowFault("nothing_to_train", "No token of the answer is left to train on.")
        return tokens

    def segments(self, conversation: Conversation, limit: int) -> list[dict]:
        """A row as pieces of text with `trained` true or false, exactly as its tokens are masked. Raises RowFault.

        `limit`: at most so many characters in all.
        """
        tokens = self.encode([conversation])[0]
        if isinstance(tokens, RowFault):
            raise tokens
        text, _ = self.render(conversation)
        plain = conversation.text is not None or self.template is None
        encoding = self.tokenizer.encode(text, add_special_tokens=plain)
        # Where a mask's run begins, and the characters at which that is.
        runs = [0, *(at for at in range(1, len(tokens.ids)) if tokens.mask[at] != tokens.mask[at - 1])]
        places = [encoding.offsets[at][0] if at < len(encoding.offsets) else len(text) for at in runs] + [len(text)]
        pieces = [
            {"text": text[places[number] : places[number + 1]], "trained": bool(tokens.mask[at])}
            for number, at in enumerate(runs)
        ]
        if len(tokens.ids) > len(encoding.ids):
            pieces.append({"text": self.tokenizer.id_to_token(tokens.ids[-1]), "trained": True})
        shown = []
        for piece in pieces:
            if piece["text"] and limit > 0:
                shown.append(piece | {"text": piece["text"][:limit]})
                limit -= len(piece["text"])
        return shown

    @staticmethod
    def _token_at(encoding: Encoding, character: int, characters: int, tokens: int) -> int:
        """The first token of the first character at or after `character` that has one; `tokens` behind the last."""
        while character < characters:
            token = encoding.char_to_token(character)
            if token is not None:
                return token
            character += 1
        return tokens

    def _without_trailing_space(self, ids: array, encoding: Encoding, text: str, first: int, last: int) -> int:
        """Cuts what a template writes behind the end mark: generation stops at the mark and never gets there."""
        end = last
        while end > first and (where := encoding.token_to_chars(end - 1)) and not text[where[0] : where[1]].strip():
            end -= 1
        return end if end < last and end > first and ids[end - 1] in self._control_ids else last
