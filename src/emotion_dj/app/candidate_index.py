"""What may be picked right now, all of it and by the source that it is of."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from emotion_dj.app.once import once
from emotion_dj.app.source_registry import TABLES, uri_prefixes
from emotion_dj.domain import LEFT_OUT
from emotion_dj.eligibility import parse_codes
from emotion_dj.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import numpy.typing as npt

    from emotion_dj.app.settings import Settings
    from emotion_dj.domain import Candidates


class CandidateIndex:
    """The candidates of one state of the catalogue, in the order of their uris.

    ``everything`` is all of them; what may be picked is each content once, without what is left
    out.

    Where nobody asks for a source, sources cost nothing. The last part that was chosen is kept, so
    that the ranker finds the candidates that it sorted.
    """

    def __init__(self, music: Candidates, settings: Settings) -> None:
        """Keep the candidates, and which sources may be named."""
        self.everything, self._settings = music, settings
        self._include = parse_codes(settings.include)
        self._part: tuple[frozenset[str], Candidates] | None = None

    def count(self) -> dict[str, int]:
        """Count the tracks of every source that may be named, in the order of `beginnings`."""
        rows = playable(self.everything, self._include)
        counts = np.bincount(self._source[rows], minlength=len(self._names))
        return dict(zip(self._names, counts.tolist(), strict=True))

    def of(self, sources: Collection[str]) -> Candidates:
        """Return the candidates of these sources; all where none is named. Raises LabelError."""
        wanted, part = frozenset(sources), self._part
        if not wanted:
            return self._whole
        if part is None or part[0] != wanted:
            self._part = part = (wanted, self._chosen(wanted))
        return part[1]

    def _chosen(self, wanted: frozenset[str]) -> Candidates:
        if strange := sorted(wanted - set(self._names)):
            msg = f"'{strange[0]}' is not a source of music: choose {', '.join(self._names)}"
            raise LabelError(msg)
        places = [place for place, name in enumerate(self._names) if name in wanted]
        rows = np.flatnonzero(np.isin(self._source, places))
        if len(rows) == len(self.everything):
            return self._whole
        return without_others(self.everything.rows(rows), self._include)

    @once
    def _whole(self) -> Candidates:
        return without_others(self.everything, self._include)

    def with_prefixes(self, prefixes: Iterable[str]) -> CandidateIndex:
        """Return what of this has a uri that begins so."""
        stretches = [np.arange(*self._stretch(prefix)) for prefix in prefixes]
        rows = np.unique(np.concatenate([np.zeros(0, np.intp), *stretches]))
        return CandidateIndex(self.everything.rows(rows), self._settings)

    @once
    def _begin(self) -> dict[str, str]:
        return uri_prefixes(self._settings)

    @property
    def _names(self) -> tuple[str, ...]:
        return *self._begin, TABLES

    @once
    def _source(self) -> npt.NDArray[np.int8]:
        """The place of each row's source among the names; a later one has what is of both."""
        source = np.full(len(self.everything), len(self._begin), np.int8)
        for place, prefix in enumerate(self._begin.values()):
            source[slice(*self._stretch(prefix))] = place
        return source

    def _stretch(self, prefix: str) -> tuple[int, int]:
        """Return the first row whose uri begins so, and the row after the last."""
        return self._first(prefix), self._first(prefix[:-1] + chr(ord(prefix[-1]) + 1))

    def _first(self, uri: str) -> int:
        """Return the first row that is not before a uri: few of a million tracks are looked at."""
        rows = range(len(self.everything))
        return bisect_left(rows, uri, key=lambda row: self.everything.load([row])[0].uri)


def without_others(music: Candidates, include: Collection[str]) -> Candidates:
    """Return what may be picked of candidates: the same object where that is all of them."""
    rows = playable(music, include)
    return music if len(rows) == len(music) else music.rows(rows)


def playable(music: Candidates, include: Collection[str]) -> npt.NDArray[np.intp]:
    """Return the rows of what may be in a set: the first copy of each content, and of what is left
    out the codes that are asked for.
    """
    places = [-1, *(LEFT_OUT.index(code) for code in include)]
    rows = np.flatnonzero(np.isin(music.left_out, places))
    _, first = np.unique(music.content[rows], return_index=True)
    return rows if len(first) == len(rows) else rows[np.sort(first)]
