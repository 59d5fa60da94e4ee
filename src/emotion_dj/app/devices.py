"""Who is let in to this user's service, by its settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emotion_dj.app import settings as settings_module
from emotion_dj.pairing import Pairing

if TYPE_CHECKING:
    from emotion_dj.app.settings import Settings


def pairing(settings: Settings) -> Pairing:
    """Return the pairing of the service that these settings describe. Raises CatalogueError."""
    from emotion_dj.catalogue.devices import SQLiteDevices

    return Pairing(SQLiteDevices(_file(settings.database)))


def _file(database: str) -> Path:
    """Return where devices are kept: beside a catalogue that is a file, else with the user's."""
    path = database.removeprefix("sqlite:///")
    named = path and "://" not in path
    catalogue = Path(path).expanduser() if named else settings_module.default_database()
    return catalogue.with_name(f"{catalogue.stem}.devices.sqlite")
