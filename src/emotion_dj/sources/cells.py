"""What the cells of a row say, however a service or a spreadsheet writes it."""

from __future__ import annotations

import ast
import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from emotion_dj.json_types import Json

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "title": tuple("title track_name name song_name track_title song_title song track".split()),
    "artist": tuple(
        "artists artist artist_names artist_name artists_name track_artist creator".split()
    ),
    "artist_ids": ("artist_uris", "artist_ids", "id_artists"),
    "album": tuple("album album_name album_title track_album_name".split()),
    "uri": (
        *("uri", "track_uri", "spotify_uri", "spotify_track_uri"),
        *("spotify_id", "spotify_track_id", "track_id", "id", "deezer_id"),
        *("track_url", "spotify_url", "spotify_link", "url", "link", "track_href"),
    ),
    "isrc": ("isrc", "isrc_code"),
    "mbid": ("mbid", "recording_mbid", "track_mbid", "musicbrainz_recording_id", "mb_trackid"),
    "genres": ("genres", "genre", "track_genre", "playlist_genre"),
    "year": tuple(
        "year release_year released_year release_date album_release_date track_album_release_date"
        " album_date".split()
    ),
    "milliseconds": tuple("duration_ms track_duration_ms length_ms duration_milliseconds".split()),
    "duration": tuple(
        "duration track_duration length time duration_s duration_sec duration_seconds durations"
        " length_s".split()
    ),
    "mood": ("mood",),
    "analyser": ("analyser",),
    "tempo": ("tempo", "bpm"),
    "loudness": ("loudness", "loud"),
    "danceability": ("danceability", "dance"),
    "acousticness": ("acousticness", "acoustic"),
    "instrumentalness": ("instrumentalness", "instrumental"),
    "speechiness": ("speechiness", "speech"),
    "liveness": ("liveness", "live"),
    "valence": ("valence", "happiness", "happy"),
}
"""What we call a column, and what others do, as `table_files.plain` has it."""

_URIS: Final = COLUMNS["uri"][:4]
_SPOTIFY: Final = re.compile(
    r"(?:(?:https?://)?(?:open|play|api)\.spotify\.com/(?:v1/|intl-\w+/|embed/)?tracks?/)?"
    r"([0-9A-Za-z]{22})(?:\?.*)?"
)
_DEEZER: Final = re.compile(r"(?:https?://)?(?:www\.)?deezer\.com/(?:\w\w/)?track/(\d+)(?:\?.*)?")
_NUMBER: Final = re.compile(
    r"([-+]?\d*[.,]?\d+(?:e[-+]?\d+)?)\s*(%|bpm|dbfs|db|lufs|ms|s)?", re.IGNORECASE
)
_GROUPED: Final = re.compile(r"\d{1,3}(?:[.,\s]\d{3})+")
_CLOCK: Final = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_LONGEST_S: Final = 10_000
"""A bare number above it is one of milliseconds."""

_MOST_LETTERS: Final = 10_000
_WITHIN: Final = re.compile(r"\s(?:&|and|y|e|und|et)\s", re.IGNORECASE)
"""What joins the last members of a name such as Earth, Wind & Fire."""

PITCH_NAMES: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "H": 11}
_KEY: Final = re.compile(
    r"([A-H])([#b♯♭]?)(?:\s*/\s*[A-H][#b♯♭]?)?\s*(maj(?:or)?|min(?:or)?|m)?", re.IGNORECASE
)


def text(row: Mapping[str, Json], column: str) -> str:
    """Return the first of the columns that others call so which says something."""
    for name in _names(column):
        if name in row and (word := _word(row[name])):
            return word
    return ""


def number(row: Mapping[str, Json], column: str) -> float | None:
    """Return a number of the first column that holds one; of 12 % it is 0.12."""
    for name in _names(column):
        if name in row and (value := number_of(row[name])) is not None:
            return value
    return None


def number_of(value: Json) -> float | None:
    """Return what a cell means as a number, with a point or a comma; None for what is none."""
    try:
        exact = float(value)
    except (TypeError, ValueError, OverflowError):
        match = _NUMBER.fullmatch(value.strip().replace("\u2212", "-")) if _is_text(value) else None
        if not match:
            return None
        exact = float(match[1].replace(",", ".")) / (100 if match[2] == "%" else 1)
    return exact if math.isfinite(exact) else None


def seconds(row: Mapping[str, Json]) -> float | None:
    """Return how long a track lasts, of milliseconds, seconds or a clock as in 3:45."""
    words = text(row, "milliseconds")
    if words:
        exact = number_of(re.sub(r"\D", "", words) if _GROUPED.fullmatch(words) else words)
        return None if exact is None or exact < 0 else exact / 1000
    words = text(row, "duration")
    if clock := _CLOCK.fullmatch(words):
        hours, minutes, rest = clock.groups()
        return 3600 * int(hours or 0) + 60 * int(minutes) + float(rest)
    exact = number_of(words)
    if exact is None or exact < 0:
        return None
    return exact / 1000 if exact > _LONGEST_S else exact


