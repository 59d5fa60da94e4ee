"""The catalogue: all three stores in one database.

Every write is one transaction, so a process that is killed leaves a whole catalogue behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from emotion_dj.catalogue.analysis_store import Analyses
from emotion_dj.catalogue.database import Database
from emotion_dj.catalogue.feedback_store import Feedback
from emotion_dj.catalogue.surroundings import Packer
from emotion_dj.catalogue.track_store import Tracks

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


class Catalogue(Tracks, Analyses, Feedback):
    """A TrackStore, AnalysisStore and FeedbackStore; use it as a context manager or close it."""

    def __init__(self, address: str | Path) -> None:
        """Open or create the catalogue at an address; an older one is migrated. Raises
        CatalogueError, or SettingsError for what is not an address.
        """
        self.address = str(address)
        self._database = Database(self.address)
        self.packer = Packer(self._database)

    def __enter__(self) -> Self:
        """Return the catalogue."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def alone(self, name: str) -> AbstractContextManager[bool]:
        """Give whether no other process is in a block of this name."""
        return self._database.alone(name)

    def close(self) -> None:
        """Release the database, when what is being packed is."""
        self.packer.wait()
        self._database.close()
