"""What stays in the catalogue and out of sets: speech, and what is too short or too long.

Each has a code, by which a listener asks for it all the same. Pure functions over what is stored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj.domain import LEFT_OUT
from emotion_dj.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

SHORTEST_S: Final = 20.0
"""A track that is shorter is an effect, a jingle, a skit."""

LONGEST_S: Final = 20 * 60.0
"""A track that is longer is a mix, a concert or an album in one file."""

_SPOKEN_SUFFIXES: Final = (".m4b", ".spx")
"""Audiobooks, and the codec that is for speech alone."""

_GENRES: Final = {
    "speech": r"podcasts?|audio ?books?|audio ?(?:drama|theat(?:re|er))|radio ?(?:drama|plays?)"
    r"|spoken(?: word)?|speech|lectures?|sermons?|interviews?|stand-up|language courses?"
    r"|hörb(?:uch|ücher)|hörspiele?|livres? audio|audiolibros?|audiolibri|luisterboek(?:en)?"
    r"|аудиокниг[аи]|подкаст(?:ы)?",
    "noise": r"sound ?(?:effects?|clips?)|sfx|(?:white|pink|brown) noise|test tones?",
}
"""Words of a genre that say what it is, as people and stores write them."""

_WORDS: Final = {
    code: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for code, words in _GENRES.items()
}


WEIGHTS: Final = {
    "ear-5": (
        *(1.306, -3.452, 4.492, -1.905, -1.778, -1.343, 6.429, 10.258, 1.066, -6.326, -3.663),
        *(-5.898, -12.658, 8.137, 4.283, 1.219, -3.178, 0.506, 2.014, 6.459, -6.942, 6.752),
        *(2.165, 3.678, -9.589),
    ),
    "ear-6": (
        *(1.257, 3.27, 4.751, -0.908, -1.712, 5.515, -7.314, 6.184, -4.808, 1.838, -5.413),
        *(-1.665, -10.518, -11.073, 8.097, 2.752, 5.985, 1.672, -4.369, -6.906, -3.238, 4.052),
        *(-2.998, 6.287, -9.989),
    ),
}
"""Of an embedding, and an offset: how much each ear's vectors tell of speech. benchmarks/speech.py
fits and judges them."""

SPOKEN: Final = 1.0
"""The logarithm of the odds from which on a track is taken for speech: songs are kept out last."""


def left_out(
    uri: str, duration: float | None, genres: Sequence[str], *, spoken: bool = False
) -> str | None:
    """Return the code of why a track is not in sets, one of `domain.LEFT_OUT`; None where it is.

    ``duration`` is in seconds, None where it is not known: then it says nothing. ``spoken`` is what
    `sounds_spoken` says.
    """
    if duration is not None and duration < SHORTEST_S:
        return "short"
    if uri.lower().endswith(_SPOKEN_SUFFIXES):
        return "speech"
    for code, words in _WORDS.items():
        if genres and any(map(words.search, genres)):
            return code
    if spoken:
        return "speech"
    return "long" if duration is not None and duration > LONGEST_S else None


def sounds_spoken(
    analysers: Sequence[str], embeddings: Sequence[npt.NDArray[np.floating]]
) -> list[bool]:
    """Say of each track, by its embedding and whose that is, whether it sounds like speech.

    What another analyser than an ear of ours has heard does not.
    """
    weights = {name: np.array(row, np.float32) for name, row in WEIGHTS.items()}
    nothing = np.zeros(0, np.float32)
    rows = (weights.get(analyser.partition("+")[0], nothing) for analyser in analysers)
    pairs = zip(rows, embeddings, strict=True)
    return [len(r) == len(v) + 1 and float(v @ r[:-1] + r[-1]) > SPOKEN for r, v in pairs]


def parse_codes(text: str) -> frozenset[str]:
    """Return the codes that a listener asks for, as in ``speech,short``. Raises LabelError."""
    codes = frozenset(part for part in re.split(r"[\s,;]+", text.lower()) if part)
    if strange := sorted(codes - set(LEFT_OUT)):
        msg = f"'{strange[0]}' is nothing that is left out of sets: choose {', '.join(LEFT_OUT)}"
        raise LabelError(msg)
    return codes
