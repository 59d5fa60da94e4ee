"""The database under a catalogue: opened, checked, and its errors in plain words."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from emotion_dj import installation
from emotion_dj.catalogue import migrate, schema
from emotion_dj.errors import CatalogueError, SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_WAIT_S: Final = 5.0


def connect(address: str) -> Engine:
    """Open or create the database at the path of a file; an older one is migrated.

    Raises CatalogueError, or what `translated` turns into one, and SettingsError for an address.
    """
    path = file_of(address)
    found = migrate.version_of(path)
    if 0 < found < schema.VERSION:
        migrate.migrate(path, found)
    engine = _engine(path)
    with engine.begin() as connection:
        _prepare(connection, address)
    return engine


def file_of(address: str) -> Path:
    """Return the file of a path or of its sqlite:/// address. Raises SettingsError for another."""
    path = address.removeprefix("sqlite:///")
    if "://" in path or not path:
        msg = f"the catalogue is one SQLite file, and '{address}' names none: give the path of one"
        raise SettingsError(msg)
    return Path(path).expanduser()


def _engine(path: Path) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _WAIT_S})
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare(connection: Connection, address: str) -> None:
    """Create the tables of a new catalogue; refuse one that a newer version has written.

    What is to be written is looked for again under a lock: another process may open it just now.
    """
    if _is_whole(connection, address):
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    if _is_whole(connection, address):
        return
    schema.metadata.create_all(connection)
    connection.execute(schema.state.insert().values(name="id", value=secrets.randbits(62)))
    connection.execute(text(f"PRAGMA user_version = {schema.VERSION}"))


def _is_whole(connection: Connection, address: str) -> bool:
    """Tell a catalogue of ours from an empty database. Raises CatalogueError for any other."""
    found = connection.scalar(text("PRAGMA user_version")) or 0
    if found > schema.VERSION:
        msg = (
            f"the catalogue {address} was written by a newer emotion-dj (version {found}, this one "
            f"knows {schema.VERSION}): update with  {installation.update()}"
        )
        raise CatalogueError(msg)
    if not found and inspect(connection).get_table_names():
        msg = f"{address} is a database of something else: name another file with --database"
        raise CatalogueError(msg)
    return bool(found)


class translated:  # noqa: N801 - reads as a word in `with translated(...)`
    """Turn errors of the database into one sentence that says what to do."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise CatalogueError for an error of the database."""
        if isinstance(error, DatabaseError | sqlite3.Error | OSError):
            raise CatalogueError(_sentence(str(error), self.address)) from error
        if isinstance(error, SQLAlchemyError):
            msg = f"the catalogue {self.address} cannot be used: {error}"
            raise CatalogueError(msg) from error


def _sentence(told: str, address: str) -> str:
    if "locked" in told:
        return f"the catalogue {address} is in use by another program: try again when it is done"
    if "malformed" in told or "not a database" in told:
        return (
            f"the catalogue {address} is damaged: move it away to begin a new one, "
            f"or try  sqlite3 {address} .recover"
        )
    if "readonly" in told or "unable to open" in told or "Permission" in told:
        return f"the catalogue {address} cannot be written: name another file with --database"
    if "full" in told:
        return f"the disk of the catalogue {address} is full: what was stored so far is kept"
    return f"the catalogue {address} cannot be used: {told.splitlines()[0]}"
