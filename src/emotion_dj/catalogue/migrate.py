"""From the tables of an older version to ours, on a copy: the old file stays beside the new one."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine

from emotion_dj.catalogue import schema

if TYPE_CHECKING:
    from sqlalchemy import Connection


def version_of(path: Path) -> int:
    """Return the version of a catalogue's tables, 0 for a new or foreign file."""
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(path: Path, found: int) -> Path:
    """Bring a catalogue of version ``found`` up to ours; return where the old one is kept.

    The work is done on a copy that takes the name at the end, so that a process which is killed
    leaves the old catalogue as it was. Raises sqlite3.Error, OSError or SQLAlchemyError.
    """
    kept = path.with_name(f"{path.name}.version-{found}")
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(new)) as copy:
        old.backup(copy)
    engine = create_engine(f"sqlite:///{new}")
    with engine.begin() as connection:
        upgrade(connection, found)
        number = secrets.randbits(62)
        connection.execute(schema.state.insert().values(name="id", value=number))
        connection.exec_driver_sql(f"PRAGMA user_version = {schema.VERSION}")
    engine.dispose()
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept.unlink(missing_ok=True)
    kept.hardlink_to(path)
    new.replace(path)
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    return kept


def upgrade(connection: Connection, found: int = 0, *, to: str = "head") -> None:
    """Run the scripts after version ``found`` on a connection, up to one of them or to the last."""
    from alembic import command  # noqa: PLC0415 - slow to load, and hardly ever needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    if found:
        command.stamp(config, f"{found:04}")
    command.upgrade(config, to)
