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

BLOCK_S: Final = 0.5
"""Of so much all channels are held at once: a core's own cache holds it."""

RESAMPLED_S: Final = EXCERPT_S / 2
"""So much is resampled at once."""

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


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What is kept of a stretch of a recording: ``mono`` samples (n,) at its rate, whether each is
    ``loud`` in any channel, and the ``power`` of all channels, the sum of their squares.
    """

    mono: Floats
    loud: npt.NDArray[np.bool_]
    power: float


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


def _excerpts(recording: Recording, duration: float) -> list[_Part]:
    if duration <= WHOLE_S:
        return [_part(recording, 0.0, WHOLE_S)]
    starts = [place * duration - EXCERPT_S / 2 for place in PLACES]
    return [_part(recording, start) for start in starts]


def _part(recording: Recording, start: float, seconds: float = EXCERPT_S) -> _Part:
    """Decode a part, less where it ends; all channels of it are held for moments only."""
    blocks = islice(recording.stretches(start, BLOCK_S), round(seconds / BLOCK_S))
    kept = list(map(_kept, blocks)) or [_kept(np.zeros((1, 0), np.float32))]
    mono = np.concatenate([part.mono for part in kept])
    loud = np.concatenate([part.loud for part in kept])
    return _Part(mono, loud, sum(part.power for part in kept))


def _kept(block: Floats) -> _Part:
    loud = np.any(np.abs(block) >= SILENCE, axis=0)
    shares = np.full(len(block), 1 / len(block), np.float32)
    return _Part(shares @ block, loud, float(np.vdot(block, block)))


def _is_short(part: _Part, recording: Recording) -> bool:
    """Tell whether a file broke off within an excerpt, or before it."""
    return len(part.mono) < (EXCERPT_S - MIN_S) * recording.rate


def _sounding(recording: Recording, parts: list[_Part], duration: float) -> list[_Part]:
    """Return the excerpts in which there is sound, without longer silence at their ends.

    Where too few are left, others are looked for: at more places, then all along.
    """
    least = MIN_S * recording.rate
    if all(len(part.mono) < least for part in parts):
        raise _too_short(recording.name)
    places = np.linspace(0, max(0.0, duration - EXCERPT_S), ELSEWHERE)
    elsewhere = (_part(recording, place) for place in places)
    along = map(_kept, recording.stretches(0.0, EXCERPT_S))
    sounding: list[_Part] = []
    for search, wanted in ((parts, len(parts)), (elsewhere, len(parts)), (along, 1)):
        heard = (_without_silence(part, recording.rate) for part in search)
        found = (part for part in heard if len(part.mono) >= least)
        sounding += islice(found, max(0, wanted - len(sounding)))
    if not sounding:
        raise _silent(recording.name)
    return sounding


def _without_silence(part: _Part, rate: int) -> _Part:
    """Cut silence of a second and more off both ends."""
    length, second = len(part.mono), int(MIN_S * rate)
    if not part.loud.any():
        return replace(part, mono=part.mono[:0])
    first, after = int(part.loud.argmax()), int(part.loud[::-1].argmax())
    kept = slice(first if first >= second else 0, length - (after if after >= second else 0))
    return replace(part, mono=part.mono[kept])


def decode_whole(audio: Audio) -> Iterator[Signal]:
    """Decode all of a file or an open binary stream, in Signals of as many excerpts as `decode`
    gives.

    One after the other, so that memory does not grow with the length; silent ones are left out. The
    length is that of all packets, where these can be looked at beforehand. Raises AudioError as
    `decode` does, where nothing but silence, or nothing at all, was there.
    """
    with opened(audio) as recording:
        claimed = recording.duration
        there = recording.measured() or claimed
        lies = there is not None and (claimed is None or abs(there - claimed) > MIN_S)
        duration = there if lies else claimed
        heard = map(_kept, recording.stretches(0.0, EXCERPT_S))
        long_enough = (part for part in heard if len(part.mono) >= MIN_S * recording.rate)
        lengths = sounding = 0
        while parts := list(islice(long_enough, len(PLACES))):
            lengths += 1
            if any(part.loud.any() for part in parts):
                sounding += 1
                yield replace(_signal(parts, recording.rate, duration), measured=lies)
        if not sounding:
            raise _silent(recording.name) if lengths else _too_short(recording.name)


def _signal(parts: list[_Part], rate: int, duration: float | None) -> Signal:
    return Signal(tuple(resample(part.mono, rate) for part in parts), duration, _width(parts))


def resample(mono: Floats, rate: int) -> Floats:
    """Bring mono samples to RATE, some seconds at once: FFmpeg's cost per call is larger than per
    sample, and it holds ten times what it is given.
    """
    if rate == RATE:
        return mono
    import av

    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    size = round(RESAMPLED_S * rate)
    pieces = []
    for begin in range(0, len(mono), size):
        frame = av.AudioFrame.from_ndarray(
            mono[np.newaxis, begin : begin + size], format="fltp", layout="mono"
        )
        frame.sample_rate = rate
        pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    return np.concatenate(pieces)


def _width(parts: list[_Part]) -> float:
    both = sum(part.power for part in parts)
    mono = sum(float(np.einsum("i,i->", part.mono, part.mono)) for part in parts)
    return both / mono if mono > 0 else 1.0


def _silent(name: str) -> AudioError:
    return AudioError(f"{name} is silent")


def _too_short(name: str) -> AudioError:
    return AudioError(f"{name} holds less than {MIN_S:.0f} second of audio, or is damaged")
