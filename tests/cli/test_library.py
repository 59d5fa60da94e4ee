"""`library` and `taste` as their users run them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from command_line import run
from PIL import Image as Pillow

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table of twenty songs by four bands: loud and bright ones, quiet and dark ones."""
    path = tmp_path / "songs.csv"
    rows = [
        f"{word} {i},Band {i % 4};Guest,t:{word}:{i},{energy},{valence},0.5,0,-{loud},120\n"
        for i in range(10)
        for word, energy, valence, loud in (("Party", 0.9, 0.9, 5), ("Lullaby", 0.1, 0.3, 22))
    ]
    head = "title,artists,uri,energy,valence,acousticness,instrumentalness,loudness,tempo\n"
    path.write_text(head + "".join(rows), encoding="utf-8")
    return path


def test_folders_are_added_scanned_and_listed(tmp_path: Path, demo_music: Path) -> None:
    """Added once, a folder is looked through again by `scan`; what is removed counts as gone."""
    folder = tmp_path / "music"
    folder.mkdir()
    for path in sorted((demo_music / "calm").glob("*.opus"))[:2]:
        shutil.copy(path, folder)
    for command in ("scan", "stats"):
        assert "library add" in run("library", command).stderr
    added = json.loads(run("library", "add", folder, "--json").stdout)
    assert (added["analysed"], added["gone"]) == (2, 0)
    min(folder.iterdir()).unlink()
    assert "0 analysed, 1 known already, 0 failed, 1 gone" in run("library", "scan").stdout
    (row,) = json.loads(run("library", "list", "--json").stdout)
    assert row["mood"] == "calm"
    assert -1 <= row["plane_valence"] <= 1
    assert row["title"] in run("library", "list", "--mood", "calm").stdout
    assert run("library", "list", "--mood", "happy").stdout == ""
    assert "2 forgotten" in run("library", "forget", folder).stdout
    assert "nothing was added yet" in run("library", "scan").stderr


def test_an_unplugged_folder_keeps_no_other_from_being_scanned(
    tmp_path: Path, demo_music: Path
) -> None:
    """What is new in the other folder is heard; where all are gone that is an error."""
    one, two = tmp_path / "one", tmp_path / "two"
    songs = sorted((demo_music / "calm").glob("*.opus"))
    for folder, song in ((one, songs[0]), (two, songs[1])):
        folder.mkdir()
        shutil.copy(song, folder)
    assert run("library", "add", one, two).returncode == 0
    two.rename(tmp_path / "away")
    shutil.copy(songs[2], one)
    scanned = run("library", "scan")
    assert scanned.returncode == 0
    assert "1 analysed, 1 known already, 1 failed, 0 gone" in scanned.stdout
    assert f"{two} does not exist" in scanned.stderr
    assert len(json.loads(run("library", "list", "--json").stdout)) == 3
    shutil.rmtree(one)
    both = run("library", "scan")
    assert (both.returncode, len(both.stderr.splitlines())) == (3, 1)
    forgotten = run("library", "forget", "two", cwd=tmp_path)
    assert "1 forgotten" in forgotten.stdout
    assert [row["title"] for row in json.loads(run("library", "list", "--json").stdout)] == [
        song.stem for song in (songs[0], songs[2])
    ]


def test_what_cannot_be_forgotten_is_said(tmp_path: Path, table: Path) -> None:
    """A name that nobody knows is told beside what is forgotten, and alone it is an error."""
    run("library", "import", table)
    some = run("library", "forget", "t:Party:1", "t:Party:99", "--json")
    assert (some.returncode, json.loads(some.stdout)) == (0, {"forgotten": 1})
    assert "'t:Party:99'" in some.stderr
    none = run("library", "forget", tmp_path)  # is there, and was never added
    assert (none.returncode, none.stdout) == (3, "")
    assert str(tmp_path) in none.stderr
    assert "Traceback" not in none.stderr


