"""Any audio file or stream -> a Signal: representative excerpts, mono, at one rate.

Three excerpts spread over the track stand for it, so a quiet intro does not decide; seeking keeps
the cost and the memory the same for a song and for a three-hour mix. Who wants all of it gets it in
stretches, at the cost of decoding it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import AudioError
from emotion_dj.music.recording import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.interfaces import Audio
    from emotion_dj.music.recording import Recording

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

ELSEWHERE: Final = 10
"""At how many more places, evenly spread, sound is looked for where excerpts are silent."""


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """What was decoded: ``excerpts`` of mono float32 samples in [-1, 1] at RATE.

    ``duration`` is that of the whole track in seconds, None where the file does not say;
    ``width`` is the power of all channels over that of their mean, 1 for mono: loudness needs it.
    ``measured`` is true of a duration that the file does not say, or says wrongly.
    """

    excerpts: tuple[Floats, ...]
    duration: float | None
    width: float
    measured: bool = False


def decode(audio: Audio) -> Signal:
    """Decode excerpts of a file, a section of one, or an open binary stream.

    An excerpt that is silent is looked for elsewhere; what is shorter than it claims is heard as
    far as it goes. Raises AudioError for what is not audio, holds less than a second, is damaged,
    or is silent.
    """
    with opened(audio) as recording:
        claimed = recording.duration
        duration = claimed or recording.measured()
        parts = _excerpts(recording, duration)
        if duration > WHOLE_S and any(_is_short(part, recording) for part in parts):
            duration = recording.measured()
            parts = _excerpts(recording, duration)
        parts = _sounding(recording, parts, duration)
        signal = _signal(parts, recording.rate, duration or None)
        return replace(signal, measured=duration != claimed)


def _excerpts(recording: Recording, duration: float) -> list[Floats]:
    if duration <= WHOLE_S:
        return [recording.stretch(0.0, WHOLE_S)]
    starts = [place * duration - EXCERPT_S / 2 for place in PLACES]
    return [recording.stretch(start, EXCERPT_S) for start in starts]


def _is_short(part: Floats, recording: Recording) -> bool:
    """Tell whether a file broke off within an excerpt, or before it."""
    return bool(part.shape[1] < (EXCERPT_S - MIN_S) * recording.rate)


def _sounding(recording: Recording, parts: list[Floats], duration: float) -> list[Floats]:
    """Return the excerpts in which there is sound, without longer silence at their ends.

    Where too few are left, others are looked for: at more places, then all along.
    """
    least = MIN_S * recording.rate
    if all(part.shape[1] < least for part in parts):
        raise _too_short(recording.name)
    places = np.linspace(0, max(0.0, duration - EXCERPT_S), ELSEWHERE)
    elsewhere = (recording.stretch(place, EXCERPT_S) for place in places)
    along = (part for part in recording.stretches(0.0, EXCERPT_S))
    sounding: list[Floats] = []
    for search, wanted in ((parts, len(parts)), (elsewhere, len(parts)), (along, 1)):
        heard = (_without_silence(part, recording.rate) for part in search)
        found = (part for part in heard if part.shape[1] >= least)
        sounding += islice(found, max(0, wanted - len(sounding)))
    if not sounding:
        raise _silent(recording.name)
    return sounding


def _without_silence(part: Floats, rate: int) -> Floats:
    """Cut silence of a second and more off both ends."""
    loud = np.flatnonzero(np.abs(part).max(axis=0) >= SILENCE)
    if not len(loud):
        return part[:, :0]
    second = int(MIN_S * rate)
    first = loud[0] if loud[0] >= second else 0
    last = loud[-1] + 1 if part.shape[1] - loud[-1] > second else part.shape[1]
    return part[:, first:last]


def decode_whole(audio: Audio) -> Iterator[Signal]:
    """Decode all of a file or an open binary stream, in Signals of up to STRETCH_S seconds.

    One after the other, so that memory does not grow with the length; silent ones are left out.
    Each is cut into excerpts like those of `decode`.
    Raises AudioError as `decode` does, where nothing but silence, or nothing at all, was there.
    """
    with opened(audio) as recording:
        duration = recording.duration
        lengths = sounding = 0
        size = int(EXCERPT_S * recording.rate)
        for stretch in recording.stretches(0.0, STRETCH_S):
            cut = [stretch[:, i : i + size] for i in range(0, stretch.shape[1], size)]
            parts = [part for part in cut if part.shape[1] >= MIN_S * recording.rate]
            if not parts:
                continue
            lengths += 1
            signal = _signal(parts, recording.rate, duration)
            del stretch, cut, parts
            if not _is_silent(signal):
                sounding += 1
                yield signal
        if not sounding:
            raise _silent(recording.name) if lengths else _too_short(recording.name)


def _signal(parts: list[Floats], rate: int, duration: float | None) -> Signal:
    mono = tuple(resample(part.mean(axis=0), rate) for part in parts)
    return Signal(mono, duration, _width(parts))


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
