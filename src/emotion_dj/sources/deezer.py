"""Deezer without a key: playlists, the chart, search, and previews of 30 seconds.

Errors come as HTTP 200 with {"error": {"code": ...}}. The address of a preview is signed and good
for a quarter of an hour: it is asked for again when a track is heard or played after that.
"""

from __future__ import annotations

import re
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn
from urllib.parse import unquote, urlsplit

from emotion_dj.domain import Media, Track
from emotion_dj.errors import NotAvailable, RateLimited, SettingsError, SourceError
from emotion_dj.sources import download
from emotion_dj.sources.http import Client
from emotion_dj.sources.rate_limiter import RateLimiter
from emotion_dj.sources.url_allowlist import is_allowed, not_allowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from emotion_dj.json_types import Json, JsonObject

NAME: Final = "Deezer"
API: Final = "https://api.deezer.com"
HOSTS: Final = frozenset({"dzcdn.net", "deezer.com"})
"""Where its previews and covers lie."""

CHART: Final = "chart/0"
PAGE: Final = 100
MAX_TRACKS: Final = 50_000
MAX_CLIP: Final = 8_000_000
MARGIN: Final = 30.0
"""Seconds before its end at which an address counts as expired."""

QUOTA, BUSY, NO_DATA = 4, 700, 800
_EXPIRY: Final = re.compile(r"\bexp=(\d{9,12})\b")
_LIST: Final = re.compile(r"playlist/[0-9]{1,20}")
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_ISRC: Final = re.compile(r"[A-Z0-9]{12}")
_STRANGE: Final = f"{NAME} answered something that is none of its answers: try later"


