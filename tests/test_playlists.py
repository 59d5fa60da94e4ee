"""Sets as files that other players open."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emotion_dj import messages, playlists
from emotion_dj.domain import (
    Affect,
    Analysis,
    AudioFeatures,
    DJSet,
    Media,
    Mood,
    Pick,
    Plan,
    Reason,
    Track,
)
from emotion_dj.errors import DataError
from emotion_dj.sources import tags

ODD = "/music/Ann & Bo/<one>\nline \udce9.mp3"
RECORDING = "f3ef5f4b-2a04-4a0a-9e0f-1a2b3c4d5e6f"
HEARD = Analysis(AudioFeatures("ear"), Affect(0.4, -0.6))
SPACE = "{http://xspf.org/ns/0/}"


def pick(track: Track) -> Pick:
    """Return a pick of a track."""
    return Pick(
        track, Affect(0.5, 0.5), Mood.HAPPY, 0.9, (Reason("character", {"words": ["bright"]}),)
    )


@pytest.fixture
def music() -> DJSet:
    """Return a set of a plain file, an oddly named file, and a stream."""
    tracks = [
        Track(
            *("file:///a.mp3", "A", ("Ann",), "Sky", 61.2),
            media=Media("file", "/a.mp3"),
            mbid=RECORDING,
        ),
        Track(Path(ODD).as_uri(), "<B> & \x00co\nC", media=Media("file", ODD)),
        Track("deezer:1", "D", media=Media("stream", "https://example.org/d?x=1&y=2")),
    ]
    return DJSet(tuple(map(pick, tracks)), Plan("match"), (), Affect(0, 0), Reason("journey"))


def test_m3u8_has_a_name_and_a_place_for_each_pick(music: DJSet, tmp_path: Path) -> None:
    """Extended M3U: seconds, artist and title, then the path; one line each, whatever the name."""
    playlists.save(music, tmp_path / "set.m3u8")
    lines = (tmp_path / "set.m3u8").read_text().splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[2:4] == ["#EXTINF:61,Ann - A", "/a.mp3"]
    assert lines[5] == Path(ODD).as_uri()
    assert len(lines) == 2 + 2 * 3


def test_xspf_is_well_formed_and_complete(music: DJSet, tmp_path: Path) -> None:
    """XSPF 1: every track with its address, its length in milliseconds and its reason."""
    playlists.save(music, tmp_path / "set.xspf", explain=messages.explain)
    root = ET.fromstring((tmp_path / "set.xspf").read_bytes())  # noqa: S314 - our own file
    assert root.attrib["version"] == "1"
    entries = root.findall(f"{SPACE}trackList/{SPACE}track")
    assert [e.findtext(f"{SPACE}location") for e in entries] == [
        "file:///a.mp3",
        Path(ODD).as_uri(),
        "https://example.org/d?x=1&y=2",
    ]
    assert entries[0].findtext(f"{SPACE}duration") == "61200"
    assert entries[0].findtext(f"{SPACE}annotation") == "bright"
    assert entries[0].findtext(f"{SPACE}identifier", "").endswith(f"recording/{RECORDING}")
    assert entries[1].find(f"{SPACE}identifier") is None


def test_jspf_is_json_of_the_same_form(music: DJSet, tmp_path: Path) -> None:
    """JSPF 1: locations are lists, numbers are numbers."""
    playlists.save(music, tmp_path / "set.jspf")
    tracks = json.loads((tmp_path / "set.jspf").read_text())["playlist"]["track"]
    assert tracks[0]["location"] == ["file:///a.mp3"]
    assert tracks[0]["duration"] == 61200
    assert tracks[0]["identifier"] == [f"https://musicbrainz.org/recording/{RECORDING}"]
    assert "creator" not in tracks[1]


ONCE = frozenset(
    "title creator annotation info location identifier image date license album trackNum duration"
    " attribution trackList extension".split()
)
OF_A_PLAYLIST = frozenset(
    "title creator annotation info location identifier image date license attribution link meta"
    " extension trackList".split()
)
OF_A_TRACK = frozenset(
    "location identifier title creator annotation info image album trackNum duration link meta"
    " extension".split()
)
ADDRESS = re.compile(r"(?:[A-Za-z0-9:/?#\[\]@!$&'()*+,;=._~-]|%[0-9A-Fa-f]{2})+")


@pytest.mark.parametrize("relative", [False, True])
def test_xspf_keeps_to_its_specification(music: DJSet, tmp_path: Path, *, relative: bool) -> None:
    """XSPF 1 (xspf.org/spec): its elements only, at most once where it says so, in its order for
    addresses and numbers; exactly one trackList.
    """
    playlists.save(music, tmp_path / "set.xspf", relative=relative)
    root = ET.fromstring((tmp_path / "set.xspf").read_bytes())  # noqa: S314 - our own file
    assert (root.tag, root.attrib) == (f"{SPACE}playlist", {"version": "1"})
    assert [child.tag for child in root].count(f"{SPACE}trackList") == 1
    entries = root.findall(f"{SPACE}trackList/{SPACE}track")
    assert len(entries) == len(music.picks) == len(list(root.find(f"{SPACE}trackList") or ()))
    for element, known in [(root, OF_A_PLAYLIST), *((entry, OF_A_TRACK) for entry in entries)]:
        names = [child.tag.removeprefix(SPACE) for child in element]
        assert set(names) <= known
        assert all(names.count(name) == 1 for name in set(names) & ONCE)
    for entry in entries:
        assert ADDRESS.fullmatch(entry.findtext(f"{SPACE}location") or "")
        assert (entry.findtext(f"{SPACE}duration") or "0").isdecimal()


@pytest.mark.parametrize("relative", [False, True])
def test_jspf_keeps_to_its_specification(music: DJSet, tmp_path: Path, *, relative: bool) -> None:
    """JSPF 1 (xspf.org/jspf): one playlist with a list of tracks, their locations in lists."""
    playlists.save(music, tmp_path / "set.jspf", relative=relative)
    document = json.loads((tmp_path / "set.jspf").read_text(encoding="utf-8"))
    assert set(document) == {"playlist"}
    assert set(document["playlist"]) <= OF_A_PLAYLIST - {"trackList"} | {"track"}
    for track in document["playlist"]["track"]:
        assert set(track) <= OF_A_TRACK
        assert isinstance(track["location"], list)
        assert all(ADDRESS.fullmatch(address) for address in track["location"])
        numbers, texts = {"duration", "trackNum"}, OF_A_TRACK - {"location", "identifier"}
        assert all(isinstance(track[name], int) for name in numbers & set(track))
        assert all(isinstance(track[name], str) for name in (texts - numbers) & set(track))


@pytest.mark.parametrize("suffix", [".m3u8", ".xspf", ".jspf"])
def test_relative_playlists_can_be_moved_with_their_music(tmp_path: Path, suffix: str) -> None:
    """Seen from the playlist's folder, in every form; a stream keeps its address."""
    song = tmp_path / "music" / "a: b é.mp3"
    tracks = [
        Track(song.as_uri(), "A", media=Media("file", str(song))),
        Track("deezer:1", "D", media=Media("stream", "https://example.org/d")),
    ]
    target = tmp_path / "lists" / f"set{suffix}"
    target.parent.mkdir()
    playlists.save(
        DJSet(tuple(map(pick, tracks)), Plan("match"), (), Affect(0, 0), Reason("journey")),
        target,
        relative=True,
    )
    text = target.read_text(encoding="utf-8")
    seen = "../music/a: b é.mp3" if suffix == ".m3u8" else "./../music/a%3A%20b%20%C3%A9.mp3"
    assert seen in text
    assert str(tmp_path) not in text
    assert "https://example.org/d" in text


