"""What may be picked, by its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import STATED, Affect, Analysis, AudioFeatures, Track
from emotion_dj.errors import LabelError

if TYPE_CHECKING:
    from pathlib import Path

HEARD = Analysis(AudioFeatures(STATED), Affect(0.5, 0.5))
URIS = {
    "files": ["file:///a.mp3", "file:///z/é.mp3", "file:///z.mp3"],
    "deezer": ["deezer:1"],
    "spotify": ["spotify:track:a", "spotify:track:b"],
    "tables": ["", "spotify", "spotify;", "Spotify:x", "spotifz:1", "import:1", "ütf:1", "file:/b"],
}


@pytest.fixture
def dj(tmp_path: Path, demo_music: Path) -> EmotionDJ:
    """Return a DJ who knows tracks of several sources; a demo song is a file of its own source."""
    dj = EmotionDJ(settings=Settings(database=str(tmp_path / "c.sqlite")))
    uris = [*(uri for some in URIS.values() for uri in some), demo(demo_music)]
    dj._catalogue.store_all(((Track(uri, uri), "", uri, HEARD) for uri in uris), analyser=STATED)
    return dj


def demo(music: Path) -> str:
    """Return the uri of a demo song."""
    return min(music.rglob("*.opus")).resolve().as_uri()


def test_each_track_is_of_one_source(dj: EmotionDJ, demo_music: Path) -> None:
    """As its uri begins, and of no other whose name is alike; what is of none is from a table."""
    told = dj.library.sizes()
    known = {**URIS, "demo": [demo(demo_music)]}
    assert {name: count for name, count in told.items() if count} == {
        name: len(uris) for name, uris in known.items()
    }
    for name, uris in known.items():
        music = dj.library.current([name])
        assert {track.uri for track in music.load(range(len(music)))} == set(uris)
    both = dj.library.current(["demo", "spotify"])
    assert len(both) == len(both.valence) == len(both.embedding) == 3


def test_a_part_is_kept_until_the_catalogue_changes(dj: EmotionDJ) -> None:
    """The same object, for the ranker to know again; all that there is is not a part."""
    assert dj.library.current(["spotify"]) is dj.library.current(["spotify"])
    assert dj.library.current([*URIS, "demo"]) is dj.library.current()
    before = dj.library.current(["files"])
    dj._catalogue.store(
        Track("file:///new", ""),
        modification_tag="",
        fingerprint="n",
        analyser=STATED,
        result=HEARD,
    )
    assert len(dj.library.current(["files"])) == len(before) + 1
    with pytest.raises(
        LabelError, match="'gramophone' is not a source of music: choose files, demo"
    ):
        dj.library.current(["gramophone"])


def test_before_the_first_scan_a_named_library_is_what_was_known_of_it(
    dj: EmotionDJ, tmp_path: Path, demo_music: Path
) -> None:
    """What else is in the catalogue is not played; a list of a source is known once it is there."""
    (tmp_path / "z").mkdir()
    mine = {(tmp_path / "z" / name).as_uri() for name in ("a.mp3", "b.mp3")}
    rows = [(Track(uri, uri), "", uri, HEARD) for uri in [*mine, (tmp_path / "zz.mp3").as_uri()]]
    dj._catalogue.store_all(rows, analyser=STATED)
    all_of_z = {row[2] for row in rows}
    for library, uris in (
        ([tmp_path / "z"], mine),
        ([tmp_path / "z", "spotify", tmp_path], {*all_of_z, *URIS["spotify"]}),
        (["demo", "spotify"], {demo(demo_music), *URIS["spotify"]}),
        (["deezer:playlist/1"], set()),
        ([tmp_path / "none"], set()),
    ):
        music = EmotionDJ(library=library, settings=dj.settings).library.current()
        assert {track.uri for track in music.load(range(len(music)))} == uris
    assert len(dj.library.current()) > len(all_of_z)


def test_what_an_earlier_version_placed_counts_until_it_is_imported_again(tmp_path: Path) -> None:
    """A table taken in by mood-1 is there after the update, and its new place is believed first."""
    dj = EmotionDJ(settings=Settings(database=str(tmp_path / "c.sqlite")))
    table = tmp_path / "t.csv"
    table.write_text("uri,title,energy,valence\nx:1,One,0.9,0.9\n")
    old = Analysis(AudioFeatures("mood-1"), Affect(-0.5, -0.5))
    dj._catalogue.store_all([(Track("x:1", "One"), "", "", old)], analyser="mood-1")
    assert [pick.affect.valence for pick in dj.recommend(affect=Affect(0, 0), n=1).picks] == [-0.5]
    dj.library.import_table(table)
    assert dj.recommend(affect=Affect(0, 0), n=1).picks[0].affect.valence > 0


@pytest.mark.needs_shared
def test_what_an_earlier_version_heard_counts_until_it_is_heard_again(
    shared: Path, tmp_path: Path
) -> None:
    """Songs heard by ear-3 make a set after the update; the next scan hears them anew."""
    folder = tmp_path / "music"
    folder.mkdir()
    song = min((shared / "data/music/emotify").glob("*.opus"))
    (folder / song.name).write_bytes(song.read_bytes())
    settings = Settings(database=str(tmp_path / "c.sqlite"))
    updated, scanning = EmotionDJ(settings=settings), EmotionDJ(library=[folder], settings=settings)
    uri = (folder / song.name).resolve().as_uri()
    old = Analysis(AudioFeatures("ear-3"), Affect(-0.75, -0.75))
    updated._catalogue.store_all([(Track(uri, "One"), "", "", old)], analyser="ear-3")
    assert [pick.affect.valence for pick in updated.recommend(affect=Affect(0, 0), n=1).picks] == [
        -0.75
    ]
    assert scanning.library.scan().analysed == 1
    assert updated.recommend(affect=Affect(0, 0), n=1).picks[0].affect.valence > -0.75
