"""What a listener played and skipped, as Spotify's data export has it: JSON lists of streams.

Both forms: the short one of a year (`StreamingHistory_music_0.json`) and the extended one
(`Streaming_History_Audio_*.json`, `endsong_*.json`), which also says what was skipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HEARD_MS: Final = 30_000
"""A song that played for so long counts as played, as services count it."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream: the track by ``uri`` where it is named, else by title and artist.

    ``at`` is when it ended, in UTC; None where that is not said.
    """

    uri: str
    title: str
    artist: str
    kind: str
    at: datetime | None = None


def is_history(path: Path) -> bool:
    """Tell a list of streams from any other file."""
    if path.suffix.lower() != ".json":
        return False
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return bool(isinstance(rows, list) and rows and {"ms_played", "msPlayed"} & set(rows[0]))
    except (OSError, ValueError, TypeError):
        return False


def read(path: Path) -> Iterator[Stream]:
    """Yield what was played or skipped; podcasts and short unskipped streams say nothing.

    Raises DataError.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read as Spotify's streaming history: {error}"
        raise DataError(msg) from error
    found = (_stream(row) for row in rows if isinstance(row, dict))
    yield from (stream for stream in found if stream is not None)


def _stream(row: Mapping[str, Any]) -> Stream | None:
    title = row.get("master_metadata_track_name") or row.get("trackName")
    played = row.get("ms_played", row.get("msPlayed"))
    if not title or not isinstance(played, int | float):
        return None
    if played >= HEARD_MS:
        kind = "play"
    elif row.get("skipped"):
        kind = "skip"
    else:
        return None
    artist = row.get("master_metadata_album_artist_name") or row.get("artistName") or ""
    return Stream(
        str(row.get("spotify_track_uri") or ""), str(title), str(artist), kind, _time(row)
    )


def _time(row: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(row.get("ts") or row.get("endTime")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
