"""What a listener makes of the music is computed once for each state of their log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from emotion_dj.app import EmotionDJ
from emotion_dj.app.preferences import PreferenceCache
from emotion_dj.app.settings import Settings
from emotion_dj.domain import STATED, Affect, Analysis, AudioFeatures, Listener, Track

if TYPE_CHECKING:
    from pathlib import Path


def filled(tmp_path: Path) -> EmotionDJ:
    """Return a DJ whose catalogue holds tracks of two sources."""
    dj = EmotionDJ(settings=Settings(database=str(tmp_path / "c.sqlite")))
    places = [Affect(i / 10, -i / 10) for i in range(-9, 10)]
    names = [f"{'spotify' if i % 2 else 'deezer'}:{i:02}" for i in range(len(places))]
    rows = [
        (Track(name, name), "", name, Analysis(AudioFeatures(STATED), place))
        for name, place in zip(names, places, strict=True)
    ]
    dj._catalogue.store_all(rows, analyser=STATED)
    return dj


def test_a_like_changes_preferences_and_no_candidates(tmp_path: Path) -> None:
    """The candidates, and with them their grid, stay; the next set knows of the like."""
    dj = filled(tmp_path)
    music = dj.library.current()
    before = dj.taste.preferences(music)
    assert dj.taste.preferences(music) is before
    dj.taste.add(int(music.number[3]), "like")
    assert dj.library.current() is music
    after = dj.taste.preferences(music)
    assert (before.taste[3], after.taste[3] > 0) == (0, True)
    assert dj.taste.preferences(music) is after


def test_likes_of_all_sources_count_for_the_songs_of_one(tmp_path: Path) -> None:
    """Of a part the listener makes what they make of it in the whole."""
    dj = filled(tmp_path)
    music, part = dj.library.current(), dj.library.current(["spotify"])
    for number in dj.library.current(["deezer"]).number[:4].tolist():
        dj.taste.add(number, "like")
    whole = dict(zip(music.number.tolist(), dj.taste.preferences(music).taste, strict=True))
    assert [whole[number] for number in part.number.tolist()] == list(
        dj.taste.preferences(part).taste
    )
    assert dj.taste.preferences(part).taste.any()


def test_listeners_are_kept_apart(tmp_path: Path) -> None:
    """Two listeners of the same candidates, each learnt again after their own feedback alone."""
    dj, you = filled(tmp_path), Listener("you")
    music, store = dj.library.current(), dj._catalogue
    cache = PreferenceCache(lambda: store, lambda: datetime.now(UTC))
    mine = cache.of(music, music)
    store.add_feedback(int(music.number[0]), "skip", you)
    yours = cache.of(music, music, you)
    assert yours.taste[0] < 0
    assert cache.of(music, music) is mine
    assert not mine.taste.any()
    assert cache.of(music, music, you) is yours
