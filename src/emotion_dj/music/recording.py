"""An audio file or stream, opened: its samples from anywhere on, whatever its container says.

Everything that decodes goes through here, so a damaged packet, a header that lies and a part of a
file that is a track of its own are dealt with once.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.domain import Section
from emotion_dj.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from emotion_dj.interfaces import Audio

    Floats = npt.NDArray[np.float32]
    Channels = Sequence[npt.NDArray[Any]] | npt.NDArray[Any]

_MICROSECONDS: Final = 1_000_000
_DAMAGED: Final = 50
"""Packets that may be damaged before a file counts as broken off."""

_TYPES: Final = {
    "u8": np.uint8,
    "s16": np.int16,
    "s32": np.int32,
    "s64": np.int64,
    "flt": np.float32,
    "dbl": np.float64,
}
"""What FFmpeg's samples are in NumPy."""

_NOTHING: Final[Floats] = np.zeros((1, 0), np.float32)


@dataclass(slots=True)
class Recording:
    """What `opened` gives: a PyAV ``container``, its default audio ``stream``, a ``name`` for
    people. ``begin`` and ``end`` are seconds of the file; all others count from ``begin``.

    ``rewinds`` is false of a pipe, which is heard once, from its beginning.
    """

    container: Any
    stream: Any
    name: str
    begin: float = 0.0
    end: float | None = None
    rewinds: bool = True
    _moved: bool = False

    @property
    def rate(self) -> int:
        """Samples a second."""
        rate: int = self.stream.rate
        return rate

    @property
    def duration(self) -> float | None:
        """Seconds as the file claims, None where it does not say."""
        claimed = self.container.duration
        return self._own(claimed / _MICROSECONDS) if claimed else self._own(None)

    def measured(self) -> float:
        """Return the seconds that are there, by reading all packets and decoding none; 0 where
        that cannot be found out.
        """
        import av

        last = 0.0
        if not self.rewinds:
            return last
        self._seek(-self.begin)
        self._moved = True
        try:
            for packet in self.container.demux(self.stream):
                if packet.pts is not None:
                    end = (packet.pts + (packet.duration or 0)) * self.stream.time_base
                    last = max(last, float(end) - self._first)
        except av.FFmpegError:
            pass  # as far as it goes
        return self._own(last) or 0.0

    def stretch(self, start: float, seconds: float) -> Floats:
        """Decode so many seconds, less where it ends: float32 (channels, samples) at ``rate``."""
        return next(self.stretches(start, seconds), _NOTHING)

    def stretches(self, start: float, seconds: float) -> Iterator[Floats]:
        """Yield stretches of so many seconds, and what is left, as `stretch` gives them.

        Joined in NumPy: FFmpeg's own queue is no quicker, and one broken MP3 killed the process in
        it.
        """
        held: list[Channels] = []
        missing = size = round(seconds * self.rate)
        for piece in self._pieces(start):
            held.append(piece)
            missing -= len(piece[0])
            while missing <= 0:
                joined = _joined(held)
                held, missing = [joined[:, size:].copy()], missing + size
                yield _samples(joined[:, :size])
        if missing < size:
            yield _samples(_joined(held))

    @property
    def _first(self) -> float:
        """The time that the file calls its beginning."""
        return float((self.stream.start_time or 0) * self.stream.time_base)

    def _own(self, seconds: float | None) -> float | None:
        """Return what lies between begin and end of a file so long, or of unknown length."""
        ends = [end for end in (seconds, self.end) if end is not None]
        return max(0.0, min(ends) - self.begin) if ends else None

    def _seek(self, start: float) -> None:
        """Go near a place before ``start``; where a file has no index, to its beginning."""
        import av

        if not (self._moved or self.begin + start > 0):
            return
        self._moved = True
        for place in (self.begin + start + self._first, self._first):
            with suppress(av.FFmpegError):
                self.container.seek(int(place * _MICROSECONDS), backward=True)
                return

    def _pieces(self, start: float) -> Iterator[Channels]:
        """Yield the channels, each (samples,) as coded, from exactly ``start`` seconds on."""
        self._seek(start)
        self._moved = True
        begin = self.begin + start + self._first
        limit = None if self.end is None else round((self.end - self.begin - start) * self.rate)
        for frame in _frames(self.container, self.stream):
            piece = _channels(frame)
            early = 0.0 if frame.time is None else begin - frame.time
            if early > 0:
                piece = [channel[round(early * self.rate) :] for channel in piece]
            if limit is not None:
                piece = [channel[: max(0, limit)] for channel in piece]
                limit -= len(piece[0])
            yield piece
            if limit is not None and limit <= 0:
                return


