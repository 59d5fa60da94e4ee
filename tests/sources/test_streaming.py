"""Any source's audio as a player asks for it: whole, in byte ranges, or not at all."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from emotion_dj.domain import Track
from emotion_dj.errors import NotAvailable
from emotion_dj.sources import streaming
from emotion_dj.sources.local import Local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEN = b"OggS456789"


class Memory:
    """A source whose audio is ten bytes in memory."""

    @contextmanager
    def open(self, track: Track) -> Iterator[io.BytesIO]:
        """Give the ten bytes."""
        del track
        with io.BytesIO(TEN) as file:
            yield file

    def modification_tag(self, track: Track) -> str:
        """Return the uri."""
        return track.uri

    def fingerprint(self, track: Track) -> str:
        """Return the uri."""
        return track.uri


def sent(wanted: str | None) -> tuple[int, bytes, str]:
    """Return status, bytes and content-range of what is sent for a range header."""
    headers = {} if wanted is None else {"range": wanted}
    with streaming.stream(Memory(), Track("memory:1", "One"), headers) as audio:
        body = b"".join(audio.iter_raw())
        assert int(audio.headers["content-length"]) == len(body)
        assert audio.headers["content-type"] == "audio/ogg"
        return audio.status_code, body, audio.headers.get("content-range", "")


@pytest.mark.parametrize(
    ("wanted", "code", "body", "content_range"),
    [
        (None, 200, TEN, ""),
        ("bytes=0-", 200, TEN, ""),
        ("bytes=0-99", 200, TEN, ""),
        ("bytes=4-6", 206, b"456", "bytes 4-6/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=9-9", 206, b"9", "bytes 9-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=6-4", 200, TEN, ""),
        ("bytes=-", 200, TEN, ""),
        ("bytes=0-1,4-5", 200, TEN, ""),
        ("lines=1-2", 200, TEN, ""),
    ],
)
def test_byte_ranges_are_those_of_http(
    wanted: str | None, code: int, body: bytes, content_range: str
) -> None:
    """One range is answered; what is no range, or several, is the whole (RFC 9110, 14.2)."""
    assert sent(wanted) == (code, body, content_range)


def test_a_file_is_read_where_it_lies(demo_music: Path) -> None:
    """A path that a source opens is sent in blocks, and named by what it is."""
    source = Local((demo_music / "calm",))
    track = next(source.tracks())
    with streaming.stream(source, track, {"range": "bytes=100-199999"}) as audio:
        assert (audio.status_code, audio.headers["content-type"]) == (206, "audio/ogg")
        assert track.path is not None
        assert b"".join(audio.iter_raw()) == track.path.read_bytes()[100:200_000]


def test_what_is_made_of_audio_is_sent_in_its_place() -> None:
    """A content that a converter returns is ranged as a file is."""
    made = streaming.FileContent(io.BytesIO(b"fLaC" + b"x" * 6))
    ask = {"range": "bytes=2-5"}
    with streaming.stream(Memory(), Track("memory:1", "One"), ask, lambda _: made) as audio:
        assert (audio.status_code, audio.headers["content-type"]) == (206, "audio/flac")
        assert b"".join(audio.iter_raw()) == b"aCxx"


def test_a_source_without_audio_streams_nothing() -> None:
    """It is told apart by what it implements, and asking all the same raises a sentence."""
    assert streaming.can_stream(Memory())
    assert not streaming.can_stream(object())
    with (
        pytest.raises(NotAvailable, match="One"),
        streaming.stream(object(), Track("x:1", "One"), {}),
    ):
        pass


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"fLaC\0\0\0\x22", "audio/flac"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"RIFF\x24\x08\0\0WAVE", "audio/wav"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\x1aE\xdf\xa3\x01", "audio/webm"),
        (b"FORM\0\0\0\0AIFF", "audio/aiff"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_first_bytes_name_the_kind(beginning: bytes, kind: str) -> None:
    """Players are told what comes, since a stream has no suffix."""
    assert streaming.media_type(beginning) == kind
