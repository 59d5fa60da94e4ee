"""Audius: whole songs that their makers offer to everyone, without an account or a key.

The network's nodes hold the songs; its API sends us on to one of them.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import urljoin

from emotion_dj.domain import Media, Track
from emotion_dj.errors import NotAvailable, SourceError
from emotion_dj.sources import download
from emotion_dj.sources.http import MAX_AUDIO, Client
from emotion_dj.sources.metadata import year_of
from emotion_dj.sources.url_allowlist import is_allowed, not_allowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from emotion_dj.json_types import Json

NAME: Final = "Audius"
API: Final = "https://api.audius.co"
PAGE: Final = 100
APP: Final[Mapping[str, str]] = {"app_name": "emotion-dj"}
HOSTS: Final = frozenset(
    "audius.co audiusindex.org bdnodes.net capturealpha.io cultur3stake.com figment.io"
    " jollyworld.xyz matterlightblooming.xyz monophonic.digital openaudio.org rickyrombo.com"
    " shakespearetech.com staked.cloud stuffisup.com theblueprint.xyz tikilabs.com"
    " w3coins.io".split()
)
"""Who runs its nodes."""

_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}")


class Audius:
    """Fits `Source`, `Searchable`, `AudioSource`, `Streamable`, `Resolver`, `ArtworkProvider`."""

    name = "audius"

    def __init__(self, address: str = API) -> None:
        """Keep where to ask; nothing is asked yet."""
        self._address = address.rstrip("/")
        self._client = Client(NAME, f"{self._address}/v1")

    def tracks(self) -> Iterator[Track]:
        """Yield what the network listens to this week. Raises a SourceError."""
        yield from self._list("tracks/trending", limit=PAGE)

    def describe(self, track: Track) -> Track:
        """Return the track: the list told everything."""
        return track

    def search(self, query: str, *, limit: int = 25) -> list[Track]:
        """Return the best matches first, at most ``limit``."""
        return self._list("tracks/search", query=query, limit=min(limit, PAGE))[:limit]

    def resolve(self, track: Track) -> Media:
        """Return the whole song at the node that holds it. Raises a SourceError."""
        path = self._stream(track)
        with self._client.stream(path, APP) as answer:
            if not answer.is_redirect:
                return Media("stream", str(answer.url))
            where = urljoin(str(answer.url), answer.headers.get("location", ""))
        if not is_allowed(where, HOSTS, self._address):
            raise not_allowed(NAME, where)
        return Media("stream", where)

    @contextmanager
    def open(self, track: Track) -> Iterator[BinaryIO]:
        """Give the song for reading; nothing of it is kept after the block."""
        with download.fetched(NAME, self.resolve(track).location, MAX_AUDIO) as file:
            yield file

    @contextmanager
    def stream(self, track: Track, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Open the song at its node, with the byte range that the headers ask for."""
        with download.stream(NAME, self.resolve(track).location, headers) as answer:
            yield answer

    def picture(self, track: Track) -> bytes | None:
        """Return the cover that lies at the track's address, None where it has none."""
        return download.picture(NAME, track.artwork, HOSTS, self._address)

    def modification_tag(self, track: Track) -> str:
        """Return the track's uri: its song does not change under it."""
        return track.uri

    def fingerprint(self, track: Track) -> str:
        """Return the same, since the song itself is not at hand."""
        return track.uri

    @staticmethod
    def _stream(track: Track) -> str:
        name = track.uri.removeprefix("audius:")
        if not _ID.fullmatch(name):
            msg = f"{NAME} has no track called {track.uri}"
            raise NotAvailable(msg)
        return f"tracks/{name}/stream"

    def _list(self, path: str, **query: Json) -> list[Track]:
        answer = self._client.get(path, {**APP, **query})
        found = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            msg = f"{NAME} answered something that is none of its answers: try later"
            raise SourceError(msg)
        return [_track(entry) for entry in found if _offered(entry)]


def _offered(entry: Json) -> bool:
    """Tell whether an entry is a track that may be heard by anyone."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("id"), str)
        and _ID.fullmatch(entry["id"]) is not None
        and entry.get("is_streamable", True) is not False
        and not entry.get("is_delete")
    )


def _track(entry: Mapping[str, Json]) -> Track:
    artist = (entry.get("user") or {}).get("name")
    artwork = (entry.get("artwork") or {}).get("480x480")
    seconds = entry.get("duration")
    return Track(
        uri=f"audius:{entry['id']}",
        title=str(entry.get("title") or entry["id"]),
        artists=(str(artist),) if artist else (),
        duration=float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None,
        artwork=artwork if isinstance(artwork, str) and artwork.startswith("https://") else None,
        isrc=entry.get("isrc") or None,
        genres=(str(entry["genre"]),) if entry.get("genre") else (),
        year=year_of([entry.get("release_date")]),
    )
