"""Cuts a JSON array of any size into the texts of its elements, in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

STRUCTURE = re.compile(r'["\[\]{},]')
WHOLE_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
IN_STRING = re.compile(r'["\\]')
Fault = tuple[str, str]


class ElementScanner:
    """Finds where an element ends: at the first comma or closing bracket on its own level, outside of strings."""

    def __init__(self) -> None:
        self.depth = 0
        self.in_string = False
        self.escaped = False

    def end(self, text: str, at: int) -> int:
        """Index of that comma or bracket at or after `at`, or -1 where the element goes on behind `text`."""
        if self.escaped and at < len(text):
            self.escaped = False
            at += 1
        while at < len(text):
            if self.in_string:
                found = IN_STRING.search(text, at)
                if found is None:
                    return -1
                if found[0] == "\\":
                    self.escaped = found.end() == len(text)
                    at = found.end() + 1
                else:
                    self.in_string = False
                    at = found.end()
                continue
            found = STRUCTURE.search(text, at)
            if found is None:
                return -1
            sign, at = found[0], found.end()
            if sign == '"':
                whole = WHOLE_STRING.match(text, at)
                self.in_string = whole is None
                at = at if whole is None else whole.end()
            elif sign in "[{":
                self.depth += 1
            elif self.depth == 0 and sign in ",]":
                return found.start()
            elif sign in "]}":
                self.depth -= 1
        return -1


def split_array(chunks: Iterable[bytes], limit: int) -> Iterator[tuple[str, Fault | None]]:
    """Yields each element's text, or the start of one with its fault (code, message).

    Bytes that are not UTF-8 come through as surrogates U+DC80…U+DCFF. `limit` is in characters.
    A file that does not close its array ends with a fault.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    opened = closed = too_long = trailed = False
    scanner, element, first = ElementScanner(), "", True
    for chunk in chunks:
        text, at = decoder.decode(chunk), 0
        if not opened:
            text = text.lstrip()
            if not text:
                continue
            opened, at = True, 1
        while at < len(text) and not closed:
            end = scanner.end(text, at)
            if not too_long:
                element += text[at : end if end >= 0 else None]
            if len(element) > limit:
                element, too_long = element[:400], True
            if end < 0:
                break
            closed = text[end] == "]"
            if element.strip() or not (first and closed):
                yield element, ("line_too_long", f"Longer than {limit // 1_000_000} MB.") if too_long else None
            scanner, element, too_long, first = ElementScanner(), "", False, False
            at = end + 1
        if closed and not trailed and (rest := text[at:].strip()):
            trailed = True
            yield rest[:400], ("invalid_json_line", "Something follows the end of the array.")
    if not closed:
        yield element, ("invalid_json_line", "The array is not closed: the file is cut off or a bracket is missing.")
