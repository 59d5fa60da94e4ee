"""Target path x candidates -> picks, with a reason for each.

Tracks are scored against every target of the path at once, by an arousal-weighted distance; then
targets are served in turn, each with the best track that is still free and whose artist and album
have not had their share.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import affect
from emotion_dj.domain import Affect, Pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.domain import Candidates, Track

    Floats = npt.NDArray[np.float32]

NOTES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJOR_KEYS: Final = 12
TASTE: Final = 0.25
"""Distance that a wholly liked track may be farther away, and a wholly disliked one nearer."""

JITTER: Final = 0.01
"""Distance within which the seed decides: smaller differences are noise of the analysis."""


@dataclass(frozen=True, slots=True)
class NearestRanker:
    """Picks the nearest tracks to a path; fits `interfaces.Ranker`.

    ``per_artist`` and ``per_album`` cap how often one may appear; unknown ones are not capped.
    """

    per_artist: int = 2
    per_album: int = 3

    def rank(self, path: Sequence[Affect], candidates: Candidates, *, seed: int = 0) -> list[Pick]:
        """Return one pick per target, fewer where music runs out; the caps give way before that."""
        noise = np.random.default_rng(seed).uniform(0, JITTER, len(candidates)).astype(np.float32)
        rows: list[int] = []
        gaps: list[float] = []
        shares = _Shares(candidates, self.per_artist, self.per_album)
        for target in path[: len(candidates)]:
            gap = distances(target, candidates)
            cost = gap - TASTE * candidates.taste + noise
            row = shares.first_free(np.argsort(cost, kind="stable"))
            shares.take(row)
            rows.append(row)
            gaps.append(float(gap[row]))
        tracks = candidates.load(rows)
        return [
            _pick(candidates, row, gap, track)
            for row, gap, track in zip(rows, gaps, tracks, strict=True)
        ]


def distances(target: Affect, candidates: Candidates) -> Floats:
    """Return the arousal-weighted distance of every candidate from a target, float32 (n,)."""
    across = candidates.valence - np.float32(target.valence)
    up = candidates.arousal - np.float32(target.arousal)
    return np.sqrt(across**2 + np.float32(affect.AROUSAL_WEIGHT) * up**2)


class _Shares:
    """Who has been picked how often."""

    def __init__(self, candidates: Candidates, per_artist: int, per_album: int) -> None:
        self._limits = ((candidates.artist, per_artist), (candidates.album, per_album))
        self._counts: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
        self._taken: set[int] = set()

    def first_free(self, order: npt.NDArray[np.intp]) -> int:
        """Return the first row within the caps, else the first that is not taken."""
        free = [row for row in map(int, order) if row not in self._taken]
        return next((row for row in free if self._within(row)), free[0])

    def take(self, row: int) -> None:
        """Count a row."""
        self._taken.add(row)
        for (column, _), count in zip(self._limits, self._counts, strict=True):
            count[int(column[row])] += 1

    def _within(self, row: int) -> bool:
        return all(
            column[row] < 0 or count[int(column[row])] < limit
            for (column, limit), count in zip(self._limits, self._counts, strict=True)
        )


def _pick(candidates: Candidates, row: int, gap: float, track: Track) -> Pick:
    at = Affect(
        float(candidates.valence[row]),
        float(candidates.arousal[row]),
        float(candidates.spread[row]),
    )
    tempo = float(candidates.tempo[row])
    key = int(candidates.key[row])
    return Pick(
        track=track,
        affect=at,
        mood=affect.mood(at),
        score=float(np.exp(-gap)),
        reason=_reason(at, tempo, key),
        tempo=None if np.isnan(tempo) else tempo,
        key=None if key < 0 else key % MAJOR_KEYS,
        mode=None if key < 0 else int(key < MAJOR_KEYS),
    )


def _reason(at: Affect, tempo: float, key: int) -> str:
    """Say what the track is like: "bright and lively, 123 bpm, A major"."""
    parts = [affect.describe(at)]
    if not np.isnan(tempo):
        parts.append(f"{tempo:.0f} bpm")
    if key >= 0:
        parts.append(f"{NOTES[key % MAJOR_KEYS]} {'major' if key < MAJOR_KEYS else 'minor'}")
    return ", ".join(parts)
