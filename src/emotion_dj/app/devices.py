"""Who is let in to this user's service, by its settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emotion_dj.app import settings as settings_module
from emotion_dj.pairing import Pairing

if TYPE_CHECKING:
    from emotion_dj.app.settings import Settings
    from emotion_dj.pairing import DeviceStore


def pairing(settings: Settings) -> Pairing:
    """Return the pairing of the service that these settings describe. Raises CatalogueError.

    Devices are kept in the database of a server, where replicas share one, else in a file.
    """
    return Pairing(_store(settings.database))


def _store(database: str) -> DeviceStore:
    from emotion_dj.catalogue.backends import is_shared

    if is_shared(database):
        from emotion_dj.catalogue.shared_devices import SharedDevices

        return SharedDevices(database)
    from emotion_dj.catalogue.devices import SQLiteDevices

    return SQLiteDevices(_file(database))


def _file(database: str) -> Path:
    """Return the file beside a catalogue that is a file, too."""
    path = database.removeprefix("sqlite:///")
    catalogue = Path(path).expanduser() if path else settings_module.default_database()
    return catalogue.with_name(f"{catalogue.stem}.devices.sqlite")
