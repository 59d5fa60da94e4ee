"""Music by its source: what there is of each, and sets of some alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from emotion_dj.errors import LibraryError
from emotion_dj.json_types import JsonObject
from emotion_dj.web import models
from emotion_dj.web.json_route import Route

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Candidates, Track
    from emotion_dj.web.scan import Scan


FEW: Final = 5
"""Songs of which a first set is made, while the others are still being analysed."""


def music(dj: EmotionDJ, scan: Scan, names: Collection[str]) -> Candidates:
    """Return what may be picked of the sources named, of all where none is.

    The first set waits for a few songs, not for all; for one where another replica hears them.
    Raises LabelError for a name that nobody knows, LibraryError where there is no music.
    """
    if len(dj.library.current()) < FEW:
        scan.wait_until(lambda: len(dj.library.current()) >= (1 if scan.elsewhere else FEW))
    if not len(dj.library.current()) and scan.sentence:
        raise LibraryError(scan.sentence)
    candidates = dj.library.current(names)
    if names and not len(candidates):
        msg = f"there is no music of {' or '.join(names)} here: choose another source"
        raise LibraryError(msg)
    return candidates


def numbered(dj: EmotionDJ, numbers: Sequence[int]) -> list[Track]:
    """Return the tracks with these numbers, in that order; 404 where the catalogue has none."""
    try:
        return dj.library.tracks(numbers)
    except KeyError as error:
        raise HTTPException(404, f"The catalogue knows no track {error}.") from error


def routes(dj: EmotionDJ) -> APIRouter:
    """Return the route by which sources are told of."""
    routes = APIRouter(tags=["sources"], route_class=Route)

    @routes.get("/sources", responses={200: {"model": models.Sources}})
    def listed() -> JsonObject:
        """Return every source that may be named, with its tracks; nobody is asked for that."""
        sinks = dj.services.available_sinks()
        rows = [
            {"name": name, "tracks": tracks, "writable": name in sinks}
            for name, tracks in dj.library.sizes().items()
        ]
        return {"sources": rows}

    return routes
