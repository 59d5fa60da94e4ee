"""A set as one recording: silence trimmed, loudness levelled, each song faded into the next.

Where two neighbours beat at nearly the same tempo, the fade lasts whole beats and begins with a
beat of both; elsewhere it is a plain fade. No song is stretched or pitched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import AudioError, SettingsError
from emotion_dj.music import decode
from emotion_dj.music.loudness import loudness
from emotion_dj.music.recording import as_stereo, opened
from emotion_dj.music.rhythm import onset_strength, rhythm
from emotion_dj.music.spectrum import FRAMES_PER_S, spectra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from emotion_dj.interfaces import Audio

    Floats = npt.NDArray[np.float32]
    Report = Callable[[int, int], None]

RATE: Final = 48_000
CODECS: Final = {".opus": "libopus", ".mp3": "libmp3lame", ".flac": "flac", ".wav": "pcm_s16le"}
LEVEL: Final = -16.0
"""LUFS of every song, what streaming services play at; the measure is that of EBU R128."""

PEAK: Final = -1.0
"""dBFS that no sample passes: a song that would is left quieter than LEVEL."""

QUIET: Final = -60.0
"""dBFS below which the beginning and the end of a song count as silence."""

QUIET_LU: Final = 12.0
"""How far below the rest of its song a beginning or an end may lie: levelled, that is -28 LUFS."""

QUIET_S: Final = 1.0
"""Seconds of a quieter beginning or end that stay, so that a song is not torn in or out."""

FADE_S: Final = 6.0
BEATS: Final = 8
"""Beats of a fade between songs that beat alike, about four seconds at 120 a minute."""

ALIKE: Final = 0.06
"""Octaves of tempo that eight beats together can bear: the last are a quarter of a beat apart."""

_EDGE_S: Final = 30.0
_BLOCK: Final = RATE // 20


@dataclass(frozen=True, slots=True, eq=False)
class Song:
    """One song ready to be mixed: stereo float32 ``samples`` (2, n) at RATE, and its beats.

    ``head`` and ``tail`` are the first beat and the last fade's beat in samples from the beginning;
    ``tempo`` is in beats a minute.
    """

    samples: Floats
    head: tuple[float, int]
    tail: tuple[float, int]


def render(
    songs: Iterable[tuple[str, Callable[[], AbstractContextManager[Audio]]]],
    path: Path,
    *,
    count: int,
    report: Report = lambda _done, _total: None,
) -> list[str]:
    """Write songs, (name, opener) in playing order, into one file; return what was passed over.

    At most two songs are in memory. The file appears when it is whole. Raises SettingsError for a
    suffix that is none of CODECS, AudioError where no song could be read, or the file not written.
    """
    import av

    check(path)
    failed: list[str] = []
    new = path.with_name(f".{path.stem}.new{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = _encode(_mixed(_read(songs, failed, count, report)), new)
        if not written:
            msg = f"no song of the set could be read: {failed[0] if failed else 'it is empty'}"
            raise AudioError(msg)
        new.replace(path)
    except (OSError, av.FFmpegError) as error:
        msg = f"{path} cannot be written: {getattr(error, 'strerror', None) or error}"
        raise AudioError(msg) from error
    finally:
        if path.parent.is_dir():
            new.unlink(missing_ok=True)
    return failed


def check(path: Path) -> None:
    """Raise SettingsError for a file whose suffix is none of CODECS."""
    if path.suffix.lower() not in CODECS:
        msg = f"'{path.name}' is not a mix that can be written: name a {', '.join(CODECS)} file"
        raise SettingsError(msg)


def _read(
    songs: Iterable[tuple[str, Callable[[], AbstractContextManager[Audio]]]],
    failed: list[str],
    count: int,
    report: Report,
) -> Iterator[Song]:
    for done, (name, opener) in enumerate(songs, start=1):
        try:
            with opener() as audio:
                yield prepare(stereo(audio))
        except (AudioError, OSError) as error:
            failed.append(f"{name}: {error}")
        report(done, count)


def stereo(audio: Audio) -> Floats:
    """Decode all of a file, section or stream: stereo float32 (2, n) at RATE. Raises AudioError."""
    with opened(audio) as recording:
        return as_stereo(recording.stretches(0.0, _EDGE_S), recording, RATE)


def prepare(samples: Floats) -> Song:
    """Trim, level and find the beats of a song (2, n). Raises AudioError where it is silent."""
    trimmed = _without_quiet_ends(_trim(samples))
    if trimmed.shape[1] < decode.MIN_S * RATE:
        msg = "there is nothing to hear in it"
        raise AudioError(msg)
    mono = decode.resample(trimmed.mean(axis=0), RATE)
    both, one = float(np.square(trimmed).mean()), float(np.square(mono).mean())
    heard = spectra(decode.Signal((mono,), None, 1.0))
    level = loudness(heard, width=2 * both / max(one, 1e-12)).integrated
    peak = 20 * np.log10(float(np.abs(trimmed).max()))
    gain = np.float32(10 ** (min(LEVEL - level, PEAK - peak) / 20))
    edge = int(_EDGE_S * decode.RATE)
    start = max(0, len(mono) - edge)
    tempo, last = _beats(mono[start:], from_end=True)
    shift = round(start * RATE / decode.RATE)
    return Song(trimmed * gain, _beats(mono[:edge], from_end=False), (tempo, shift + last))


def _trim(samples: Floats) -> Floats:
    """Cut silence off both ends, in blocks of 50 ms."""
    blocks = samples[:, : samples.shape[1] // _BLOCK * _BLOCK].reshape(2, -1, _BLOCK)
    loud = np.flatnonzero(np.abs(blocks).max(axis=(0, 2), initial=0) > 10 ** (QUIET / 20))
    if not len(loud):
        return samples[:, :0]
    return samples[:, loud[0] * _BLOCK : (loud[-1] + 1) * _BLOCK]


def _without_quiet_ends(samples: Floats) -> Floats:
    """Cut a beginning and an end that nobody would hear in a mix, but for QUIET_S of each.

    What is loud is told as in EBU R128: the mean of all seconds within 10 dB of the mean of all.
    """
    second = RATE
    blocks = samples[:, : samples.shape[1] // second * second].reshape(2, -1, second)
    power = np.square(blocks).mean(axis=(0, 2))
    if not power.any():
        return samples
    loud = power[power >= power.mean() / 10].mean()
    heard = np.flatnonzero(power >= loud / 10 ** (QUIET_LU / 10))
    stay = round(QUIET_S * RATE)
    begin = max(0, heard[0] * second - stay)
    # The last second may be cut short: it is as loud as the one before it.
    end = samples.shape[1] if heard[-1] == len(power) - 1 else (heard[-1] + 1) * second + stay
    return samples[:, begin:end]


def _beats(mono: Floats, *, from_end: bool) -> tuple[float, int]:
    """Return the tempo of an edge of a song, and the sample at RATE of its first beat, or of the
    beat BEATS before its end.
    """
    heard = spectra(decode.Signal((mono,), None, 1.0))
    tempo = rhythm(heard).tempo
    strength = onset_strength(heard.mel[0])
    period = 60 / tempo * FRAMES_PER_S
    phases = np.arange(0, period, 0.5)
    beats = int((len(strength) - period) / period)
    grid = np.add.outer(phases, period * np.arange(max(1, beats)))
    first = float(phases[np.interp(grid, np.arange(len(strength)), strength).sum(axis=1).argmax()])
    if from_end:
        first += period * max(0, int((len(strength) - first) / period) - BEATS)
    return tempo, round(first / FRAMES_PER_S * RATE)


def _mixed(songs: Iterable[Song]) -> Iterator[Floats]:
    """Yield the stereo samples of the mix, a stretch at a time."""
    before: Song | None = None
    begin = 0
    for song in songs:
        if before is None:
            before = song
            continue
        out, into, length = _join(before, song, begin)
        yield before.samples[:, begin:out]
        yield _crossed(before.samples[:, out : out + length], song.samples[:, into : into + length])
        before, begin = song, into + length
    if before is not None:
        yield before.samples[:, begin:]


def _join(before: Song, song: Song, begin: int) -> tuple[int, int, int]:
    """Return where the fade begins in both songs, and its length, all in samples."""
    octaves = np.log2(song.head[0] / before.tail[0])
    room = before.samples.shape[1] - begin
    if abs(octaves - round(octaves)) <= ALIKE:
        length = round(BEATS * 60 / before.tail[0] * RATE)
        out, into = before.tail[1], song.head[1]
        if out > begin and into + 2 * length < song.samples.shape[1]:
            return out, into, min(length, before.samples.shape[1] - out)
    length = min(round(FADE_S * RATE), room // 2, song.samples.shape[1] // 3)
    return before.samples.shape[1] - length, 0, length


def _crossed(out: Floats, into: Floats) -> Floats:
    """Fade with constant power; the sum of two songs never passes full scale."""
    angle = np.linspace(0, np.pi / 2, out.shape[1], dtype=np.float32)
    both = out * np.cos(angle) + into * np.sin(angle)
    return np.asarray(np.clip(both, -1, 1), np.float32)


def _encode(parts: Iterable[Floats], path: Path) -> int:
    """Encode stereo samples at RATE; return how many were written."""
    import av

    written = 0
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(CODECS[path.suffix.lower()], rate=RATE, layout="stereo")
        resampler = av.AudioResampler(
            format=stream.format, layout="stereo", rate=RATE, frame_size=stream.frame_size or 4096
        )
        for part in parts:
            for start in range(0, part.shape[1], RATE):
                second = np.ascontiguousarray(part[:, start : start + RATE])
                frame = av.AudioFrame.from_ndarray(second, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = RATE, written
                written += second.shape[1]
                for piece in resampler.resample(frame):
                    container.mux(stream.encode(piece))
        if written:
            for piece in resampler.resample(None):
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
    return written
