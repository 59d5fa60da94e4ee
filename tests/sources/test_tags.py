"""Tags are written into real files whole or not at all, and come out again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import av
import mutagen
import numpy as np
import pytest
from mutagen.id3 import ID3, TMOO, TPE1

from emotion_dj.domain import Affect, Analysis, AudioFeatures, Mood
from emotion_dj.errors import TagError
from emotion_dj.sources import tag_forms, tags

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Transcode = Callable[[Path], Path]

FORMATS = [".mp3", ".flac", ".m4a", ".ogg", ".opus", ".wav", ".aiff"]
FIELDS = tags.heard(
    Analysis(AudioFeatures("ear", 122.6, key=9, mode=0, loudness=-13.5), Affect(0.25, -0.5)),
    Mood.CALM,
)
WRITTEN = {"MOOD": "Calm", "BPM": "123", "INITIALKEY": "Am", "REPLAYGAIN_TRACK_GAIN": "-4.50 dB"}
WRITTEN |= {"EMOTION_DJ_VALENCE": "0.250", "EMOTION_DJ_AROUSAL": "-0.500"}

KILLED = """
import sys
from pathlib import Path
from emotion_dj.sources import tag_forms, tags
path = Path(sys.argv[1])
for turn in range(10_000):
    tags.write(path, {"MOOD": f"mood {turn}"})
    print(turn, flush=True)
"""


def sound(path: Path) -> np.ndarray:
    """Return every sample of a file as it is decoded."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def stand(path: Path) -> dict[str, str]:
    """Return the tags of a file as the world's players name them, but for our private field."""
    found = mutagen.File(path).tags or {}
    names = {"TMOO": "MOOD", "TBPM": "BPM", "TKEY": "INITIALKEY", "tmpo": "BPM"}
    values = {}
    for name, value in dict(found).items():
        plain = name.removeprefix("TXXX:").removeprefix("----:com.apple.iTunes:")
        first = value.text[0] if hasattr(value, "text") else value[0]
        text = first.decode() if isinstance(first, bytes) else str(first)
        values[names.get(plain, plain.upper())] = text
    if path.suffix == ".opus" and "R128_TRACK_GAIN" in values:
        gain = int(values["R128_TRACK_GAIN"]) / 256 + 5  # RFC 7845: to -23 LUFS, ReplayGain to -18
        values["REPLAYGAIN_TRACK_GAIN"] = f"{gain:.2f} dB"
    return {name: value for name, value in values.items() if name in WRITTEN}


def everything(path: Path) -> dict[str, str]:
    """Return all tags of a file as text, to be compared."""
    return {str(name): str(value) for name, value in dict(mutagen.File(path).tags or {}).items()}


