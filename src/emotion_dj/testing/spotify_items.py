"""What the Spotify to test against holds, as its Web API gives it: tracks, entries, playlists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

ME: Final = "listener"

if TYPE_CHECKING:
    from emotion_dj.json_types import Json, JsonObject


@dataclass
class Playlist:
    """A playlist: its name, its entries as the API gives them, and whose it is."""

    name: str
    entries: list[Json] = field(default_factory=list)
    owner: str = ME


def song(identity: str, **changes: Json) -> JsonObject:
    """Return a track object; ``changes`` replace its members."""
    artists = [{"id": f"artist-{identity}", "type": "artist", "name": f"Artist {identity}"}]
    return {
        "id": identity,
        "type": "track",
        "uri": f"spotify:track:{identity}",
        "name": f"Song {identity}",
        "artists": artists,
        "album": {
            "id": f"album-{identity}",
            "type": "album",
            "uri": f"spotify:album:album-{identity}",
            "href": "https://api.spotify.com/v1/albums/x",
            "name": f"Album {identity}",
            "album_type": "album",
            "total_tracks": 9,
            "artists": artists,
            "available_markets": [],
            "external_urls": {},
            "images": [{"url": "https://i.scdn.co/image/x", "height": 640, "width": 640}],
            "release_date": "2001",
            "release_date_precision": "year",
        },
        "duration_ms": 180_000,
        "is_local": False,
        "external_ids": {"isrc": f"XX{identity}"},
        "preview_url": None,
        **changes,
    }


def entry(item: Json, *, under: str = "item", **members: Json) -> JsonObject:
    """Return an entry of a playlist, with its track under ``item`` or, as once, under ``track``."""
    return {
        "added_at": "2026-01-01T00:00:00Z",
        "is_local": False,
        under: item,
        **members,
    }


def songs(count: int) -> list[JsonObject]:
    """Return that many entries of a playlist: the songs s0, s1, ..."""
    return [entry(song(f"s{i}")) for i in range(count)]
