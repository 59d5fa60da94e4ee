"""What is PostgreSQL's own: a server that may be away, older, newer, full or somebody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from emotion_dj import EmotionDJ, affect, taste
from emotion_dj.app.model_registry import analyser_ids, audio_model_id
from emotion_dj.app.settings import Settings
from emotion_dj.app.shortlist import shortlisted
from emotion_dj.catalogue import Catalogue, migrate
from emotion_dj.catalogue.backends import backend_of
from emotion_dj.catalogue.shared_devices import SharedDevices
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Listener, Preferences, Track
from emotion_dj.errors import CatalogueError, LibraryError, SettingsError
from emotion_dj.ranking import NearestRanker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emotion_dj.domain import Candidates

pytestmark = pytest.mark.needs_postgres

ANALYSER = "ear-1"
ANALYSIS = Analysis(AudioFeatures(ANALYSER, tempo=123.0), Affect(0.5, 0.25), embedding=(0.5, -0.5))


@pytest.fixture
def address(new_database: Callable[[], str]) -> str:
    """Return the address of an empty database."""
    return new_database()


def keep(catalogue: Catalogue, uri: str = "file:///a.mp3") -> None:
    """Store one track with one analysis."""
    catalogue.store_all([(Track(uri, "A"), "1", "f", ANALYSIS)], analyser=ANALYSER)


def execute(address: str, *statements: str) -> list[Any]:
    """Run SQL as the server's owner does; return the rows of the last statement."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def refused(address: str) -> str:
    """Return the one sentence with which an address is refused; it never tells a password."""
    with pytest.raises(CatalogueError) as caught:
        Catalogue(address)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "secret" not in sentence
    return sentence


def test_addresses_are_what_people_have(address: str) -> None:
    """A socket in ?host=, an empty password, the short name and the driver's mean one database."""
    with Catalogue(address) as catalogue:
        keep(catalogue)
    assert address.startswith("postgresql://postgres:@/")
    rest = address.removeprefix("postgresql")
    for form in (f"postgres{rest}", f"postgresql+psycopg{rest}", f"{address}&connect_timeout=3"):
        with Catalogue(form) as catalogue:
            assert catalogue.count() == 1
    with pytest.raises(SettingsError, match="is not an address of PostgreSQL"):
        Catalogue("postgresql://host/name?colour=blue")


def test_no_sentence_tells_a_password() -> None:
    """An address is shown without it, wherever it stood."""
    for address in ("postgresql://me:secret@host/music", "postgresql://host/music?password=secret"):
        assert "secret" not in backend_of(address).address
        assert "host/music" in backend_of(address).address


def test_no_server_is_said(tmp_path: Path) -> None:
    """Nobody at a port, at a socket, or of that name: one sentence."""
    for where in ("localhost:1/music", f"/music?host={tmp_path}", "no-such-host.invalid/music"):
        assert "no server answers at postgresql://me:***@" in refused(
            f"postgresql://me:secret@{where}"
        )


def test_a_wrong_password_is_said(address: str) -> None:
    """The server asks for one and gets another, or none; or it does not know who asks."""
    execute(
        address, "DROP ROLE IF EXISTS locked", "CREATE ROLE locked SUPERUSER LOGIN PASSWORD 'key'"
    )
    rules = Path(execute(address, "SHOW hba_file")[0][0])
    rules.write_text(f"local all locked scram-sha-256\n{rules.read_text()}")
    execute(address, "SELECT pg_reload_conf()")
    for given in ("locked:secret", "locked"):
        assert "refuses the password" in refused(address.replace("postgres:", given))
    with Catalogue(address.replace("postgres:", "locked:key")) as catalogue:
        assert catalogue.count() == 0
    assert "does not let this user in" in refused(address.replace("postgres:", "nobody:secret"))


def test_a_database_that_is_not_there_is_said(postgres: str) -> None:
    """The sentence says how one is made."""
    assert "createdb" in refused(postgres.replace("/postgres?", "/nowhere?"))


def test_a_server_without_pgvector_is_said(address: str, tmp_path: Path) -> None:
    """It finds no such extension: nothing is made, and the sentence says what to install."""
    name = execute(address, "SELECT current_database()")[0][0]
    execute(address, f"ALTER DATABASE {name} SET extension_control_path = '{tmp_path}'")
    assert "has no pgvector: install it there" in refused(address)
    assert execute(address, "SELECT to_regclass('tracks') IS NULL") == [(True,)]


def test_a_user_without_rights_is_said(address: str) -> None:
    """Somebody who may not make tables learns what the owner has to run, once."""
    execute(address, "DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN")
    guest = address.replace("postgres:@", "guest:@")
    assert "let its owner run" in refused(guest)
    execute(address, "CREATE EXTENSION vector", "GRANT CREATE ON SCHEMA public TO guest")
    with Catalogue(guest) as catalogue:
        keep(catalogue)


