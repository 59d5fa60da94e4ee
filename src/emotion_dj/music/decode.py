"""Any audio file or stream -> a Signal: representative excerpts, mono, at one rate.

Three excerpts spread over the track stand for it, so a quiet intro does not decide; seeking keeps
the cost and the memory the same for a song and for a three-hour mix. Who wants all of it gets it in
stretches, at the cost of decoding it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.interfaces import Audio

    Floats = npt.NDArray[np.float32]

RATE: Final = 22_050
"""Samples a second of every Signal."""

EXCERPT_S: Final = 15.0
PLACES: Final = (0.2, 0.5, 0.8)
"""Where the middles of the excerpts lie, as shares of the track."""

WHOLE_S: Final = 1.5 * len(PLACES) * EXCERPT_S
"""A track up to this long is heard whole."""

STRETCH_S: Final = len(PLACES) * EXCERPT_S
"""What is held in memory at once of a track that is heard whole: as much as of excerpts."""

MIN_S: Final = 1.0
SILENCE: Final = 1e-4
"""A track whose loudest sample stays below this (-80 dBFS) holds no sound."""

_MICROSECONDS: Final = 1_000_000
_BLUR_S: Final = 0.1
_DAMAGED: Final = 50
"""Packets that may be damaged before a file counts as broken off."""


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """What was decoded: ``excerpts`` of mono float32 samples in [-1, 1] at RATE.

    ``duration`` is that of the whole track in seconds, None where the file does not say;
    ``width`` is the power of all channels over that of their mean, 1 for mono: loudness needs it.
    """

    excerpts: tuple[Floats, ...]
    duration: float | None
    width: float


def decode(audio: Audio) -> Signal:
    """Decode excerpts of a file or an open binary stream.

    Raises AudioError for what is not audio, holds less than a second, is damaged, or is silent.
    """
    with opened(audio) as (container, stream, name):
        duration = _duration(container)
        if duration and duration > WHOLE_S:
            starts = [place * duration - EXCERPT_S / 2 for place in PLACES]
            parts = [_stretch(container, stream, start, EXCERPT_S) for start in starts]
        else:
            parts = [_stretch(container, stream, None, WHOLE_S)]
        heard = [part for part in parts if part.shape[1] >= MIN_S * stream.rate]
        if not heard:
            raise _too_short(name)
        signal = _signal(heard, stream.rate, duration)
        if _is_silent(signal):
            raise _silent(name)
        return signal


def decode_whole(audio: Audio) -> Iterator[Signal]:
    """Decode all of a file or an open binary stream, in Signals of up to STRETCH_S seconds.

    One after the other, so that memory does not grow with the length; silent ones are left out.
    Each is cut into excerpts like those of `decode`.
    Raises AudioError as `decode` does, where nothing but silence, or nothing at all, was there.
    """
    with opened(audio) as (container, stream, name):
        duration = _duration(container)
        lengths = sounding = 0
        size = int(EXCERPT_S * stream.rate)
        for stretch in _pieces(container, stream, 0.0, STRETCH_S):
            cut = [stretch[:, i : i + size] for i in range(0, stretch.shape[1], size)]
            parts = [part for part in cut if part.shape[1] >= MIN_S * stream.rate]
            if not parts:
                continue
            lengths += 1
            signal = _signal(parts, stream.rate, duration)
            del stretch, cut, parts
            if not _is_silent(signal):
                sounding += 1
                yield signal
        if not sounding:
            raise _silent(name) if lengths else _too_short(name)


@contextmanager
def opened(audio: Audio) -> Iterator[tuple[Any, Any, str]]:
    """Give container, stream and name for people; what goes wrong inside becomes AudioError."""
    import av

    name = audio.name if isinstance(audio, Path) else "the stream"
    try:
        place = str(audio) if isinstance(audio, Path) else audio
        with av.open(place, metadata_errors="surrogateescape") as container:
            yield container, _audio_stream(container, name), name
    except (av.FFmpegError, OSError, ValueError, EOFError) as error:
        msg = f"{name} is not audio that can be decoded"
        raise AudioError(msg) from error


def _audio_stream(container: Any, name: str) -> Any:
    if not container.streams.audio:
        msg = f"{name} has no audio in it"
        raise AudioError(msg)
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        msg = f"{name} is coded in a way that cannot be decoded here"
        raise AudioError(msg)
    return stream


def _duration(container: Any) -> float | None:
    return container.duration / _MICROSECONDS if container.duration else None


def _signal(parts: list[Floats], rate: int, duration: float | None) -> Signal:
    mono = tuple(resample(part.mean(axis=0), rate) for part in parts)
    return Signal(mono, duration, _width(parts))


def _stretch(container: Any, stream: Any, start: float | None, seconds: float) -> Floats:
    """Decode so many seconds: float32 (channels, samples) at the stream's own rate."""
    if start is not None:
        container.seek(int(start * _MICROSECONDS), backward=True)
    pieces = _pieces(container, stream, start or 0.0, seconds)
    return next(pieces, np.zeros((1, 0), np.float32))