def test_places_and_moods_of_a_table_count(tmp_path: Path, demo_music: Path) -> None:
    """What the ear heard keeps its place in another catalogue; a listener's mood beats a guess."""
    song = min((demo_music / "calm").glob("*.opus"))
    run("library", "add", song)
    run("library", "export", tmp_path / "heard.csv")
    other = ("--database", tmp_path / "other.sqlite")
    run("library", "import", tmp_path / "heard.csv", *other)
    (before,) = json.loads(run("library", "list", "--json").stdout)
    (after,) = json.loads(run("library", "list", "--json", *other).stdout)
    assert after["analyser"] == "told"
    assert [after[name] for name in ("plane_valence", "plane_arousal", "title")] == [
        before[name] for name in ("plane_valence", "plane_arousal", "title")
    ]
    assert "1 forgotten" in run("library", "forget", song).stdout
    (tmp_path / "moods.csv").write_text(
        "title,energy,valence,acousticness,mood\nParty,0.9,0.9,0.1,Sad\nFeast,0.9,0.9,0.1,\n"
    )
    third = ("--database", tmp_path / "third.sqlite")
    assert "2 taken in" in run("library", "import", tmp_path / "moods.csv", *third).stdout
    rows = json.loads(run("library", "list", "--json", *third).stdout)
    moods = {row["title"]: row["mood"] for row in rows}
    assert (moods["Party"], moods["Feast"] == "sad") == ("sad", False)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_what_is_exported_can_be_imported(tmp_path: Path, table: Path, suffix: str) -> None:
    """Title, artists and features come back the same from every kind of file; the place is
    estimated anew, among rows in another order, which rounds otherwise.
    """
    run("library", "import", table)
    file = tmp_path / f"out{suffix}"
    assert "20 tracks" in run("library", "export", file).stdout
    before = json.loads(run("library", "list", "--json").stdout)
    other = ("--database", tmp_path / "other.sqlite")
    assert "20 taken in" in run("library", "import", file, *other).stdout
    after = json.loads(run("library", "list", "--json", *other).stdout)
    for name in ("plane_valence", "plane_arousal", "uncertainty"):
        places = [[row.pop(name) for row in rows] for rows in (after, before)]
        assert places[0] == pytest.approx(places[1], abs=2e-4)
    assert after == before
    assert before[0]["artists"] == ["Band 0", "Guest"]
    refused = run("library", "export", tmp_path / "out.xyz")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (3, 1)


def test_the_plane_is_drawn(tmp_path: Path, table: Path) -> None:
    """A PNG that opens and an SVG with its title; another suffix is refused."""
    run("library", "import", table)
    assert run("library", "stats", "--picture", tmp_path / "plane.png").returncode == 0
    with Pillow.open(tmp_path / "plane.png") as picture:
        colours = picture.convert("RGB").getcolors(1 << 20)
        assert picture.size == (640, 640)
    assert colours is not None
    assert len(colours) > 4
    run("library", "stats", "--picture", tmp_path / "plane.svg")
    assert "20 tracks on the valence" in (tmp_path / "plane.svg").read_text()
    refused = run("library", "stats", "--picture", tmp_path / "plane.bmp")
    assert (refused.returncode, ".png or .svg" in refused.stderr) == (2, True)


def test_taste_is_shown_exported_and_forgotten(table: Path) -> None:
    """Likes move like music up; everything that was learnt can be seen and be gone."""
    from emotion_dj import EmotionDJ

    run("library", "import", table)
    dj = EmotionDJ()
    assert "nothing was learnt yet" in run("taste", "show").stdout
    numbers = dj._catalogue.numbers([f"t:Lullaby:{i}" for i in range(4)])
    for number in numbers.values():
        dj._catalogue.add_feedback(number, "like")
    shown = json.loads(run("taste", "show", "--json").stdout)
    assert shown["feedback"] == {"like": 4}
    assert all(row["title"].startswith("Lullaby") for row in shown["favourites"][:5])
    assert "4 likes, 0 corrections" in run("taste", "show").stdout
    exported = json.loads(run("taste", "export").stdout)
    assert [row["kind"] for row in exported["feedback"]] == ["like"] * 4
    assert "4 forgotten" in run("taste", "reset").stdout
    assert json.loads(run("taste", "export").stdout)["feedback"] == []