class Deezer:
    """Fits `Source`, `Searchable`, `AudioSource`, `Streamable`, `Resolver`, `ArtworkProvider`."""

    name = "deezer"

    def __init__(
        self, address: str = API, *, which: str = "", budget: RateLimiter | None = None
    ) -> None:
        """Keep what is asked for, ``playlist/ID`` or the chart. Raises SettingsError."""
        if which and not _LIST.fullmatch(which):
            msg = f"'deezer:{which}' names nothing on Deezer: write deezer or deezer:playlist/ID"
            raise SettingsError(msg)
        self._address = address.rstrip("/")
        self._client = Client(NAME, self._address)
        self._list = which or CHART
        self._budget = budget or RateLimiter(50, 5.0)
        self._closed_until = 0.0

    def tracks(self) -> Iterator[Track]:
        """Yield every track of the list once, a page at a time. Raises a SourceError."""
        seen: set[str] = set()
        index = 0
        while index < MAX_TRACKS:
            page = self._ask(f"{self._list}/tracks", index=index, limit=PAGE)
            for track in map(self._track, _entries(page)):
                if track.uri not in seen:
                    seen.add(track.uri)
                    yield track
            index += len(page["data"])
            more = page.get("next") or index < (_whole(page.get("total")) or 0)
            if not (page["data"] and more):
                return

    def describe(self, track: Track) -> Track:
        """Return the track: the list told everything that a clip's listener needs."""
        return track

    def search(self, query: str, *, limit: int = 25) -> list[Track]:
        """Return the best matches first, at most ``limit``."""
        page = self._ask("search", q=query, limit=min(limit, PAGE))
        return [self._track(entry) for entry in _entries(page)][:limit]

    def by_isrc(self, isrc: str) -> Track | None:
        """Return the track of a recording, None where Deezer has none. Raises a SourceError."""
        code = isrc.replace("-", "").upper()
        if not _ISRC.fullmatch(code):
            return None
        try:
            found = self._ask(f"track/isrc:{code}")
        except NotAvailable:
            return None
        return self._track(found) if _is_track(found) else None

    def resolve(self, track: Track) -> Media:
        """Return the preview with a fresh address. Raises NotAvailable where there is none."""
        address = self._ask(f"track/{self._id(track)}").get("preview")
        if not address or not isinstance(address, str):
            msg = f"{track.title}: Deezer offers no preview of it here"
            raise NotAvailable(msg)
        if not is_allowed(address, HOSTS, self._address):
            raise not_allowed(NAME, address)
        return _preview(address)

    @contextmanager
    def open(self, track: Track) -> Iterator[BinaryIO]:
        """Give the preview for reading; nothing of it is kept after the block."""
        with ExitStack() as stack:
            try:
                clipped = download.fetched(NAME, self._fresh(track).location, MAX_CLIP)
                file = stack.enter_context(clipped)
            except NotAvailable:  # its signature ended before its time
                clipped = download.fetched(NAME, self.resolve(track).location, MAX_CLIP)
                file = stack.enter_context(clipped)
            yield file

    @contextmanager
    def stream(self, track: Track, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Open the preview with a fresh address, with the byte range that the headers ask for."""
        with download.stream(NAME, self.resolve(track).location, headers) as answer:
            yield answer

    def picture(self, track: Track) -> bytes | None:
        """Return the cover that lies at the track's address, None where it has none."""
        return download.picture(NAME, track.artwork, HOSTS, self._address)

    def modification_tag(self, track: Track) -> str:
        """Return the preview's path, which names its content, or that there is none."""
        return urlsplit(track.media.location).path if track.media else "no preview"

    def fingerprint(self, track: Track) -> str:
        """Return the same with the service's name; the track's uri where there is no preview."""
        return f"deezer:{self.modification_tag(track)}" if track.media else track.uri

    def _fresh(self, track: Track) -> Media:
        media = track.media
        if media is None or (media.expires is not None and media.expires < time.time() + MARGIN):
            return self.resolve(track)
        return media

    def _track(self, entry: Mapping[str, Json]) -> Track:
        album = _mapping(entry.get("album"))
        main = _mapping(entry.get("artist")).get("name")
        others = entry.get("contributors")
        listed = others if isinstance(others, list) else []
        people = [_mapping(person).get("name") for person in listed]
        names = [str(name) for name in (main, *people) if name]
        preview = self._own(entry.get("preview"))
        return Track(
            uri=f"deezer:track/{entry['id']}",
            title=str(entry.get("title") or entry["id"]),
            artists=tuple(dict.fromkeys(names)),
            album=str(album.get("title") or ""),
            duration=float(_whole(entry.get("duration")) or 0) or None,
            artwork=self._own(album.get("cover_medium")),
            isrc=str(entry.get("isrc") or "") or None,
            media=_preview(preview) if preview else None,
        )

    def _own(self, address: Json) -> str | None:
        fits = isinstance(address, str) and is_allowed(address, HOSTS, self._address)
        return address if fits else None

    @staticmethod
    def _id(track: Track) -> str:
        return track.uri.removeprefix("deezer:track/")

    def _ask(self, path: str, **query: Json) -> JsonObject:
        """Return an answer; wait once where too much was asked. Raises a SourceError that fits."""
        if time.time() < self._closed_until:
            raise self._too_often()
        for last in (False, True):
            self._budget.spend()
            answer = self._client.get(path, query)
            if not isinstance(answer, dict):
                raise SourceError(_STRANGE)
            fault = _mapping(answer.get("error"))
            if not fault:
                return answer
            if last or fault.get("code") not in {QUOTA, BUSY}:
                self._refuse(fault)
            time.sleep(self._budget.seconds)
        raise self._too_often()

    def _refuse(self, fault: Mapping[str, Json]) -> NoReturn:
        code = fault.get("code")
        if code == QUOTA:
            self._closed_until = time.time() + self._budget.seconds
            raise self._too_often()
        if code == NO_DATA:
            msg = f"{NAME} does not have what was asked for: check the number or the country"
            raise NotAvailable(msg)
        msg = f"{NAME} says: {fault.get('message') or f'error {code}'}"
        raise SourceError(msg)

    def _too_often(self) -> RateLimited:
        seconds = round(self._budget.seconds)
        msg = f"{NAME} was asked too often: try again in {seconds} s"
        return RateLimited(msg, retry_at=self._closed_until or time.time() + seconds)


def _entries(page: Mapping[str, Json]) -> list[JsonObject]:
    """Return the tracks of a page; null entries and podcasts are left out."""
    listed = page.get("data")
    if not isinstance(listed, list):
        raise SourceError(_STRANGE)
    return [entry for entry in listed if _is_track(entry)]


def _is_track(entry: Json) -> bool:
    return (
        isinstance(entry, dict)
        and _NUMBER.fullmatch(str(entry.get("id"))) is not None
        and entry.get("type", "track") == "track"
    )


def _preview(address: str) -> Media:
    """Return the preview at a signed address, with the POSIX time after which it is refused."""
    found = _EXPIRY.search(unquote(urlsplit(address).query))
    return Media("preview", address, expires=float(found[1]) if found else None)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _whole(value: Json) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
