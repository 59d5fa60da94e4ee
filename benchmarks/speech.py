"""How well speech is told from music: spoken files caught, songs kept out, by speaker.

python benchmarks/speech.py SOUNDS --music ../shared/data/music/emotify --other FOLDER

SOUNDS is a folder with one of recordings for each speaker, of any length: they are joined to
minutes. Each speaker is judged by weights that were fitted to the others, each song by those fitted
to four fifths of the rest, whole and as a telephone would send it; the songs of --other by the
weights that are shipped. --weights prints new ones, for `emotion_dj.eligibility`.
"""

from __future__ import annotations

import random
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from asked import parser

from emotion_dj.app import model_registry
from emotion_dj.eligibility import SHORTEST_S, SPOKEN, sounds_spoken
from emotion_dj.errors import AudioError
from emotion_dj.music.decode import decode
from emotion_dj.sources.folders import is_audio

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    import numpy.typing as npt

    from emotion_dj.interfaces import AudioAnalyser

    Floats = npt.NDArray[np.float64]

MINUTES, MINUTE_S, TELEPHONE = 14, 60, 8000
GAPS_S = (0.1, 0.7)
RIDGE, STEPS, FOLDS = 1.0, 30, 5


def main() -> None:
    """Hear everything once, then fit and judge."""
    asked = _asked()
    audio_model = model_registry.audio_model()
    with tempfile.TemporaryDirectory() as folder:
        spoken = {
            speaker.name: _heard(audio_model, joined(speaker, Path(folder)))
            for speaker in sorted(asked.sounds.iterdir())
        }
        names = _audio(asked.music)
        music = _heard(audio_model, names)
        far = _heard(audio_model, (telephone(path, Path(folder)) for path in names))
    _judge(spoken, music, far)
    if asked.other:
        _judge_others(audio_model, asked.other)
    if asked.weights:
        songs = np.concatenate([music, far])
        print([round(float(w), 3) for w in fitted(np.concatenate(list(spoken.values())), songs)])


def _asked() -> Namespace:
    asks = parser(__doc__)
    asks.add_argument("sounds", type=Path)
    asks.add_argument("--music", type=Path, required=True)
    asks.add_argument("--other", type=Path)
    asks.add_argument("--weights", action="store_true")
    return asks.parse_args()


