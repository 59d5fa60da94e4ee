"""The listener's own music, added in the page: folders of this machine, a server, a table.

Folders and servers may be named only by who sits at this machine; from elsewhere it is a 403.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, File, Query, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from emotion_dj.app import credentials
from emotion_dj.errors import EmotionDJError, InputError
from emotion_dj.sources.folders import is_audio
from emotion_dj.web.middleware import LOCAL
from emotion_dj.web.validation import Body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.app import EmotionDJ
    from emotion_dj.web.scan import Scan


PASSWORD: Final = "subsonic_password"  # noqa: S105 - the name of one


class Place(Body):
    """A folder or file of this machine, or a source by its name."""

    place: Annotated[str, Field(min_length=1, max_length=4096)]


class Server(Body):
    """A server that speaks Subsonic's protocol, and the listener's login there."""

    url: Annotated[str, Field(min_length=1, max_length=500)]
    user: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(max_length=500)]


class Folder(BaseModel):
    """A folder of this machine: what is in it, by name and path, and how many songs lie there."""

    path: str
    parent: str | None
    folders: list[dict[str, str]]
    songs: int


class Added(BaseModel):
    """How many tracks a table added."""

    tracks: int


def routes(dj: EmotionDJ, scan: Scan) -> APIRouter:
    """Return the routes by which music is added; what was added is analysed at once."""
    routes = APIRouter(tags=["library"])

    @routes.get("/folders", responses={200: {"model": Folder}})
    def folders(
        request: Request,
        at: Annotated[str, Query(max_length=4096, description="Empty: the home folder")] = "",
    ) -> dict[str, Any]:
        """Return the folders in a folder of this machine, to choose one."""
        _at_this_machine(request)
        return _folder(Path(at) if at else Path.home())

    @routes.post("/library/places", status_code=202)
    def place(request: Request, named: Place) -> None:
        """Add a folder, a file or a source, and analyse what is new."""
        _at_this_machine(request)
        if not Path(named.place).is_absolute():
            msg = f"'{named.place}' is no folder of this machine: write its whole path"
            raise InputError(msg)
        with _input():
            dj.add(named.place)
        scan.start()

    @routes.post("/library/servers", status_code=202)
    def server(request: Request, named: Server) -> None:
        """Add a Subsonic server, and analyse what is new; the password is kept as `login` does."""
        _at_this_machine(request)
        known = replace(dj.settings, subsonic_url=named.url, subsonic_user=named.user)
        with _password(named.password), _input():
            dj.add("subsonic", settings=known)
        scan.start()

    @routes.post("/library/tables", responses={200: {"model": Added}})
    def table(
        request: Request, file: Annotated[UploadFile, File(description="CSV, JSON or Parquet")]
    ) -> dict[str, int]:
        """Take tracks and their features from a table."""
        _at_this_machine(request)
        with TemporaryDirectory() as folder:
            path = Path(folder) / Path(file.filename or "table.csv").name
            path.write_bytes(file.file.read())
            with _input():
                return {"tracks": dj.library.import_table(path)}

    return routes


@contextmanager
def _input() -> Iterator[None]:
    """Let what is wrong with a name or a file be a mistake of who sent it."""
    try:
        yield
    except (EmotionDJError, OSError, ValueError) as error:
        raise InputError(str(error)) from error


@contextmanager
def _password(secret: str) -> Iterator[None]:
    """Keep a password for a login, and the one before where that cannot be."""
    before = credentials.get(PASSWORD) if credentials.has(PASSWORD) else None
    credentials.put(PASSWORD, secret)
    try:
        yield
    except BaseException:
        if before is None:
            credentials.forget(PASSWORD)
        else:
            credentials.put(PASSWORD, before)
        raise


def _at_this_machine(request: Request) -> None:
    """Refuse who does not sit here: they call this machine by a name that only it has."""
    client = request.client.host if request.client else ""
    if not {request.url.hostname, client} <= LOCAL:
        msg = "Music is added at the machine that plays it: open the page there."
        raise HTTPException(403, msg)


def _folder(path: Path) -> dict[str, Any]:
    try:
        inside = sorted(path.iterdir(), key=lambda entry: entry.name.lower())
    except (OSError, ValueError) as error:  # the latter for what no system takes as a path
        msg = f"the folder {path} cannot be read: {getattr(error, 'strerror', error)}"
        raise InputError(msg) from error
    seen = [entry for entry in inside if not entry.name.startswith(".")]
    return {
        "path": str(path),
        "parent": None if path.parent == path else str(path.parent),
        "folders": [{"name": e.name, "path": str(e)} for e in seen if e.is_dir()],
        "songs": sum(is_audio(entry.name) for entry in seen),
    }
