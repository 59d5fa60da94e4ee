"""Sets mixed into one recording, measured: loudness, quiet stretches, peak, time.

How long a stretch stays below -28 LUFS, by FFmpeg's meter: momentary (0.4 s) and short-term (3 s),
of the songs levelled alone and of the mix.

python benchmarks/mix.py [--essentia]

With --essentia its beat tracker, which shares nothing with ours, says how far the beats of both
songs are from each other where they are joined on the beat (extra `benchmarks`).
"""

from __future__ import annotations

import tempfile
import time
from fractions import Fraction
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
from emotion_dj.music import decode, levelling, mix
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
FRAMES_PER_S = 10

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
            heard = [mix.stereo(path_of(pick.track)) for pick in music.picks]
            songs = [mix.prepare(samples) for samples in heard]
            mixed = mix.stereo(path)
            tell(mood, mixed, songs, seconds)
            tell_quiet([levelling.levelled(levelling.trimmed(one)) for one in heard], mixed)
            off += apart(songs) if given.essentia else []
    if off:
        spread(
            "beats of both songs in fades on the beat, apart", off, "ms", goal="10, none over 20"
        )


def tell(mood: str, mixed: Floats, songs: list[mix.Song], seconds: float) -> None:
    """Print what was measured on a mix of songs."""
    print(f"{mood}, {SONGS} songs: {mixed.shape[1] / mix.RATE:.0f} s in {seconds:.1f} s")
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


def tell_quiet(songs: list[Floats], mixed: Floats) -> None:
    """Print the longest stretches below what can be heard, before and after, and the true peak."""
    told = [measured(song) for song in songs]
    before = [max(longest(one[kind]) for one in told) for kind in ("M", "S")]
    after = measured(mixed)
    moment, short = (longest(after[kind]) for kind in ("M", "S"))
    print(f"  longest below -28 LUFS, momentary: songs {before[0]:.1f} s, mix {moment:.1f} s")
    print(f"  longest below -28 LUFS, short-term: songs {before[1]:.1f} s, mix {short:.1f} s")
    print(f"  true peak {20 * np.log10(max(after['true_peak'])):.1f} dBTP")


def longest(levels: list[float]) -> float:
    """Return the seconds of the longest run below AUDIBLE, without the first three, in which the
    meter is not full.
    """
    low = (level < levelling.AUDIBLE for level in levels[3 * FRAMES_PER_S :])
    return max((len(list(run)) for quiet, run in groupby(low) if quiet), default=0) / FRAMES_PER_S


def measured(samples: Floats) -> dict[str, list[float]]:
    """Return what FFmpeg's ebur128 says of stereo samples every 0.1 s."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=mix.RATE, format="fltp", layout="stereo", time_base=Fraction(1, mix.RATE)
    )
    meter, sink = graph.add("ebur128", "metadata=1:peak=true"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    told: dict[str, list[float]] = {"M": [], "S": [], "true_peak": []}
    step = mix.RATE // FRAMES_PER_S
    for start in range(0, samples.shape[1] - step + 1, step):
        part = np.ascontiguousarray(samples[:, start : start + step])
        frame = av.AudioFrame.from_ndarray(part, "fltp", "stereo")
        frame.sample_rate, frame.pts = mix.RATE, start
        source.push(frame)
        metadata = sink.pull().metadata
        for kind, values in told.items():
            values.append(float(metadata[f"lavfi.r128.{kind}"]))
    return told


if __name__ == "__main__":
    main()
