"""Audius through a server on a real socket: whole songs, their nodes, odd entries, faults."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Track
from emotion_dj.errors import NotAvailable, SourceError
from emotion_dj.sources.audius import Audius
from emotion_dj.testing.conformance import check_source
from emotion_dj.testing.site import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

ODD: list[Any] = [
    None,
    5,
    {"id": "../x", "title": "No id"},
    {"id": "gone", "is_delete": True},
    {"id": "paid", "is_streamable": False},
]


@contextmanager
def site(songs: dict[str, bytes], *, node: str = "") -> Iterator[tuple[str, list[str]]]:
    """Serve songs by id; streams are redirected to a node, this server itself unless named."""
    asked: list[str] = []

    def form(name: str) -> dict[str, Any]:
        user = {"name": f"Maker of {name}", "handle": name}
        return {"id": name, "title": f"Song {name}", "user": user, "duration": 61, "artwork": None}

    def listed(request: Request) -> Response:
        asked.append(request.url.path)
        assert request.query_params["app_name"] == "emotion-dj"
        limit = int(request.query_params["limit"])
        return JSONResponse({"data": [*ODD, *map(form, songs)][: limit + len(ODD)]})

    def stream(request: Request) -> Response:
        asked.append("stream")
        name = request.path_params["id"]
        if name not in songs:
            return Response(status_code=404)
        where = node or f"http://{request.url.netloc}"
        return RedirectResponse(f"{where}/content/{name}?signature=%7B%22x%22%3A1%7D")

    def content(request: Request) -> Response:
        assert request.url.query == "signature=%7B%22x%22%3A1%7D"
        return Response(songs[request.path_params["id"]], media_type="audio/mpeg")

    routes = [
        Route("/v1/tracks/trending", listed),
        Route("/v1/tracks/search", listed),
        Route("/v1/tracks/{id}/stream", stream),
        Route("/content/{id}", content),
    ]
    with served(Starlette(routes=routes)) as address:
        yield address, asked


def test_whole_songs_are_heard_and_played(clips: dict[str, list[bytes]], tmp_path: Path) -> None:
    """The week's songs become a library; entries that nobody may hear are left out."""
    songs = {f"{mood[0]}{i}": clip for mood in clips for i, clip in enumerate(clips[mood])}
    with site(songs) as (address, asked):
        settings = Settings(database=str(tmp_path / "c.sqlite"), audius_api=address, workers=1)
        dj = EmotionDJ(library=["audius"], settings=settings)
        summary = dj.library.scan()
        assert (summary.analysed, summary.failed) == (6, ())
        music = dj.services.resolved(dj.recommend(mood="calm", n=2))
        assert all(pick.track.artists[0].startswith("Maker of") for pick in music.picks)
        media = [pick.track.media for pick in music.picks]
        assert all(m and m.kind == "stream" and m.location.startswith(address) for m in media)
        assert asked.count("/v1/tracks/trending") == 1
        with dj.services.source_of(music.picks[0].track).stream(music.picks[0].track, {}) as answer:  # type: ignore[union-attr]
            assert answer.read() in songs.values()


def test_it_keeps_the_contract_of_a_source() -> None:
    """The public suite, over the socket."""
    with site({"a": b"abc", "b": b"def"}) as (address, _):
        check_source(lambda: Audius(address))


def test_only_its_own_nodes_are_followed() -> None:
    """A redirect to a host that is none of the network's is refused by name."""
    with site({"a": b"x"}, node="https://evil.example") as (address, _):
        source = Audius(address)
        with pytest.raises(SourceError, match=r"evil\.example"):
            source.resolve(next(source.tracks()))
    with site({"a": b"x"}, node="https://node.audius.co") as (address, _):
        media = Audius(address).resolve(Track("audius:a", "x"))
        assert media.location.startswith("https://node.audius.co/content/a?signature=%7B")


def test_what_is_not_there_is_said() -> None:
    """An unknown song, a name that is none, and answers of another form."""
    with site({}) as (address, asked):
        source = Audius(address)
        assert list(source.tracks()) == []
        with pytest.raises(NotAvailable, match="Audius"):
            source.resolve(Track("audius:nowhere", "x"))
        before = len(asked)
        with pytest.raises(NotAvailable):
            source.resolve(Track("audius:../../etc", "x"))
        assert len(asked) == before
    strange = Starlette(routes=[Route("/{rest:path}", lambda _: JSONResponse({"data": 5}))])
    with served(strange) as address, pytest.raises(SourceError, match="none of its answers"):
        list(Audius(address).tracks())


@pytest.mark.live
def test_the_real_service_keeps_its_contract() -> None:
    """The week's songs, a search, and a song from its node."""
    source = Audius()
    track = next(source.tracks())
    assert source.search(track.title, limit=3)
    with source.open(track) as audio:
        assert len(audio.read(100_000)) == 100_000
