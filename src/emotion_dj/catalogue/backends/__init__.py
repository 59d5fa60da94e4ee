"""What differs between databases: one file each. All else in `catalogue` is the same for all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from emotion_dj.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Engine, Select, Table

    from emotion_dj.domain import Affect


class Backend(Protocol):
    """A kind of database at one address."""

    address: str
    indexed: bool
    """Whether there is an index of the plane, for `near`."""

    @property
    def errors(self) -> tuple[type[BaseException], ...]:
        """What the database raises, for `sentence`."""
        ...

    def may_have_corrections(self) -> bool:
        """Tell, without loading much, whether a listener may have corrected a reading."""
        ...

    def open(self) -> Engine:
        """Create or migrate the tables; return the engine.

        Any number of processes may do so at once, and older ones go on reading and writing. Raises
        CatalogueError where a newer version or something else has written the database.
        """
        ...

    def insert(self, table: Table) -> Any:
        """Return an insert that has ``excluded`` and ``on_conflict_do_update`` (an upsert)."""
        ...

    def near(
        self,
        path: Sequence[Affect],
        analysers: Sequence[str],
        *,
        prefixes: Sequence[str],
        who: str,
        wanted: Sequence[int],
    ) -> Select[Any]:
        """Return the numbers of the tracks among which a set along a path is chosen.

        ``prefixes`` are those of the sources wanted, empty for all; ``who`` is the listener, who
        wants the tracks of these numbers. Asked of a backend that is ``indexed`` only.
        """
        ...

    def alone(self, engine: Engine, name: str) -> AbstractContextManager[bool]:
        """Give whether no other process is in a block of this name, as `stores.Store.alone`."""
        ...

    def purge(self, engine: Engine) -> None:
        """See, as far as the backend can, that what was deleted cannot be read from the disk."""
        ...

    def sentence(self, error: BaseException) -> str:
        """Say in one sentence what an error means and what to do."""
        ...


def is_shared(address: str) -> bool:
    """Tell whether an address is that of a server's database, which replicas may share."""
    return bool(_POSTGRESQL.match(address))


def backend_of(address: str) -> Backend:
    """Return the backend of an address: a path, sqlite:///PATH or postgresql://...

    Raises SettingsError.
    """
    if is_shared(address):
        from emotion_dj.catalogue.backends.postgres import PostgreSQL

        return PostgreSQL(address)
    path = address.removeprefix("sqlite:///")
    if "://" in path or not path:
        msg = (
            f"the catalogue is one SQLite file or a database of PostgreSQL, and '{address}' names "
            "neither: give the path of one, or postgresql://..."
        )
        raise SettingsError(msg)
    from emotion_dj.catalogue.backends.sqlite import SQLite

    return SQLite(address)


_POSTGRESQL: Final = re.compile(r"postgres(ql)?(\+psycopg)?://")
