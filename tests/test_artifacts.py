"""Files of weights: verified before use, and written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emotion_dj import artifacts
from emotion_dj.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs the new file, not the old one, and leaves no rubbish."""
    target = tmp_path / "card.json"
    artifacts.write_atomically(target, b"old")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        artifacts.write_atomically(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]


def test_a_card_that_is_no_card_is_refused(tmp_path: Path) -> None:
    """No JSON, no file name, or no weights beside it: one sentence each."""
    (tmp_path / "a.json").write_text("[")
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "c.json").write_text('{"file": "gone", "sha256": ""}')
    for name in ("a.json", "b.json", "c.json"):
        with pytest.raises(ArtifactError, match=r"\.json file|run  "):
            artifacts.load(tmp_path / name)
