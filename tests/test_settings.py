"""Where settings come from, and which wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emotion_dj.app import settings
from emotion_dj.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def test_flags_beat_environment_beats_file_beats_defaults(tmp_path: Path) -> None:
    """Each layer overrides the one below it, and only what it names."""
    file = tmp_path / "config.toml"
    file.write_text('plan = "lift"\nn = 5\ndatabase = "a.sqlite"\n')
    environment = {"EMOTION_DJ_N": "7", "EMOTION_DJ_DATABASE": "b.sqlite"}
    got = settings.load(file=file, environment=environment, database="c.sqlite", plan=None)
    assert (got.plan, got.n, got.database, got.detector) == (
        "lift",
        7,
        "c.sqlite",
        "yunet",
    )


def test_no_file_is_fine(tmp_path: Path) -> None:
    """Without a file, an environment or flags the defaults hold."""
    assert settings.load(file=tmp_path / "none.toml", environment={}) == settings.Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("volume = 3", "unknown setting 'volume'"),
        ("n = 'long'", "'long', which is not a whole number"),
        ("n = true", "'True', which is not a whole number"),
        ("n = 2.7", "'2.7', which is not a whole number"),
        ("n = 0", "is 0: it goes from 1 to 1000"),
        ("n = -3", "is -3: it goes from 1 to 1000"),
        ("n = 100000000", "is 100000000: it goes from 1 to 1000"),
        ("workers = -5", "is -5: it goes from 0 to 256"),
        ("plan = true", "'True', which is not text"),
        ("database = 3", "'3', which is not text"),
        ("=", "cannot be"),
    ],
)
def test_settings_that_cannot_be_meant_name_their_place(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """A bad setting gets a sentence with the file in which it stands."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=sentence) as caught:
        settings.load(file=file, environment={})
    assert "config.toml" in str(caught.value)


def test_the_edges_of_a_range_are_meant(tmp_path: Path) -> None:
    """The least and the greatest number, as text in the environment or as a number in the file."""
    file = tmp_path / "config.toml"
    file.write_text("workers = 256\n")
    got = settings.load(file=file, environment={"EMOTION_DJ_N": "1"}, database=tmp_path / "c")
    assert (got.workers, got.n, got.database) == (256, 1, str(tmp_path / "c"))
