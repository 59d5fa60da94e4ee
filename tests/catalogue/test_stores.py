"""The contract of the three stores, which every backend of the catalogue keeps.

A backend is a subclass at the end: ``open`` returns a catalogue at the address of a database that
is empty before each test; it may be called more than once in one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import ME, Affect, Analysis, AudioFeatures, Listener, Track

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emotion_dj.stores import AnalysisRecord

ANALYSER: Final = "ear-1"
OTHER: Final = "ear-2"
SOMEBODY: Final = Listener("somebody else")

ANALYSIS: Final = Analysis(
    AudioFeatures(ANALYSER, tempo=123.0, key=9, mode=1, loudness=-14.0, energy=0.5, valence=0.25),
    Affect(0.5, 0.25, 0.125),
    gems={"power": 0.5},
    embedding=(0.5, -0.5),
)
TRACK: Final = Track(
    *("file:///music/a%20b.mp3", "Ä", ("Ann", "Bö"), "Sky", 180.0, "cover.jpg", "DEA012300001"),
    mbid="f3ef5f4b-2a04-4a0a-9e0f-1a2b3c4d5e6f",
)


def _store(store: Catalogue, track: Track = TRACK, **changes: Any) -> None:
    """Store one track with one result."""
    values = {"modification_tag": "1", "fingerprint": "f", "analyser": ANALYSER, "result": ANALYSIS}
    store.store(track, **(values | changes))


class StoreContract:
    """Tests that pytest collects in a subclass whose ``open`` returns the stores of a backend."""

    def open(self) -> Catalogue:
        """Return another connection to the database of this test."""
        raise NotImplementedError

    def test_a_round_trip_changes_nothing(self) -> None:
        """Text, numbers, lists, mappings, vectors and what is absent come out as they went in."""
        store = self.open()
        bare = Analysis(AudioFeatures(ANALYSER), Affect(-1, 1, 0.5))
        store.store_all(
            [(TRACK, "1", "f", ANALYSIS), (Track("x:1", "Bare"), "", "g", bare)], analyser=ANALYSER
        )
        again = self.open()
        assert again.analysis_of("f", ANALYSER) == ANALYSIS
        assert again.analysis_of("g", ANALYSER) == bare
        numbers = again.numbers([TRACK.uri, "x:1", "x:2"])
        stored, plain = again.tracks([numbers[TRACK.uri], numbers["x:1"]])
        assert (stored.title, stored.artists, stored.isrc) == ("Ä", ("Ann", "Bö"), TRACK.isrc)
        assert (stored.album, stored.duration, stored.artwork) == ("Sky", 180.0, "cover.jpg")
        assert plain == Track("x:1", "Bare")
        assert "x:2" not in numbers

    def test_the_same_content_is_stored_once(self) -> None:
        """Of (track, content, analyser) the last result counts, be it a failure or an analysis."""
        store = self.open()
        for result in ("silent", ANALYSIS, ANALYSIS, "silent again"):
            _store(store, result=result)
        assert store.count() == 1
        assert store.analysis_of("f", ANALYSER) is None
        assert store.modification_tags(ANALYSER) == {TRACK.uri: ("1", "silent again")}
        assert store.modification_tags(OTHER) == {}
        _store(store)
        assert store.modification_tags(ANALYSER) == {TRACK.uri: ("1", None)}
        assert len(store.candidates([ANALYSER])) == 1

    def test_a_track_may_come_twice_in_one_batch(self) -> None:
        """The last row counts, but an empty mark leaves the one that is there."""
        store = self.open()
        again = Track(TRACK.uri, "New title")
        store.store_all([(TRACK, "1", "f", "silent"), (again, "", "", ANALYSIS)], analyser=ANALYSER)
        assert store.modification_tags(ANALYSER) == {TRACK.uri: ("1", None)}
        assert store.search("New title", limit=5)[0][1].uri == TRACK.uri
        assert store.analysis_of("f", ANALYSER) == ANALYSIS

    def test_all_rows_are_stored_or_none(self) -> None:
        """An error on the way to the last row leaves the stores and their revision as they were."""
        store = self.open()
        before = store.revision()

        def rows() -> Any:
            yield TRACK, "1", "f", ANALYSIS
            yield TRACK, "2", "g", ANALYSIS
            message = "no more rows"
            raise LookupError(message)

        with pytest.raises(LookupError):
            store.store_all(rows(), analyser=ANALYSER)
        assert (store.count(), store.revision()) == (0, before)

    def test_content_that_changed_is_analysed_anew(self) -> None:
        """The analysis of other content no longer counts for the track, and is there still."""
        store = self.open()
        _store(store)
        _store(store, fingerprint="g", result="silent")
        assert len(store.candidates([ANALYSER])) == 0
        assert store.analysis_of("f", ANALYSER) == ANALYSIS

    def test_columns_are_in_the_order_of_uris_by_code_point(self) -> None:
        """Capitals come first, accents last, whatever the language of the database."""
        store = self.open()
        uris = ["x:b", "x:B", "x:é", "x:_", "x:a", "X:a", "x:", "x:10", "x:9", "ü:"]
        store.store_all([(Track(uri, uri), "", uri, ANALYSIS) for uri in uris], analyser=ANALYSER)
        music = store.candidates([ANALYSER])
        assert [track.uri for track in music.load(range(len(music)))] == sorted(uris)
        assert [track.uri for _, track, _ in store.entries([ANALYSER])] == sorted(uris)
        assert music.number.tolist() == [store.numbers([uri])[uri] for uri in sorted(uris)]
        some = store.candidates([ANALYSER], uris=["x:B", "x:é", "x:none"])
        assert [track.title for track in some.load([0, 1])] == ["x:B", "x:é"]

    def test_columns_hold_the_numbers_of_ranking(self) -> None:
        """What is unknown is NaN or -1; minor keys follow the major ones; artists are numbered."""
        store = self.open()
        minor = Analysis(AudioFeatures(ANALYSER, key=9, mode=0), Affect(0, 0), embedding=(1.0, 0.0))
        _store(store)
        _store(store, Track("x:1", "B", ("Ann",)), fingerprint="g", result=minor)
        _store(store, Track("x:2", "C"), fingerprint="h", result=minor)
        music = store.candidates([ANALYSER])
        assert (music.valence.tolist(), music.uncertainty.tolist()) == ([0.5, 0, 0], [0.125, 0, 0])
        assert music.key.tolist() == [9, 21, 21]
        assert music.artist.tolist() == [0, 0, -1]
        assert music.album.tolist() == [0, -1, -1]
        assert np.isnan(music.tempo).tolist() == [False, True, True]
        assert music.embedding.tolist() == [[0.5, -0.5], [1, 0], [1, 0]]

    def test_the_analyser_that_is_named_first_counts(self) -> None:
        """Each track is there once, and vectors of two analysers cannot be compared."""
        store = self.open()
        other = Analysis(AudioFeatures(OTHER), Affect(-1, -1), embedding=(0.5, -0.5))
        for analyser, result in ((ANALYSER, ANALYSIS), (OTHER, other)):
            _store(store, analyser=analyser, result=result)
        _store(store, Track("x:1", "B"), fingerprint="g", analyser=OTHER, result=other)
        both = store.candidates([ANALYSER, OTHER])
        assert both.valence.tolist() == [0.5, -1]
        assert store.candidates([OTHER, ANALYSER]).valence.tolist() == [-1, -1]
        vectors = both.embedding.astype(float)
        assert (vectors @ vectors.T)[0, 1] == 0
        assert [a.features.analyser for *_, a in store.entries([OTHER, ANALYSER])] == [OTHER, OTHER]
        assert len(list(store.entries([ANALYSER, OTHER], limit=1))) == 1

    def test_a_small_catalogue_is_ranked_whole(self) -> None:
        """No index is asked: all of it is better."""
        store = self.open()
        _store(store)
        assert store.candidates_near([Affect(0, 0)], [ANALYSER]) is None

    def test_a_missing_track_is_no_candidate_until_it_is_back(self) -> None:
        """It keeps its analysis and feedback; prefixes are told apart case and all."""
        store = self.open()
        uris = ["file:///Music/a", "file:///music/b", "file:///music2/c", "file:///mu%c/d"]
        store.store_all([(Track(uri, "T"), "", uri, ANALYSIS) for uri in uris], analyser=ANALYSER)
        number = store.numbers(uris)["file:///music/b"]
        store.add_feedback(number, "like")
        assert store.mark_missing("file:///music/", []) == 1
        assert store.mark_missing("file:///mu%c/", ["file:///mu%c/d"]) == 0
        assert len(store.candidates([ANALYSER])) == len(list(store.entries([ANALYSER]))) == 3
        assert store.mark_missing("file:///music/", ["file:///music/b"]) == 0
        assert len(store.candidates([ANALYSER])) == 4
        assert store.feedback_counts() == {(number, "like"): 1}
        store.mark_missing("file:///music/", [])
        store.store_all([(Track(uris[1], "T"), "", "", ANALYSIS)], analyser=ANALYSER)
        assert len(store.candidates([ANALYSER])) == 4

    def test_what_is_forgotten_leaves_nothing(self) -> None:
        """Analyses and feedback go with their track; others of a like name stay."""
        store = self.open()
        uris = ["x:1", "x:2", "x2:3", "file:///m/a", "file:///m2/b"]
        store.store_all([(Track(uri, "T"), "", uri, ANALYSIS) for uri in uris], analyser=ANALYSER)
        store.add_feedback(store.numbers(uris)["x:1"], "like")
        assert store.forget(["x:1", "x:none"]) == 1
        assert store.feedback_log() == []
        assert store.analysis_of("x:1", ANALYSER) is None
        assert store.forget_source("x:") == 1
        store.add_folders(["/m", "/m2", "/m"])
        assert store.folders() == ["/m", "/m2"]
        assert store.forget_folder("/m") == 1
        assert store.folders() == ["/m2"]
        assert sorted(store.numbers(uris)) == ["file:///m2/b", "x2:3"]

    def test_a_renamed_track_keeps_what_it_has(self) -> None:
        """Its number, its analysis and its feedback; and it is no longer missing."""
        store = self.open()
        _store(store)
        number = store.numbers([TRACK.uri])[TRACK.uri]
        store.mark_missing("file:///", [])
        store.rename_uris({TRACK.uri: "file:///new"})
        assert store.numbers(["file:///new"]) == {"file:///new": number}
        assert store.modification_tags(ANALYSER) == {"file:///new": ("", None)}
        assert len(store.candidates([ANALYSER])) == 1
        found = store.tracks_by_fingerprint(["f", "g"])
        assert [(track.uri, tag) for track, tag in found["f"]] == [("file:///new", "")]
        assert store.analyses_of(["f", "g"], ANALYSER) == {"f": ANALYSIS}

    def test_a_search_finds_every_word_anywhere(self) -> None:
        """In title, artists and album, in any case; signs of patterns mean themselves."""
        store = self.open()
        _store(store, Track("x:1", "100% Love_Song", ("Björk", 'The "B"'), "Sky\\Blue"))
        _store(store, Track("x:2", "1000 lovers", ("Ann",), "Sea"), fingerprint="g")
        for words in ("love björk", "SKY love", "100%", "e_s", "sky\\", 'the "b"'):
            assert [track.uri for _, track in store.search(words, limit=9)] == ["x:1"], words
        assert [track.uri for _, track in store.search("love", limit=9)] == ["x:1", "x:2"]
        assert len(store.search("love", limit=1)) == 1

    def test_a_search_knows_every_spelling(self) -> None:
        """Case, accents, Unicode's forms of one letter; and what is renamed is found anew."""
        store = self.open()
        for title, words in (
            ("Björk", "BJÖRK"),
            ("Björk", "bjork"),
            ("Björk", "Bjo\u0308rk"),
            ("Cafe\u0301", "Café"),
            ("Весёлые ребята", "веселые"),
            ("Веселые ребята", "ВЕСЁЛЫЕ"),
            ("Straße", "STRASSE"),
            ("\uff21\uff22\uff22\uff21", "abba"),
            ("MØ", "mo"),
            ("Don\u2019t Stop", "don't"),
            ("İstanbul", "istanbul"),
        ):
            for track in (Track("x:1", title, ("Ann",)), Track("x:1", "Other", (title,))):
                _store(store, track)
                found = [one.uri for _, one in store.search(words, limit=9)]
                assert found == ["x:1"], (title, words)
        _store(store, Track("x:1", "Other", ("Nobody",)))
        assert store.search("istanbul", limit=9) == []

    def test_more_than_one_statement_takes(self) -> None:
        """Tens of thousands of uris and numbers are no error."""
        store = self.open()
        count, asked = 12_000, 70_000
        rows: list[AnalysisRecord] = [
            (Track(f"x:{i:05}", "T"), "", f"{i}", ANALYSIS) for i in range(count)
        ]
        assert store.store_all(rows, analyser=ANALYSER) == count
        numbers = store.numbers([f"x:{i:05}" for i in range(asked)])
        assert len(store.tracks(list(numbers.values()))) == count
        assert store.mark_missing("x:", []) == count
        assert store.forget(list(numbers)) == count

    def test_recordings_are_known_by_their_isrc(self) -> None:
        """Whichever source they are of; and those that are placed are told from the others."""
        store = self.open()
        _store(store)
        _store(store, Track("x:1", "B"), fingerprint="g", result="silent")
        assert store.same_recordings([TRACK.isrc, "none"], ANALYSER) == {TRACK.isrc: ANALYSIS}
        assert store.same_recordings([TRACK.isrc], OTHER) == {}
        assert store.placed_uris([TRACK.uri, "x:1", "x:2"], [OTHER, ANALYSER]) == {TRACK.uri}

    def test_each_change_is_seen_by_every_connection(self) -> None:
        """The revision changes with tracks and analyses, and is never one of before."""
        store, other = self.open(), self.open()
        seen = {other.revision()}
        for change in (
            lambda: _store(store),
            lambda: _store(store, result="silent"),
            lambda: _store(store, result="silent"),
            lambda: store.mark_missing("file:///", []),
            lambda: store.rename_uris({TRACK.uri: "x:1"}),
            lambda: store.forget(["x:1"]),
        ):
            change()
            assert other.revision() not in seen
            seen.add(other.revision())
        before = other.revision(), other.feedback_revision()
        assert (store.revision(), store.feedback_revision()) == before

    def test_feedback_is_each_listeners_own(self) -> None:
        """Log, counts, plays, corrections and revision; what one forgets the other keeps."""
        store = self.open()
        _store(store)
        number = store.numbers([TRACK.uri])[TRACK.uri]
        for listener in (ME, SOMEBODY):
            store.add_feedback(number, "like", listener)
            store.add_correction({"sad": 1.0}, Affect(0.5, -0.5), listener)
        before = store.feedback_revision()
        store.add_feedback(number, "play", SOMEBODY)
        assert store.feedback_revision() == before
        assert store.feedback_counts() == {(number, "like"): 1}
        assert store.feedback_counts(SOMEBODY) == {(number, "like"): 1, (number, "play"): 1}
        assert store.last_plays(9) == []
        assert [played for played, _ in store.last_plays(9, SOMEBODY)] == [number]
        store.remove_feedback(number, "play")
        assert store.forget_taste() == 2
        assert (store.feedback_log(), store.corrections()) == ([], [])
        assert [entry.kind for entry in store.feedback_log(SOMEBODY)] == ["like", "play"]
        assert store.corrections(SOMEBODY) == [({"sad": 1.0}, Affect(0.5, -0.5))]

    def test_the_log_is_in_order_and_its_last_entry_can_be_taken_back(self) -> None:
        """Only of the kind and the track that are named; where none is, nothing happens."""
        store = self.open()
        for name in "ab":
            _store(store, Track(f"x:{name}", name), fingerprint=name)
        a, b = (store.numbers([uri])[uri] for uri in ("x:a", "x:b"))
        for number, kind in ((a, "like"), (a, "skip"), (b, "like"), (a, "like"), (b, "play")):
            store.add_feedback(number, kind)
        before = store.feedback_revision()
        store.remove_feedback(a, "like")
        assert store.feedback_revision() != before
        log = store.feedback_log()
        kinds = [("x:a", "like"), ("x:a", "skip"), ("x:b", "like"), ("x:b", "play")]
        assert [(entry.uri, entry.kind) for entry in log] == kinds
        assert [entry.title for entry in log] == ["a", "a", "b", "b"]
        assert all(len(entry.at) == len("2026-11-27 08:00:00") for entry in log)
        for _ in range(2):
            store.remove_feedback(a, "like")
        assert len(store.feedback_log()) == 3
        store.add_feedback(a, "play")
        assert [number for number, _ in store.last_plays(9)] == [a, b]
        assert [number for number, _ in store.last_plays(1)] == [a]

    def test_what_was_played_when_is_kept(self) -> None:
        """Plays come in the order of their times, whichever was told first, and in UTC."""
        store = self.open()
        _store(store)
        number = store.numbers([TRACK.uri])[TRACK.uri]
        times = [datetime(2026, 11, 27, 8, tzinfo=UTC) - timedelta(days=n) for n in (0, 3, 1)]
        for at in times:
            store.add_feedback(number, "play", at=at)
        assert store.last_plays(2) == [(number, times[0]), (number, times[2])]

    def test_a_history_is_matched_by_uri_then_by_name(self) -> None:
        """Case does not count; what is not stored is left out."""
        store = self.open()
        _store(store)
        streams = [
            (TRACK.uri, "", "", "play", None),
            ("other:1", "ä", "ANN", "skip", datetime(2020, 1, 1, tzinfo=UTC)),
            ("other:2", "Ä", "Bö", "play", None),
        ]
        before = store.feedback_revision(SOMEBODY)
        assert store.import_history(streams, SOMEBODY) == 2
        assert [entry.kind for entry in store.feedback_log(SOMEBODY)] == ["play", "skip"]
        assert store.feedback_log() == []
        changed = store.feedback_revision(SOMEBODY)
        assert changed != before
        assert store.import_history(streams[2:], SOMEBODY) == 0
        assert store.feedback_revision(SOMEBODY) == changed


class TestSQLite(StoreContract):
    """A catalogue in one file."""

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "catalogue.sqlite"

    def open(self) -> Catalogue:
        """Open the file."""
        return Catalogue(self.path)


@pytest.mark.needs_postgres
class TestPostgreSQL(StoreContract):
    """A catalogue in a database of a server."""

    @pytest.fixture(autouse=True)
    def _database(self, new_database: Callable[[], str]) -> Iterator[None]:
        self.address = new_database()
        self.opened: list[Catalogue] = []
        yield
        for catalogue in self.opened:
            catalogue.close()

    def open(self) -> Catalogue:
        """Connect to the database."""
        self.opened.append(Catalogue(self.address))
        return self.opened[-1]
