"""What is SQLite's own: one file that may be damaged, locked, older, newer or somebody else's."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from emotion_dj.catalogue import Catalogue, migrate
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Listener, Track
from emotion_dj.errors import CatalogueError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ANALYSIS = Analysis(AudioFeatures("ear-1", tempo=123.0), Affect(0.5, 0.25), embedding=(0.5, -0.5))
OLD_VERSION = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA foreign_keys = ON")
print("open", flush=True)
for line in sys.stdin:
    for statement in line.split(";"):
        database.execute(statement)
    likes = "SELECT feedback.track, feedback.kind, count(*) FROM feedback GROUP BY track, kind"
    print(sum(count for _, _, count in database.execute(likes)), flush=True)
"""
"""A process of 0.1.0 as far as the file is concerned: a connection that stays open and its SQL."""

OLD_TRACK = """
INSERT INTO tracks (id, uri, stamp, fingerprint, title, artists, album)
 VALUES (1, 'file:///a', '1', 'f', 'A', '["Bj\\u00f6rk"]', '')"""
OLD_STATEMENTS = """
INSERT INTO tracks (uri, stamp, fingerprint, title, artists, album, duration, artwork, isrc, gone)
 VALUES ('x:{0}', '1', 'f{0}', 'T', '["A"]', '', NULL, NULL, NULL, 0)
 ON CONFLICT (uri) DO UPDATE SET title = excluded.title;
INSERT INTO analyses (track, fingerprint, analyser, failure, valence, arousal, spread, gems,
 embedding) SELECT id, fingerprint, 'ear-1', NULL, 0.5, 0.25, 0.125, '{{}}', x'' FROM tracks
 WHERE uri = 'x:{0}' ON CONFLICT (track, fingerprint, analyser) DO UPDATE SET valence = 0.5;
INSERT INTO feedback (track, kind) SELECT id, 'like' FROM tracks WHERE uri = 'x:{0}';
INSERT INTO corrections (probabilities, valence, arousal) VALUES ('{{}}', 0.5, 0.{0});
INSERT INTO state (name, value) VALUES ('told', 1)
 ON CONFLICT (name) DO UPDATE SET value = state.value + 1"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a catalogue may be."""
    return tmp_path / "catalogue.sqlite"


def keep(catalogue: Catalogue, track: Track | None = None) -> None:
    """Store one track with one analysis."""
    given = {"modification_tag": "1", "fingerprint": "f", "analyser": "ear-1"}
    catalogue.store(track or Track("file:///a.mp3", "A"), **given, result=ANALYSIS)


def version(path: Path) -> int:
    """Return the version that the file says it has."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def older(path: Path, number: int) -> None:
    """Write a catalogue as an older version did: its tables by their scripts, a track, a like."""
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate.upgrade(connection, to=f"{number:04}")
        connection.exec_driver_sql("DROP TABLE alembic_version")
        connection.exec_driver_sql(OLD_TRACK)
        connection.exec_driver_sql("INSERT INTO feedback (track, kind) VALUES (1, 'like')")
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")
        if number > 1:
            connection.exec_driver_sql("INSERT INTO state (name, value) VALUES ('id', 5)")
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


@contextmanager
def old_process(path: Path) -> Iterator[Callable[[str], int]]:
    """Run a process of 0.1.0 that has the file open; it takes SQL and says how many likes it sees.

    Ends with an error where the process did.
    """
    with subprocess.Popen(
        [sys.executable, "-c", OLD_VERSION, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"

        def run(statements: str) -> int:
            print(statements, file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield run
        process.stdin.close()
        assert process.wait() == 0


def old_writes(number: int) -> str:
    """Return what 0.1.0 runs to store a track, a like and a correction."""
    return OLD_STATEMENTS.format(number).replace("\n", "")


def test_a_running_older_version_loses_nothing(path: Path) -> None:
    """0.1.0 has the file open, writes before and after we migrate it, and reads what we write."""
    older(path, 2)
    with old_process(path) as old:
        assert old(old_writes(1)) == 2
        with Catalogue(path) as new:
            assert version(path) == migrate.VERSION
            new.add_feedback(1, "like")
            new.add_feedback(1, "like", Listener("you"))
            keep(new, Track("x:2", "ours"))
            before = new.feedback_revision()
            assert old(old_writes(2)) == 5
            assert new.feedback_revision() != before
            old("BEGIN;" + old_writes(3))
            assert new.count() == 3
            assert old("COMMIT") == 6
            uris = ["file:///a", "x:1", "x:2", "x:3"]
            assert sorted(new.numbers([*uris, "x:4"])) == uris
            mine = [entry.uri for entry in new.feedback_log()]
            assert mine == ["file:///a", "x:1", "file:///a", "x:2", "x:3"]
            assert [place.arousal for _, place in new.corrections()] == [0.1, 0.2, 0.3]
            assert len(new.candidates(["ear-1"])) == 3


def test_a_catalogue_that_is_being_written_is_migrated_afterwards(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an older version writes, one sentence says so; what it wrote is there the next time."""
    older(path, 2)
    with old_process(path) as old:
        old("BEGIN IMMEDIATE;" + old_writes(1))
        monkeypatch.setattr("emotion_dj.catalogue.backends.sqlite.TIMEOUT", 0.05)
        with pytest.raises(CatalogueError, match="in use by another program"):
            Catalogue(path)
        assert version(path) == 2
        old("COMMIT")
        with Catalogue(path) as catalogue:
            assert catalogue.count() == len(catalogue.feedback_log()) == 2


