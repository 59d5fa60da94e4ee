"""Notices within seconds that something changed below folders, by what the system tells.

Where it tells nothing, as of a network mount, or has no room to watch more, the folders are said to
have changed every few seconds: who looks then finds out, at the cost of a walk.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emotion_dj.sources.cue_sheets import SUFFIX
from emotion_dj.sources.folders import IGNORE_FILE, is_audio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from watchfiles import Change

POLL_S: Final = 10.0
"""How often folders are said to have changed that cannot be watched."""

_QUIET_MS: Final = 300
"""A change is told once nothing more has changed for so long, as while an album is copied."""

_LONGEST_MS: Final = 3_000
"""But at least so often."""

_LOOK_MS: Final = 500
_MOUNTS: Final = Path("/proc/self/mountinfo")
_SILENT: Final = frozenset(
    "9p afs ceph cifs davfs fuse.glusterfs fuse.rclone fuse.sshfs ncpfs nfs nfs4 smb3 smbfs"
    " vboxsf virtiofs vmhgfs".split()
)
"""File systems on which others change things of which this machine is told nothing."""


def changes(
    roots: Sequence[Path], stop: Event, tell: Callable[[str], None], *, poll_s: float = POLL_S
) -> Iterator[None]:
    """Yield once everything is watched, then after every change below folders, until ``stop``.

    What changes while nobody asks is told at once when somebody does. ``tell`` is given one
    sentence where folders cannot be watched and are looked through every ``poll_s`` seconds.
    """
    silent = [root for root in roots if is_silent(root)]
    if silent:
        tell(f"{silent[0]} is on a network mount: it is looked through every {poll_s:.0f} seconds")
    every = poll_s if silent else None
    while not stop.is_set():
        try:
            yield from _noticed([root for root in roots if root not in silent], stop, every)
        except (OSError, RuntimeError) as error:  # watchfiles raises its own RuntimeError
            every = poll_s
            tell(
                f"folders cannot be watched ({error}): they are looked through every {every:.0f} s"
            )
            yield from _polled(stop, every)


def is_silent(path: Path, mounts: Path = _MOUNTS) -> bool:
    """Tell whether a folder lies on a mount whose changes by others are not told here."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    kinds = dict(map(_mount, lines))
    place = path.resolve()
    inside = [str(p) for p in (place, *place.parents) if str(p) in kinds]
    return bool(inside) and kinds[inside[0]] in _SILENT


def _mount(line: str) -> tuple[str, str]:
    """Return where a mount is and of which kind, of a line as proc(5) says; blanks are octal."""
    fields, _, rest = line.partition(" - ")
    where = fields.split()[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
    return where, rest.split()[0]


def _noticed(roots: Sequence[Path], stop: Event, every: float | None) -> Iterator[None]:
    """Yield at the beginning and after each change; end where a root became another folder."""
    from watchfiles import watch

    there = _identities(roots)
    present = [root for root in roots if there[root]]
    if not present:
        yield from _polled(stop, every or POLL_S)
        return
    due = 0.0
    for found in watch(
        *present,
        watch_filter=_matters,
        debounce=_LONGEST_MS,
        step=_QUIET_MS,
        stop_event=stop,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
    ):
        is_other = _identities(roots) != there
        if found or is_other or time.monotonic() > due:
            yield
            due = time.monotonic() + (every or float("inf"))
        if is_other:
            return


def _polled(stop: Event, every: float) -> Iterator[None]:
    yield
    while not stop.wait(every):
        yield


def _identities(roots: Sequence[Path]) -> dict[Path, tuple[int, int] | None]:
    """Return which folder each root is, None where there is none, as while a disk is away."""
    return {root: _identity(root) for root in roots}


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _matters(_change: Change, path: str) -> bool:
    """Tell whether a change may be one of music: audio, a sheet, a folder, or what is left out."""
    name = os.path.basename(path)  # noqa: PTH119 - for each change
    matters = is_audio(name) or name == IGNORE_FILE or name.lower().endswith(SUFFIX)
    return matters or not os.path.isfile(path)  # noqa: PTH113
