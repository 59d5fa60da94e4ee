"""What likes and skips say about tracks and artists; it stays on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

DOUBT: Final = 2.0
"""Answers that nobody gave, half of them likes: a single skip is not yet a verdict."""

BY_ARTIST: Final = 0.5
"""How much an answer to one track says about the others of its artist."""


def learn(
    answers: Sequence[tuple[int, int]], artist: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32]:
    """Return what the listener makes of each track, in [-1, 1], 0 where nothing is known.

    ``answers`` are (likes, skips) by track, n rows; ``artist`` (n,) has equal numbers for the same
    one and -1 for unknown. The value is the mean of a Beta posterior, scaled to the range; answers
    to other tracks of the artist count for part of one.
    """
    counts = np.array(answers, np.float32).reshape(-1, 2)
    known = artist >= 0
    shared = np.zeros_like(counts)
    if known.any():
        sums = np.zeros((int(artist.max()) + 1, 2), np.float32)
        np.add.at(sums, artist[known], counts[known])
        shared[known] = sums[artist[known]] - counts[known]
    likes, skips = (counts + BY_ARTIST * shared).T
    return np.asarray((likes - skips) / (likes + skips + DOUBT), np.float32)
