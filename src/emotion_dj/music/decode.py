"""Any audio file or stream -> a Signal: representative excerpts, mono, at one rate.

Three excerpts spread over the track stand for it, so a quiet intro does not decide; seeking keeps
the cost and the memory the same for a song and for a three-hour mix.
"""

from __future__ import annotations

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

    Raises AudioError for what is no audio, holds less than a second, is damaged, or is silent.
    """
    import av  # noqa: PLC0415 - FFmpeg is large

    name = audio.name if isinstance(audio, Path) else "the stream"
    try:
        with av.open(str(audio) if isinstance(audio, Path) else audio) as container:
            return _checked(_read(container, name), name)
    except (av.FFmpegError, OSError, ValueError, EOFError) as error:
        msg = f"{name} is no audio that can be decoded"
        raise AudioError(msg) from error


def _read(container: Any, name: str) -> Signal:
    if not container.streams.audio:
        msg = f"{name} has no audio in it"
        raise AudioError(msg)
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        msg = f"{name} is coded in a way that cannot be decoded here"
        raise AudioError(msg)
    duration = container.duration / _MICROSECONDS if container.duration else None
    whole = len(PLACES) * EXCERPT_S * 1.5
    if duration and duration > whole:
        starts = [place * duration - EXCERPT_S / 2 for place in PLACES]
        parts = [_stretch(container, stream, start, EXCERPT_S) for start in starts]
    else:
        parts = [_stretch(container, stream, None, whole)]
    heard = [part for part in parts if part.shape[1] >= MIN_S * stream.rate]
    if not heard:
        msg = f"{name} holds less than {MIN_S:.0f} second of audio, or is damaged"
        raise AudioError(msg)
    mono = tuple(resample(part.mean(axis=0), stream.rate) for part in heard)
    return Signal(mono, duration, _width(heard))


def _stretch(container: Any, stream: Any, start: float | None, seconds: float) -> Floats:
    """Decode so many seconds: float32 (channels, samples) at the stream's own rate."""
    if start is not None:
        container.seek(int(start * _MICROSECONDS), backward=True)
    pieces = []
    missing = int(seconds * stream.rate)
    for frame in _frames(container, stream, start or 0.0):
        pieces.append(frame.to_ndarray())
        missing -= frame.samples
        if missing <= 0:
            break
    if not pieces:
        return np.zeros((1, 0), np.float32)
    return _samples(np.concatenate(pieces, axis=1), stream.codec_context)


def _frames(container: Any, stream: Any, start: float) -> Iterator[Any]:
    """Yield decoded frames from ``start`` seconds on; damaged packets are passed over."""
    import av  # noqa: PLC0415 - FFmpeg is large

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
        yield from (frame for frame in frames if (frame.time or 0.0) >= start - _BLUR_S)


def _samples(values: npt.NDArray[Any], codec: Any) -> Floats:
    """Return (channels, samples) in [-1, 1]; what is no number becomes 0."""
    if not codec.format.is_planar:
        values = values.reshape(-1, codec.layout.nb_channels).T
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - np.float32(128)) / np.float32(128)
    if values.dtype.kind == "i":
        return values.astype(np.float32) / np.float32(-float(np.iinfo(values.dtype).min))
    numbers: Floats = np.nan_to_num(values.astype(np.float32, copy=False), posinf=0, neginf=0)
    return numbers


def resample(mono: Floats, rate: int) -> Floats:
    """Bring mono samples to RATE in one call: FFmpeg's cost per frame is larger than per sample."""
    if rate == RATE:
        return mono
    import av  # noqa: PLC0415 - FFmpeg is large

    frame = av.AudioFrame.from_ndarray(mono[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces])


def _width(parts: list[Floats]) -> float:
    both = sum(float(np.square(part).sum()) for part in parts)
    mono = sum(float(np.square(part.mean(axis=0)).sum()) for part in parts)
    return both / mono if mono > 0 else 1.0


def _checked(signal: Signal, name: str) -> Signal:
    if max(float(np.abs(excerpt).max()) for excerpt in signal.excerpts) < SILENCE:
        msg = f"{name} is silent"
        raise AudioError(msg)
    return signal
