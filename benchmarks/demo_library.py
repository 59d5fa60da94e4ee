"""How well the ear hears tempo and key of the demo library, where both are known.

python benchmarks/demo_library.py
"""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

from asked import need, parser

from emotion_dj.app import model_registry
from emotion_dj.ranking.ranker import PITCH_NAMES
from emotion_dj.sources.demo import demo
from emotion_dj.sources.local import path_of

TEMPO_ERROR = 0.04
FLATS = {"Db": "C#", "D#": "Eb", "Gb": "F#", "G#": "Ab", "A#": "Bb"}


def main() -> None:
    """Hear every track and compare."""
    parser(__doc__).parse_args()
    need("immich_memories_music")
    known = truth()
    audio_model = model_registry.audio_model()
    tempo = key = near = 0
    for track in demo().tracks():
        path = path_of(track)
        heard = audio_model.analyse(path)
        bpm, wanted = known[path.name]
        tempo += is_tempo(heard.features.tempo, bpm)
        found = (heard.features.key, heard.features.mode)
        key += found == wanted
        near += found == relative(*wanted)
    print(f"tempo within 4 %, octave allowed: {tempo} of {len(known)}  (asked: 24)")
    print(f"key: {key} of {len(known)}, and {near} relative  (asked: 16)")


def truth() -> dict[str, tuple[float, tuple[int, int]]]:
    """Return file name -> (tempo, (key, mode)) as the licence file of the package lists them."""
    files = distribution("immich-memories-music").files or []
    path = next(file for file in files if "LICENSE-MUSIC" in str(file))
    rows = re.findall(
        r"(\S+\.opus).*?(\d+)\s*BPM.*?\b([A-G][b#]?)\s+(major|minor)",
        path.read_text(),
        re.IGNORECASE,
    )
    return {
        Path(name).name: (
            float(bpm),
            (PITCH_NAMES.index(FLATS.get(note, note)), int(mode == "major")),
        )
        for name, bpm, note, mode in rows
    }


def is_tempo(found: float | None, bpm: float) -> bool:
    """Say whether a tempo is right within 4 %, at any octave."""
    return found is not None and any(
        abs(found / (bpm * octave) - 1) < TEMPO_ERROR for octave in (0.5, 1, 2)
    )


def relative(key: int, mode: int) -> tuple[int, int]:
    """Return the key with the same notes."""
    return ((key + 9) % 12, 0) if mode else ((key + 3) % 12, 1)


if __name__ == "__main__":
    main()
