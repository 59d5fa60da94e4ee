"""What is stored stays, once, whatever happens."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Track
from emotion_dj.errors import CatalogueError

ANALYSIS = Analysis(
    AudioFeatures("ear-1", tempo=123.0, key=9, mode=1, loudness=-14.0, brightness=2000.0),
    Affect(0.5, 0.25, 0.125),
    gems={"power": 0.5},
    embedding=(0.5, -0.5),
)
TRACK = Track("file:///music/a%20b.mp3", "A", ("Ann",), "Sky", duration=180.0, isrc="X1")


def keep(catalogue: Catalogue, track: Track = TRACK, **changes: object) -> None:
    """Store one track with one analysis."""
    given = {
        "modification_tag": "1",
        "fingerprint": "f",
        "analyser": "ear-1",
        "heard": ANALYSIS,
        **changes,
    }
    catalogue.store(track, **given)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """Return a new catalogue in a file."""
    return Catalogue(tmp_path / "catalogue.sqlite")


def test_what_goes_in_comes_out(catalogue: Catalogue) -> None:
    """Every value of a track and of its analysis is the same after a round trip."""
    keep(catalogue)
    again = Catalogue(catalogue.address)
    assert again.analysis_of("f", "ear-1") == ANALYSIS
    (found,) = again.candidates(["ear-1"]).load([0])
    assert (found.title, found.artists, found.album, found.isrc) == ("A", ("Ann",), "Sky", "X1")
    assert str(found.path) == "/music/a b.mp3"


def test_columns_say_what_was_stored(catalogue: Catalogue) -> None:
    """The columns for ranking hold the values, and numbers for what is unknown."""
    keep(catalogue)
    bare = Analysis(AudioFeatures("ear-1"), Affect(0, 0, 0.5), embedding=(1.0, 0.0))
    keep(catalogue, Track("file:///b.mp3", "B"), fingerprint="g", heard=bare)
    columns = catalogue.candidates(["ear-1"])
    assert len(columns) == 2
    assert [track.title for track in columns.load([0, 1])] == ["B", "A"]
    assert columns.valence.tolist() == [0, 0.5]
    assert columns.key.tolist() == [-1, 9]
    assert columns.artist.tolist() == [-1, 0]
    assert np.isnan(columns.tempo[0])
    assert columns.embedding.shape == (2, 2)


def test_minor_keys_follow_the_major_ones(catalogue: Catalogue) -> None:
    """A minor is number 21 of 24."""
    minor = Analysis(AudioFeatures("ear-1", key=9, mode=0), Affect(0, 0), embedding=(1.0,))
    keep(catalogue, heard=minor)
    assert catalogue.candidates(["ear-1"]).key.tolist() == [21]


def test_storing_twice_changes_nothing(catalogue: Catalogue) -> None:
    """The same (track, content, analyser) is one row, and the last word counts."""
    keep(catalogue, heard="could not be heard")
    keep(catalogue)
    keep(catalogue)
    assert catalogue.count() == 1
    assert len(catalogue.candidates(["ear-1"])) == 1
    assert catalogue.modification_tags("ear-1") == {TRACK.uri: ("1", None)}


def test_failures_are_remembered_and_never_picked(catalogue: Catalogue) -> None:
    """A file that cannot be heard is known with its reason and is not a candidate."""
    keep(catalogue, heard="a.mp3 is silent")
    assert catalogue.modification_tags("ear-1") == {TRACK.uri: ("1", "a.mp3 is silent")}
    assert len(catalogue.candidates(["ear-1"])) == 0
    assert catalogue.analysis_of("f", "ear-1") is None


def test_another_analyser_starts_anew(catalogue: Catalogue) -> None:
    """What one analyser heard is never passed off as another's."""
    keep(catalogue)
    assert catalogue.modification_tags("ear-2") == {}
    assert len(catalogue.candidates(["ear-2"])) == 0


def test_only_the_named_library_is_ranked(catalogue: Catalogue) -> None:
    """Candidates can be limited to some uris."""
    keep(catalogue)
    keep(catalogue, Track("file:///b.mp3", "B"), fingerprint="g")
    assert len(catalogue.candidates(["ear-1"], uris=["file:///b.mp3"])) == 1


def test_a_corrupt_catalogue_is_said_and_kept(catalogue: Catalogue, tmp_path: Path) -> None:
    """Garbage in the file gets one sentence; the file is not emptied."""
    keep(catalogue)
    catalogue.close()
    path = tmp_path / "catalogue.sqlite"
    data = bytearray(path.read_bytes())
    data[:100] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(CatalogueError, match="is damaged: move it away"):
        Catalogue(path)
    assert path.read_bytes() == bytes(data)


def test_a_newer_catalogue_is_refused(catalogue: Catalogue) -> None:
    """A catalogue of a later version is not touched; the sentence says what to do."""
    with sqlite3.connect(catalogue.address) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(CatalogueError, match=r"newer emotion-dj .* pip install --upgrade"):
        Catalogue(catalogue.address)


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    """A database with other tables is not written into."""
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE letters (text)")
    with pytest.raises(CatalogueError, match="database of something else"):
        Catalogue(path)


