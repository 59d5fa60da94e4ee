"""What no browser plays, as Ogg Opus that is made while it is sent, from any byte on.

The bit rate is constant, so the length of the whole and the time of each byte are known before
anything is encoded: a range costs what it lasts and ten seconds at most, and nothing is kept on a
disk. Every ten seconds are encoded by themselves, with a run-up that is thrown away, so a range
holds the bytes that the whole has there. Ogg: RFC 3533; Opus in it: RFC 7845.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, repeat
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.domain import Section
from emotion_dj.errors import AudioError
from emotion_dj.music.recording import as_stereo, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.interfaces import Audio
    from emotion_dj.music.recording import Recording

    Floats = npt.NDArray[np.float32]

RATE: Final = 48_000
BITS_PER_S: Final = 160_000
PACKET: Final = RATE // 50
"""Samples of a packet, 20 ms."""

BYTES: Final = BITS_PER_S // 8 // 50
"""Bytes of every packet."""

CHUNK_S: Final = 10
"""Seconds that one encoder makes; a range that begins within them begins with their first."""

RUN_UP_S: Final = 1
"""Seconds that are encoded before and thrown away: by then an encoder has forgotten its start."""

DELAY: Final = 312
"""Samples by which libopus is late, to be skipped by who plays."""

_PER_PAGE: Final = 10
_LACING: Final = bytes((255, BYTES - 255))
_PAGE: Final = 27 + _PER_PAGE * (len(_LACING) + BYTES)
_PER_CHUNK: Final = CHUNK_S * 50
_BEGIN, _END = 2, 4
_SERIAL: Final = 0x454D4F54
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

PLAYED: Final = {
    "mp3": {"mp3", "mp3float"},
    "ogg": {"vorbis", "opus", "libopus", "flac"},
    "flac": {"flac"},
    "wav": {"pcm_u8", "pcm_s16le", "pcm_s24le"},
    "mov,mp4,m4a,3gp,3g2,mj2": {"aac", "mp3", "mp3float"},
    "matroska,webm": {"vorbis", "opus", "libopus"},
    "aac": {"aac"},
}
"""What today's browsers play: codecs by container, as FFmpeg names both."""

_ENCODERS: Final = BoundedSemaphore(os.cpu_count() or 1)
"""At most as many encode at once as there are cores; who waits for a listener holds none."""


