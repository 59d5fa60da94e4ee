"""What the listener did with tracks, put beside the columns: what may be picked, and how wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import func, select

from emotion_dj import taste
from emotion_dj.catalogue.schema import feedback
from emotion_dj.domain import Candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt
    from sqlalchemy import Connection

    from emotion_dj.catalogue.column_cache import Columns
    from emotion_dj.domain import Track

TASTE_THRESHOLD: Final = {"like": 1.0, "play": 0.25}
"""How much of a like each answer is: who lets a song play minds it little."""

RECENCY: Final = 50
"""Plays after which a song counts as new again."""


def feedback_of(connection: Connection) -> dict[int, tuple[float, float]]:
    """Return how often each track was liked and skipped, by its number; a play is a little like."""
    count = select(feedback.c.track, feedback.c.kind, func.count()).group_by(
        feedback.c.track, feedback.c.kind
    )
    told: dict[int, tuple[float, float]] = {}
    for number, kind, times in connection.execute(count):
        likes, skips = told.get(number, (0.0, 0.0))
        told[number] = (
            likes + times * TASTE_THRESHOLD.get(kind, 0),
            skips + times * (kind == "skip"),
        )
    return told


def recency_of(connection: Connection) -> dict[int, float]:
    """Return how lately each track was played, by its number: 1 for the last, falling to 0."""
    plays = select(feedback.c.track).where(feedback.c.kind == "play")
    last = connection.scalars(plays.order_by(feedback.c.id.desc()).limit(RECENCY)).all()
    return {number: 1 - age / RECENCY for age, number in reversed([*enumerate(last)])}


def candidates_of(
    found: Columns,
    told: dict[int, tuple[float, float]],
    recency: dict[int, float],
    load: Callable[[Sequence[int]], list[Track]],
) -> Candidates:
    """Return columns with what was ``told`` of tracks and how ``lately`` they were played, both by
    the track's number; ``load`` fetches tracks by their numbers.
    """  # noqa: D205
    answers = np.zeros((len(found), 2), np.float32)
    heard = np.zeros(len(found), np.float32)
    if told and len(found):
        order = np.argsort(found.number)
        for column, values in ((answers, told), (heard, recency)):
            _fill(column, found.number, order, values)
    candidates = Candidates(
        valence=found.valence,
        arousal=found.arousal,
        uncertainty=found.uncertainty,
        tempo=found.tempo,
        loudness=found.loudness,
        key=found.key,
        artist=found.artist,
        album=found.album,
        taste=np.zeros(len(found), np.float32),
        recency=heard,
        embedding=found.embedding,
        load=lambda places: load([int(found.number[place]) for place in places]),
    )
    return replace(candidates, taste=taste.learn(answers, candidates))


def _fill(
    column: npt.NDArray[np.float32],
    number: npt.NDArray[np.int64],
    order: npt.NDArray[np.intp],
    values: Mapping[int, Any],
) -> None:
    """Put values, by number of the track, into the rows of a column; ``order`` sorts ``number``."""
    wanted = np.array(list(values), np.int64)
    rows = order[np.searchsorted(number, wanted, sorter=order).clip(max=len(order) - 1)]
    known = number[rows] == wanted
    if known.any():
        column[rows[known]] = np.array(list(values.values()), np.float32)[known]
