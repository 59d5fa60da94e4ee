"""The listener's own music, added in the page: folders of this machine, a server, a table.

Folders and servers may be named only by who sits at this machine or was let in as its owner; for
others it is a 403.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, File, Query, UploadFile
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from emotion_dj.app import credentials
from emotion_dj.errors import EmotionDJError, InputError
from emotion_dj.json_types import JsonObject
from emotion_dj.sources.folders import is_audio
from emotion_dj.web.json_route import Route
from emotion_dj.web.validation import Body
from emotion_dj.web.visit import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Track
    from emotion_dj.web.scan import Scan


PASSWORD: Final = "subsonic_password"  # noqa: S105 - the name of one


NAMED: Final = 100
"""Songs of a list that are named where nothing is known of them."""


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
    """How many tracks a table added; ``unmatched`` is how many songs it only names of which nothing
    is known here, and ``names`` are the first of them.
    """

    tracks: int
    unmatched: int
    names: list[str]


def routes(dj: EmotionDJ, scan: Scan) -> APIRouter:
    """Return the routes by which music is added; what was added is analysed at once."""
    routes = APIRouter(tags=["library"], route_class=Route, dependencies=[Depends(_by_the_owner)])

    @routes.get("/folders", responses={200: {"model": Folder}})
    def folders(
        at: Annotated[str, Query(max_length=4096, description="Empty: the home folder")] = "",
    ) -> JsonObject:
        """Return the folders in a folder of this machine, to choose one."""
        return _folder(Path(at) if at else Path.home())

    @routes.post("/library/places", status_code=202)
    def place(named: Place) -> None:
        """Add a folder, a file or a source, and analyse what is new."""
        if not Path(named.place).is_absolute():
            msg = f"'{named.place}' is no folder of this machine: write its whole path"
            raise InputError(msg)
        with _input():
            dj.add(named.place)
        scan.start()
        scan.watch()

    @routes.post("/library/servers", status_code=202)
    def server(named: Server) -> None:
        """Add a Subsonic server, and analyse what is new; the password is kept as `login` does."""
        known = replace(dj.settings, subsonic_url=named.url, subsonic_user=named.user)
        with _password(named.password), _input():
            dj.add("subsonic", settings=known)
        scan.start()

    @routes.post("/library/tables", responses={200: {"model": Added}})
    def table(
        file: Annotated[UploadFile, File(description="CSV, JSON or Parquet")],
    ) -> JsonObject:
        """Take tracks and their features from a table."""
        unmatched: list[Track] = []
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"table{_ending(file.filename)}"
            path.write_bytes(file.file.read())
            with _input():
                count = dj.library.import_table(path, unmatched.append)
        names = [_name(track) for track in unmatched[:NAMED]]
        return {"tracks": count, "unmatched": len(unmatched), "names": names}

    return routes


def _name(track: Track) -> str:
    return " — ".join(part for part in (track.title, ", ".join(track.artists)) if part)


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


def _by_the_owner() -> None:
    """Refuse who neither sits here nor was let in; guests were refused before."""
    visit = CURRENT.get()
    if not (visit.here or visit.device):
        msg = "Music is added at the machine that plays it: open the page there."
        raise HTTPException(403, msg)


def _folder(path: Path) -> JsonObject:
    try:
        inside = sorted(path.iterdir(), key=lambda entry: entry.name.lower())
    except (OSError, ValueError) as error:  # the latter for what no system takes as a path
        msg = f"the folder {path} cannot be read: {getattr(error, 'strerror', error)}"
        raise InputError(msg) from error
    seen = [one for one in inside if not one.name.startswith(".") and _is_text(one.name)]
    return {
        "path": str(path),
        "parent": None if path.parent == path else str(path.parent),
        "folders": [{"name": e.name, "path": str(e)} for e in seen if e.is_dir()],
        "songs": sum(is_audio(entry.name) for entry in seen),
    }


def _is_text(name: str) -> bool:
    """Tell whether a name can be sent and said back: not where its bytes are no text."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def _ending(name: str | None) -> str:
    """Return the ending of a file's name, by which tables are told apart; none where it is odd."""
    ending = Path(name or "table.csv").suffix
    return ending if ending[1:].isalnum() and ending.isascii() else ""
