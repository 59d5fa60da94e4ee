"""A set as one recording: silence trimmed, loudness levelled, each song faded into the next.

Where both neighbours keep time at nearly the same tempo, or half or double it, the fade lasts whole
beats and begins with a beat of both, and the song that comes in is stretched for as long, its pitch
held, so that all beats meet. Elsewhere it is a plain fade.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import AudioError, SettingsError
from emotion_dj.music import decode, levelling
from emotion_dj.music.beat_grid import STEP_S, beat_grid, onset_curves
from emotion_dj.music.levelling import audible, levelled, limited, trimmed
from emotion_dj.music.recording import as_stereo, opened
from emotion_dj.music.stretch import MOST, SPLICE, can_stretch, stretched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from emotion_dj.interfaces import Audio
    from emotion_dj.music.beat_grid import BeatGrid

    Floats = npt.NDArray[np.float32]
    Report = Callable[[int, int], None]

RATE: Final = levelling.RATE
CODECS: Final = {".opus": "libopus", ".mp3": "libmp3lame", ".flac": "flac", ".wav": "pcm_s16le"}
FADE_S: Final = 6.0
BEATS: Final = 8
"""Beats of a fade between songs that beat alike, about four seconds at 120 a minute."""

PHRASE: Final = 16
"""Beats at the beginning or the end of a song that are passed over for clearer ones at most."""

ALIKE: Final = 0.0025
"""How far apart tempi may be, as a share, that meet without stretching: 10 ms after eight beats."""

OFF_BEAT: Final = 1.2
"""How many times as much has to begin together half a beat later for the join to move there."""

_AROUND: Final = 4
"""Steps of onset curves, 23 ms, within which beats count as together."""

_EDGE_S: Final = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Song:
    """One song ready to be mixed: stereo float32 ``samples`` (2, n) at RATE, and the beats of its
    beginning, ``head``, and of its end, ``tail``, which begins at the sample ``tail_from``.
    """

    samples: Floats
    head: BeatGrid
    tail: BeatGrid
    tail_from: int


@dataclass(frozen=True, slots=True)
class Join:
    """Where a fade begins in the song before, ``out``, and in the next one, ``into``, its
    ``length``, and of how much of the next one it is made, ``source``: all in samples.
    """

    out: int
    into: int
    length: int
    source: int

    @property
    def on_beat(self) -> bool:
        """Whether the beats of both meet: a plain fade begins with the song."""
        return self.into > 0


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
    sounding = trimmed(samples)
    if sounding.shape[1] < decode.MIN_S * RATE:
        msg = "there is nothing to hear in it"
        raise AudioError(msg)
    even = audible(levelled(sounding))
    edge = round(_EDGE_S * RATE)
    tail_from = max(0, even.shape[1] - edge)
    head, tail = _grid(even[:, :edge]), _grid(even[:, tail_from:])
    if head.steady and tail.steady and _apart(head, tail) > MOST:  # one of both was misheard
        head, tail = replace(head, steady=False), replace(tail, steady=False)
    return Song(even, head, tail, tail_from)


def _apart(head: BeatGrid, tail: BeatGrid) -> float:
    """Return how far the periods, or half or double of them, are from each other, as a share."""
    octaves = np.log2(head.period / tail.period)
    return abs(float(2 ** (octaves - round(octaves))) - 1)


def _grid(samples: Floats) -> BeatGrid:
    return beat_grid(decode.resample(samples.mean(axis=0), RATE))


def _mixed(songs: Iterable[Song]) -> Iterator[Floats]:
    """Yield the stereo samples of the mix, a stretch at a time."""
    before: Song | None = None
    begin = 0
    for song in songs:
        if before is None:
            before = song
            continue
        cut = join(before, song, begin)
        yield before.samples[:, begin : cut.out]
        yield _crossed(*overlap(before, song, cut))
        before, begin = song, cut.into + cut.source
    if before is not None:
        yield before.samples[:, begin:]


def join(before: Song, song: Song, begin: int = 0) -> Join:
    """Return how a song follows another, of which what is before ``begin`` has been played."""
    on_beat = _on_beat(before, song)
    if on_beat and on_beat.out > begin and _room(on_beat, song):
        return _in_step(before, song, on_beat)
    room = before.samples.shape[1] - begin
    length = min(round(FADE_S * RATE), room // 2, song.samples.shape[1] // 3)
    return Join(before.samples.shape[1] - length, 0, length, length)


def _room(cut: Join, song: Song) -> bool:
    return bool(cut.into + 2 * cut.source < song.samples.shape[1])


def _on_beat(before: Song, song: Song) -> Join | None:
    """Return a fade of BEATS beats from one of both songs on; None where their beats do not meet.

    Half and double tempo are as good: every other beat meets then.
    """
    tail, head = before.tail, song.head
    most = MOST if can_stretch() else ALIKE
    if not (tail.steady and head.steady and _apart(head, tail) <= most):
        return None
    octave = 2 ** round(np.log2(head.period / tail.period))
    length, source = (round(BEATS * beat * RATE) for beat in (tail.period, head.period / octave))
    last = len(tail.clear) - BEATS
    passages = [at for at in tail.passages(BEATS) if at >= last - PHRASE]
    begins = [before.tail_from + round((tail.first + at * tail.period) * RATE) for at in passages]
    # The last beat of a grid may end some samples after the song.
    outs = [begin for begin in begins if begin + length <= before.samples.shape[1]]
    intos = [at for at in head.passages(round(BEATS / octave)) if at <= PHRASE]
    if not (outs and intos):
        return None
    into = round((head.first + intos[0] * head.period) * RATE)
    return Join(outs[-1], into, length, source)


def _in_step(before: Song, song: Song, cut: Join) -> Join:
    """Return a fade as it is, or half a beat later in the next song where more meets that way: one
    of both grids may lie between the beats.
    """
    out, into = map(_rises, overlap(before, song, cut))
    beat = cut.length / RATE / BEATS / STEP_S
    here, between = (_meeting(out, into, round(shift)) for shift in (0, beat / 2))
    later = replace(cut, into=cut.into + round(cut.source / BEATS / 2))
    return later if between > OFF_BEAT * here else cut


def _rises(samples: Floats) -> npt.NDArray[np.floating]:
    """Return where something begins in stereo samples, the bass counting as much as the rest."""
    curves = onset_curves(decode.resample(samples.mean(axis=0), RATE))
    return np.asarray(sum(curve / (curve.std() + 1e-9) for curve in curves))


def _meeting(out: npt.NDArray[np.floating], into: npt.NDArray[np.floating], shift: int) -> float:
    """Return how much begins together where the second curve comes so many steps earlier: the best
    of a few steps around.
    """
    size = min(len(out), len(into)) - shift - _AROUND
    padded = np.pad(into, (_AROUND, 0))
    moved = (padded[shift + by :][:size] for by in range(2 * _AROUND + 1))
    return max(float(out[: len(part)] @ part) for part in moved)


def overlap(before: Song, song: Song, cut: Join) -> tuple[Floats, Floats]:
    """Return what is faded out and what is faded in, both (2, length)."""
    out = before.samples[:, cut.out : cut.out + cut.length]
    samples = song.samples[:, cut.into : cut.into + cut.source + SPLICE]
    if cut.source != cut.length and can_stretch():
        samples = stretched(samples, cut.length + SPLICE)
    into = samples[:, : cut.length].copy()
    # The last samples go over into the song as it is, so that no splice is heard.
    rest = song.samples[:, cut.into + cut.source - SPLICE : cut.into + cut.source]
    share = np.linspace(0, 1, SPLICE, dtype=np.float32)
    into[:, -SPLICE:] = into[:, -SPLICE:] * (1 - share) + rest * share
    return out, into


def _crossed(out: Floats, into: Floats) -> Floats:
    """Fade with constant power; the sum of two songs passes no more than each of them."""
    angle = np.linspace(0, np.pi / 2, out.shape[1], dtype=np.float32)
    return limited(out * np.cos(angle) + into * np.sin(angle))


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
