"""Lists and histories that listeners bring along, against a catalogue that knows some songs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from emotion_dj.domain import Track

UTS = 1_779_022_440
"""17 May 2026, 12:54 UTC."""

AT = "2026-05-17 12:54:00"


@pytest.fixture
def dj(tmp_path: Path) -> EmotionDJ:
    """Return one that knows three songs."""
    table = tmp_path / "known.csv"
    table.write_text(
        "uri,title,artist,isrc,duration_ms,energy\n"
        "x:1,Army of Me,Björk,GBAAP9500001,234000,0.8\n"
        "x:2,Весёлые ребята,Ann,,180000,0.5\n"
        "x:3,A Tune (Live),Bo,,200000,0.4\n"
    )
    dj = EmotionDJ(settings=Settings(database=str(tmp_path / "catalogue.sqlite")))
    dj.library.import_table(table)
    return dj


@pytest.fixture
def taken(dj: EmotionDJ, tmp_path: Path) -> Callable[[str, str | bytes], list[tuple[str, ...]]]:
    """Return what takes in a file of a name and content, and gives the log afterwards."""

    def take(name: str, content: str | bytes) -> list[tuple[str, ...]]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        count = dj.library.import_table(path)
        log = [(row["kind"], row["uri"], row["at"]) for row in dj.taste.export()["feedback"]]
        assert count == len(log)
        return log

    return take


def test_a_list_is_matched_with_what_is_known(dj: EmotionDJ, tmp_path: Path) -> None:
    """By ISRC, else title, artist and duration; another version and a stranger are named."""
    path = tmp_path / "My Music.csv"
    path.write_text(
        "\ufeffTrack name,Artist name,Album,Playlist name,Type,ISRC,Spotify - id\n"
        '"Army of Me (2022 Remaster)","Bjork","Post","Mix","Playlist","GB-AAP-95-00001",""\n'
        '"ВЕСЕЛЫЕ РЕБЯТА","Ann","","Mix","Playlist","",""\n'
        '"A Tune","Bo","","Mix","Playlist","","2gZoPbTUr6oRcA0lWxv7Kd"\n'
        '"Nobody Knows","Cy, Di","","Mix","Playlist","",""\n'
        '"Post","Björk","Post","","Album","",""\n'
    )
    missed: list[Track] = []
    assert dj.library.import_table(path, missed.append) == 2
    assert [(track.title, track.artists) for track in missed] == [
        ("A Tune", ("Bo",)),
        ("Nobody Knows", ("Cy", "Di")),
    ]
    assert len(dj.library.rows()) == 3


def test_a_list_of_soundiiz_is_matched(dj: EmotionDJ, tmp_path: Path) -> None:
    """Semicolons, and nothing but names."""
    path = tmp_path / "soundiiz.csv"
    path.write_text("title;artist;album;isrc\nArmy of Me;Björk;Post;\nNew;Cy;;\n")
    missed: list[Track] = []
    assert dj.library.import_table(path, missed.append) == 1
    assert [track.title for track in missed] == ["New"]


def test_rows_without_features_among_others_are_matched(dj: EmotionDJ, tmp_path: Path) -> None:
    """A table whose cells of features are partly empty adds the one, knows the other."""
    path = tmp_path / "mixed.csv"
    path.write_text("title,artist,energy\nNew,Cy,0.5\nArmy of Me,Björk,\nGone,Di,\n")
    missed: list[Track] = []
    assert dj.library.import_table(path, missed.append) == 2
    assert [track.title for track in missed] == ["Gone"]
    assert len(dj.library.rows()) == 4


def test_a_list_of_strangers_is_one_sentence(dj: EmotionDJ, tmp_path: Path) -> None:
    """Nothing is known of any: it says what helps."""
    (tmp_path / "t.csv").write_text("title,artist\nNew,Cy\n")
    with pytest.raises(DataError, match="none of its songs is known here"):
        dj.library.import_table(tmp_path / "t.csv")


SPOTIFY = {
    "ts": "2026-05-17T12:54:00Z",
    "ms_played": 200_000,
    "master_metadata_track_name": "Army of Me",
    "master_metadata_album_artist_name": "Björk",
    "spotify_track_uri": None,
    "skipped": False,
}
LISTEN = {
    "listened_at": UTS,
    "track_metadata": {
        "track_name": "army of me",
        "artist_name": "BJÖRK",
        "additional_info": {"origin_url": "https://open.spotify.com/track/x"},
    },
}
SCROBBLE = {
    "artist": {"mbid": "", "#text": "Bjork"},
    "name": "Army Of Me",
    "date": {"uts": str(UTS), "#text": "17 May 2026, 12:54"},
}
PLAYING = {"artist": {"#text": "Bjork"}, "name": "Army Of Me", "@attr": {"nowplaying": "true"}}

HISTORIES = {
    "lastfm, usual exporter": (
        "recenttracks-me.csv",
        (
            "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
            f'"{UTS}","17 May 2026, 12:54","Björk","m","Post","n","Army of Me",""\n'
            f'"{UTS}","17 May 2026, 12:54","Nobody","","","","Other",""\n'
        ),
    ),
    "lastfm, without names of columns": (
        "me.csv",
        'Björk,Post,Army of Me,"17 May 2026 12:54"\nCy,,Other,"17 May 2026 12:55"\n',
    ),
    "lastfmstats, CSV": (
        "lastfmstats-me.csv",
        f'Artist;Album;AlbumId;Track;Date#me\n"Björk";"Post";"";"Army of Me";"{UTS}000"\n',
    ),
    "lastfmstats, JSON": (
        "lastfmstats-me.json",
        json.dumps(
            {
                "username": "me",
                "scrobbles": [{"track": "Army of Me", "artist": "Björk", "date": UTS * 1000}],
            }
        ),
    ),
    "lastfm, answers of its API": (
        "recenttracks.json",
        json.dumps([{"recenttracks": {"track": [PLAYING, SCROBBLE], "@attr": {}}}]),
    ),
    "lastfm, pages": ("scrobbles.json", json.dumps([{"track": [PLAYING, SCROBBLE]}])),
    "listenbrainz": ("listens.jsonl", json.dumps(LISTEN) + "\n" + json.dumps(LISTEN | {"x": {}})),
    "spotify": ("Streaming_History_Audio_2026_1.json", json.dumps([SPOTIFY])),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_histories_of_services_are_taken_in(
    taken: Callable[[str, str | bytes], list[tuple[str, ...]]], name: str
) -> None:
    """What was played of known songs, and when; strangers and what plays now are passed over."""
    log = taken(*HISTORIES[name])
    assert set(log) == {("play", "x:1", AT)}
    assert len(log) == 1 + (name == "listenbrainz")


def zipped(tmp_path: Path, files: dict[str, str]) -> bytes:
    """Return a zip of files."""
    with ZipFile(tmp_path / "made.zip", "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return (tmp_path / "made.zip").read_bytes()


def test_a_history_comes_in_its_zip(
    taken: Callable[[str, str | bytes], list[tuple[str, ...]]], tmp_path: Path
) -> None:
    """Every file of plays in it, at any depth; papers and macOS's own files are not."""
    skipped = json.dumps([SPOTIFY | {"ms_played": 900, "skipped": True}])
    folder = "Spotify Extended Streaming History/"
    data = zipped(
        tmp_path,
        {
            f"{folder}Streaming_History_Audio_2025_0.json": json.dumps([SPOTIFY]),
            f"{folder}Streaming_History_Audio_2026_1.json": skipped,
            f"{folder}ReadMeFirst_ExtendedStreamingHistory.pdf": "%PDF",
            "__MACOSX/x.json": "\0",
            "user.json": '{"username": "me"}',
            "listens/2026/5.jsonl": json.dumps(LISTEN) + "\n\n",
            "empty.jsonl": "",
        },
    )
    log = taken("my_spotify_data.zip", data)
    assert sorted(kind for kind, *_ in log) == ["play", "play", "skip"]


