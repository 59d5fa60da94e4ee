"""Which part of the music a set is made of: what fits the listener's conditions, around a song."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from emotion_dj.app import source_registry
from emotion_dj.catalogue.folding import fold
from emotion_dj.domain import Affect, Track
from emotion_dj.errors import SettingsError, UnknownTrack
from emotion_dj.ranking.filters import Filter, kept, parse_filter
from emotion_dj.sources import playlist_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from emotion_dj.app.settings import Settings
    from emotion_dj.domain import Candidates, DJSet, Preferences
    from emotion_dj.stores import Store

NAMED: Final = 3
"""Songs that are named where a title may mean several."""

_PART: Final = 50_000

TRIES: Final = 4
"""Sets that are made at most to fill a number of minutes."""

MOST_SONGS: Final = 1000
_DASHES: Final = re.compile(r"\s[-\u2013\u2014]\s")
"""What stands between a title and its artists."""

USUAL_S: Final = 220.0
"""Length of a song that does not say its own."""


class Selection:
    """Finds the song that a set begins from, and what may be in a set."""

    def __init__(self, settings: Settings, open_catalogue: Callable[[], Store]) -> None:
        """Keep where tracks are stored; nothing is opened yet."""
        self._settings, self._open_catalogue = settings, open_catalogue
        self._last: tuple[object, Candidates] | None = None

    def narrowed(
        self, music: Candidates, only: Iterable[str] = (), avoid: Iterable[str] = ()
    ) -> Candidates:
        """Return what of the candidates fits all conditions, written as ``genre:rock``.

        The last answer is kept, so that the ranker finds what it sorted. Raises LabelError for a
        condition that is none, NothingLeft naming the one that left nothing.
        """
        wanted, unwanted = tuple(only), tuple(avoid)
        if not wanted and not unwanted:
            return music
        key = (id(music), wanted, unwanted, self._open_catalogue().revision())
        if self._last is None or self._last[0] != key:
            rows = kept(
                music.number,
                self._open_catalogue().column,
                only=[self._filter(text) for text in wanted],
                avoid=[self._filter(text) for text in unwanted],
            )
            self._last = key, music.rows(rows)
        return self._last[1]

    def _filter(self, text: str) -> Filter:
        """Return a condition; a playlist is opened: a file, or anything that --library takes.

        Raises DataError for a file that cannot be read.
        """
        condition = parse_filter(text)
        if condition.field != "playlist":
            return condition
        path = Path(condition.value).expanduser()
        if playlist_files.is_playlist(path):
            return replace(condition, uris=playlist_files.uris(path))
        sources = source_registry.sources([condition.value], self._settings)
        uris = frozenset(track.uri for source in sources for track in source.tracks())
        return replace(condition, uris=uris)

    def find(self, song: str | Path | int | Track) -> tuple[int, Track]:
        """Return number and track of a song that is named by its number, uri, file or title.

        Raises UnknownTrack where none is meant, or several are.
        """
        catalogue = self._open_catalogue()
        if isinstance(song, int):
            try:
                return song, catalogue.tracks([song])[0]
            except KeyError as error:
                msg = f"the catalogue knows no track {song}: choose another song to begin from"
                raise UnknownTrack(msg) from error
        named = song.uri if isinstance(song, Track) else str(song)
        numbers = catalogue.numbers({named, _as_uri(named)})
        if numbers:
            number = next(iter(numbers.values()))
            return number, catalogue.tracks([number])[0]
        return _meant(named, catalogue.search(_DASHES.sub(" ", named), limit=50))


def like(
    music: Candidates, preferences: Preferences, everything: Candidates, song: int
) -> tuple[Affect, Preferences]:
    """Return where a song stands, and the preferences of somebody who wants more of its kind.

    ``song`` is its number among ``everything``; it stands back itself, and any copy of it. Raises
    UnknownTrack where nothing tells how it sounds.
    """
    rows = np.flatnonzero(everything.number == song)
    if not len(rows):
        msg = f"nothing tells yet how track {song} sounds: scan the library, or choose another song"
        raise UnknownTrack(msg)
    row = int(rows[0])
    likeness = _likeness(music, everything.embedding[row].astype(np.float32))
    is_song = music.content == everything.content[row]
    recency = np.where(is_song, np.float32(1), preferences.recency)
    place = Affect(float(everything.valence[row]), float(everything.arousal[row]))
    return place, replace(preferences, recency=recency, likeness=likeness)


def _likeness(music: Candidates, sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how much each candidate sounds so, (n,), in parts that need little memory."""
    parts = [
        music.embedding[start : start + _PART].astype(np.float32) @ sound
        for start in range(0, len(music), _PART)
    ]
    return np.concatenate([np.zeros(0, np.float32), *parts])


def filling(minutes: float, make: Callable[[int], DJSet]) -> DJSet:
    """Return the set, of those that ``make`` gives for a number of songs, whose length is nearest
    to so many minutes. Raises SettingsError where they are none.
    """
    if not 0 < minutes <= MOST_SONGS:
        msg = f"a set of {minutes:g} minutes is none: ask for 1 to {MOST_SONGS}"
        raise SettingsError(msg)
    wanted, n = 60 * minutes, round(60 * minutes / USUAL_S)
    made: dict[int, DJSet] = {}
    for _ in range(TRIES):
        n = max(1, min(MOST_SONGS, n))
        if n in made:
            break
        made[n] = make(n)
        length = seconds(made[n])
        n = max(1, round(n + (wanted - length) * len(made[n].picks) / max(length, 1)))
    return min(made.values(), key=lambda one: abs(seconds(one) - wanted))


def seconds(music: DJSet) -> float:
    """Return how long a set lasts; a song that does not say is as long as songs usually are."""
    return sum(pick.track.duration or USUAL_S for pick in music.picks)


def _as_uri(name: str) -> str:
    path = Path(name).expanduser()
    return path.resolve().as_uri() if path.is_file() else name


def _meant(name: str, found: Sequence[tuple[int, Track]]) -> tuple[int, Track]:
    """Return the song that is called so, or the only one in whose description the words occur."""
    exact = [entry for entry in found if fold(name) in _names(entry[1])]
    meant = exact or list(found)
    if len(meant) == 1:
        return meant[0]
    if not meant:
        msg = f"no song here is called '{name}': look with  emotion-dj library search"
        raise UnknownTrack(msg)
    several = ", ".join(f"'{_label(track)}'" for _, track in meant[:NAMED])
    msg = f"'{name}' may be {several}{' or more' if len(meant) > NAMED else ''}: name one of them"
    raise UnknownTrack(msg)


def _names(track: Track) -> set[str]:
    artists = ", ".join(track.artists)
    forms = (track.title, f"{artists} - {track.title}", f"{track.title} - {artists}", _label(track))
    return {fold(form) for form in forms}


def _label(track: Track) -> str:
    return f"{track.title} — {', '.join(track.artists)}" if track.artists else track.title
