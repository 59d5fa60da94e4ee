"""Sets from a song, under conditions, of a length in minutes: on a library from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import EmotionDJ, messages
from emotion_dj.app.selection import seconds
from emotion_dj.app.settings import Settings
from emotion_dj.errors import DataError, LabelError, NothingLeft, SettingsError, UnknownTrack
from emotion_dj.ranking.filters import parse_filter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from emotion_dj.domain import Candidates, DJSet, Track

GENRES = ("Indie Rock", "Classical; Piano", "Rockabilly", "")


@pytest.fixture(scope="module")
def dj(tmp_path_factory: pytest.TempPathFactory) -> EmotionDJ:
    """Return a DJ over 200 songs of four genres, forty artists and the years 1960 to 2009."""
    folder, source = tmp_path_factory.mktemp("songs"), np.random.default_rng(0)
    lines = [
        "uri,title,artist,album,genres,year,duration_ms,energy,valence,acousticness,danceability"
    ]
    for i, row in enumerate(source.random((200, 4))):
        place = f"file:///music/{'live' if i % 5 else 'studio'}/{i}.mp3"
        about = f"Song {i},Artist {i % 40},Album {i % 7},{GENRES[i % 4]},{1960 + i % 50}-03-01"
        lines.append(f"{place},{about},{120_000 + 1000 * i},{','.join(map(str, row))}")
    (folder / "songs.csv").write_text("\n".join(lines))
    dj = EmotionDJ(settings=Settings(database=str(folder / "songs.sqlite")))
    dj.library.import_table(folder / "songs.csv")
    return dj


@pytest.fixture(scope="module")
def music(dj: EmotionDJ) -> Candidates:
    """Return all songs."""
    return dj.library.current()


def tracks(dj_set: DJSet) -> list[Track]:
    """Return the songs of a set."""
    return [pick.track for pick in dj_set.picks]


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        (["genre:ROCK"], lambda track: "Indie Rock" in track.genres),
        (
            ["genre:piano", "genre:rockabilly"],
            lambda track: {"Piano", "Rockabilly"} & {*track.genres},
        ),
        (["year:1970-1979"], lambda track: 1970 <= track.year < 1980),
        (["year:2000-"], lambda track: track.year >= 2000),
        (["artist:artist 4"], lambda track: track.artists == ("Artist 4",)),
        (
            ["album:Album 3", "year:-1989"],
            lambda track: track.album == "Album 3" and track.year < 1990,
        ),
        (["folder:/music/studio"], lambda track: "/studio/" in track.uri),
    ],
)
def test_only_what_fits_is_played(
    dj: EmotionDJ, music: Candidates, conditions: Sequence[str], fits: object
) -> None:
    """A condition about each field has to fit: a whole word of a genre, a whole name, a year."""
    kept = tracks(dj.recommend(mood="calm", n=200, only=conditions, candidates=music))
    all_ = tracks(dj.recommend(mood="calm", n=200, candidates=music))
    assert {track.uri for track in kept} == {track.uri for track in all_ if fits(track)}  # type: ignore[operator]
    assert 0 < len(kept) < 200


def test_what_is_avoided_is_not_played(dj: EmotionDJ, music: Candidates) -> None:
    """None of the conditions to avoid may fit, and both kinds of conditions go together."""
    chosen = tracks(
        dj.recommend(
            mood="sad",
            n=200,
            only=["year:1980-"],
            avoid=["genre:rock", "folder:/music/live"],
            candidates=music,
        )
    )
    assert chosen
    for track in chosen:
        assert track.year >= 1980
        assert "Indie Rock" not in track.genres
        assert "/live/" not in track.uri


def test_a_playlist_says_what_is_played_and_what_is_not(tmp_path: Path) -> None:
    """Only the songs of a playlist, or all but those; one that is not there is one sentence."""
    songs = [(tmp_path / f"{name}.wav").as_uri() for name in ("one", "two", "three", "four")]
    rows = ["uri,title,energy,valence", *(f"{uri},{i},0.5,0.{i}" for i, uri in enumerate(songs))]
    (tmp_path / "songs.csv").write_text("\n".join(rows))
    (tmp_path / "some.m3u8").write_text(f"#EXTM3U\n{songs[0]}\n#EXTINF:1,Three\nthree.wav\n")
    dj = EmotionDJ(settings=Settings(database=str(tmp_path / "songs.sqlite")))
    dj.library.import_table(tmp_path / "songs.csv")
    music, condition = dj.library.current(), f"playlist:{tmp_path / 'some.m3u8'}"
    only = tracks(dj.recommend(mood="calm", only=[condition], candidates=music))
    others = tracks(dj.recommend(mood="calm", avoid=[condition], candidates=music))
    assert {track.uri for track in only} == {songs[0], songs[2]}
    assert {track.uri for track in others} == {songs[1], songs[3]}
    with pytest.raises(DataError, match=r"no\.m3u8 cannot be read"):
        dj.recommend(mood="calm", only=[f"playlist:{tmp_path / 'no.m3u8'}"], candidates=music)


def test_the_condition_that_left_nothing_is_named(dj: EmotionDJ, music: Candidates) -> None:
    """Of several conditions the sentence names the one after which nothing was left."""
    with pytest.raises(NothingLeft, match="genre:polka") as raised:
        dj.recommend(mood="sad", only=["year:1980-", "genre:polka"], candidates=music)
    assert raised.value.values == {"conditions": ["genre:polka"]}
    with pytest.raises(NothingLeft, match="without year:1900-"):
        dj.recommend(mood="sad", avoid=["year:1900-"], candidates=music)


@pytest.mark.parametrize("text", ["rock", "genre:", "colour:red", "year:then", "year:-", ""])
def test_what_is_no_condition_is_refused(text: str) -> None:
    """A condition is a known field and a value."""
    with pytest.raises(LabelError, match="is not a"):
        parse_filter(text)


def test_a_set_from_a_song_is_of_its_kind(dj: EmotionDJ, music: Candidates) -> None:
    """Songs like one sound more like it than those of a set for its place, and it is not played."""
    row = 7
    (seed,) = music.load([row])
    place = (float(music.valence[row]), float(music.arousal[row]))

    def likeness(dj_set: DJSet) -> float:
        uris = {track.uri for track in tracks(dj_set)} - {seed.uri}
        numbers = dj.library.numbers(uris)
        rows = np.isin(music.number, list(numbers.values()))
        return float(
            (music.embedding[rows].astype(float) @ music.embedding[row].astype(float)).mean()
        )

    alike = dj.recommend(like=seed.title, candidates=music)
    assert seed.uri not in {track.uri for track in tracks(alike)}
    assert likeness(alike) > likeness(dj.recommend(affect=place, candidates=music))
    assert messages.say(alike.opening) == f"like {seed.title}"


def test_a_song_and_a_direction(dj: EmotionDJ, music: Candidates) -> None:
    """From one song, calmer goes down and livelier goes up."""
    arousal = {
        plan: np.mean(
            [p.affect.arousal for p in dj.recommend(like=7, plan=plan, candidates=music).picks]
        )
        for plan in ("match", "calm", "liven")
    }
    assert arousal["calm"] < arousal["match"] < arousal["liven"]


def test_songs_are_found_by_title_artist_uri_and_number(dj: EmotionDJ) -> None:
    """However the song is named that a set begins from, it is the same song."""
    find = dj._selection.find
    (track,) = dj.library.tracks([13])
    for name in (13, track, track.uri, track.title.upper(), f"{track.artists[0]} - {track.title}"):
        assert find(name)[0] == 13


@pytest.mark.parametrize(
    ("name", "words"), [("Nowhere Man", "is called"), ("Song 1 Artist", "may be"), (10**6, "knows")]
)
def test_a_song_that_is_not_known_is_said(dj: EmotionDJ, name: str | int, words: str) -> None:
    """An unknown song, or a name that several have, is one sentence."""
    with pytest.raises(UnknownTrack, match=words):
        dj.recommend(like=name)


@pytest.mark.parametrize("minutes", [5, 30, 75])
def test_minutes_are_filled(dj: EmotionDJ, music: Candidates, minutes: float) -> None:
    """A set of so many minutes is off by two thirds of a song at most."""
    made = dj.recommend(mood="happy", minutes=minutes, candidates=music)
    longest = max(pick.track.duration or 0 for pick in made.picks)
    assert abs(seconds(made) - 60 * minutes) <= 2 * longest / 3


@pytest.mark.parametrize("minutes", [0, -3, 10_000])
def test_no_minutes_are_no_set(dj: EmotionDJ, music: Candidates, minutes: float) -> None:
    """A length that is none is refused in one sentence."""
    with pytest.raises(SettingsError, match="minutes is none"):
        dj.recommend(mood="happy", minutes=minutes, candidates=music)


def test_words_make_a_journey(dj: EmotionDJ, music: Candidates) -> None:
    """A state and a wish are met one after the other, and both are said back."""
    made = dj.recommend(say="tired, but I want something bright", candidates=music)
    assert made.plan.name == "journey"
    assert made.path[0].arousal < -0.5
    assert made.path[-1].valence > 0.5
    assert [(note.code, note.values["said"]) for note in made.notes[:2]] == [
        ("understood_is", ["tired"]),
        ("understood_wants", ["bright"]),
    ]