def test_odd_names_survive_in_a_relative_m3u8(tmp_path: Path) -> None:
    """A name with a hash sign, one with a blank before it, and one with an escape sequence."""
    names = ["#1 song.opus", " song.opus", "\x1b[31msong.opus", "..song.opus"]
    tracks = [
        Track((tmp_path / name).as_uri(), name, media=Media("file", str(tmp_path / name)))
        for name in names
    ]
    target = tmp_path / "set.m3u8"
    playlists.save(
        DJSet(tuple(map(pick, tracks)), Plan("match"), (), Affect(0, 0), Reason("journey")),
        target,
        relative=True,
    )
    text = target.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    whole = tmp_path.as_uri()  # what mpv and VLC understand alike
    hash_sign, escape = f"{whole}/%231%20song.opus", f"{whole}/%1B%5B31msong.opus"
    assert lines == [hash_sign, "./ song.opus", escape, "./..song.opus"]
    assert "\x1b" not in text
    for form in ("m3u8", "xspf", "jspf"):
        told = playlists.render(
            DJSet(tuple(map(pick, tracks)), Plan("match"), (), Affect(0, 0), Reason("journey")),
            form,
        )
        assert b"\x1b" not in told
        assert b"\\u001b" not in told


def test_unknown_forms_and_places_are_said(music: DJSet, tmp_path: Path) -> None:
    """A suffix that is none, or a folder that is not there, gets a sentence; nothing is left."""
    with pytest.raises(DataError, match=r"choose \.m3u8"):
        playlists.save(music, tmp_path / "set.txt")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be written"):
        playlists.save(music, tmp_path / "file" / "set.m3u8")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_part_of_a_file_is_played_alone(music: DJSet) -> None:
    """VLC is told from when to when; the path stays that of the file."""
    track = Track("file:///album.flac#t=5.200,12.000", "Two", media=Media("file", "/album.flac"))
    lines = playlists.m3u8(replace(music, picks=(pick(track),))).decode().splitlines()
    limits = ["#EXTVLCOPT:start-time=5.200", "#EXTVLCOPT:stop-time=12.000"]
    assert lines[-3:] == [*limits, "/album.flac"]