def test_a_corrected_reading_is_learnt_from(table: Path, smiling_photo: Path) -> None:
    """Whoever smiles and says "calm" twice is met nearer to calm from then on."""
    run("library", "import", table)
    before = json.loads(run("read", smiling_photo, "--json").stdout)["affect"]
    for _ in range(2):
        done = run("play", smiling_photo, "--correct", "calm", "-n", "3", "--json")
        assert json.loads(done.stdout)["affect"]["arousal"] == -0.6
    after = json.loads(run("read", smiling_photo, "--json").stdout)["affect"]
    assert after["arousal"] < before["arousal"] - 0.2
    offsets = json.loads(run("taste", "show", "--json").stdout)["offsets"]
    assert offsets["happy"][1] < -0.2
    assert run("play", "--mood", "calm", "--correct", "sad").returncode == 2


def test_a_streaming_history_teaches_taste(tmp_path: Path, table: Path) -> None:
    """Songs that are known, by uri or by title and artist, count as played or skipped."""
    run("library", "import", table)
    extended = {"master_metadata_track_name": "x", "ms_played": 200_000, "skipped": False}
    rows = [
        {**extended, "spotify_track_uri": "t:Party:1"},
        {**extended, "spotify_track_uri": "t:Lullaby:1", "ms_played": 2_000, "skipped": True},
        {**extended, "spotify_track_uri": "t:unknown:1"},
        {"master_metadata_track_name": None, "ms_played": 1, "spotify_episode_uri": "e"},
        {
            "endTime": "2026-01-01",
            "artistName": "band 2",
            "trackName": "PARTY 2",
            "msPlayed": 99_999,
        },
    ]
    path = tmp_path / "Streaming_History_Audio_2026.json"
    path.write_text(json.dumps(rows))
    assert "3 taken in" in run("library", "import", path).stdout
    told = json.loads(run("taste", "export").stdout)["feedback"]
    assert sorted((row["kind"], row["uri"]) for row in told) == [
        ("play", "t:Party:1"),
        ("play", "t:Party:2"),
        ("skip", "t:Lullaby:1"),
    ]


@pytest.mark.needs_dev
def test_a_beets_library_is_taken_in(tmp_path: Path, demo_music: Path) -> None:
    """A real library of beets: songs whose attributes tell how they sound, with tempo and key."""
    from beets.library import Item, Library

    path = tmp_path / "library.db"
    library = Library(str(path))
    for number, song in enumerate(sorted(demo_music.glob("*/*.opus"))[:3]):
        item = Item.from_path(str(song).encode())
        item.title, item.artist, item.bpm, item.initial_key = f"Song {number}", "Ann", 123, "F#m"
        if number:
            item["energy"], item["valence"] = 0.9, 0.8
        library.add(item)
    library._close()
    assert "2 taken in" in run("library", "import", path).stdout
    rows = json.loads(run("library", "list", "--json").stdout)
    assert [row["title"] for row in rows] == ["Song 1", "Song 2"]
    assert (rows[0]["tempo"], rows[0]["key"], rows[0]["mode"], rows[0]["energy"]) == (
        123,
        6,
        0,
        0.9,
    )


def test_a_playlist_is_played_and_what_is_not_there_named(tmp_path: Path, demo_music: Path) -> None:
    """Songs are picked from what it lists."""
    song, playlist = min(demo_music.glob("*/*.opus")), tmp_path / "tonight.m3u"
    playlist.write_bytes(f"{song}\nC:\\Music\\gone.mp3\n".encode())
    played = run("play", "--mood", "calm", "--library", playlist, "-n", "1", "--json")
    assert [pick["uri"] for pick in json.loads(played.stdout)["picks"]] == [song.as_uri()]
    assert "'C:\\Music\\gone.mp3' of " in played.stderr


def test_a_list_is_matched_and_strangers_named(tmp_path: Path, table: Path) -> None:
    """Titles and artists that are known count; the others are named."""
    titles = tmp_path / "titles.csv"
    titles.write_text("title;artist\nPARTY 1;band 1\nNew;Cy\n")
    taken = run("library", "import", table, titles)
    assert "titles.csv: 1 taken in" in taken.stdout
    assert "not known here: New — Cy" in taken.stderr