def uri(row: Mapping[str, Json]) -> str:
    """Return the address of a track; an id of Spotify or a link to it is one."""
    for name in COLUMNS["uri"]:
        value = _word(row[name]) if name in row else ""
        if value and (found := _address(value, name)):
            return found
    return ""


def listed(row: Mapping[str, Json], column: str) -> tuple[str, ...]:
    """Return what a row lists: a list, also as Python prints one, or text parted by ; or commas."""
    value = next((row[name] for name in _names(column) if row.get(name)), "")
    parts = _as_list(value)
    if parts is None:
        written = _clean(str(value))
        parts = written.split(";") if ";" in written else written.split(",")
    return tuple(part for part in map(_word, parts) if part)


def artists(row: Mapping[str, Json]) -> tuple[str, ...]:
    """Return the artists that a row lists. Commas part them where as many ids stand beside them or,
    without ids, where they do not belong to a name: 10,000 Maniacs; Tyler, The Creator.
    """
    value = next((row[name] for name in _names("artist") if row.get(name)), "")
    if isinstance(value, dict) or (_as_list(value) is None and ";" not in str(value)):
        return tuple(_apart(_word(value), len(listed(row, "artist_ids"))))
    return listed(row, "artist")


def key(row: Mapping[str, Json]) -> tuple[int | None, int | None]:
    """Return pitch class from C and 1 major or 0 minor, of numbers or of names as in F#m."""
    pitch, mode = number_of(row.get("key")), number_of(row.get("mode"))
    named, named_mode = key_of(_word(row.get("key"))) if pitch is None else (None, None)
    if mode is None:
        word = _word(row.get("mode")).casefold()
        mode = {"major": 1, "minor": 0, "maj": 1, "min": 0}.get(word, named_mode)
    return (
        named if pitch is None else int(pitch) if 0 <= pitch <= 11 else None,  # noqa: PLR2004
        None if mode is None or not 0 <= mode <= 1 else int(mode),
    )


def key_of(name: str) -> tuple[int | None, int | None]:
    """Return pitch class and mode of the name of a key; None for what it does not say."""
    found = _KEY.fullmatch(name.strip())
    if not found:
        return None, None
    note, sign, mode = found.groups()
    shift = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(sign, 0)
    minor = mode is not None and (mode == "m" or mode.lower().startswith("min"))
    return (PITCH_NAMES[note.upper()] + shift) % 12, None if mode is None else 0 if minor else 1


def _names(column: str) -> Sequence[str]:
    return COLUMNS.get(column, (column,))


def _word(value: Json) -> str:
    """Return a cell as text; of an object, as services nest them, its name."""
    if isinstance(value, dict):
        value = value.get("name") or value.get("title")
    return "" if value is None else _clean(str(value))


def _clean(words: str) -> str:
    """Drop what no database holds: halves of surrogate pairs and zeros."""
    return words.replace("\0", "").encode("utf-8", "ignore").decode().strip()


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _address(value: str, name: str) -> str:
    if match := _SPOTIFY.fullmatch(value):
        return f"spotify:track:{match[1]}"
    if match := _DEEZER.fullmatch(value):
        return f"deezer:track/{match[1]}"
    if name == "deezer_id" and value.isdecimal():
        return f"deezer:track/{value}"
    return value if name in _URIS or value.startswith("spotify:track:") else ""


def _as_list(value: Json) -> list[Json] | None:
    """Return a list, or one that Python or JSON printed; None for what is none."""
    if isinstance(value, list | tuple):
        return list(value)
    if not _is_text(value) or not value.strip().startswith("[") or len(value) > _MOST_LETTERS:
        return None
    try:
        said = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return said if isinstance(said, list) else None


def _apart(names: str, count: int) -> list[str]:
    """Part names at commas, of which there are ``count`` where it is known; a comma is within a
    name before "The", between figures, or where the last part has an "and".
    """
    parts = [part.strip() for part in re.split(r",(?!\d{3}\b)", names) if part.strip()]
    if len(parts) < 2 or len(parts) == count:  # noqa: PLR2004
        return parts
    whole = count == 1 or _WITHIN.search(parts[-1])
    return [names] if whole else list(_with_the(parts))


def _with_the(parts: Sequence[str]) -> Iterator[str]:
    held = ""
    for part in parts:
        if held and part.lower().startswith("the ") and len(part.split()) == 2:  # noqa: PLR2004
            held = f"{held}, {part}"
            continue
        if held:
            yield held
        held = part
    if held:
        yield held
