"""The contract of a source, run on a playlist of one file."""

from __future__ import annotations

import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from emotion_dj_m3u import M3U, VARIABLE

from emotion_dj.errors import LibraryError
from emotion_dj.testing.conformance import SourceContract


@pytest.fixture(autouse=True)
def playlist(monkeypatch: pytest.MonkeyPatch) -> object:
    """Write a second of silence and a playlist that names it twice."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with wave.open(str(folder / "silence.wav"), "wb") as file:
            file.setparams((1, 2, 44100, 0, "NONE", ""))
            file.writeframes(bytes(88200))
        lines = ["#EXTM3U", "#EXTINF:1,Silence", "silence.wav", "silence.wav"]
        (folder / "list.m3u8").write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setenv(VARIABLE, str(folder / "list.m3u8"))
        yield folder


class TestM3U(SourceContract):
    """Everything that Emotion-DJ relies on."""

    def make(self) -> M3U:
        """Return the source of the playlist."""
        return M3U()


def test_titles_come_from_the_playlist() -> None:
    """The title of a line, once."""
    assert [track.title for track in M3U().tracks()] == ["Silence"]


def test_a_playlist_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, playlist: Path
) -> None:
    """One sentence that names the file."""
    monkeypatch.setenv(VARIABLE, str(playlist / "gone.m3u8"))
    with pytest.raises(LibraryError, match="gone"):
        list(M3U().tracks())
