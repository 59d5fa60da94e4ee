"""Tables as services and spreadsheets write them: names, dialects, encodings, scales, addresses."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from emotion_dj.domain import MADE_UP
from emotion_dj.errors import DataError
from emotion_dj.sources import beets_library, table_files, tables

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import AudioFeatures, Track

ID = "2gZoPbTUr6oRcA0lWxv7Kd"
FEATURES_OF_SPOTIFY = (
    "Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,Instrumentalness,Liveness,"
    "Valence,Tempo,Time Signature"
)
MEASURED = "0.61,0.72,4,-7.5,0,0.04,0.12,0.0003,0.11,0.35,98.5,4"


def only(path: Path) -> tuple[Track, AudioFeatures]:
    """Return what the only row of a table says."""
    ((track, features, _),) = tables.read(path)
    return track, features


EXPORTS = {
    "exportify, liked songs": (
        (
            "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,"
            f"Explicit,Added By,Added At,Genres,Record Label,{FEATURES_OF_SPOTIFY}"
        ),
        (
            f'"spotify:track:{ID}","A Tune","The Album","Ann;Bo",2019-05-01,201000,3,false,u,2022,'
            f'"folk;indie","Lbl",{MEASURED}'
        ),
    ),
    "exportify, before": (
        (
            "Spotify ID,Artist IDs,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),"
            f"Popularity,Added By,Added At,Genres,{FEATURES_OF_SPOTIFY}"
        ),
        (
            f'{ID},"29Wmfm1CojrjQ3aQP0FI65,0hCNtLu0JehylgoiP8L4Gh","A Tune","The Album","Ann,Bo",'
            f'2019-05-01,201000,44,spotify:user:,2022-08-15T02:00:00Z,"folk,indie",{MEASURED}'
        ),
    ),
    "exportify, the first": (
        (
            '"Track URI","Track Name","Artist URI(s)","Artist Name(s)","Album URI","Album Name",'
            '"Album Artist URI(s)","Album Artist Name(s)","Album Release Date","Album Image URL",'
            '"Disc Number","Track Number","Track Duration (ms)","Track Preview URL","Explicit",'
            f'"Popularity","ISRC","Added By","Added At","Genres",{FEATURES_OF_SPOTIFY}'
        ),
        (
            f'"spotify:track:{ID}","A Tune","spotify:artist:79, spotify:artist:0h","Ann, Bo",'
            '"spotify:album:7m","The Album","spotify:artist:79","Ann","2019-05-01","x","1","1",'
            f'"201000","","false","75","USXX12100001","","2024-01-01","folk, indie",{MEASURED}'
        ),
    ),
    "kaggle, 114,000 tracks": (
        (
            ",track_id,artists,album_name,track_name,popularity,duration_ms,explicit,"
            "danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,"
            "valence,tempo,time_signature,track_genre,release_date"
        ),
        f"0,{ID},Ann;Bo,The Album,A Tune,73,201000,False,{MEASURED},folk;indie,2019",
    ),
    "kaggle, 600,000 tracks": (
        (
            "id,name,popularity,duration_ms,explicit,artists,id_artists,release_date,"
            f"{FEATURES_OF_SPOTIFY.lower().replace(' ', '_')},genres,album"
        ),
        (
            f"{ID},A Tune,6,201000,0,\"['Ann', 'Bo']\",\"['45t', '14j']\",2019-05-01,{MEASURED},"
            "\"['folk', 'indie']\",The Album"
        ),
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_services_are_understood(tmp_path: Path, name: str) -> None:
    """Exportify of three ages and the two tables of Kaggle tell all the same of a track."""
    path = tmp_path / "export.csv"
    path.write_text("\r\n".join(EXPORTS[name]), encoding="utf-8-sig", newline="")
    track, features = only(path)
    assert (track.uri, track.title, track.album) == (f"spotify:track:{ID}", "A Tune", "The Album")
    assert (track.artists, track.genres) == (("Ann", "Bo"), ("folk", "indie"))
    assert (track.duration, track.year) == (201, 2019)
    assert (features.energy, features.valence, features.tempo) == (0.72, 0.35, 98.5)
    assert (features.key, features.mode, features.loudness) == (4, 0, -7.5)


def test_names_of_columns_may_have_units_and_brackets(tmp_path: Path) -> None:
    """Case, spaces, brackets and units do not matter; cells may have units, too."""
    path = tmp_path / "t.csv"
    path.write_text(
        " TRACK  Name ;Artist(s);Tempo (BPM);Loudness [dB];"
        "Energy (%);Happiness %;Dance;Length;Key\n"
        "A Tune;Ann & Bo;98,5 bpm;-7,5 dB;72%;35 %;0,61;3:21;F♯/G♭ minor\n"
    )
    track, features = only(path)
    assert (track.title, track.artists, track.duration) == ("A Tune", ("Ann & Bo",), 201)
    assert (features.tempo, features.loudness, features.key, features.mode) == (98.5, -7.5, 6, 0)
    assert (features.energy, features.valence, features.danceability) == (0.72, 0.35, 0.61)


def test_kaggles_songs_of_2023_are_understood(tmp_path: Path) -> None:
    """Latin-1, percent in the names, keys as words, a plural within a name."""
    path = tmp_path / "spotify-2023.csv"
    path.write_bytes(
        "track_name,artist(s)_name,artist_count,released_year,released_month,bpm,key,mode,"
        "danceability_%,valence_%,energy_%,acousticness_%,instrumentalness_%,liveness_%,"
        'speechiness_%\nSeñorita,"Ann, Bo",2,2019,7,125,C#,Minor,80,35,72,31,0,8,4\n'.encode(
            "latin-1"
        )
    )
    track, features = only(path)
    assert (track.title, track.artists, track.year) == ("Señorita", ("Ann", "Bo"), 2019)
    assert (features.tempo, features.key, features.mode) == (125, 1, 0)
    assert (features.energy, features.valence, features.speechiness) == (0.72, 0.35, 0.04)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Artist Name(s)", "artist_names"),
        ("Duration (s)", "duration_s"),
        ("Track Duration (ms)", "track_duration_ms"),
        ("Loud (Db)", "loud"),
        ("Energy [0-100]", "energy"),
        ("tempo_bpm", "tempo"),
        ("trackName", "track_name"),
        ("Spotify - id", "spotify_id"),
    ],
)
def test_names_of_columns_are_made_plain(name: str, plain: str) -> None:
    """Of what stands in brackets only units of time stay."""
    assert table_files.plain(name) == plain


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("mark", ",;\t|")
def test_any_dialect_and_encoding_is_read(tmp_path: Path, encoding: str, mark: str) -> None:
    """Commas, semicolons, tabs and bars, also within quotes; encodings, said or not."""
    path = tmp_path / "t.csv"
    rows = ["title,artist,energy", '"Señor, ¡ahoj; é|l!",Björk,"0,5"']
    path.write_bytes(
        "\n".join(rows)
        .replace(",artist,", f"{mark}artist{mark}")
        .replace('",Björk,"', f'"{mark}Björk{mark}"')
        .encode(encoding)
    )
    track, features = only(path)
    assert (track.title, track.artists) == ("Señor, ¡ahoj; é|l!", ("Björk",))
    assert features.energy == 0.5


def test_the_word_of_a_spreadsheet_on_its_mark_is_heeded(tmp_path: Path) -> None:
    """`sep=;` is no row."""
    (tmp_path / "t.csv").write_text("sep=;\ntitle;energy\nA Tune;0,5\n")
    track, features = only(tmp_path / "t.csv")
    assert (track.title, features.energy) == ("A Tune", 0.5)


def test_a_table_of_percent_is_one_of_shares(tmp_path: Path) -> None:
    """Where most go beyond 1 and some beyond 10; tempo and loudness are no shares."""
    (tmp_path / "t.csv").write_text(
        "title,bpm,energy,dance,valence,loud,acoustic,speechiness\n"
        "A,98,72,61,1,-7,100,0.04\nB,120,5,80,55,-5,0,0.05\nC,90,130,40,20,-9,3,\n"
    )
    first, second, third = (features for _, features, _ in tables.read(tmp_path / "t.csv"))
    assert (first.energy, first.danceability, first.valence) == (0.72, 0.61, 0.01)
    assert (first.acousticness, first.tempo, first.loudness) == (1, 98, -7)
    assert (first.speechiness, second.energy, third.energy) == (0.04, 0.05, None)


def test_a_number_that_is_no_share_among_shares_is_unknown(tmp_path: Path) -> None:
    """One slip does not make a table one of percent."""
    (tmp_path / "t.csv").write_text("title,energy,valence\nA,0.5,0.2\nB,72,0.3\n")
    first, second = (features for _, features, _ in tables.read(tmp_path / "t.csv"))
    assert (first.energy, second.energy, second.valence) == (0.5, None, 0.3)


@pytest.mark.parametrize(
    ("column", "cell", "uri"),
    [
        ("Spotify - id", ID, f"spotify:track:{ID}"),
        ("id", ID, f"spotify:track:{ID}"),
        ("Track ID", ID, f"spotify:track:{ID}"),
        ("URL", f"https://open.spotify.com/track/{ID}?si=x", f"spotify:track:{ID}"),
        ("Spotify Link", f"open.spotify.com/intl-de/track/{ID}", f"spotify:track:{ID}"),
        ("url", "https://www.deezer.com/en/track/3135556", "deezer:track/3135556"),
        ("uri", "file:///music/a.mp3", "file:///music/a.mp3"),
    ],
)
def test_ids_and_links_are_addresses(tmp_path: Path, column: str, cell: str, uri: str) -> None:
    """Of Spotify and Deezer; an address is kept."""
    (tmp_path / "t.csv").write_text(f"title,energy,{column}\nA,0.5,{cell}\n")
    assert only(tmp_path / "t.csv")[0].uri == uri


def test_a_number_of_a_row_is_no_address(tmp_path: Path) -> None:
    """A column id that counts the rows says nothing."""
    (tmp_path / "t.csv").write_text("id,title,energy,url\n17,A,0.5,https://x.test/\n")
    assert only(tmp_path / "t.csv")[0].uri.startswith(MADE_UP)


@pytest.mark.parametrize(
    ("cell", "artists"),
    [
        ("Ann;Bo", ("Ann", "Bo")),
        ("Ann; Bo, Inc.", ("Ann", "Bo, Inc.")),
        ("Ann, Bo", ("Ann", "Bo")),
        ("['Ann', \"Bo's\"]", ("Ann", "Bo's")),
        ("Earth, Wind & Fire", ("Earth, Wind & Fire",)),
        ("Tyler, The Creator, Ann", ("Tyler, The Creator", "Ann")),
        ("10,000 Maniacs", ("10,000 Maniacs",)),
        ("[Ann", ("[Ann",)),
    ],
)
def test_artists_are_parted_and_names_kept_whole(
    tmp_path: Path, cell: str, artists: tuple[str, ...]
) -> None:
    """Semicolons, commas and lists part artists; a comma may be within a name."""
    quoted = cell.replace('"', '""')
    (tmp_path / "t.csv").write_text(f'title,artists,energy\nA,"{quoted}",0.5\n')
    assert only(tmp_path / "t.csv")[0].artists == artists


def test_objects_of_a_service_are_read(tmp_path: Path) -> None:
    """JSON with names in camel case, artists as objects; and one row a line."""
    row = '{"trackName": "A", "artists": [{"name": "Ann"}, {"name": "Bo"}], "energy": 0.5,'
    row += ' "album": {"name": "The Album"}, "durationMs": 201000}'
    for name, content in (("a.json", f"[{row}]"), ("b.jsonl", f"{row}\n{row}\n")):
        (tmp_path / name).write_text(content)
        track = next(tables.read(tmp_path / name))[0]
        assert (track.title, track.artists) == ("A", ("Ann", "Bo"))
        assert (track.album, track.duration) == ("The Album", 201)


def test_numbers_of_time_are_told_by_size_and_by_name(tmp_path: Path) -> None:
    """Seconds, milliseconds, thousands in groups, clocks."""
    rows = "duration,energy\n201,1\n201000,1\n3:21,1\n0:03:21,1\n"
    (tmp_path / "a.csv").write_text(rows)
    (tmp_path / "b.csv").write_text('duration (ms),energy\n"201,000",1\n201000.0,1\n')
    for name in ("a.csv", "b.csv"):
        assert {track.duration for track, *_ in tables.read(tmp_path / name)} == {201}


def test_what_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    """A hundred thousand brackets are one sentence, as a file or in a cell."""
    (tmp_path / "deep.json").write_text('[{"title": ' + "[" * 100_000)
    with pytest.raises(DataError, match="nested too deeply"):
        list(tables.read(tmp_path / "deep.json"))
    (tmp_path / "t.csv").write_text(f"title,artists,energy\nA,{'[' * 5_000},0.5\n")
    assert only(tmp_path / "t.csv")[0].title == "A"


def test_a_damaged_beets_library_is_refused_or_read(tmp_path: Path) -> None:
    """Names that are missing are passed over; text that is none is one sentence."""
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(
            "CREATE TABLE items (id INTEGER, path, title TEXT);"
            "CREATE TABLE item_attributes (entity_id, key, value);"
            "INSERT INTO items VALUES (1, '/m/a.mp3', 'A');"
            "INSERT INTO item_attributes VALUES (1, NULL, 'x'), (1, 'energy', '0.5');"
        )
        assert beets_library.is_library(path)
        assert [track.title for track, *_ in beets_library.read(path)] == ["A"]
        file.execute("UPDATE items SET title = CAST(x'41ff' AS TEXT)")
        file.commit()
    with pytest.raises(DataError, match="cannot be read as a beets library"):
        list(beets_library.read(path))