@pytest.mark.parametrize("number", [0, 1, 2])
def test_many_may_open_at_once(path: Path, number: int) -> None:
    """One creates or migrates the tables, the others wait for it, and all have the same."""
    if number:
        older(path, number)
    with ThreadPoolExecutor(8) as pool:
        catalogues = list(pool.map(Catalogue, [path] * 8))
    keep(catalogues[0])
    for catalogue in catalogues:
        assert catalogue.count() == 1 + bool(number)
        assert len(catalogue.feedback_log()) == bool(number)
        catalogue.close()


@pytest.mark.parametrize("number", [1, 2])
def test_an_older_catalogue_is_migrated_and_a_copy_kept(path: Path, number: int) -> None:
    """What was in it is there afterwards, and as it was in a copy that its version names."""
    older(path, number)
    with Catalogue(path) as catalogue:
        assert [entry.kind for entry in catalogue.feedback_log()] == ["like"]
        found = [track.uri for _, track in catalogue.search("BJORK", limit=9)]
        assert found == ["file:///a"]
        keep(catalogue, Track("file:///a", "A"))
        assert catalogue.count() == 1
    copy = path.with_name(f"catalogue.sqlite.version-{number}")
    assert version(copy) == number
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT count(*) FROM tracks").fetchone() == (1,)
    assert [p.name for p in path.parent.glob("*.part")] == []


def test_a_column_that_came_before_its_version_is_no_fault(path: Path) -> None:
    """Catalogues of version 5 have MusicBrainz's ids or not: both become ours."""
    for change in ("", "; ALTER TABLE tracks DROP COLUMN mbid"):
        Catalogue(path).close()
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(f"PRAGMA user_version = 5{change}")
        with Catalogue(path) as catalogue:
            catalogue.store_all([(Track("x:1", "A"), "1", "f", ANALYSIS)], analyser="ear-1")
            assert catalogue.count() == 1


def test_the_scripts_lead_to_the_tables(path: Path) -> None:
    """Alembic finds no difference between migrated tables and those that a new catalogue gets."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine

    from emotion_dj.catalogue import schema

    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate.upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_migration_leaves_the_old_catalogue(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A fault in the middle: the old file is as it was, and the next opening migrates it."""
    older(path, number)
    real = migrate.upgrade

    def half(connection: object, found: int) -> None:
        real(connection, found)
        raise OSError(28, "No space left on device: full")

    monkeypatch.setattr(migrate, "upgrade", half)
    with pytest.raises(CatalogueError, match="is full"):
        Catalogue(path)
    assert version(path) == number
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(feedback)")]
    assert columns == ["id", "track", "kind", "at"]
    monkeypatch.undo()
    with Catalogue(path) as catalogue:
        assert catalogue.count() == 1


def test_a_corrupt_catalogue_is_said_and_kept(path: Path) -> None:
    """Garbage in the file gets one sentence; the file is not emptied."""
    with Catalogue(path) as catalogue:
        keep(catalogue)
    data = bytearray(path.read_bytes())
    data[:100] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(CatalogueError, match="is damaged: move it away"):
        Catalogue(path)
    assert path.read_bytes() == bytes(data)