def test_what_was_heard_is_what_is_written() -> None:
    """Six fields; what was not measured is left out."""
    assert FIELDS == WRITTEN
    bare = tags.heard(Analysis(AudioFeatures("ear"), Affect(0, 0)), Mood.SAD)
    assert set(bare) == {"MOOD", "EMOTION_DJ_VALENCE", "EMOTION_DJ_AROUSAL"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_takes_the_tags_and_gives_them_back(
    tmp_path: Path, transcode: Transcode, suffix: str
) -> None:
    """The fields are there, not a sample has changed, and --untag leaves what stood before."""
    path = transcode(tmp_path / f"music{suffix}")
    before, heard = everything(path), sound(path)
    path.chmod(0o640)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert tags.write(path, FIELDS)
    assert stand(path) == WRITTEN
    assert np.array_equal(sound(path), heard)
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_mtime > 1_000_000_000, "players look at files whose time has changed"
    assert not tags.write(path, FIELDS), "the second time there is nothing to do"
    assert tags.restore(path)
    assert everything(path) == before
    assert np.array_equal(sound(path), heard)
    assert not tags.restore(path)
    assert [other.name for other in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", FORMATS)
def test_other_values_come_back(tmp_path: Path, transcode: Transcode, suffix: str) -> None:
    """A mood, a tempo and a key of the listener's own stand again as they stood."""
    path = transcode(tmp_path / f"music{suffix}")
    own = {"MOOD": "Wistful", "BPM": "77", "INITIALKEY": "Ebm"}
    tags.write(path, own)
    _drop_the_record(path)
    before = everything(path)
    tags.write(path, FIELDS)
    tags.write(path, {**FIELDS, "MOOD": "Sad"})
    assert stand(path)["MOOD"] == "Sad"
    tags.restore(path)
    assert everything(path) == before
    assert stand(path) == own


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_gain_that_stood_there_stays(tmp_path: Path, transcode: Transcode, suffix: str) -> None:
    """It was measured on the whole song; ours gives way to what is heard later."""
    path = transcode(tmp_path / f"music{suffix}")
    tags.write(path, FIELDS)
    tags.write(path, {**FIELDS, tag_forms.GAIN: "-6.25 dB"})
    assert stand(path)["REPLAYGAIN_TRACK_GAIN"] == "-6.25 dB"
    _drop_the_record(path)
    assert tags.write(path, FIELDS)
    assert stand(path) == {**WRITTEN, "REPLAYGAIN_TRACK_GAIN": "-6.25 dB"}
    assert not tags.write(path, FIELDS)
    tags.restore(path)
    assert stand(path)["REPLAYGAIN_TRACK_GAIN"] == "-6.25 dB"


def _drop_the_record(path: Path) -> None:
    file = mutagen.File(path)
    for name in [name for name in dict(file.tags) if "before" in name.lower()]:
        del file.tags[name]
    file.save()


def test_several_values_come_back(demo_music: Path, tmp_path: Path) -> None:
    """A field with two values, in any script, is not cut to one."""
    path = tmp_path / "music.opus"
    shutil.copy(next((demo_music / "calm").glob("*.opus")), path)
    file = mutagen.File(path)
    file["mood"] = ["тихо", "穏やか"]
    file.save()
    before = everything(path)
    tags.write(path, FIELDS)
    tags.restore(path)
    assert everything(path) == before


def test_what_the_listener_changed_since_is_theirs(tmp_path: Path, transcode: Transcode) -> None:
    """A mood that was corrected by hand survives --untag, and a new run remembers it."""
    path = transcode(tmp_path / "music.flac")
    tags.write(path, FIELDS)
    _set_mood(path, "Mine")
    tags.restore(path)
    assert stand(path) == {"MOOD": "Mine"}
    tags.write(path, FIELDS)
    _set_mood(path, "Mine again")
    tags.write(path, FIELDS)
    assert stand(path)["MOOD"] == "Calm"
    tags.restore(path)
    assert stand(path) == {"MOOD": "Mine again"}


def _set_mood(path: Path, mood: str) -> None:
    file = mutagen.File(path)
    file["MOOD"] = mood
    file.save()


def test_an_old_id3_version_stays(tmp_path: Path, transcode: Transcode) -> None:
    """A file with ID3v2.3, which some players need, keeps it, and its other frames."""
    path = transcode(tmp_path / "music.mp3")
    old = ID3()
    old.add(TPE1(text=["AC/DC"]))
    old.add(TMOO(text=["Loud"]))
    old.save(path, v2_version=3)
    tags.write(path, FIELDS)
    found = ID3(path, translate=False)
    assert found.version == (2, 3, 0)
    assert found["TPE1"].text == ["AC/DC"]
    assert stand(path) == WRITTEN
    tags.restore(path)
    assert stand(path) == {"MOOD": "Loud"}
    assert ID3(path, translate=False).version == (2, 3, 0)


def test_all_demo_tracks(demo_music: Path, tmp_path: Path) -> None:
    """28 real files: tagged, and restored to their own tags."""
    for original in demo_music.rglob("*.opus"):
        path = Path(shutil.copy(original, tmp_path))
        assert tags.write(path, FIELDS)
        assert stand(path) == WRITTEN
        tags.restore(path)
        assert everything(path) == everything(original)


def test_a_link_stays_a_link(tmp_path: Path, transcode: Transcode) -> None:
    """Where the library is made of links, the file behind one is tagged."""
    path = transcode(tmp_path / "music.mp3")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "music.mp3").symlink_to(path)
    assert tags.write(tmp_path / "links" / "music.mp3", FIELDS)
    assert (tmp_path / "links" / "music.mp3").is_symlink()
    assert stand(path) == WRITTEN


def test_what_cannot_be_tagged_is_said(
    tmp_path: Path,
    transcode: Transcode,
    unprivileged: Callable[[], AbstractContextManager[None]],
) -> None:
    """Read-only, foreign, broken, missing and damaged: one sentence each, and no file changes."""
    locked, foreign = transcode(tmp_path / "locked.mp3"), transcode(tmp_path / "music.wv")
    locked.chmod(0o444)
    (tmp_path / "text.mp3").write_text("not music at all " * 100, encoding="utf-8")
    (tmp_path / "cut.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + b"\0" * 9)
    damaged = transcode(tmp_path / "damaged.flac")
    file = mutagen.File(damaged)
    file[tags.BEFORE] = "{nonsense"
    file.save()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for path, words in (
        (locked, "locked.mp3 is read-only"),
        (foreign, "kind whose tags are not written"),
        (tmp_path / "text.mp3", "text.mp3"),
        (tmp_path / "cut.m4a", "cut.m4a could not be tagged"),
        (damaged, "EMOTION_DJ_BEFORE was damaged"),
        (tmp_path / "none.mp3", "No such file"),
    ):
        with pytest.raises(TagError, match=words):
            tags.write(path, FIELDS)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    closed = tmp_path / "closed"
    closed.mkdir()
    path = transcode(closed / "music.mp3")
    with unprivileged():
        closed.chmod(0o555)
        with pytest.raises(TagError, match="Permission denied"):
            tags.write(path, FIELDS)
        closed.chmod(0o755)


def test_another_run_is_not_disturbed(tmp_path: Path, transcode: Transcode) -> None:
    """A fresh copy means that somebody is at work; an old one was left by a killed run."""
    path = transcode(tmp_path / "music.mp3")
    with tags._copy(path) as copy:
        with pytest.raises(TagError, match="by another run"):
            tags.write(path, FIELDS)
        assert copy.exists()
        os.utime(copy, (0, 0))
        assert tags.write(path, FIELDS)


def test_a_file_that_changes_meanwhile_is_left(tmp_path: Path, transcode: Transcode) -> None:
    """Somebody else's new content is never replaced by our copy of the old."""
    path = transcode(tmp_path / "music.mp3")
    status = path.stat()
    with tags._copy(path) as copy:
        path.write_bytes(b"new")
        with pytest.raises(TagError, match="changed while"):
            tags._take_place(copy, path, status)
    assert path.read_bytes() == b"new"
    assert [other.name for other in tmp_path.iterdir()] == ["music.mp3"]


@pytest.mark.slow
def test_killed_at_any_moment_the_file_is_whole(tmp_path: Path, transcode: Transcode) -> None:
    """After kill -9 the file is one that was written whole, and the next run goes on."""
    path = transcode(tmp_path / "music.flac")
    heard = sound(path)
    for turn in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE
        ) as running:
            assert running.stdout is not None
            for _ in range(turn + 1):
                running.stdout.readline()
            running.send_signal(signal.SIGKILL)
        assert np.array_equal(sound(path), heard)
        assert stand(path)["MOOD"].startswith("mood ")
        record = json.loads(mutagen.File(path)[tags.BEFORE][0])
        assert record["MOOD"]["was"] == []
        for left in tmp_path.glob(".emotion-dj-*"):
            os.utime(left, (0, 0))
    assert tags.restore(path)
    assert stand(path) == {}


def test_an_old_tag_at_the_end_stays_and_the_bytes_come_back(
    tmp_path: Path, transcode: Transcode
) -> None:
    """ID3v1 alone: none of its text is copied, it is not rewritten, and --untag leaves no ID3v2."""
    path = transcode(tmp_path / "music.mp3")
    mutagen.id3.delete(path)
    old = b"TAG" + b"Caf\xe9".ljust(30, b"\0") + b"X".ljust(30, b"\0") + bytes(65)
    path.write_bytes(path.read_bytes() + old)
    before = path.read_bytes()
    assert tags.write(path, FIELDS)
    written = mutagen.id3.ID3(path, load_v1=False)
    assert not written.getall("TIT2")
    assert path.read_bytes().endswith(old)
    assert tags.restore(path)
    assert path.read_bytes() == before


@pytest.mark.needs_shared
def test_the_case_of_an_old_tag_comes_back(shared: Path, tmp_path: Path) -> None:
    """A collector's file, byte for byte."""
    case = shared / "cases" / "music" / "v1_utf8.mp3"
    path = tmp_path / case.name
    path.write_bytes(case.read_bytes())
    assert tags.write(path, FIELDS)
    assert tags.restore(path)
    assert path.read_bytes() == case.read_bytes()
