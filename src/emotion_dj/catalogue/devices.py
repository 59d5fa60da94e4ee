"""Paired devices in an SQLite file of their own, which only its owner can read.

Not in the catalogue: who is let in does not go along when that is copied or shared. Replicas that
share a database keep them there: see `shared_devices`.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING, Final

from emotion_dj.errors import CatalogueError
from emotion_dj.pairing import (
    CODE_SECONDS,
    TRIES,
    TRIES_SECONDS,
    Invitation,
    PairedDevice,
    Role,
    Tries,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS invitations (
    digest BLOB PRIMARY KEY, role TEXT NOT NULL, made REAL NOT NULL,
    listener TEXT NOT NULL DEFAULT 'me'
);
CREATE TABLE IF NOT EXISTS devices (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
    paired REAL NOT NULL, seen REAL NOT NULL, digest BLOB NOT NULL,
    listener TEXT NOT NULL DEFAULT 'me'
);
CREATE TABLE IF NOT EXISTS tries (
    who TEXT PRIMARY KEY, count INTEGER NOT NULL, last REAL NOT NULL
);
"""

_LISTENER: Final = "ALTER TABLE {} ADD COLUMN listener TEXT NOT NULL DEFAULT 'me'"
"""What files of the first version lack."""

_DEVICE: Final = "id, name, role, paired, seen, listener"


class SQLiteDevices:
    """Fits `pairing.DeviceStore`; any number of threads and processes may use one file."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises CatalogueError."""
        self._path = path
        self._lock = RLock()
        with self._errors_in_words():
            self._file = _opened(path)

    def key(self) -> bytes:
        """Return the secret by which cookies are signed."""
        with self._writing() as file:
            new = ("key", secrets.token_bytes(32))
            file.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", new)
            return bytes(file.execute("SELECT value FROM secret WHERE name = 'key'").fetchone()[0])

    def invite(self, invitation: Invitation) -> None:
        """Keep an invitation and drop old ones."""
        row = (invitation.digest, invitation.role.value, invitation.made, invitation.listener)
        with self._writing() as file:
            file.execute(
                "DELETE FROM invitations WHERE made < ?", (invitation.made - CODE_SECONDS,)
            )
            file.execute("INSERT INTO invitations VALUES (?, ?, ?, ?)", row)

    def invitations(self) -> list[Invitation]:
        """Return the invitations that were not used."""
        with self._reading() as file:
            rows = file.execute("SELECT digest, role, made, listener FROM invitations").fetchall()
        return [Invitation(digest, Role(role), *rest) for digest, role, *rest in rows]

    def redeem(self, invitation: Invitation, device: PairedDevice, digest: bytes) -> bool:
        """Take the invitation away and add the device."""
        row = (*_row(device), digest)
        with self._writing() as file:
            taken = file.execute("DELETE FROM invitations WHERE digest = ?", (invitation.digest,))
            if taken.rowcount != 1:
                return False
            query = f"INSERT INTO devices ({_DEVICE}, digest) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
            file.execute(query, row)
            return True

    def find(self, device: str) -> tuple[PairedDevice, bytes] | None:
        """Return a device and the digest of its token."""
        with self._reading() as file:
            query = f"SELECT {_DEVICE}, digest FROM devices WHERE id = ?"  # noqa: S608 - columns
            row = file.execute(query, (device,)).fetchone()
        return None if row is None else (_device(row[:-1]), bytes(row[-1]))

    def devices(self) -> list[PairedDevice]:
        """Return all devices."""
        with self._reading() as file:
            query = f"SELECT {_DEVICE} FROM devices ORDER BY paired, id"  # noqa: S608 - columns
            return [_device(row) for row in file.execute(query).fetchall()]

    def remove(self, device: str) -> bool:
        """Forget a device."""
        with self._writing() as file:
            return file.execute("DELETE FROM devices WHERE id = ?", (device,)).rowcount == 1

    def saw(self, device: str, at: float) -> None:
        """Keep when a device was last seen."""
        with suppress(CatalogueError), self._writing() as file:
            file.execute("UPDATE devices SET seen = ? WHERE id = ?", (at, device))

    def attempt(self, who: str, now: float, most: int = TRIES) -> int:
        """Count what somebody sends, or return for how many seconds they have to wait."""
        with self._writing() as file:
            file.execute("DELETE FROM tries WHERE last < ?", (now - TRIES_SECONDS,))
            query = "SELECT count, last FROM tries WHERE who = ?"
            tries = Tries(*file.execute(query, (who,)).fetchone() or ())
            wait, more = tries.wait(now, most), tries.plus(now)
            if not wait:
                row = (who, more.count, more.last)
                file.execute("INSERT OR REPLACE INTO tries VALUES (?, ?, ?)", row)
            return wait

    def forgive(self, who: str) -> None:
        """Forget what somebody has sent."""
        with suppress(CatalogueError), self._writing() as file:
            file.execute("DELETE FROM tries WHERE who = ?", (who,))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._errors_in_words(), self._lock:
            yield self._file

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give the file in a transaction that other processes wait for."""
        with self._reading() as file:
            file.execute("BEGIN IMMEDIATE")
            with file:  # ends the transaction, by what happens in the block
                yield file

    @contextmanager
    def _errors_in_words(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            msg = f"the file of paired devices {self._path} cannot be used: {error}"
            raise CatalogueError(msg) from error


def _opened(path: Path) -> sqlite3.Connection:
    """Open the file, made so that nobody else can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    file.executescript(f"PRAGMA journal_mode = WAL; {_TABLES}")
    for table in ("invitations", "devices"):
        with suppress(sqlite3.OperationalError):  # it is there
            file.execute(_LISTENER.format(table))
    return file


def _device(row: tuple[str, str, str, float, float, str]) -> PairedDevice:
    name, words, role, paired, seen, listener = row
    return PairedDevice(name, words, Role(role), paired, seen, listener)


def _row(device: PairedDevice) -> tuple[str, str, str, float, float, str]:
    return (
        *(device.id, device.name, device.role.value),
        *(device.paired, device.seen, device.listener),
    )