OPERATORS = frozenset(
    "is isNot gt lt contains notContains startsWith endsWith inTheRange before after inTheLast"
    " notInTheLast inPlaylist notInPlaylist isMissing isPresent".split()
)
"""Navidrome's, by navidrome.org/docs/usage/features/smart-playlists; `bpm` is a number, `mood` one
of the tags that it imports."""


def conditions(rule: dict[str, object]) -> list[tuple[str, str, object]]:
    """Return the operator, field and argument of each condition below all and any."""
    found = []
    for operator, argument in rule.items():
        if operator in {"all", "any"}:
            assert isinstance(argument, list)
            found += [one for inner in argument for one in conditions(inner)]
        else:
            assert operator in OPERATORS
            assert isinstance(argument, dict)
            found += [(operator, *pair) for pair in argument.items()]
    return found


@pytest.mark.parametrize("tempos", [(90.4, 121.6), (90.4, None)])
def test_a_smart_playlist_is_a_rule_of_navidrome(
    music: DJSet, tmp_path: Path, tempos: tuple[float | None, ...]
) -> None:
    """Its moods as `analyse --tags` writes them, the tempos of all of it, as many songs."""
    picks = [replace(music.picks[0], tempo=tempo) for tempo in tempos]
    path = (Affect(-0.6, -0.5), Affect(-0.5, -0.5), Affect(0.4, -0.6))
    playlists.save(replace(music, picks=tuple(picks), path=path), tmp_path / "set.nsp")
    rule = json.loads((tmp_path / "set.nsp").read_text(encoding="utf-8"))
    assert (rule["name"], rule["sort"], rule["limit"]) == ("Emotion-DJ: sad, calm", "random", 2)
    assert set(rule) == {"name", "comment", "all", "sort", "limit", "refreshDelay"}
    moods = [("is", "mood", "Sad"), ("is", "mood", "Calm")]
    bpm = [("inTheRange", "bpm", [90, 122])] if all(tempos) else []
    assert conditions({"all": rule["all"]}) == moods + bpm
    assert tags.heard(HEARD, Mood.CALM)["MOOD"] == moods[1][2]


def test_a_smart_playlist_of_one_mood_needs_no_choice(music: DJSet) -> None:
    """It is one condition; a set without a path stands where the listener is."""
    rule = json.loads(playlists.render(replace(music, affect=Affect(0.4, -0.6)), "nsp"))
    assert rule["all"] == [{"is": {"mood": "Calm"}}]
