"""What may be in a set and what may not: conditions as a listener writes them, ``genre:rock``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from emotion_dj.errors import LabelError, NothingLeft

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import numpy.typing as npt

    Column = Callable[[str], Mapping[int, Any]]
    """Returns one column of all tracks, by number of the track."""

COLUMNS: Final = {
    "genre": "genres",
    "year": "year",
    "artist": "artists",
    "album": "album",
    "folder": "uri",
    "playlist": "uri",
}
"""What a condition may be about, and the column of a track that it asks."""

_YEARS: Final = re.compile(r"(\d{4})?(?:(-)(\d{4})?)?")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: ``field`` is one of COLUMNS, ``value`` what the listener wrote.

    ``uris`` are those of a playlist's songs, which has to be opened for it.
    """

    field: str
    value: str
    uris: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Return it as the listener wrote it."""
        return f"{self.field}:{self.value}"

    def test(self) -> Callable[[Any], bool]:
        """Return what says of a track's column whether it fits. Raises LabelError for years that
        are none.
        """
        wanted = self.value.casefold()
        if self.field == "genre":
            word = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
            return lambda genres: any(word.search(genre.casefold()) for genre in genres)
        if self.field == "artist":
            return lambda artists: wanted in (name.casefold() for name in artists)
        if self.field == "album":
            return lambda album: album.casefold() == wanted
        if self.field == "folder":
            prefix = _folder_prefix(self.value)
            return lambda uri: uri.startswith(prefix)
        if self.field == "playlist":
            return self.uris.__contains__
        first, last = _years(self.value)
        return lambda year: year is not None and first <= year <= last


def parse_filter(text: str) -> Filter:
    """Return the condition that a listener wrote as ``FIELD:VALUE``.

    A genre is a whole word of a track's own (``rock`` fits "Indie Rock"), artist and album are
    whole names, a year is ``1994``, ``1990-1999``, ``1990-`` or ``-1999``. Raises LabelError.
    """
    field, colon, value = text.partition(":")
    field, value = field.strip().lower(), value.strip()
    if field not in COLUMNS or not colon or not value:
        msg = f"'{text}' is not a condition: write {', '.join(f'{name}:...' for name in COLUMNS)}"
        raise LabelError(msg)
    condition = Filter(field, value)
    condition.test()
    return condition


def kept(
    numbers: npt.NDArray[np.int64],
    column: Column,
    *,
    only: Collection[Filter] = (),
    avoid: Collection[Filter] = (),
) -> npt.NDArray[np.intp]:
    """Return the rows of tracks, by their numbers, that may be played.

    Of ``only``, one condition about each field has to fit; of ``avoid`` none may. Raises
    NothingLeft naming the condition that left nothing.
    """
    rows = np.arange(len(numbers))
    for _, group in groupby(sorted(only, key=_field), key=_field):
        conditions = list(group)
        rows = rows[_fits(numbers[rows], column, conditions)]
        _demand(rows, "no song that may be played has", conditions)
    for condition in avoid:
        rows = rows[~_fits(numbers[rows], column, [condition])]
        _demand(rows, "no song is left without", [condition])
    return rows


def _fits(
    numbers: npt.NDArray[np.int64], column: Column, conditions: Sequence[Filter]
) -> npt.NDArray[np.bool_]:
    """Say of each track whether one of the conditions, which are about one field, fits."""
    values = column(COLUMNS[conditions[0].field])
    tests = [condition.test() for condition in conditions]
    fitting = (any(test(values[number]) for test in tests) for number in numbers.tolist())
    return np.fromiter(fitting, bool, len(numbers))


def _demand(rows: npt.NDArray[np.intp], sentence: str, conditions: Iterable[Filter]) -> None:
    if not len(rows):
        raise NothingLeft(sentence, list(map(str, conditions)))


def _field(condition: Filter) -> str:
    return condition.field


def _folder_prefix(folder: str) -> str:
    """Return how the uris of the songs below a folder begin."""
    return Path(os.path.abspath(Path(folder).expanduser())).as_uri() + "/"  # noqa: PTH100 - links stay


def _years(text: str) -> tuple[int, int]:
    found = _YEARS.fullmatch(text)
    first, dash, last = found.groups(default="") if found else ("", "", "")
    if not (first or last):
        msg = f"'{text}' is not a year: write 1994, 1990-1999, 1990- or -1999"
        raise LabelError(msg)
    return int(first or 0), int(last or 9999) if dash else int(first)
