"""Sets mixed into one recording, measured: loudness of songs and fades, silence, peak, time.

python benchmarks/mix.py [--essentia]

With --essentia its beat tracker, which shares nothing with ours, says how far the beats of both
songs are from each other where they are joined on the beat (extra `benchmarks`).
"""

from __future__ import annotations

import tempfile
import time
from itertools import groupby, pairwise
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from asked import need, parser
from spread import spread

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Mood
from emotion_dj.music import decode, mix
from emotion_dj.music.loudness import loudness
from emotion_dj.music.spectrum import spectra
from emotion_dj.sources.local import path_of

MOODS: tuple[Mood, ...] = tuple(Mood)
SONGS = 5
AROUND = 8 * mix.RATE
CONTEXT = 16 * mix.RATE
"""What a beat tracker hears beside a fade, which alone is too short for it."""

ESSENTIA_RATE = 44_100
EARLY_S = 0.1
BLOCK = mix.RATE // 20

Floats = npt.NDArray[np.float32]


def main() -> None:
    """Mix a set of the demo library for each mood and measure the file."""
    options = parser(__doc__)
    options.add_argument("--essentia", action="store_true", help="ask another beat tracker")
    given = options.parse_args()
    need("immich_memories_music", *(["essentia"] if given.essentia else []))
    off: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database=str(Path(folder) / "catalogue.sqlite"), workers=1)
        dj = EmotionDJ(library=["demo"], settings=settings)
        dj.library.scan()
        for mood in MOODS:
            music = dj.recommend(mood=mood, n=SONGS)
            path = Path(folder) / f"{mood}.flac"
            began = time.perf_counter()
            dj.mix(music, path)
            seconds = time.perf_counter() - began
            songs = [mix.prepare(mix.stereo(path_of(pick.track))) for pick in music.picks]
            tell(mood, mix.stereo(path), songs, seconds)
            off += apart(songs) if given.essentia else []
    if off:
        spread(
            "beats of both songs in fades on the beat, apart", off, "ms", goal="10, none over 20"
        )


def tell(mood: str, mixed: Floats, songs: list[mix.Song], seconds: float) -> None:
    """Print what was measured on a mix of songs."""
    length, peak = mixed.shape[1] / mix.RATE, 20 * np.log10(np.abs(mixed).max())
    print(f"{mood}, {SONGS} songs: {length:.0f} s in {seconds:.1f} s, peak {peak:.1f} dBFS")
    spread("  songs", [level(song.samples) for song in songs], "LUFS", goal="-16")
    steps = []
    begin = place = 0
    for before, song in pairwise(songs):
        cut = mix.join(before, song, begin)
        fade = cut.length
        place += cut.out - begin
        steps.append(
            level(mixed[:, place : place + fade]) - level(mixed[:, place - AROUND : place])
        )
        on_beat = "on the beat" if cut.on_beat else "plain"
        print(f"  fade at {place / mix.RATE:.1f} s, {fade / mix.RATE:.1f} s, {on_beat}")
        place, begin = place + fade, cut.into + cut.source
    spread("  fades against the 8 s before them", steps, "LU")
    print(f"  longest silence {silence(mixed):.2f} s")


def apart(songs: list[mix.Song]) -> list[float]:
    """Return how many milliseconds each beat of a song that is faded out is from the nearest one of
    the next song, as Essentia hears them.
    """
    off: list[float] = []
    begin = 0
    for before, song in pairwise(songs):
        cut = mix.join(before, song, begin)
        begin = cut.into + cut.source
        if not cut.on_beat:
            continue
        start = max(0, cut.out - CONTEXT)
        out = (
            tracked(before.samples[:, start : cut.out + cut.length]) - (cut.out - start) / mix.RATE
        )
        rest = song.samples[:, begin : begin + CONTEXT]
        into = tracked(np.hstack([mix.overlap(before, song, cut)[1], rest]))
        # No tracker tells a beat with which its music begins.
        inside = out[(out > into.min(initial=np.inf) - EARLY_S) & (out < cut.length / mix.RATE)]
        off += [1000 * float(np.abs(into - beat).min()) for beat in inside]
    return off


def tracked(samples: Floats) -> npt.NDArray[np.float64]:
    """Return the beats of stereo samples in seconds (Zapata, Davies & Gomez 2014)."""
    from essentia.standard import BeatTrackerMultiFeature

    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples.mean(axis=0, keepdims=True)), format="fltp", layout="mono"
    )
    frame.sample_rate = mix.RATE
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=ESSENTIA_RATE)
    pieces = [p.to_ndarray()[0] for p in (*resampler.resample(frame), *resampler.resample(None))]
    beats, _ = BeatTrackerMultiFeature()(np.concatenate(pieces))
    return np.asarray(beats, np.float64)


def level(samples: Floats) -> float:
    """Return the loudness of stereo samples in LUFS."""
    mono = decode.resample(samples.mean(axis=0), mix.RATE)
    width = 2 * float(np.square(samples).mean()) / float(np.square(mono).mean())
    return loudness(spectra(decode.Signal((mono,), None, 1.0)), width=width).integrated


def silence(samples: Floats) -> float:
    """Return the seconds of the longest stretch below what counts as silence."""
    blocks = samples[:, : samples.shape[1] // BLOCK * BLOCK].reshape(2, -1, BLOCK)
    quiet = np.abs(blocks).max(axis=(0, 2)) < 10 ** (mix.QUIET / 20)
    return max((len(list(run)) for still, run in groupby(quiet) if still), default=0) / 20


if __name__ == "__main__":
    main()
