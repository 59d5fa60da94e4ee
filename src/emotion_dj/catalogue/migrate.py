"""From the tables of an older version to ours, step by step, in the transaction of the caller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION: Final = 7
"""That of our tables. Raised with every change of them, which is a script in `migrations`."""

READABLE: Final = 6
"""The oldest version whose tables of music are as ours, for whoever may not change them."""


def upgrade(connection: Connection, version: int = 0, *, to: str = "head") -> None:
    """Run the scripts after a version of the tables, up to one of them or to the last."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    if version:
        command.stamp(config, f"{version:04}")
    command.upgrade(config, to)
