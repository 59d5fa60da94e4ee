"""The Music Player Daemon: its music as a library, its playlists, and its queue as a player.

Its songs are the listener's own files, so they are heard from the disk and are the same tracks as
those of the folder. Of its protocol: https://mpd.readthedocs.io/en/stable/protocol.html. Extra
``mpd``.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from emotion_dj.domain import Device, Omission, SavedPlaylist, Track
from emotion_dj.errors import (
    LibraryError,
    LoginRequired,
    MissingExtra,
    NotAvailable,
    SettingsError,
    SourceError,
)
from emotion_dj.sources import folders
from emotion_dj.sources.local import Local

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from emotion_dj.domain import DJSet

PORT: Final = 6600
TIMEOUT_S: Final = 30
WINDOW: Final = 5000
"""Songs of one answer: MPD ends connections whose answers are longer than 8 MB."""

NO_FOLDER: Final = (
    "MPD does not say where its music lies: name the folder on this machine in EMOTION_DJ_MPD_MUSIC"
)
NO_ADDRESS: Final = (
    "EMOTION_DJ_MPD_ADDRESS is a host, host:port or the path of a socket, and this is none: "
    "a password goes into EMOTION_DJ_MPD_PASSWORD"
)
LOCKED: Final = "MPD lets nobody do this without its password: set EMOTION_DJ_MPD_PASSWORD"
ELSEWHERE: Final = "none of these songs is in MPD's database: play from it with --library mpd"


@dataclass(frozen=True, slots=True)
class Mpd(Local):
    """Fits what `Local` does, and `Sink` and `Player` of `interfaces`.

    It has no ``roots``: what its database does not list yet is not gone. ``address`` is a host,
    host:port, or the path of a socket; an empty ``music`` is asked for, which MPD answers on a
    socket only. Raises MissingExtra.
    """

    roots: tuple[Path, ...] = ()
    name: str = "mpd"
    address: str = "localhost"
    password: str = field(default="", repr=False)
    music: str = ""

    def __post_init__(self) -> None:
        """See that the library that speaks to MPD is installed."""
        if find_spec("mpd") is None:
            raise MissingExtra("mpd", "MPD")

    def listing(self) -> Iterator[Track | Omission]:
        """Yield what MPD's folder holds as far as its database lists it, and the songs of the
        database that are not there. Raises LibraryError where none is, SettingsError where nobody
        says which folder that is, or a SourceError.
        """
        with self._connected() as mpd:
            root, names = self._folder(mpd), _database(mpd)
        yield from _missing(names, root)
        known = _Known(names, root)
        for entry in folders.walk(root):
            if isinstance(entry, Omission) or entry in known:
                yield entry

    def write(self, music: DJSet, *, name: str) -> SavedPlaylist:
        """Create or replace the playlist called ``name`` with the picks that are in MPD's database.

        The old one stays until the new one is whole. Raises NotAvailable where none of them is in
        it, or another SourceError.
        """
        new = f"{_one_line(name)} (new)"
        with self._connected() as mpd:
            songs = self._songs(mpd, [pick.track for pick in music.picks])
            there = {entry["playlist"] for entry in mpd.listplaylists()}
            if new in there:  # left by somebody who was cut off
                mpd.rm(new)
            for song in songs:
                mpd.playlistadd(new, song)
            if name in there:
                mpd.rm(name)
            mpd.rename(new, name)
        return SavedPlaylist(name, self.address, len(songs), len(music.picks))

    def devices(self) -> list[Device]:
        """Return MPD's outputs, those that are enabled first. Raises a SourceError."""
        with self._connected() as mpd:
            outputs = mpd.outputs()
        found = [Device(o["outputname"], o["outputname"], _is_enabled(o)) for o in outputs]
        return sorted(found, key=lambda device: not device.active)

    def play(self, tracks: Iterable[Track], *, device: str = "") -> None:
        """Put these songs in place of the queue and play all in their order, neither at random nor
        a single one, on the output that is named and no other, else on those that are enabled.

        Raises NotAvailable where the output or all of the songs are not there, and then leaves all
        as it is, or another SourceError.
        """
        with self._connected() as mpd:
            outputs, songs = _demand(device, mpd.outputs()), self._songs(mpd, tracks)
            mpd.clear()
            for song in songs:
                mpd.addid(song)
            for output in outputs:
                is_wanted = output["outputname"] == device
                (mpd.enableoutput if is_wanted else mpd.disableoutput)(output["outputid"])
            mpd.random(0)
            mpd.single(0)
            mpd.play(0)

    def _songs(self, mpd: Any, tracks: Iterable[Track]) -> list[str]:
        """Return MPD's names of the tracks that it has. Raises NotAvailable where it has none."""
        root = self._folder(mpd)
        names = [_name(track, root) for track in tracks if track.section is None]
        songs = [name for name in names if name and _is_known(mpd, name)]
        if not songs:
            raise NotAvailable(ELSEWHERE)
        return songs

    def _folder(self, mpd: Any) -> Path:
        """Return where MPD's music lies on this machine. Raises SettingsError."""
        from mpd import CommandError

        if self.music:
            return Path(self.music).expanduser().resolve()
        try:
            place = mpd.config().get("music_directory", "")
        except CommandError as error:  # only who comes by the socket is told
            raise SettingsError(NO_FOLDER) from error
        if not Path(place).is_absolute():  # none, or a server's address
            raise SettingsError(NO_FOLDER)
        return Path(place).resolve()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Give a client that is let in; what it meets is a SourceError."""
        from mpd import CommandError, MPDError

        client = self._connect()
        try:
            if self.password:
                client.password(self.password)
            yield client
        except CommandError as error:
            raise _refusal(error) from error
        except (MPDError, OSError, ValueError) as error:  # it parses numbers and letters, too
            msg = f"MPD at {self.address} was lost ({error}): try again"
            raise SourceError(msg) from error
        finally:
            client.disconnect()

    def _connect(self) -> Any:
        from mpd import MPDClient, MPDError
        from mpd.base import mpd_commands

        MPDClient.add_command("config", mpd_commands("config")(_members))  # it knows one line of it
        client = MPDClient()
        client.timeout = TIMEOUT_S
        try:
            client.connect(*_place(self.address))
        except OSError as error:
            why = error.strerror or error
            msg = f"no MPD at {self.address} ({why}): start it or correct EMOTION_DJ_MPD_ADDRESS"
            raise SourceError(msg) from error
        except (MPDError, UnicodeError) as error:
            msg = f"what answers at {self.address} is no MPD: correct EMOTION_DJ_MPD_ADDRESS"
            raise SourceError(msg) from error
        return client


class _Known:
    """The tracks that MPD's database lists, as they are on disk: it has a folder of songs where an
    album is one file, called like the file, or like its CUE sheet, and then not the file.
    """

    def __init__(self, names: Collection[str], root: Path) -> None:
        self._root = root
        self._files = {*names, *map(_folder, names)}
        self._with_sheets = {_folder(name) for name in self._files if name.endswith(".cue")}

    def __contains__(self, track: Track) -> bool:
        name = _name(track, self._root) or ""
        is_part = track.section is not None and _folder(name) in self._with_sheets
        return is_part or name in self._files


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _place(address: str) -> tuple[str, int | None]:
    """Return a socket, or host and port. Raises SettingsError."""
    if address.startswith(("/", "~", "@")):
        return str(Path(address).expanduser()), None
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        host = None
    if not host or parts.netloc != address or "@" in address:
        raise SettingsError(NO_ADDRESS)
    return host, port


def _members(_client: object, lines: Iterable[str]) -> dict[str, str]:
    return dict(line.partition(": ")[::2] for line in lines)


def _database(mpd: Any) -> set[str]:
    """Return the names of all songs."""
    names: set[str] = set()
    start = 0
    while songs := mpd.find("modified-since", "0", "window", (start, start + WINDOW)):
        names |= {song["file"] for song in songs}
        start += WINDOW
    return names


def _missing(names: Collection[str], root: Path) -> Iterator[Omission]:
    """Yield the songs that are not on disk, nor are what a sheet says of the file above them.

    Raises LibraryError where none is there.
    """
    paths = [root / name for name in sorted(names)]
    missing = [path for path in paths if not _is_there(path)]
    if len(missing) == len(names):
        msg = (
            f"none of the {len(names)} songs of MPD is in {root}: update its database, or name "
            "its folder in EMOTION_DJ_MPD_MUSIC"
        )
        raise LibraryError(msg)
    for path in missing:
        yield Omission(path.as_uri(), "not_found", f"'{path}' of MPD's database is not here")


def _is_there(path: Path) -> bool:
    return os.path.exists(path) or os.path.isfile(path.parent)  # noqa: PTH110, PTH113 - never raise


def _name(track: Track, root: Path) -> str | None:
    """Return what MPD calls a file, None for what is not in its folder."""
    path = track.path
    if path is None or not path.is_relative_to(root):
        return None
    return path.relative_to(root).as_posix()


def _is_known(mpd: Any, name: str) -> bool:
    from mpd import CommandError

    if "\n" in name:  # MPD knows no such file, and would take the rest for a command
        return False
    try:
        mpd.lsinfo(name)
    except CommandError as error:
        if _code(error) != "NO_EXIST":
            raise
        return False
    return True


def _demand(device: str, outputs: Sequence[dict[str, str]]) -> Sequence[dict[str, str]]:
    """Return the outputs to be switched so that one alone sounds: none where none is named.

    Raises NotAvailable naming those there are.
    """
    names = [output["outputname"] for output in outputs]
    if device and device not in names:
        msg = f"MPD has no output called '{device}': {', '.join(names) or 'it has none'}"
        raise NotAvailable(msg)
    return outputs if device else ()


def _is_enabled(output: dict[str, str]) -> bool:
    return output["outputenabled"] == "1"


def _one_line(text: str) -> str:
    """Return a text that ends no command. Raises NotAvailable for several lines."""
    if "\n" in text:
        msg = "MPD takes no names of several lines: choose another one"
        raise NotAvailable(msg)
    return text


def _code(error: Any) -> str:
    return getattr(error.errno, "name", "")


def _refusal(error: Any) -> SourceError:
    """Say what MPD refuses, and what to do."""
    code = _code(error)
    if code == "PASSWORD":
        return LoginRequired("MPD does not accept its password: correct EMOTION_DJ_MPD_PASSWORD")
    if code == "PERMISSION":
        return LoginRequired(LOCKED)
    return SourceError(f"MPD refuses '{error.command}': {error.msg or error}")