@contextmanager
def opened(audio: Audio) -> Iterator[Recording]:
    """Open a file, a section of one, or a binary stream, for the block.

    Raises AudioError for what is not audio, also where that turns out inside the block.
    """
    import av

    section = audio if isinstance(audio, Section) else None
    place = audio.path if isinstance(audio, Section) else audio
    name = place.name if isinstance(place, Path) else "the stream"
    try:
        source = str(place) if isinstance(place, Path) else place
        with av.open(source, metadata_errors="surrogateescape") as container:
            stream = _audio_stream(container, name)
            begin, end = (section.begin, section.end) if section else (0.0, None)
            rewinds = isinstance(place, Path) or place.seekable()
            yield Recording(container, stream, name, begin, end, rewinds)
    except (av.FFmpegError, OSError, ValueError, EOFError) as error:
        msg = f"{name} is not audio that can be decoded"
        raise AudioError(msg) from error


def as_stereo(parts: Iterable[Floats], recording: Recording, rate: int) -> Floats:
    """Bring stretches that follow one another to stereo float32 (2, n) at a rate."""
    import av

    layout = recording.stream.codec_context.layout
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
    pieces = []
    for part in parts:
        values = np.ascontiguousarray(part)
        frame = av.AudioFrame.from_ndarray(values, format="fltp", layout=layout)
        frame.sample_rate = recording.rate
        pieces += [piece.to_ndarray() for piece in resampler.resample(frame)]
    if not pieces:
        return np.zeros((2, 0), np.float32)
    pieces += [piece.to_ndarray() for piece in resampler.resample(None)]
    return np.concatenate(pieces, axis=1)


def _audio_stream(container: Any, name: str) -> Any:
    """Return the track that a player plays: the default one, else the first."""
    from av.stream import Disposition

    streams = container.streams.audio
    if not streams:
        msg = f"{name} has no audio in it"
        raise AudioError(msg)
    stream = next((one for one in streams if one.disposition & Disposition.default), streams[0])
    if stream.codec_context is None:
        msg = f"{name} is coded in a way that cannot be decoded here"
        raise AudioError(msg)
    return stream


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Yield decoded frames; damaged packets are passed over."""
    import av

    damaged = 0
    packets = container.demux(stream)
    while damaged < _DAMAGED:
        try:
            frames = next(packets).decode()
        except StopIteration:
            return
        except av.FFmpegError:
            damaged += 1
            continue
        yield from frames


def _channels(frame: Any) -> Channels:
    """Return the channels of a frame in the decoder's memory: copies of each cost half as much as
    decoding does.
    """
    kind, count = _TYPES[frame.format.name.removesuffix("p")], frame.samples
    if frame.format.is_planar:
        return [np.frombuffer(plane, kind, count) for plane in frame.planes]
    together = count * frame.layout.nb_channels
    values = np.frombuffer(frame.planes[0], kind, together).reshape(count, -1)
    return list(values.T)


def _joined(pieces: Sequence[Channels]) -> npt.NDArray[Any]:
    """Return the samples of pieces that follow one another, (channels, samples)."""
    return np.stack([np.concatenate(parts) for parts in zip(*pieces, strict=True)])


def _samples(values: npt.NDArray[Any]) -> Floats:
    """Return (channels, samples) in [-1, 1]; what is not a number becomes 0."""
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - np.float32(128)) / np.float32(128)
    if values.dtype.kind == "i":
        return values.astype(np.float32) / np.float32(-float(np.iinfo(values.dtype).min))
    numbers: Floats = values.astype(np.float32, copy=False)
    if np.isfinite(numbers.sum()):  # one pass instead of five
        return numbers
    return np.nan_to_num(numbers, posinf=0, neginf=0)
