"""How a library is named from Python."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj import EmotionDJ
from emotion_dj.domain import Mood
from emotion_dj.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def song(tmp_path: Path, demo_music: Path) -> Path:
    """Return a folder with one real track."""
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(min((demo_music / "calm").glob("*.opus")), folder)
    return folder


def test_one_name_is_a_library_too(song: Path) -> None:
    """A string or a path alone names what a list of one names."""
    for library in (str(song), song, [song], iter([str(song)])):
        (pick,) = EmotionDJ(library=library).recommend(mood="calm", n=1).picks
        assert pick.mood is Mood.CALM
        assert pick.track.path is not None
        assert pick.track.path.parent == song


def test_none_is_no_name(demo_music: Path) -> None:
    """Nothing named is the demo library where nothing is known."""
    (pick,) = EmotionDJ(library=None).recommend(mood="calm", n=1).picks
    assert demo_music.as_uri() in pick.track.uri


@pytest.mark.parametrize("library", ["", [""], " ", [3], 3, [None]])
def test_what_names_nothing_is_refused(library: Any) -> None:
    """An empty name is not the folder that happens to be the current one."""
    with pytest.raises(SettingsError, match="named by a folder"):
        EmotionDJ(library=library)
