"""A catalogue in one SQLite file: all that is SQLite's own.

Older tables are changed in place and in one transaction, since a process of an older version may
have the file open and go on writing; a copy of what was before is left beside it.

The database library is loaded where it is needed: whether there are corrections is asked without
it, since it takes longer to load than a photo to read.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from contextlib import closing, nullcontext
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj import installation
from emotion_dj.catalogue import migrate
from emotion_dj.errors import CatalogueError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine, Select, Table

TIMEOUT: Final = 5.0
"""Seconds to wait for another process that writes."""

_PAUSE: Final = 0.005

_VERSION_AND_TABLES: Final = (
    "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
)
"""One statement, since another process may be making the tables right now."""


class SQLite:
    """Fits `backends.Backend`. ``address`` is a path, or sqlite:/// and a path."""

    indexed = False

    def __init__(self, address: str) -> None:
        self.address = address
        self.path = Path(address.removeprefix("sqlite:///")).expanduser()

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What SQLite raises, with the library and without it, and what is raised for a text in a
        damaged file that is no text, or no JSON.
        """
        from sqlalchemy.exc import DatabaseError

        return DatabaseError, sqlite3.Error, UnicodeDecodeError, JSONDecodeError

    def may_have_corrections(self) -> bool:
        """Look into the file; one that cannot be read now is spoken of when it is opened."""
        if not self.path.is_file():
            return False
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True)) as file:
                query = "SELECT EXISTS (SELECT 1 FROM corrections)"
                return bool(file.execute(query).fetchone()[0])
        except sqlite3.Error:
            return False

    def open(self) -> Engine:
        """Open or create the file; an older one is copied, then migrated in place."""
        from sqlalchemy import create_engine, event

        read_only = self._is_read_only()
        place = self._reading_place() if read_only else str(self.path)
        if not read_only:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(f"sqlite:///{place}", connect_args={"timeout": TIMEOUT})
        event.listen(engine, "connect", _read_only if read_only else _configure)
        with engine.connect() as connection:
            version = self._version(connection)
        if version != migrate.VERSION:
            self._upgrade(engine, version)
        return engine

    def _is_read_only(self) -> bool:
        """Tell whether the file is there and can be read alone, as on a disk that is mounted so."""
        places = (self.path, self.path.parent)
        return self.path.is_file() and not all(os.access(place, os.W_OK) for place in places)

    def _reading_place(self) -> str:
        """Return the file as SQLite opens it without making files beside it, where none is."""
        log = self.path.with_name(f"{self.path.name}-wal").exists()
        still = "" if log else "&immutable=1"
        return f"{self.path.absolute().as_uri()}?mode=ro{still}&uri=true"

    def insert(self, table: Table) -> Any:
        """Return SQLite's insert."""
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)

    def near(self, *_: object, **__: object) -> Select[Any]:
        """Have no such index: one user's catalogue is ranked whole."""
        raise NotImplementedError

    def alone(self, engine: Engine, name: str) -> AbstractContextManager[bool]:
        """Say so always: one user's processes store the same twice at worst."""
        del engine, name
        return nullcontext(True)

    def purge(self, engine: Engine) -> None:
        """Rewrite the file without its free pages, and empty the write-ahead log."""
        whole = engine.execution_options(isolation_level="AUTOCOMMIT")
        with whole.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def sentence(self, error: BaseException) -> str:
        """Tell by SQLite's own words what is wrong."""
        address, message = self.address, str(error)
        if isinstance(error, ValueError):
            message = "malformed"
        for words, meaning in _SENTENCES.items():
            if any(word in message for word in words):
                return meaning.format(address=address)
        return f"the catalogue {address} cannot be used: {message.splitlines()[0]}"

    def _version(self, connection: Connection) -> int:
        """Return the version of the tables, 0 where none are. Raises CatalogueError."""
        version, tables = connection.exec_driver_sql(_VERSION_AND_TABLES).one()
        if version > migrate.VERSION:
            msg = (
                f"the catalogue {self.address} was written by a newer emotion-dj (version "
                f"{version}, this one knows {migrate.VERSION}): update with  "
                f"{installation.update()}"
            )
            raise CatalogueError(msg)
        if tables and not version:
            msg = f"{self.address} is a database of something else: name another with --database"
            raise CatalogueError(msg)
        return int(version)

    def _upgrade(self, engine: Engine, version: int) -> None:
        """Bring the tables to our version under a lock, unless another process just did."""
        if version:
            self._copy(version)
        with engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            version = self._version(connection)
            if version == migrate.VERSION:
                return
            if version:
                migrate.upgrade(connection, version)
            _complete(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {migrate.VERSION}")

    def _copy(self, version: int) -> None:
        """Copy the file, whole, to one that is named by its version; nobody has to wait for it."""
        copy = self.path.with_name(f"{self.path.name}.version-{version}")
        part = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}.part")
        try:
            with closing(sqlite3.connect(self.path)) as old, closing(sqlite3.connect(part)) as new:
                old.backup(new)
            part.replace(copy)
        finally:
            part.unlink(missing_ok=True)


_SENTENCES: Final = {
    ("locked",): "the catalogue {address} is in use by another program: try again when it is done",
    ("malformed", "not a database", "Could not decode"): (
        "the catalogue {address} is damaged: move it away to begin a new one, "
        "or try  sqlite3 {address} .recover"
    ),
    ("readonly", "unable to open", "Permission"): (
        "the catalogue {address} cannot be written: name another file with --database"
    ),
    ("full",): "the disk of the catalogue {address} is full: what was stored so far is kept",
}
"""What each of SQLite's messages means."""


def _read_only(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    _write_ahead(connection)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log, which SQLite refuses at once, without its own patience, while another
    process does the same to a new file.
    """
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _complete(connection: Connection) -> None:
    """Make the tables that are not there, and give a database that has none its own id."""
    from emotion_dj.catalogue import schema

    schema.metadata.create_all(connection)
    name, value = "id", secrets.randbits(62)
    insert = schema.state.insert().prefix_with("OR IGNORE").values(name=name, value=value)
    connection.execute(insert)
