"""A catalogue in a PostgreSQL server with pgvector: all that is PostgreSQL's own.

An address is read by libpq itself, so whatever `psql` takes is taken: a socket in ``?host=``, an
empty password, several hosts, ``sslmode``. The tables are made and changed in one transaction and
under a lock of the database, so that replicas may begin at once and a fault leaves what was before.
"""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from emotion_dj import installation
from emotion_dj.catalogue import migrate
from emotion_dj.errors import CatalogueError, MissingExtra, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg
    from sqlalchemy import Connection, Engine, Select, Table

    from emotion_dj.domain import Affect
    from emotion_dj.json_types import JsonObject

CONNECTIONS: Final = 5
"""Connections that a process keeps open; under load it opens twice as many again."""

PATIENCE: Final = 10
"""Seconds to wait for the server to answer, or for a connection that others of us are using."""

_DEFAULTS: Final = {
    "connect_timeout": PATIENCE,
    "tcp_user_timeout": 1000 * PATIENCE,
    "keepalives_idle": PATIENCE,
    "keepalives_interval": PATIENCE // 3,
    "keepalives_count": 3,
    "application_name": "emotion-dj",
}
"""Said to libpq unless the address says otherwise: it gives up a server that went silent."""

_SESSION: Final = (
    "-c timezone=UTC -c jit=off -c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 "
    "-c tcp_keepalives_count=3"
)
"""Times are kept in UTC, as by every backend; compiling a question for a set takes longer than it
does; the locks of a machine that vanished are free after a minute and a half."""

_LOCK: Final = 0x656D6F64  # "emod"
"""The advisory lock under which tables are made and changed."""

_ALONE: Final = 0x656D6F61  # "emoa"
_TRY_LOCK: Final = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_UNLOCK: Final = "SELECT pg_advisory_unlock(%s, hashtext(%s))"
"""The locks of blocks that one process is in, by their names."""

_TABLES: Final = """
SELECT coalesce(bool_or(relname = 'state'), false), coalesce(bool_or(relname = 'tracks'), false)
 FROM pg_class WHERE relname IN ('state', 'tracks') AND pg_table_is_visible(oid)"""
"""Asked of the table of tables, which is always up to date: `to_regclass` remembers that a table
was not there, and did so after another process had made it and this one had waited for that."""

_TILES: Final = """
SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'tiles' AND pg_table_is_visible(oid))"""
"""Tiles came after the others, without a version of their own: a database may lack them."""

_MAY_NOT_WRITE: Final = ("42501", "25006")
"""Codes of a user without the right to, and of a server that only lets read."""

_PASSWORD: Final = re.compile(r"(?<=:)[^:@/]*(?=@)|(?<=password=)[^&]*")