def _judge(spoken: dict[str, Floats], music: Floats, far: Floats) -> None:
    """Print what is caught of each speaker and kept out of the songs, judged by others."""
    songs = np.concatenate([music, far])
    fold = np.tile([zlib.crc32(bytes([i % 256, i // 256])) % FOLDS for i in range(len(music))], 2)
    caught, total = 0, 0
    for speaker, sounds in spoken.items():
        others = np.concatenate(
            [s for name, s in spoken.items() if _voice(name) != _voice(speaker)]
        )
        hits = int(_is_spoken(fitted(others, songs), sounds).sum())
        print(f"{speaker}: {hits} of {len(sounds)} caught")
        caught, total = caught + hits, total + len(sounds)
    print(f"all speakers: {100 * caught / total:.1f} of 100 caught  (asked: 95)")
    voices, out = np.concatenate(list(spoken.values())), np.zeros(len(songs), bool)
    for part in range(FOLDS):
        out[fold == part] = _is_spoken(fitted(voices, songs[fold != part]), songs[fold == part])
    for name, kept in (("songs", out[: len(music)]), ("by telephone", out[len(music) :])):
        print(f"{name}: {int(kept.sum())} of {len(kept)} kept out  (asked: 2 of 100)")


def _judge_others(audio_model: AudioAnalyser, folder: Path) -> None:
    """Print which songs of a folder the shipped weights take for speech."""
    long_enough = [path for path in _audio(folder) if (_duration(path) or 0) >= SHORTEST_S]
    out = sounds_spoken([audio_model.id] * len(long_enough), list(_heard(audio_model, long_enough)))
    print(f"other songs: {sum(out)} of {len(out)} kept out", *_named(long_enough, out))


def _named(paths: list[Path], out: Iterable[bool]) -> list[str]:
    return [path.name for path, is_out in zip(paths, out, strict=True) if is_out]


def _voice(speaker: str) -> str:
    """Return who speaks: one person may read two languages, in folders `ann-en` and `ann-es`."""
    return speaker.partition("-")[0]


def fitted(spoken: Floats, songs: Floats) -> Floats:
    """Return weights (d + 1,) of a logistic regression, the last one the offset, by Newton's
    method; both kinds count the same.
    """
    rows = np.hstack([np.concatenate([spoken, songs]), np.ones((len(spoken) + len(songs), 1))])
    truth = np.repeat([1.0, 0.0], [len(spoken), len(songs)])
    counts = np.repeat([0.5 / len(spoken), 0.5 / len(songs)], [len(spoken), len(songs)]) * len(rows)
    ridge = RIDGE * rows.std(axis=0) ** 2
    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-rows @ weights))
        steep = (rows * (counts * share * (1 - share))[:, None]).T @ rows + np.diag(ridge + 1e-6)
        weights += np.linalg.solve(steep, rows.T @ (counts * (truth - share)) - ridge * weights)
    return weights


def _is_spoken(weights: Floats, rows: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(rows @ weights[:-1] + weights[-1] > SPOKEN)


def joined(speaker: Path, folder: Path) -> list[Path]:
    """Write the recordings of a speaker, in a random order with pauses, as minutes."""
    chance, held = random.Random(speaker.name), [np.zeros(0, np.float32)]  # noqa: S311
    paths: list[Path] = []
    recordings = _audio(speaker)
    chance.shuffle(recordings)
    rate = 0
    for path in recordings:
        samples, own = _decoded(path)
        rate = rate or own
        if own != rate:
            continue
        held += [samples, np.zeros(int(chance.uniform(*GAPS_S) * rate), np.float32)]
        if sum(map(len, held)) >= MINUTE_S * rate:
            paths.append(folder / f"{speaker.name}-{len(paths)}.flac")
            _write(paths[-1], np.concatenate(held)[: MINUTE_S * rate], rate)
            held = []
        if len(paths) == MINUTES:
            break
    return paths


def telephone(path: Path, folder: Path) -> Path:
    """Write what is heard of a song in the band of a telephone."""
    signal = decode(path)
    frame = av.AudioFrame.from_ndarray(
        np.concatenate(signal.excerpts)[None], format="fltp", layout="mono"
    )
    frame.sample_rate = 22_050
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=TELEPHONE)
    pieces = [p.to_ndarray()[0] for p in (*resampler.resample(frame), *resampler.resample(None))]
    file = folder / f"{path.stem}-far.flac"
    _write(file, np.concatenate(pieces), TELEPHONE)
    return file


def _decoded(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """Return the samples of a short mono recording, and its rate."""
    with av.open(str(path)) as container:
        frames: list[Any] = list(container.decode(audio=0))
    whole = [np.asarray(frame.to_ndarray(), np.float32).mean(axis=0) for frame in frames]
    scale = 1 / 32_768 if frames and frames[0].format.name.startswith("s16") else 1.0
    return np.concatenate([np.zeros(0, np.float32), *whole]) * np.float32(scale), (
        frames[0].sample_rate if frames else 0
    )


def _write(path: Path, samples: npt.NDArray[np.float32], rate: int) -> None:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("flac", rate=rate, layout="mono")
        whole = (np.clip(samples, -1, 1) * 32_767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)


def _duration(path: Path) -> float | None:
    try:
        with av.open(str(path)) as container:
            return container.duration / av.time_base if container.duration else None
    except av.FFmpegError:
        return None


def _audio(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if is_audio(path.name))


def _heard(audio_model: AudioAnalyser, paths: Iterable[Path]) -> Floats:
    """Return the embeddings of files (n, d)."""
    rows = []
    for path in paths:
        try:
            rows.append(audio_model.analyse(path).embedding)
        except AudioError as error:
            print(f"passed over: {error}")
            rows.append(tuple(0.0 for _ in rows[0]))
    return np.asarray(rows, np.float16).astype(np.float64)


if __name__ == "__main__":
    main()