def test_a_newer_catalogue_is_refused(path: Path) -> None:
    """A catalogue of a later version is not touched; the sentence says what to do."""
    Catalogue(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(CatalogueError, match=r"newer emotion-dj .*: update with  "):
        Catalogue(path)


def test_somebody_elses_database_is_refused(path: Path) -> None:
    """A database with other tables is not written into."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE letters (text)")
    with pytest.raises(CatalogueError, match="database of something else"):
        Catalogue(path)
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("letters",)]


def test_a_locked_catalogue_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds the file, one sentence says so."""
    monkeypatch.setattr("emotion_dj.catalogue.backends.sqlite.TIMEOUT", 0.05)
    impatient = Catalogue(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CatalogueError, match="in use by another program"):
            keep(impatient)
        holder.execute("ROLLBACK")
    keep(impatient)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A path below a file, or a folder, is not a catalogue."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(CatalogueError):
        Catalogue(tmp_path / "file" / "catalogue.sqlite")
    with pytest.raises(CatalogueError, match="cannot be written"):
        Catalogue(tmp_path)


def test_an_address_is_a_path_or_of_sqlite(path: Path) -> None:
    """Both name the same file; another kind of address is refused."""
    with Catalogue(f"sqlite:///{path}") as catalogue:
        keep(catalogue)
    assert Catalogue(path).count() == 1
    for address in ("", "sqlite:///", "oracle://somewhere/else"):
        with pytest.raises(SettingsError, match="give the path of one"):
            Catalogue(address)


def test_what_is_forgotten_is_no_longer_in_the_file(path: Path) -> None:
    """Neither in free pages nor in the log beside it can a title be read."""
    with Catalogue(path) as catalogue:
        rows = [(Track(f"spotify:{i}", "Unforgettable"), "", f"{i}", ANALYSIS) for i in range(999)]
        catalogue.store_all(rows, analyser="ear-1")
        catalogue.forget_source("spotify:")
        for file in path.parent.iterdir():
            assert b"Unforgettable" not in file.read_bytes()


def test_corrections_are_seen_without_the_database_library(path: Path) -> None:
    """In a file that has some, in no other, be it absent, older, damaged or of something else."""
    code = (
        "import sys\nfrom emotion_dj.catalogue.backends import backend_of\n"
        "print(backend_of(sys.argv[1]).may_have_corrections(), 'sqlalchemy' in sys.modules)"
    )

    def asked() -> list[str]:
        command = [sys.executable, "-c", code, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert asked() == ["False", "False"]
    with Catalogue(path) as catalogue:
        assert asked() == ["False", "False"]
        catalogue.add_correction({"sad": 1.0}, Affect(0, 0), Listener("you"))
    assert asked() == ["True", "False"]
    path.write_bytes(b"damaged" * 999)
    assert asked() == ["False", "False"]


def test_threads_that_open_a_new_file_wait_for_each_other(tmp_path: Path) -> None:
    """SQLite refuses two that begin a write-ahead log at one moment: neither gets to see it."""
    for number in range(20):
        with ThreadPoolExecutor(2) as pool:
            for catalogue in pool.map(Catalogue, [tmp_path / f"{number}.sqlite"] * 2):
                assert catalogue.count() == 0
                catalogue.close()


@pytest.mark.needs_namespaces
def test_a_catalogue_on_a_disk_that_is_read_only_is_read(tmp_path: Path) -> None:
    """Mounted read-only it is searched as ever, nothing is made beside it, and a write says so."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with Catalogue(disk / "c.sqlite") as catalogue:
        catalogue.add_folders(["/music"])
    before = sorted(disk.iterdir())
    mounted = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    read = (
        "from emotion_dj.catalogue import Catalogue; import sys; c = Catalogue(sys.argv[1]);"
        "print(c.folders(), c.count()); c.add_folders(['/more'])"
    )
    done = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, str(disk)),
            *(sys.executable, "-c", read, str(disk / "c.sqlite")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "['/music'] 0\n", done.stderr
    assert "cannot be written" in done.stderr
    assert sorted(disk.iterdir()) == before


@pytest.mark.parametrize("value", ["CAST(x'41ff' AS TEXT)", "'[1'"])
def test_a_damaged_text_is_one_sentence(path: Path, value: str) -> None:
    """Bytes that are no text, a list that is cut off: the catalogue is called damaged."""
    with Catalogue(path) as catalogue:
        keep(catalogue)
        with closing(sqlite3.connect(path)) as file:
            file.execute(f"UPDATE tracks SET artists = {value}")  # noqa: S608
            file.commit()
        with pytest.raises(CatalogueError, match="is damaged"):
            catalogue.search("a", limit=1)


def test_a_catalogue_that_lost_its_number_is_called_damaged(path: Path) -> None:
    """Its copy of columns cannot be told from that of another."""
    with Catalogue(path) as catalogue:
        keep(catalogue)
        with closing(sqlite3.connect(path)) as file:
            file.execute("DELETE FROM state WHERE name = 'id'")
            file.commit()
        with pytest.raises(CatalogueError, match="is damaged"):
            catalogue.candidates(["ear-1"])
