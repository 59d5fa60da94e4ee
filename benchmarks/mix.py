"""Sets mixed into one recording, measured: loudness, quiet stretches, peak, time.

How long a stretch stays below -28 LUFS, by FFmpeg's meter: momentary (0.4 s) and short-term (3 s),
of the songs levelled alone and of the mix.

python benchmarks/mix.py [--essentia] [--folder MUSIC]

With --essentia its beat trackers, which share nothing with ours, say instead how far the beats of
both songs are from each other where any two of the demo library's songs, or of a folder's, are
joined on the beat (extra `benchmarks`). Degara's judges: drums whose beats are known it tells 4 ms
early to 12 ms late. The other one chooses among five, and tells them 14 ms early to 20 ms late; it
is asked for the same beats, since each finds others at times.
"""

from __future__ import annotations

import tempfile
import time
from fractions import Fraction
from importlib.resources import files
from itertools import groupby, pairwise, permutations
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from asked import need, parser
from spread import spread

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Mood
from emotion_dj.music import decode, levelling, mix, stretch
from emotion_dj.music.loudness import loudness
from emotion_dj.music.spectrum import spectra
from emotion_dj.sources.local import path_of

MOODS: tuple[Mood, ...] = tuple(Mood)
SONGS = 5
MOST_SONGS = 40
ENDS_S = 40
PAIRS = 80
SUFFIXES = {".flac", ".m4a", ".mp3", ".ogg", ".opus"}
NEAR_MS = 20
GOAL = f"10, none over {NEAR_MS}"
AROUND = 8 * mix.RATE
CONTEXT = 16 * mix.RATE
"""What a beat tracker hears beside a fade, which alone is too short for it."""

ESSENTIA_RATE = 44_100
SAME_S = 0.045
"""How far both trackers may be from each other: they are not equally late."""

EARLY_S = 0.1
FRAMES_PER_S = 10

Floats = npt.NDArray[np.float32]
Beats = npt.NDArray[np.float64]


def main() -> None:
    """Measure mixes, or their beats alone."""
    options = parser(__doc__)
    options.add_argument("--essentia", action="store_true", help="ask other beat trackers")
    options.add_argument("--folder", type=Path, help="of music, not the demo library")
    given = options.parse_args()
    need("immich_memories_music", *(["essentia"] if given.essentia else []))
    if given.essentia:
        judge(given.folder or Path(str(files("immich_memories_music"))))
    else:
        measure(str(given.folder or "demo"))


def measure(library: str) -> None:
    """Mix a set of a library for each mood and measure the file."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database=str(Path(folder) / "catalogue.sqlite"), workers=1)
        dj = EmotionDJ(library=[library], settings=settings)
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


def judge(folder: Path) -> None:
    """Print how many pairs of songs are joined on the beat, and how far their beats are apart."""
    chance = np.random.default_rng(0)
    paths = np.array([path for path in sorted(folder.rglob("*.*")) if path.suffix in SUFFIXES])
    songs = [prepared(path) for path in chance.permutation(paths)[:MOST_SONGS]]
    alike = [pair for pair in permutations(songs, 2) if near(*pair)]
    met = [pair for pair in alike if mix.join(*pair).on_beat]
    print(f"{len(alike)} pairs of {len(songs)} songs have tempi that can meet, {len(met)} do")
    told = [apart(*met[at]) for at in chance.permutation(len(met))[:PAIRS]]
    tell_beats("all joins", [off for off, _, _ in told if off])
    tell_beats("where both trackers find the same beats", [off for off, _, same in told if same])
    tell_beats("all joins, by the other tracker", [off for _, off, _ in told if off])


def tell_beats(name: str, joins: list[list[float]]) -> None:
    """Print how far beats are apart, given in milliseconds for each join."""
    print(f"{name}: {len(joins)}")
    spread("  beats, apart", [abs(ms) for off in joins for ms in off], "ms", goal=GOAL)
    middles = [abs(float(np.median(off))) for off in joins]
    spread("  the median beat of each", middles, "ms", goal=GOAL)
    print(f"  of which within {NEAR_MS} ms: {sum(off <= NEAR_MS for off in middles)}")


def prepared(file: Path) -> mix.Song:
    """Return a song of which only the beginning and the end are kept."""
    heard = levelling.trimmed(mix.stereo(file))
    ends = ENDS_S * mix.RATE
    both = np.hstack([heard[:, :ends], heard[:, -ends:]]) if heard.shape[1] > 2 * ends else heard
    return mix.prepare(both)


def near(before: mix.Song, song: mix.Song) -> bool:
    """Tell whether tempi, or half or double of them, are within what is stretched."""
    octaves = float(np.log2(song.head.period / before.tail.period))
    return abs(float(2 ** (octaves - round(octaves))) - 1) <= stretch.MOST


def apart(before: mix.Song, song: mix.Song) -> tuple[list[float], list[float], bool]:
    """Return how many milliseconds each beat of the song that has fewer is from the nearest one of
    the other, as each of Essentia's trackers hears them, and whether both find the same beats.
    """
    cut = mix.join(before, song)
    start = max(0, cut.out - CONTEXT)
    rest = song.samples[:, cut.into + cut.source :][:, :CONTEXT]
    into = np.hstack([mix.overlap(before, song, cut)[1], rest])
    out = before.samples[:, start : cut.out + cut.length + CONTEXT]
    length, lead = cut.length / mix.RATE, (cut.out - start) / mix.RATE
    heard = [(a - lead, b) for a, b in zip(tracked(out), tracked(into), strict=True)]
    same = all(agree(one, other, length) for one, other in zip(*heard, strict=True))
    return between(*heard[0], length), between(*heard[1], length), same


def between(one: Beats, other: Beats, length: float) -> list[float]:
    """Return the milliseconds from the beats within so many seconds of one, or of the other where
    it has fewer, to the nearest of the other.
    """
    # No tracker tells a beat with which its music begins.
    first = max(0.0, max(one.min(initial=length), other.min(initial=length)) - EARLY_S)
    few, many = sorted(
        (beats[(beats > first) & (beats < length)] for beats in (one, other)), key=len
    )
    return [1000 * float((many - beat)[np.abs(many - beat).argmin()]) for beat in few]


def agree(one: Beats, other: Beats, length: float) -> bool:
    """Tell whether two trackers have the same beats of the fade, or one every other of them."""
    off = between(one, other, length)
    return bool(off) and max(map(abs, off)) < 1000 * SAME_S


def tracked(samples: Floats) -> tuple[Beats, Beats]:
    """Return the beats of stereo samples in seconds by Degara et al. (2012) and by Zapata, Davies &
    Gomez (2014).
    """
    from essentia.standard import BeatTrackerDegara, BeatTrackerMultiFeature

    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples.mean(axis=0, keepdims=True)), format="fltp", layout="mono"
    )
    frame.sample_rate = mix.RATE
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=ESSENTIA_RATE)
    pieces = [p.to_ndarray()[0] for p in (*resampler.resample(frame), *resampler.resample(None))]
    mono = np.concatenate(pieces)
    beats = BeatTrackerDegara()(mono), BeatTrackerMultiFeature()(mono)[0]
    return np.asarray(beats[0], np.float64), np.asarray(beats[1], np.float64)


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