class PostgreSQL:
    """Fits `backends.Backend`. ``address`` is the given one, without its password."""

    indexed = True

    def __init__(self, address: str) -> None:
        """Take postgresql://... or postgres://... Raises MissingExtra or SettingsError."""
        self.address = _PASSWORD.sub("***", address)
        self._address = address.replace("+psycopg", "", 1)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the libraries raise for the database, and for a pool that is exhausted."""
        from sqlalchemy import exc

        try:
            from psycopg import Error
        except ImportError:  # then none of its errors was raised
            return exc.DBAPIError, exc.TimeoutError
        return exc.DBAPIError, exc.TimeoutError, Error

    def may_have_corrections(self) -> bool:
        """Leave it to the catalogue, which has to be asked over the network anyway."""
        return True

    def open(self) -> Engine:
        """Connect; make or migrate the tables where they are not of our version."""
        from sqlalchemy import create_engine

        engine = create_engine(
            "postgresql+psycopg://",
            connect_args=self._arguments(),
            pool_size=CONNECTIONS,
            max_overflow=2 * CONNECTIONS,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
        )
        try:
            self._upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def session(self) -> psycopg.Connection[Any]:
        """Return a connection beside the pool, on which each statement is done at once."""
        import psycopg

        return psycopg.connect(autocommit=True, **self._arguments())

    def insert(self, table: Table) -> Any:
        """Return PostgreSQL's insert."""
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    def near(
        self,
        path: Sequence[Affect],
        analysers: Sequence[str],
        *,
        prefixes: Sequence[str],
        who: str,
        wanted: Sequence[int],
    ) -> Select[Any]:
        """Look into the index of the plane: see `plane_index`."""
        from emotion_dj.catalogue.backends import plane_index

        return plane_index.near(path, analysers, prefixes=prefixes, who=who, wanted=wanted)

    @contextmanager
    def alone(self, engine: Engine, name: str) -> Iterator[bool]:
        """Hold a lock of a session, which ends with the process, whatever ends it."""
        plain = engine.execution_options(isolation_level="AUTOCOMMIT")  # no snapshot is held
        with plain.connect() as connection:
            locked = connection.exec_driver_sql(_TRY_LOCK, (_ALONE, name)).scalar_one()
            try:
                yield bool(locked)
            finally:
                if locked:
                    with suppress(*self.errors):  # of a session that broke it is free already
                        connection.exec_driver_sql(_UNLOCK, (_ALONE, name))

    def purge(self, engine: Engine) -> None:
        """Give the room of deleted rows to new ones. Logs and backups are the server's own."""
        whole = engine.execution_options(isolation_level="AUTOCOMMIT")
        with whole.connect() as connection:
            if self._has_tiles(connection):
                connection.exec_driver_sql("TRUNCATE tiles")
            connection.exec_driver_sql("VACUUM tracks, analyses, feedback")

    def sentence(self, error: BaseException) -> str:
        """Tell by the code that the standard gives to an error, or by libpq's words."""
        cause = getattr(error, "orig", None) or error
        code, message = getattr(cause, "sqlstate", None) or "", str(cause)
        for keys, meaning in _SENTENCES.items():
            if code.startswith(keys[0]) if code else any(words in message for words in keys[1:]):
                return meaning.format(address=self.address)
        return f"the catalogue {self.address} cannot be used: {message.strip().splitlines()[0]}"

    def _arguments(self) -> JsonObject:
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict
        except ImportError as error:
            extra = "postgres"
            raise MissingExtra(extra, "a catalogue in PostgreSQL") from error
        try:
            given = conninfo_to_dict(self._address)
        except psycopg.ProgrammingError as error:
            msg = f"'{self.address}' is not an address of PostgreSQL: {str(error).strip()}"
            raise SettingsError(msg) from error
        return _DEFAULTS | given | {"options": f"{_SESSION} {given.get('options', '')}"}

    def _version(self, connection: Connection) -> int:
        """Return the version of the tables, 0 where none are. Raises CatalogueError."""
        ours, taken = connection.exec_driver_sql(_TABLES).one()
        if not ours and not taken:
            return 0
        version = (
            ours
            and connection.exec_driver_sql(
                "SELECT value FROM state WHERE name = 'version'"
            ).scalar()
        )
        if not version:
            raise CatalogueError(_SOMETHING_ELSE.format(address=self.address))
        if version > migrate.VERSION:
            msg = (
                f"the catalogue {self.address} was written by a newer emotion-dj (version "
                f"{version}, this one knows {migrate.VERSION}): update with  "
                f"{installation.update()}"
            )
            raise CatalogueError(msg)
        return int(version)

    def _upgrade(self, engine: Engine) -> None:
        """Bring the tables to our version; whoever may not reads those that are as ours."""
        from sqlalchemy.exc import DBAPIError

        with engine.connect() as connection:
            version = self._version(connection)
            if self._is_complete(connection, version):
                return
        try:
            self._change(engine)
        except DBAPIError as error:
            code = getattr(error.orig, "sqlstate", None)
            if version < migrate.READABLE or code not in _MAY_NOT_WRITE:
                raise

    def _change(self, engine: Engine) -> None:
        """Make or change the tables under a lock, unless another process just did."""
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            version = self._version(connection)
            if self._is_complete(connection, version):
                return
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")
            if 0 < version < migrate.VERSION:
                migrate.upgrade(connection, version)
            self._complete(connection)

    def _is_complete(self, connection: Connection, version: int) -> bool:
        return version == migrate.VERSION and self._has_tiles(connection)

    def _has_tiles(self, connection: Connection) -> bool:
        return bool(connection.exec_driver_sql(_TILES).scalar_one())

    def _complete(self, connection: Connection) -> None:
        """Make what is not there; give a database that has none its own id, and our version."""
        from emotion_dj.catalogue import schema
        from emotion_dj.catalogue.backends.plane_index import INDEXES
        from emotion_dj.catalogue.backends.plane_tiles import TABLES

        schema.metadata.create_all(connection)
        schema.access.create_all(connection)
        for statement in (*INDEXES, *TABLES):
            connection.exec_driver_sql(statement)
        insert = self.insert(schema.state)
        connection.execute(
            insert.values(name="id", value=secrets.randbits(62)).on_conflict_do_nothing()
        )
        version = insert.values(name="version", value=migrate.VERSION)
        changed = {"value": version.excluded.value}
        connection.execute(version.on_conflict_do_update(index_elements=["name"], set_=changed))


