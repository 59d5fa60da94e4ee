"""Text as it is searched: without case, accents and the forms in which Unicode writes a letter."""
# ruff: noqa: RUF001 - signs that look alike are what this is about

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALIKE: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
    | dict.fromkeys("‘’ʼ`´", "'")
    | dict.fromkeys("“”„«»", '"')
    | dict.fromkeys("‐‑–—−", "-")
)
"""Letters that are no letter with a mark to Unicode, and signs that keyboards have one of."""


def fold(text: str) -> str:
    """Return what is equal for all spellings of a text: case folded, compatible forms decomposed
    (NFKD), marks dropped. A change of it asks for a migration that fills `tracks.folded` anew.
    """
    if text.isascii():
        return text.lower().replace("`", "'")
    bare = _unmarked(_unmarked(text.translate(_ALIKE)).casefold())
    return bare.translate(_ALIKE)


def fold_track(title: str, artists: Iterable[str], album: str) -> str:
    """Return the text in which a track is searched: a line each for title, artists and album."""
    return "\n".join(fold(text) for text in (title, *artists, album))


def _unmarked(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
