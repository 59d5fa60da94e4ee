"""What is chosen: whose wishes, among what, and the set that comes of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emotion_dj.domain.faces import Affect, Mood, Reason
    from emotion_dj.domain.tracks import Track


@dataclass(frozen=True, slots=True)
class Plan:
    """What the listener wants of the music.

    ``stops`` are set by journeys and along films only, two or more; None stands for where the
    listener is.
    """

    name: str
    stops: tuple[Affect | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens. One person's alone, stored under their ``id``, are likes, skips and plays (their
    taste and recency) and corrections; tracks, analyses and candidates are everyone's.
    """

    id: str = "me"


ME: Final = Listener()
"""The only listener on a laptop."""


FeedbackKind = Literal["like", "skip", "play"]
"""What a listener does with a track."""


class FeedbackEntry(NamedTuple):
    """One entry of a listener's log: ``at`` is "YYYY-MM-DD HH:MM:SS", UTC."""

    at: str
    kind: str
    uri: str
    title: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Candidates:
    """All that may be picked, by any listener: row i of every column is one track (n rows).

    int64 ``number``: the track's in the catalogue. float32: ``valence``, ``arousal``,
    ``uncertainty``, ``tempo`` and ``loudness`` (NaN: unknown). int8 ``key``: 0-11 major from C,
    12-23 minor from C, -1 unknown. int32 ``artist`` and ``album``: equal numbers are the same one,
    -1 unknown. int64 ``content``: equal numbers are copies of one file. int8 ``left_out``: why it
    is not in sets unless it is asked for, a place in LEFT_OUT, else -1. ``embedding``: float16
    (n, d), d may be 0; vectors of two analysers are orthogonal. ``load`` fetches the Tracks of the
    rows named.
    """

    number: npt.NDArray[np.int64]
    valence: npt.NDArray[np.float32]
    arousal: npt.NDArray[np.float32]
    uncertainty: npt.NDArray[np.float32]
    tempo: npt.NDArray[np.float32]
    loudness: npt.NDArray[np.float32]
    key: npt.NDArray[np.int8]
    artist: npt.NDArray[np.int32]
    album: npt.NDArray[np.int32]
    content: npt.NDArray[np.int64]
    left_out: npt.NDArray[np.int8]
    embedding: npt.NDArray[np.float16]
    load: Callable[[Sequence[int]], list[Track]]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.valence)

    def rows(self, keep: npt.NDArray[np.intp]) -> Candidates:
        """Return the rows at these places as candidates of their own."""
        columns = {f.name: getattr(self, f.name)[keep] for f in fields(self) if f.name != "load"}
        return Candidates(
            **columns, load=lambda places: self.load(keep[np.array(places, np.intp)].tolist())
        )


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Preferences:
    """What one listener makes of candidates: row i is the same track as theirs (n rows).

    float32 ``taste`` in [-1, 1]: 1 is wholly liked, 0 where nothing is known. float32 ``recency``
    in [0, 1]: 1 for the track that was played last, falling to 0. float32 ``likeness`` in [-1, 1]:
    how much each sounds like the song that a set begins from; None where it begins from none.
    """

    taste: npt.NDArray[np.float32]
    recency: npt.NDArray[np.float32]
    likeness: npt.NDArray[np.float32] | None = None

    @classmethod
    def neutral(cls, n: int) -> Preferences:
        """Return those of a listener of whom nothing is known."""
        return cls(np.zeros(n, np.float32), np.zeros(n, np.float32))


@dataclass(frozen=True, slots=True)
class Pick:
    """A track chosen for the set: its place on the plane, its score in [0, 1], and why.

    ``tempo``, ``key``, ``mode`` and ``loudness`` as in AudioFeatures.
    """

    track: Track
    affect: Affect
    mood: Mood
    score: float
    reasons: tuple[Reason, ...]
    tempo: float | None = None
    key: int | None = None
    mode: int | None = None
    loudness: float | None = None


@dataclass(frozen=True, slots=True)
class DJSet:
    """The picks in playing order, the plan and its target path, and what the listener should know.

    ``opening`` says what the set answers (`you_look`, `to_lift`, ...), ``notes`` what there is to
    know about it (`far`: the nearest music is far from what is wanted).
    """

    picks: tuple[Pick, ...]
    plan: Plan
    path: tuple[Affect, ...]
    affect: Affect
    opening: Reason
    notes: tuple[Reason, ...] = ()
