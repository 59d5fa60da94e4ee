"""Music by its source: what there is of each, sets of some alone, and sets written to a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi import APIRouter

from emotion_dj.errors import LibraryError, LoginRequired, SettingsError
from emotion_dj.web import models

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from emotion_dj.compose import EmotionDJ
    from emotion_dj.domain import Candidates, Set
    from emotion_dj.interfaces import Sink
    from emotion_dj.web.scan import Scan

NAME: Final = "Emotion-DJ"
"""The only playlist that is written, so that no visitor of the page can replace another one."""


def music(dj: EmotionDJ, scan: Scan, names: Collection[str]) -> Candidates:
    """Return what may be picked of the sources named, of all where none is.

    The first set waits for music. Raises LabelError for a name that nobody knows, LibraryError
    where there is no music.
    """
    if not len(dj.known()):
        scan.wait()
        if scan.sentence:
            raise LibraryError(scan.sentence)
    found = dj.known(names)
    if names and not len(found):
        msg = f"there is no music of {' or '.join(names)} here: choose another source"
        raise LibraryError(msg)
    return found


def routes(dj: EmotionDJ, play: Callable[[models.Wish], Set]) -> APIRouter:
    """Return the routes by which sources are told of and written to; ``play`` answers a wish."""
    routes = APIRouter(tags=["sources"])

    @routes.get("/sources", responses={200: {"model": models.Sources}})
    def listed() -> dict[str, Any]:
        """Return every source that may be named, with its tracks; nobody is asked for that."""
        writable = dj.writable()
        found = [
            {"name": name, "tracks": tracks, "writable": name in writable}
            for name, tracks in dj.by_source().items()
        ]
        return {"sources": found}

    @routes.post("/sources/{name}/playlists", responses={200: {"model": models.Written}})
    def write(name: Literal["subsonic", "spotify"], wish: models.Wish) -> dict[str, str]:
        """Write the set of a wish to a service, in place of the one that was written before."""
        sink = _sink(dj, name)
        return {"where": sink.write(play(wish), name=NAME)}

    return routes


def _sink(dj: EmotionDJ, name: str) -> Sink:
    """Return a service that takes sets now. Raises LoginRequired, also where it is not set up: who
    asks over HTTP can do nothing about settings.
    """  # noqa: D205
    try:
        sink = dj.sink(name)
    except SettingsError as error:
        raise LoginRequired(str(error)) from error
    if name not in dj.writable():
        msg = f"nobody is logged in there: run  emotion-dj login {name}"
        raise LoginRequired(msg)
    return sink
