"""Songs of Spotify on the plane: by its features, by the same recording heard elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.app.model_registry import audio_model_id
from emotion_dj.domain import Track
from emotion_dj.errors import LabelError
from emotion_dj.original.converter import converter, playlist_track_classifier
from emotion_dj.testing.deezer import DeezerStandIn, Song
from emotion_dj.testing.spotify import Playlist, SpotifyStandIn, entry, song, songs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from emotion_dj.app import EmotionDJ
    from emotion_dj.sources.spotify import Spotify


def test_features_come_in_hundreds(
    site: SpotifyStandIn,
    account: Spotify,
    caplog: pytest.LogCaptureFixture,
    bright: dict[str, Any],
    quiet: dict[str, Any],
) -> None:
    """What is unknown or no number is left out; an application without them asks and says once."""
    tracks = [Track(f"spotify:track:t{i}", "t") for i in range(150)] + [Track("file:///x", "x")]
    site.features = {"t0": {**bright, "id": "t0"}, "t149": {**quiet, "id": "t149"}}
    found = account.features(tracks)
    assert set(found) == {"spotify:track:t0", "spotify:track:t149"}
    first = found["spotify:track:t0"]
    assert (first.analyser, first.energy, first.key, first.mode) == ("spotify", 0.8, None, 1)
    assert len(site.requests) == 2
    site.features = None
    assert account.features(tracks) == {}
    assert account.features(tracks) == {}
    assert len(site.requests) == 3
    assert caplog.text.count("does not tell") == 1


def test_sets_are_chosen_from_what_is_known(
    site: SpotifyStandIn,
    tmp_path: Path,
    dj: Callable[..., EmotionDJ],
    bright: dict[str, Any],
    quiet: dict[str, Any],
) -> None:
    """By Spotify's features, or by a recording of ours with the same ISRC; the rest is counted."""
    table = tmp_path / "t.csv"
    table.write_text("title,artist,isrc,energy,valence\nOwn,Me,XXo,0.9,0.9\n")
    site.saved = [entry(song(name), under="track") for name in ("l", "q", "o", "u")]
    site.features = {"l": {**bright, "id": "l"}, "q": {**quiet, "id": "q"}}
    player = dj()
    assert player.library.import_table(table) == 1
    summary = player.library.scan()
    assert (summary.analysed, summary.known, len(summary.failed)) == (3, 0, 1)
    assert "1 of 4 songs" in summary.failed[0].why
    for seed in range(5):  # chance does not decide which copy is played
        picks = player.recommend(mood="happy", n=9, seed=seed).picks
        assert {pick.track.uri[-1] for pick in picks} == {"l", "q", "o"}
    site.requests.clear()
    again = player.library.scan()
    assert (again.analysed, again.known) == (0, 3)
    assert [path for _, path in site.requests].count("/audio-features") == 1


def test_what_nobody_knows_is_heard_elsewhere(
    site: SpotifyStandIn, clips: dict[str, list[bytes]], dj: Callable[..., EmotionDJ]
) -> None:
    """The same recording, by ISRC, is heard in Deezer's preview and kept under Spotify's uri."""
    isrcs = ("QZAB12345678", "QZAB12345679", None)
    site.saved = [
        entry(song(name, external_ids={"isrc": isrc} if isrc else {}), under="track")
        for name, isrc in zip("abc", isrcs, strict=True)
    ]
    heard = [
        Song(1, "Calm", isrc="QZAB12345678", audio=clips["calm"][0]),
        Song(2, "Energetic", isrc="QZAB12345679", audio=clips["energetic"][0]),
    ]
    with DeezerStandIn(heard) as deezer:
        player = dj(deezer_api=deezer.address)
        summary = player.library.scan()
        assert summary.analysed == 2
        assert "1 of 3 songs" in summary.failed[0].why
        asked = len(deezer.asked)
        assert player.library.scan().known == 2
        assert len(deezer.asked) == asked
    calm, energetic = (player._catalogue.candidates([audio_model_id()]).arousal).tolist()
    assert energetic > calm


def test_the_two_functions_of_the_beginning(
    site: SpotifyStandIn,
    dj: Callable[..., EmotionDJ],
    bright: dict[str, Any],
    quiet: dict[str, Any],
) -> None:
    """The original's two ask per page and per hundred, and take every spelling of an emotion."""
    site.playlists["p"] = Playlist("p", songs(120))
    site.features = {f"s{i}": {**(bright if i % 2 else quiet), "id": f"s{i}"} for i in range(119)}
    player = dj()
    rows = playlist_track_classifier("spotify:playlist:p", dj=player)
    assert len(site.requests) == 3 + 2
    assert rows[1] == {
        "id": "s1",
        "name": "Song s1",
        "artist": "Artist s1",
        "album": "Album s1",
        "preview_url": None,
        "mood": "happy",
    }
    assert rows[119]["mood"] is None
    for label in ("happy", "Happiness", "joy"):
        assert {row["mood"] for row in converter(label, "p", dj=player)} == {"happy"}
    for label in ("angry", "disgusted", "fear", "fearful", "neutral", "sad", "surprised"):
        assert isinstance(converter(label, "p", dj=player), list)
    with pytest.raises(LabelError):
        converter("hungry", "p", dj=player)