_SOMETHING_ELSE: Final = (
    "{address} holds tables of something else: name another database with --database"
)

_SENTENCES: Final = {
    ("28P01", "password authentication failed", "no password supplied"): (
        "the server of {address} refuses the password: put the right one into the address, "
        "or into ~/.pgpass"
    ),
    ("28", "role", "no pg_hba.conf entry", "authentication failed"): (
        "the server of {address} does not let this user in: name another user in the address, "
        "or ask who runs it"
    ),
    ("3D000", "does not exist"): (
        "the server has no database {address}: make it with  createdb , or correct the address"
    ),
    ("53300", "too many clients", "remaining connection slots"): (
        "the server of {address} has no connection left: raise its max_connections, "
        "or run fewer processes"
    ),
    ("57P", "starting up", "shutting down", "terminating connection", "recovery mode"): (
        "the server of {address} is restarting: nothing of this step was stored, try again"
    ),
    ("08", "closed the connection", "connection is lost", "connection has been closed"): (
        "the connection to {address} broke: nothing of this step was stored, try again"
    ),
    ("\0", "refused", "timeout", "translate host", "resolve host", "No such file", "unreachable"): (
        "no server answers at {address}: start it, or correct the address"
    ),
    ("53100",): "the disk of the server of {address} is full: what was stored so far is kept",
    ("53",): "the server of {address} is out of memory or room: what was stored so far is kept",
    ("25006",): "the server of {address} only lets read: name the one that writes with --database",
    ("0A000",): (
        "the server of {address} has no pgvector: install it there (Debian: "
        "apt-get install postgresql-18-pgvector), then try again"
    ),
    ("58P01",): (
        "the server of {address} has no pgvector: install it there (Debian: "
        "apt-get install postgresql-18-pgvector), then try again"
    ),
    ("42501",): (
        "this user of {address} may not make tables or extensions: let its owner run  "
        "CREATE EXTENSION vector; GRANT CREATE ON SCHEMA public TO ...  once"
    ),
    ("42P01",): (
        "a table of {address} is missing: let somebody who may make tables open it once with this "
        "version, for instance with  emotion-dj library stats"
    ),
    ("427",): _SOMETHING_ELSE,
    ("42P",): _SOMETHING_ELSE,
    ("40",): "two programs changed the same rows of {address} at once: try again",
    ("55P03",): "the catalogue {address} is in use by another program: try again when it is done",
    ("57014",): "the server of {address} stopped a question that took too long: try again",
    ("\0", "QueuePool limit"): (
        "all connections of this process to {address} are busy: try again in a moment"
    ),
}
"""What a class of errors means: how its code begins, or words of libpq, which gives no code."""
