"""Text whose encoding nobody says: UTF-8 where it is, else the likeliest of what was usual."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORD: Final = re.compile(r"[^\W\d_]+")
_SCRIPTS: Final[Mapping[str, re.Pattern[str]]] = {
    "shift_jis": re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\u3005]*[\u3040-\u30ff]+.*"),
    "cp1251": re.compile(r"[\u0400-\u045f]+"),
}
"""How a word looks that is of the script for which an encoding was made."""

_LETTERS: Final = 3
"""So many letters tell a script; one or two may be accents of a Western name."""


def guess(raw: bytes) -> str:
    """Return bytes as text that can be encoded again, whatever they are."""
    return raw.decode(encoding_of(raw))


def encoding_of(raw: bytes) -> str:
    """Return the likeliest encoding, of which no byte is wrong.

    What is not UTF-8 is Cyrillic or Japanese where all of its words are, and Western otherwise.
    """
    for encoding in ("utf-8", *_SCRIPTS, "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding not in _SCRIPTS or _is_likely(text, _SCRIPTS[encoding]):
            return encoding
    return "latin-1"


def _is_likely(text: str, script: re.Pattern[str]) -> bool:
    """Tell whether every word that is not plain is of a script: a Western one, read as Cyrillic,
    would have letters of both in one word.
    """
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    return sum(map(len, words)) >= _LETTERS and all(map(script.fullmatch, words))