def _pieces(container: Any, stream: Any, start: float, seconds: float) -> Iterator[Floats]:
    """Yield stretches of so many seconds, and what is left, as `_stretch` gives them.

    Joined in NumPy: FFmpeg's own queue is no quicker, and one broken MP3 killed the process in it.
    Nothing of a stretch is held while the next one is decoded: 30 MB less at the peak.
    """
    held: list[npt.NDArray[Any]] = []
    missing = size = int(seconds * stream.rate)
    for frame in frames(container, stream, start):
        held.append(frame.to_ndarray())
        missing -= frame.samples
        if missing <= 0:
            joined = np.concatenate(held, axis=1)
            end = size * (joined.shape[1] // (size - missing))  # channels may lie side by side
            held, missing = [joined[:, end:].copy()], size + missing
            stretch = _samples(joined[:, :end], stream.codec_context)
            del joined
            yield stretch
            del stretch
    if missing < size:
        yield _samples(np.concatenate(held, axis=1), stream.codec_context)


def frames(container: Any, stream: Any, start: float) -> Iterator[Any]:
    """Yield decoded frames from ``start`` seconds on; damaged packets are passed over."""
    import av

    damaged = 0
    packets = container.demux(stream)
    while damaged < _DAMAGED:
        try:
            decoded = next(packets).decode()
        except StopIteration:
            return
        except av.FFmpegError:
            damaged += 1
            continue
        yield from (frame for frame in decoded if (frame.time or 0.0) >= start - _BLUR_S)


def _samples(values: npt.NDArray[Any], codec: Any) -> Floats:
    """Return (channels, samples) in [-1, 1]; what is not a number becomes 0."""
    if not codec.format.is_planar:
        values = values.reshape(-1, codec.layout.nb_channels).T
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - np.float32(128)) / np.float32(128)
    if values.dtype.kind == "i":
        return values.astype(np.float32) / np.float32(-float(np.iinfo(values.dtype).min))
    numbers: Floats = values.astype(np.float32, copy=False)
    if np.isfinite(numbers.sum()):  # one pass instead of five
        return numbers
    return np.nan_to_num(numbers, posinf=0, neginf=0)


def resample(mono: Floats, rate: int) -> Floats:
    """Bring mono samples to RATE in one call: FFmpeg's cost per frame is larger than per sample."""
    if rate == RATE:
        return mono
    import av

    frame = av.AudioFrame.from_ndarray(mono[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces])


def _width(parts: list[Floats]) -> float:
    both = sum(float(np.einsum("ij,ij->", part, part)) for part in parts)
    means = [part.mean(axis=0) for part in parts]
    mono = sum(float(np.einsum("i,i->", mean, mean)) for mean in means)
    return both / mono if mono > 0 else 1.0


def _is_silent(signal: Signal) -> bool:
    return max(float(np.abs(excerpt).max()) for excerpt in signal.excerpts) < SILENCE


def _silent(name: str) -> AudioError:
    return AudioError(f"{name} is silent")


def _too_short(name: str) -> AudioError:
    return AudioError(f"{name} holds less than {MIN_S:.0f} second of audio, or is damaged")
