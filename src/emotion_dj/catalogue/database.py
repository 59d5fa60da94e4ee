"""A database as the stores use it: connections for one purpose, and errors in plain words."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from emotion_dj.catalogue.backends import backend_of
from emotion_dj.catalogue.schema import state, tracks
from emotion_dj.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Table

T = TypeVar("T")

CHUNK: Final = 10_000
"""Parameters of one statement: fewer than any backend takes."""


class Database:
    """The database at an address, opened, created or migrated."""

    def __init__(self, address: str) -> None:
        """Raise CatalogueError, or SettingsError for what is not an address."""
        self.backend = backend_of(address)
        with self._errors_in_words(OSError):
            self._engine = self.backend.open()

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection. Raises CatalogueError for what happens in the block."""
        with self._errors_in_words(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all made or, where an error is raised, none."""
        with self._errors_in_words(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Give whether no other process is in a block of this name: see `stores.Store.alone`."""
        with self._errors_in_words(), self.backend.alone(self._engine, name) as alone:
            yield alone

    def purge(self) -> None:
        """See that nothing which was deleted can be read from the disk."""
        with self._errors_in_words():
            self.backend.purge(self._engine)

    def insert(self, table: Table) -> Any:
        """Return an insert that may become an upsert."""
        return self.backend.insert(table)

    def states(self, connection: Connection, *names: str) -> dict[str, int]:
        """Return those of the states that there are, by their names."""
        query = select(state.c.name, state.c.value).where(state.c.name.in_(names))
        return dict(connection.execute(query).tuples().all())

    def identity(self, connection: Connection) -> int:
        """Return the database's own number. Raises CatalogueError where it has lost it."""
        number = self.states(connection, "id").get("id")
        if number is None:
            msg = (
                f"the catalogue {self.backend.address} is damaged: move it away to begin a new one"
            )
            raise CatalogueError(msg)
        return number

    def touch(self, connection: Connection, name: str) -> None:
        """Say that something has changed, by a number that no copy of the database comes to."""
        statement = self.insert(state).values(name=name, value=secrets.randbits(62))
        changed = {"value": statement.excluded.value}
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))

    @contextmanager
    def _errors_in_words(self, *more: type[OSError]) -> Iterator[None]:
        try:
            yield
        except (*self.backend.errors, *more) as error:
            raise CatalogueError(self.backend.sentence(error)) from error
        except SQLAlchemyError as error:
            msg = f"the catalogue {self.backend.address} cannot be used: {error}"
            raise CatalogueError(msg) from error


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut values into parts for one statement each."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def numbers_of(connection: Connection, uris: Collection[str]) -> dict[str, int]:
    """Return the number of each track that is stored, by its uri."""
    query = select(tracks.c.uri, tracks.c.id)
    numbers: dict[str, int] = {}
    for chunk in chunks(list(uris)):
        numbers.update(connection.execute(query.where(tracks.c.uri.in_(chunk))).tuples().all())
    return numbers


def has_prefix(prefix: str) -> ColumnElement[bool]:
    """Say that a uri begins so, case and all, in a form that is looked up in its index."""
    return (tracks.c.uri >= prefix) & (tracks.c.uri < prefix[:-1] + chr(ord(prefix[-1]) + 1))