BEFORE_REPLICAS = (
    "DROP TABLE tiles, access_secrets, access_invitations, access_devices, access_tries",
    "UPDATE state SET value = 6 WHERE name = 'version'",
)


@pytest.mark.parametrize(
    "older", [("DROP TABLE tiles",), BEFORE_REPLICAS, ("REVOKE ALL ON tiles FROM reader",)]
)
def test_a_user_who_only_reads_does_so_without_tiles(
    address: str, older: tuple[str, ...], large: Catalogue
) -> None:
    """Before somebody who may has made them, or given the right to them, sets are made of what is
    near; then of them.
    """
    execute(
        address,
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
        *older,
    )
    path = affect.path(affect.parse_plan("lift"), [affect.parse_affect("sad")], 6)
    with Catalogue(address.replace("postgres:@", "reader:@")) as catalogue:
        assert catalogue.surroundings([ANALYSER]) is None
        found = shortlisted(catalogue, path, [ANALYSER])
        assert uris(found) == uris(large.candidates_near(path, [ANALYSER]))
        with pytest.raises(CatalogueError, match="may not make tables"):
            keep(catalogue)
        with Catalogue(address) as owners:
            owners.surroundings([ANALYSER])
        execute(address, "GRANT SELECT ON tiles TO reader")
        assert catalogue.surroundings([ANALYSER]) is not None
    execute(address, "DROP OWNED BY reader", "DROP ROLE reader")


def test_a_user_who_only_reads_is_refused_tables_that_are_too_old(address: str) -> None:
    """Those lack what is read: the sentence says who can help. So does that of a missing table."""
    Catalogue(address).close()
    execute(
        address,
        "CREATE ROLE late LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO late",
        *BEFORE_REPLICAS,
    )
    late = address.replace("postgres:@", "late:@")
    Catalogue(late).close()
    with pytest.raises(CatalogueError, match="is missing: let somebody who may make tables"):
        SharedDevices(late).key()
    execute(address, "UPDATE state SET value = 5 WHERE name = 'version'")
    assert "let its owner run" in refused(late)
    execute(address, "DROP OWNED BY late", "DROP ROLE late")


def test_a_newer_catalogue_is_refused(address: str) -> None:
    """A catalogue of a later version is not touched; the sentence says what to do."""
    Catalogue(address).close()
    execute(address, "UPDATE state SET value = 99 WHERE name = 'version'")
    assert "written by a newer emotion-dj (version 99" in refused(address)


def test_somebody_elses_tables_are_refused(address: str) -> None:
    """Tables of our names that are not ours are not written into; others beside ours are fine."""
    execute(address, "CREATE TABLE tracks (racers text)")
    assert "holds tables of something else" in refused(address)
    execute(address, "DROP TABLE tracks", "CREATE TABLE state (capital text)")
    assert "holds tables of something else" in refused(address)
    execute(address, "DROP TABLE state", "CREATE TABLE letters (text text)")
    with Catalogue(address) as catalogue:
        keep(catalogue)


def test_replicas_that_begin_at_once_make_one_catalogue(address: str) -> None:
    """All open; the tables are made by one of them, and their id is the same."""
    with ThreadPoolExecutor(4) as pool:
        for catalogue in pool.map(Catalogue, [address] * 4):
            assert catalogue.count() == 0
            catalogue.close()
    assert execute(address, "SELECT count(*) FROM state WHERE name IN ('id', 'version')") == [(2,)]


def test_an_older_catalogue_is_migrated(address: str) -> None:
    """Tables of version 3, with music in them, become ours; what was there is there."""
    with Catalogue(address) as catalogue:
        keep(catalogue)
    execute(
        address,
        "ALTER TABLE tracks DROP COLUMN genres, DROP COLUMN year",
        "ALTER TABLE tracks DROP COLUMN folded, DROP COLUMN mbid",
        "DROP TABLE access_secrets, access_invitations, access_devices, access_tries",
        "UPDATE state SET value = 3 WHERE name = 'version'",
    )
    for _ in range(2):
        with Catalogue(address) as catalogue:
            assert [track.uri for _, track in catalogue.search("á", limit=1)] == ["file:///a.mp3"]
            keep(catalogue, "x:new")
            assert catalogue.count() == 2
            assert len(catalogue.candidates([ANALYSER])) == 2
    version = execute(address, "SELECT value FROM state WHERE name = 'version'")
    assert version == [(migrate.VERSION,)]