def test_a_history_that_comes_again_counts_once(dj: EmotionDJ, tmp_path: Path) -> None:
    """The next export has what the one before had; only what is new is taken in."""
    path = tmp_path / "Streaming_History_Audio_2026_1.json"
    path.write_text(json.dumps([SPOTIFY]))
    assert dj.library.import_table(path) == 1
    path.write_text(json.dumps([SPOTIFY, SPOTIFY | {"ts": "2026-05-18T07:00:00Z"}]))
    assert dj.library.import_table(path) == 1
    assert dj.taste.summary()["feedback"] == {"play": 2}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"user.json": "{}"}, "holds no history"),
        ({"Streaming_History_Audio_0.json": "[{"}, "cannot be read as a history"),
    ],
)
def test_zips_without_a_history_are_refused(
    dj: EmotionDJ, tmp_path: Path, files: dict[str, str], said: str
) -> None:
    """One sentence for what is none, is damaged or is cut off."""
    path = tmp_path / "data.zip"
    path.write_bytes(zipped(tmp_path, files))
    with pytest.raises(DataError, match=said):
        dj.library.import_table(path)
    whole = zipped(tmp_path, {"a.json": json.dumps([SPOTIFY])})
    for data in (b"PK\x03\x04", whole[:-1], whole.replace(b"ms_played", b"ms_plaied")):
        path.write_bytes(data)
        with pytest.raises(DataError, match="cannot be read as a history"):
            dj.library.import_table(path)


def test_a_table_is_no_history(dj: EmotionDJ, tmp_path: Path) -> None:
    """Dates of release and of adding are no plays."""
    path = tmp_path / "t.json"
    row = {"name": "New", "artist": "Cy", "date": "2019", "added_at": AT, "energy": 0.5}
    path.write_text(json.dumps([row]))
    assert dj.library.import_table(path) == 1
    assert len(dj.library.rows()) == 4