@dataclass(frozen=True, slots=True)
class OpusRendition:
    """A track as Ogg Opus of ``seconds``; nothing of it is made before it is asked for."""

    audio: Path | Section
    seconds: float
    media_type: ClassVar[str] = "audio/ogg"

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return len(_HEADER) + self._full * _PAGE + 27 + self._rest * (len(_LACING) + BYTES)

    def blocks(self, first: int, length: int) -> Iterator[bytes]:
        """Yield so many bytes from the first on, a chunk at a time. Raises AudioError."""
        left = length
        if first < len(_HEADER):
            yield _HEADER[first : first + left]
            left -= min(left, len(_HEADER) - first)
        page = max(0, first - len(_HEADER)) // _PAGE
        skip = max(0, first - len(_HEADER)) % _PAGE
        pages = self._pages(page)
        while left > 0:
            block = next(pages)[skip:][:left]
            left, skip = left - len(block), 0
            yield block

    @property
    def _samples(self) -> int:
        return max(1, round(self.seconds * RATE))

    @property
    def _packets(self) -> int:
        return -(-(self._samples + DELAY) // PACKET)

    @property
    def _full(self) -> int:
        """Pages that are full and not the last one."""
        return (self._packets - 1) // _PER_PAGE

    @property
    def _rest(self) -> int:
        """Packets of the last page."""
        return self._packets - self._full * _PER_PAGE

    def _pages(self, first: int) -> Iterator[bytes]:
        """Yield the pages of sound from the first one on."""
        chunk, skip = divmod(first * _PER_PAGE, _PER_CHUNK)
        number = first
        for packets in self._chunks(chunk):
            for place in range(skip, len(packets), _PER_PAGE):
                yield self._page(number, packets[place : place + _PER_PAGE])
                number += 1
            skip = 0

    def _page(self, number: int, packets: list[bytes]) -> bytes:
        is_last = number == self._full
        heard = DELAY + self._samples if is_last else (number + 1) * _PER_PAGE * PACKET
        return _page(_END * is_last, heard, number + 2, packets)

    def _chunks(self, first: int) -> Iterator[list[bytes]]:
        """Yield the packets of chunk after chunk, exactly as many as were promised."""
        with opened(self.audio) as recording:
            sound = _sound(recording, first * CHUNK_S)
            for start in range(first * _PER_CHUNK, self._packets, _PER_CHUNK):
                with _ENCODERS:
                    packets = _encoded(next(sound))
                yield packets[: self._packets - start]


def rendition(audio: Audio) -> OpusRendition | None:
    """Return what is sent in a file's place; None for what browsers play, and what is not a file.

    Raises AudioError for a file that is not audio.
    """
    if isinstance(audio, Section):
        return OpusRendition(audio, _seconds(audio, *_mark(audio.path)))
    if not isinstance(audio, Path):
        return None
    return None if is_played(audio) else OpusRendition(audio, _seconds(audio, *_mark(audio)))


def is_played(path: Path) -> bool:
    """Tell whether browsers play a file as it is. Raises AudioError for what is not audio."""
    return _is_played(path, *_mark(path))


@lru_cache(maxsize=1024)
def _is_played(path: Path, *_mark: int) -> bool:
    with opened(path) as recording:
        codecs = PLAYED.get(recording.container.format.name, set())
        return recording.stream.codec_context.name in codecs


@lru_cache(maxsize=1024)
def _seconds(audio: Path | Section, *_mark: int) -> float:
    """Return how long the sound is, whatever is claimed: more would never come."""
    with opened(audio) as recording:
        return recording.measured()


def _mark(path: Path) -> tuple[int, int]:
    """Return what changes with a file."""
    try:
        status = path.stat()
    except OSError as error:
        msg = f"{path.name} is not there any more"
        raise AudioError(msg) from error
    return status.st_size, status.st_mtime_ns


def _sound(recording: Recording, start: int) -> Iterator[Floats]:
    """Yield the samples of each chunk from ``start`` seconds on, with the run-up before it; silence
    where nothing is (left).

    Each is resampled by itself, with a second after it, so that its ends are as its middle.
    """
    run_up = [_silence(recording)] if start == 0 else []
    blocks = chain(run_up, _blocks(recording, max(0, start - RUN_UP_S)))
    window = list(islice(blocks, RUN_UP_S + CHUNK_S + 1))
    while True:
        yield _fitted(as_stereo(window, recording, RATE), RATE * (RUN_UP_S + CHUNK_S))
        window = [*window[CHUNK_S:], *islice(blocks, CHUNK_S)]


def _blocks(recording: Recording, start: int) -> Iterator[Floats]:
    """Yield second after second, and silence for ever."""
    for block in recording.stretches(start, 1.0):
        yield _fitted(block, recording.rate)
    yield from repeat(_silence(recording))


def _silence(recording: Recording) -> Floats:
    channels = recording.stream.codec_context.layout.nb_channels
    return np.zeros((channels, recording.rate), np.float32)


def _fitted(samples: Floats, size: int) -> Floats:
    """Return samples cut to a length, or with silence after them."""
    missing = max(0, size - samples.shape[1])
    return np.pad(samples[:, :size], ((0, 0), (0, missing)))


def _encoded(samples: Floats) -> list[bytes]:
    """Return the packets of a chunk, of stereo samples (2, n) at RATE with their run-up."""
    import av

    codec: Any = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = RATE, "stereo", "flt"
    codec.bit_rate, codec.options = BITS_PER_S, {"vbr": "off", "frame_duration": "20"}
    packets = []
    for place in range(0, samples.shape[1], PACKET):
        values = np.ascontiguousarray(samples[:, place : place + PACKET].T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(values, format="flt", layout="stereo")
        frame.sample_rate, frame.pts = RATE, place
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets[RUN_UP_S * 50 :]


def _page(kind: int, granule: int, number: int, packets: list[bytes]) -> bytes:
    """Return a page of Ogg with packets in it that end in it."""
    lacing = b"".join(bytes((255,)) * (len(p) // 255) + bytes((len(p) % 255,)) for p in packets)
    head = struct.pack("<4sBBqIII", b"OggS", 0, kind, granule, _SERIAL, number, 0)
    page = head + bytes((len(lacing),)) + lacing + b"".join(packets)
    return page[:22] + struct.pack("<I", _checksum(page)) + page[26:]


def _checksum(page: bytes) -> int:
    """Return Ogg's CRC: zlib's with all bits the other way round, from 0 and not inverted."""
    turned = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)


_HEADER: Final = _page(
    _BEGIN, 0, 0, [struct.pack("<8sBBHIhB", b"OpusHead", 1, 2, DELAY, RATE, 0, 0)]
) + _page(0, 0, 1, [struct.pack("<8sI10sI", b"OpusTags", 10, b"Emotion-DJ", 0)])