def test_a_fault_in_a_migration_leaves_what_was(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of the older version are as they were, and the next opening migrates them."""
    Catalogue(address).close()
    execute(address, "UPDATE state SET value = value - 1 WHERE name = 'version'")

    def half(connection: Any, _version: int) -> None:
        connection.exec_driver_sql("ALTER TABLE tracks ADD COLUMN half text")
        connection.exec_driver_sql("ALTER TABLE missing ADD COLUMN other text")

    monkeypatch.setattr(migrate, "upgrade", half)
    refused(address)
    columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'half'"
    assert execute(address, columns) == [(0,)]
    monkeypatch.setattr(migrate, "upgrade", lambda _connection, _version: None)
    Catalogue(address).close()
    version = execute(address, "SELECT value FROM state WHERE name = 'version'")
    assert version == [(migrate.VERSION,)]


def test_writers_at_once_lose_nothing(address: str) -> None:
    """Four connections store the same and their own tracks: each is there, and none twice."""

    def write(writer: int) -> None:
        with Catalogue(address) as catalogue:
            for i in range(20):
                keep(catalogue, f"x:{i}")
                keep(catalogue, f"{writer}:{i}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with Catalogue(address) as catalogue:
        assert catalogue.count() == 20 + 4 * 20
        assert len(catalogue.candidates([ANALYSER])) == catalogue.count()


def test_threads_wait_for_a_connection(address: str) -> None:
    """More threads than connections: all are served by the pool, and the server sees no more."""
    with Catalogue(address) as catalogue, ThreadPoolExecutor(40) as pool:
        assert set(pool.map(lambda _: catalogue.count(), range(200))) == {0}
        seen = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'emotion-dj'"
        assert execute(address, f"{seen} AND datname = current_database()")[0][0] <= 15


def test_sets_are_those_of_sqlite_pick_for_pick(address: str, tmp_path: Path) -> None:
    """From the same rows both choose the same songs in the same order, with the same reasons."""
    with Catalogue(address) as server, Catalogue(tmp_path / "catalogue.sqlite") as file:
        for catalogue in (server, file):
            catalogue.store_all(music(3_000), analyser=ANALYSER)
        for sets in zip(*map(chosen, (server, file)), strict=True):
            assert sets[0] == sets[1]


@pytest.fixture
def large(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogue]:
    """Return a catalogue of 3,000 tracks that is large enough for the index."""
    monkeypatch.setattr("emotion_dj.catalogue.analysis_store.LARGE", 2_000)
    with Catalogue(address) as catalogue:
        catalogue.store_all(music(3_000), analyser=ANALYSER)
        yield catalogue


def uris(candidates: Candidates | None) -> set[str]:
    """Return the uris of candidates that were found."""
    assert candidates is not None
    return {track.uri for track in candidates.load(range(len(candidates)))}


def test_the_index_finds_what_is_nearest(large: Catalogue) -> None:
    """Around every target of a path it finds exactly the nearest tracks, each of them once."""
    path = affect.path(affect.parse_plan("lift"), [affect.parse_affect("sad")], 6)
    found, everything = large.candidates_near(path, [ANALYSER]), large.candidates([ANALYSER])
    assert found is not None
    assert 200 <= len(found) == len(set(found.number.tolist())) <= 1_200
    for target in path:
        apart = np.hypot(
            everything.valence - target.valence,
            affect.AROUSAL_WEIGHT**0.5 * (everything.arousal - target.arousal),
        )
        nearest = everything.number[np.argsort(apart)[:150]]
        assert set(nearest.tolist()) <= set(found.number.tolist())


def test_the_index_passes_over_what_is_not_wanted(large: Catalogue) -> None:
    """Other sources, what is missing, what this listener has played, what an earlier analyser of
    the list places elsewhere.
    """
    here = [affect.parse_affect("calm")]
    near = sorted(uris(large.candidates_near(here, [ANALYSER])))
    digit = near[0][2]
    assert uris(large.candidates_near(here, [ANALYSER], prefixes=[f"x:{digit}", "y%"])) >= {near[0]}
    only = uris(large.candidates_near(here, [ANALYSER], prefixes=[f"x:{digit}"]))
    assert all(uri.startswith(f"x:{digit}") for uri in only)
    played, gone, moved = near[:3]
    large.add_feedback(large.numbers([played])[played], "play")
    large.mark_missing(gone, [])
    elsewhere = Analysis(AudioFeatures("ear-2"), Affect(1, 1))
    large.store_all([(Track(moved, "T"), "", "", elsewhere)], analyser="ear-2")
    left = uris(large.candidates_near(here, ["ear-2", ANALYSER]))
    assert not {played, gone, moved} & left
    assert played in uris(large.candidates_near(here, [ANALYSER], listener=Listener("other")))


def test_the_index_finds_what_a_taste_follows_from(large: Catalogue) -> None:
    """What was answered is there wherever it stands, and more of the artists that are liked."""
    far, here = "x:7", [Affect(-1, -1)]
    number = large.numbers([far])[far]
    large.add_feedback(number, "like")
    found = large.candidates_near(here, [ANALYSER])
    same = {f"x:{i}" for i in range(7, 3_000, 311)}
    assert same <= uris(found)
    assert not same <= uris(large.candidates_near(here, [ANALYSER], listener=Listener("other")))
    assert found is not None
    liking = taste.of_listener(large, found).of(found).taste
    assert liking[found.number.tolist().index(number)] > 0.3


def test_the_facade_makes_sets_of_what_the_index_finds(large: Catalogue, address: str) -> None:
    """A set is near to what is asked for, of the source that is named, each listener's own; and
    what has been played does not come again.
    """
    large.store_all(music(3_000), analyser=audio_model_id())
    dj = prepared(EmotionDJ(settings=Settings(database=address)))
    first = dj.recommend(affect=(0.3, -0.4), n=10, seed=1)
    assert len({pick.track.uri for pick in first.picks}) == 10
    assert all(affect.distance(pick.affect, Affect(0.3, -0.4)) < 0.2 for pick in first.picks)
    dj.taste.played(first)
    again = dj.recommend(affect=(0.3, -0.4), n=10, seed=1)
    assert not {pick.track.uri for pick in first.picks} & {pick.track.uri for pick in again.picks}
    other = dj.of(Listener("other")).recommend(affect=(0.3, -0.4), n=10, seed=1)
    assert other.picks == first.picks
    assert dj.library.is_indexed()
    assert large.count() == 3_000
    with pytest.raises(LibraryError):
        dj.recommend(affect=(0.3, -0.4), sources=["spotify"])


def test_the_service_makes_sets_of_what_the_index_finds(large: Catalogue, address: str) -> None:
    """Over HTTP as from Python, without a look at all that may be picked."""
    from starlette.testclient import TestClient

    from emotion_dj.web import app

    large.store_all(music(3_000), analyser=audio_model_id())
    dj = prepared(EmotionDJ(settings=Settings(database=address)))
    dj.library.current = dj.library.sizes = None  # type: ignore[assignment, method-assign]
    with TestClient(app.create(dj), base_url="http://127.0.0.1") as client:
        answer = client.post("/api/v1/sets", json={"affect": "0.3,-0.4", "n": 5, "seed": 1})
        assert answer.status_code == 200, answer.text
        uris = [pick["uri"] for pick in answer.json()["picks"]]
    same = dj.recommend(affect=(0.3, -0.4), n=5, seed=1)
    assert uris == [pick.track.uri for pick in same.picks]


def prepared(dj: EmotionDJ) -> EmotionDJ:
    """Return a DJ when the catalogue has packed what sets are looked for in: what chance decides
    depends on what is found.
    """
    dj._catalogue.surroundings(analyser_ids())
    dj._catalogue.packer.wait()
    return dj


def music(count: int) -> Iterator[tuple[Track, str, str, Analysis]]:
    """Yield made-up tracks that stand all over the plane, with what ranking looks at."""
    generator = np.random.default_rng(7)
    for i in generator.permutation(count).tolist():
        valence, arousal = generator.normal(0, 0.4, 2).clip(-1, 1).tolist()
        features = AudioFeatures(
            ANALYSER, tempo=80 + i % 97, key=i % 12, mode=i % 2, loudness=-5 - i % 11
        )
        track = Track(f"x:{i}", f"Track {i}", (f"Artist {i % 311}",), f"Album {i % 701}")
        sound = tuple(generator.normal(0, 1, 4).astype(np.float16).tolist())
        yield track, "1", f"f{i}", Analysis(features, Affect(valence, arousal, 0.2), {}, sound)


def chosen(catalogue: Catalogue) -> Iterator[list[Any]]:
    """Yield the picks of sets for several wishes, the listener's taste included."""
    candidates = catalogue.candidates([ANALYSER])
    for uri, kind in (("x:5", "like"), ("x:90", "like"), ("x:17", "skip"), ("x:33", "play")):
        catalogue.add_feedback(catalogue.numbers([uri])[uri], kind)
    learnt = taste.of_listener(catalogue, candidates).of(candidates)
    for preferences in (Preferences.neutral(len(candidates)), learnt):
        for plan in ("match", "lift", "journey:sad..energetic"):
            path = affect.path(affect.parse_plan(plan), [affect.parse_affect("calm")], 20)
            yield NearestRanker().rank(path, candidates, preferences, seed=3)