def test_a_locked_catalogue_is_said(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds the file, one sentence says so."""
    monkeypatch.setattr("emotion_dj.catalogue.database._WAIT_S", 0.05)
    impatient = Catalogue(catalogue.address)
    holder = sqlite3.connect(catalogue.address, isolation_level=None)
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


def test_the_catalogue_survives_many_openings(catalogue: Catalogue) -> None:
    """Opening an existing catalogue changes nothing in it."""
    keep(catalogue)
    for _ in range(3):
        with Catalogue(catalogue.address) as again:
            assert again.count() == 1


def test_the_last_like_of_a_track_can_be_taken_back(catalogue: Catalogue) -> None:
    """One of its likes goes, skips and likes of others stay; where none is, nothing happens."""
    for name in "ab":
        keep(catalogue, Track(f"file:///{name}", name))
    for number, kind in ((1, "like"), (1, "skip"), (2, "like"), (1, "like")):
        catalogue.add_feedback(number, kind)
    before = catalogue.change_counter()
    catalogue.remove_feedback(1, "like")
    assert catalogue.change_counter() != before
    left = [(title, kind) for _, kind, _, title in catalogue.feedback_log()]
    assert left == [("a", "like"), ("a", "skip"), ("b", "like")]
    for _ in range(2):
        catalogue.remove_feedback(1, "like")
    assert len(catalogue.feedback_log()) == 2


def first_version(path: Path) -> None:
    """Write a catalogue as the first release did: its tables by their script, one track, a like."""
    from sqlalchemy import create_engine

    from emotion_dj.catalogue import migrate

    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate.upgrade(connection, to="0001")
        for statement in (
            "DROP TABLE alembic_version",
            "INSERT INTO tracks VALUES (1, 'file:///a', '1', 'f', 'A', '[]', '', 9, NULL, NULL)",
            "INSERT INTO feedback (track, kind) VALUES (1, 'like')",
            "PRAGMA user_version = 1",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_an_older_catalogue_is_migrated_and_kept(tmp_path: Path) -> None:
    """What was in it is there afterwards, and the old file lies beside the new one."""
    path = tmp_path / "catalogue.sqlite"
    first_version(path)
    with Catalogue(path) as catalogue:
        assert catalogue.count() == 1
        assert [kind for _, kind, _, _ in catalogue.feedback_log()] == ["like"]
        keep(catalogue, Track("file:///a", "A"))
    with sqlite3.connect(tmp_path / "catalogue.sqlite.version-1") as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("SELECT count(*) FROM tracks").fetchone() == (1,)


def test_the_scripts_lead_to_the_tables(tmp_path: Path) -> None:
    """Alembic finds no difference between migrated tables and those that a new catalogue gets."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine

    from emotion_dj.catalogue import migrate, schema

    engine = create_engine(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with engine.begin() as connection:
        migrate.upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_a_killed_migration_leaves_the_old_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in the middle: the old file is as it was, and the next opening migrates it."""
    from emotion_dj.catalogue import migrate

    path = tmp_path / "catalogue.sqlite"
    first_version(path)
    real = migrate.upgrade

    def half(connection: object, found: int) -> None:
        real(connection, found)
        raise OSError(28, "No space left on device: full")

    monkeypatch.setattr(migrate, "upgrade", half)
    with pytest.raises(CatalogueError, match="is full"):
        Catalogue(path)
    assert migrate.version_of(path) == 1
    monkeypatch.undo()
    with Catalogue(path) as catalogue:
        assert catalogue.count() == 1


def many(catalogue: Catalogue, n: int = 6000) -> None:
    """Store n tracks by a hundred artists."""
    rows = [
        (Track(f"x:{i:05}", f"T{i}", (f"Artist {i % 100}",), "Album"), "", "", ANALYSIS)
        for i in range(n)
    ]
    catalogue.store_all(rows, analyser="ear-1")


def test_columns_come_out_of_the_file_beside_and_never_stale(catalogue: Catalogue) -> None:
    """The same columns from tables and file; any change, also by another process, is seen."""
    many(catalogue)
    first = catalogue.candidates(["ear-1"])
    beside = Path(f"{catalogue.address}.columns")
    assert beside.exists()
    other = Catalogue(catalogue.address)
    again = other.candidates(["ear-1"])
    for name in ("valence", "tempo", "key", "artist", "album", "embedding"):
        assert getattr(first, name).tolist() == getattr(again, name).tolist()
    assert again.artist.max() == 99
    before = catalogue.change_counter()
    changed = Analysis(AudioFeatures("ear-1"), Affect(-1, -1), embedding=(1.0, 0.0))
    other.store(
        Track("x:00000", "T"), modification_tag="", fingerprint="", analyser="ear-1", heard=changed
    )
    assert catalogue.change_counter() != before
    assert catalogue.candidates(["ear-1"]).valence[0] == -1
    beside.write_bytes(b"damaged")
    assert len(Catalogue(catalogue.address).candidates(["ear-1"])) == 6000


def test_what_is_gone_is_no_candidate_and_comes_back(catalogue: Catalogue) -> None:
    """Marked, not removed: what was said of it stays."""
    keep(catalogue)
    catalogue.add_feedback(1, "like")
    assert catalogue.mark_missing("file:///music/", []) == 1
    assert len(catalogue.candidates(["ear-1"])) == 0
    assert catalogue.mark_missing("file:///elsewhere/", []) == 0
    assert catalogue.mark_missing("file:///music/", [TRACK.uri]) == 0
    assert catalogue.candidates(["ear-1"]).taste[0] > 0


def test_uris_below_a_place_begin_as_it_does(catalogue: Catalogue) -> None:
    """Case and all, and signs that would mean more elsewhere: a folder is not its namesake."""
    uris = ["file:///Music/a", "file:///music/b", "file:///music2/c", "file:///mu%c/d"]
    for uri in uris:
        keep(catalogue, Track(uri, "T"), fingerprint=uri)
    for gone, below in enumerate(("file:///music/", "file:///mu%c/", "file:///Music/"), start=1):
        assert catalogue.mark_missing(below, []) == 1
        assert len(catalogue.candidates(["ear-1"])) == len(uris) - gone
    assert catalogue.forget_source("file:///mu%c/") == 1
    assert catalogue.count() == 3


def test_libraries_of_any_number_are_ranked(catalogue: Catalogue) -> None:
    """More uris than SQLite takes as parameters of one statement."""
    many(catalogue, 100)
    uris = [f"x:{i:05}" for i in range(50_000)]
    assert len(catalogue.candidates(["ear-1"], uris=uris)) == 100
    assert catalogue.forget(uris[:60]) == 60
    assert catalogue.count() == 40


def test_corrections_are_kept_until_taste_is_forgotten(catalogue: Catalogue) -> None:
    """What was read and what was said come out in order."""
    keep(catalogue)
    catalogue.add_feedback(1, "skip")
    catalogue.add_correction({"sad": 0.9, "happy": 0.1}, Affect(0.5, 0.5))
    ((read, said),) = catalogue.corrections()
    assert (read["sad"], said.valence) == (0.9, 0.5)
    assert catalogue.forget_taste() == 2
    assert catalogue.corrections() == []
    assert catalogue.feedback_log() == []


def test_storing_many_again_is_seen_by_another_process(catalogue: Catalogue) -> None:
    """A table that is imported once more, with other values, changes the mark and the columns."""
    many(catalogue, 100)
    other = Catalogue(catalogue.address)
    before, first = other.change_counter(), other.candidates(["ear-1"])
    moved = Analysis(AudioFeatures("ear-1"), Affect(-1, -1), embedding=(1.0, 0.0))
    rows = [(Track(f"x:{i:05}", "T"), "", "", moved) for i in range(100)]
    catalogue.store_all(rows, analyser="ear-1")
    assert other.change_counter() != before
    assert set(first.valence.tolist()) == {0.5}
    assert set(other.candidates(["ear-1"]).valence.tolist()) == {-1}


def test_a_table_does_not_unsettle_what_was_heard(catalogue: Catalogue) -> None:
    """Told of a file that was heard: both stay known of the same content, and the ear counts."""
    keep(catalogue)
    told = Analysis(AudioFeatures("told"), Affect(-1, -1), embedding=(1.0,))
    catalogue.store(TRACK, modification_tag="", fingerprint="", analyser="told", heard=told)
    assert catalogue.modification_tags("ear-1") == {TRACK.uri: ("1", None)}
    assert catalogue.candidates(["ear-1", "told"]).valence.tolist() == [0.5]
    assert catalogue.candidates(["told"]).valence.tolist() == [-1]


def test_vectors_of_two_analysers_are_not_compared(catalogue: Catalogue) -> None:
    """Each analyser's embedding has columns of its own where both are in the catalogue."""
    keep(catalogue)
    other = Analysis(AudioFeatures("told"), Affect(0, 0), embedding=(0.5, -0.5))
    keep(catalogue, Track("file:///z.mp3", "Z"), fingerprint="z", analyser="told", heard=other)
    sounds = catalogue.candidates(["ear-1", "told"]).embedding.astype(float)
    assert sounds.shape == (2, 4)
    assert (sounds @ sounds.T)[0, 1] == 0


def test_what_was_played_lately_is_known_until_fifty_others_were(catalogue: Catalogue) -> None:
    """1 for the last song that was played, less for the one before, 0 for the others."""
    many(catalogue, 3)
    for number in (1, 2):
        catalogue.add_feedback(number, "play")
    assert catalogue.candidates(["ear-1"]).recency.tolist() == pytest.approx([0.98, 1, 0])


def test_a_folder_is_forgotten_with_its_tracks(catalogue: Catalogue) -> None:
    """It is scanned no more, and its tracks are gone; a neighbour of a like name stays."""
    keep(catalogue)
    keep(catalogue, Track("file:///music-2/b.mp3", "B"), fingerprint="g")
    catalogue.add_folders(["/music", "/music-2"])
    assert catalogue.forget_folder("/music") == 1
    assert catalogue.folders() == ["/music-2"]
    assert catalogue.count() == 1
