"""The text that an image is trained with: its caption or the one prompt, with every trigger word in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

PLACEHOLDER = "[trigger]"
"""What ai-toolkit's captions write in the place of the trigger word."""
SURELY_READ = 150
"""Characters of a text that are among the 75 tokens which CLIP reads (77 with its marks), at two a token and more."""


def has_word(text: str, word: str) -> bool:
    """If the text has the word as a whole one. Capitals do not count: CLIP's tokenizers lower them all."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def training_text(caption: str | None, prompt: str | None, trigger_words: Sequence[str]) -> str:
    """`prompt`, the one for all images, else the image's caption; trigger words that it lacks stand before it.

    One that comes late in a long caption stands before it, too: what CLIP cuts off teaches nothing.
    """
    text = " ".join((prompt if prompt is not None else caption or "").split())
    words = [" ".join(word.split()) for word in trigger_words]
    if words:
        text = text.replace(PLACEHOLDER, words[0])
    lacking = [
        word for at, word in enumerate(words) if word not in words[:at] and not has_word(text[:SURELY_READ], word)
    ]
    return ", ".join([*lacking, text] if text else lacking)
