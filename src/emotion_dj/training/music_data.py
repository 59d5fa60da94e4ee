"""What the ear learns from: tables of what listeners felt, music to hear, a teacher's answers.

Emotify: Aljanaki, Wiering & Veltkamp 2016, "Studying emotion induced by music through a
crowdsourcing game".
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, is_zipfile

import numpy as np
import numpy.typing as npt

from emotion_dj.errors import AudioError, DataError
from emotion_dj.music.audio_model import GEMS, SCALES
from emotion_dj.music.decode import decode
from emotion_dj.music.features import measure
from emotion_dj.music.network import patches
from emotion_dj.music.spectrum import spectra
from emotion_dj.sources.table_files import named_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from emotion_dj.json_types import JsonObject

    Floats = npt.NDArray[np.float32]
    Kept = npt.NDArray[np.floating]
    Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """n tracks: ``vectors`` (n, len(NAMES)), ``sounds``: what was kept of each one's mel spectra,
    ``targets`` (n, len(TARGETS)), ``variance`` (n,): how noisy its targets are against the usual
    track's, genres and files; ``passed_over`` says of each other track why it could not be heard.
    """

    vectors: Floats
    sounds: tuple[Kept, ...]
    targets: Floats
    variance: Floats
    genres: tuple[str, ...]
    files: tuple[str, ...]
    passed_over: tuple[str, ...] = ()


def in_patches(mels: Sequence[Floats]) -> Kept:
    """Return what a network learns to hear of mel spectra: patches in half precision."""
    return patches(mels).astype(np.float16)


def read_emotify(
    table: Path,
    audio: Path,
    *,
    keep: Callable[[Sequence[Floats]], Kept] = in_patches,
    report: Report = lambda _d, _t: None,
) -> Corpus:
    """Hear every track of a table in Emotify's form; one that cannot be heard is passed over.

    ``keep`` makes of a track's mel spectra what is kept of them. Raises DataError.
    """
    rows = _ratings(table)
    heard, vectors, sounds, passed_over = [], [], [], []
    for number, row in enumerate(rows, start=1):
        try:
            vector, mels = _heard(audio / row["file"])
        except AudioError as error:
            passed_over.append(str(error))
        else:
            vectors.append(vector)
            sounds.append(keep(mels))
            heard.append(row)
        report(number, len(rows))
    if not heard:
        msg = f"no track of {table} can be heard: {passed_over[0]}"
        raise DataError(msg)
    shares = [{name: row[name] for name in GEMS} for row in heard]
    raters = np.array([row["raters"] for row in heard])
    targets = [[*proxies(share), *share.values()] for share in shares]
    variance = (raters.mean() / raters).astype(np.float32)  # the variance of a mean
    truth = np.array(targets, np.float32)
    genres, files = (tuple(row[name] for row in heard) for name in ("genre", "file"))
    return Corpus(
        np.array(vectors), tuple(sounds), truth, variance, genres, files, tuple(passed_over)
    )


def _heard(path: Path) -> tuple[Floats, tuple[Floats, ...]]:
    if not path.is_file():
        msg = f"{path} does not exist"
        raise AudioError(msg)
    signal = decode(path)
    seen = spectra(signal)
    return measure(signal, seen).vector, seen.mel


def _number(value: Any, row: int) -> float:
    number = float(value)
    if not isfinite(number):
        msg = f"row {row} holds {value}, which is not a number"
        raise ValueError(msg)
    return number


def _ratings(table: Path) -> list[JsonObject]:
    """Return the rows of a table in Emotify's form: file, genre, raters and GEMS as numbers."""
    rows: list[JsonObject] = []
    try:
        for number, row in enumerate(named_rows(table), start=1):
            told = {name: _number(row[name], number) for name in GEMS}
            raters = max(_number(row.get("raters") or 1, number), 1)
            known = {"file": row["file"], "genre": row.get("genre") or "", "raters": raters}
            rows.append(told | known)
    except (KeyError, ValueError, TypeError) as error:
        msg = f"{table} is not a table in Emotify's form (file, nine emotions): {error}"
        raise DataError(msg) from error
    return rows


def proxies(share: dict[str, float]) -> tuple[float, float]:
    """Return valence and arousal as sums over the nine scales, as data/README.md defines them."""
    bright = share["joyful_activation"] + 0.5 * share["tenderness"] + 0.3 * share["calmness"]
    strong = share["joyful_activation"] + share["power"] + share["tension"]
    valence = bright - share["sadness"] - share["tension"]
    arousal = strong - share["calmness"] - share["tenderness"] - 0.5 * share["sadness"]
    return valence, arousal


@dataclass(frozen=True, slots=True, eq=False)
class TeacherLabels:
    """What a teacher said of m pieces of music: ``vectors`` (m, measured), ``scales`` (m, 7) and
    the ``files`` that they were cut from.
    """

    vectors: Floats
    scales: Floats
    files: npt.NDArray[np.str_]


def read_lessons(path: Path, measured: Sequence[str]) -> TeacherLabels:
    """Read what `scripts/hear-with-vibenet.py` wrote, and of its vectors what is asked for by name.

    Raises DataError.
    """
    with arrays(path, "scales") as file:
        told = [str(name) for name in file["scales"]]
        columns = [told.index(name) for name in SCALES]
        features = [str(name) for name in file["features"]]
        if not set(measured) <= set(features):
            msg = f"{path} was made with other measurements: hear the music again"
            raise DataError(msg)
        vectors = file["vectors"][:, [features.index(name) for name in measured]]
        return TeacherLabels(vectors, file["answers"][:, columns], file["files"])


@contextmanager
def arrays(path: Path, kind: str) -> Iterator[Mapping[str, Any]]:
    """Open a file of what teachers said; whatever does not fit in it raises DataError."""
    try:
        if path.exists() and not is_zipfile(path):
            msg = "it is not in NumPy's .npz form"
            raise ValueError(msg)  # noqa: TRY301 - told as every other fault is
        with np.load(path, allow_pickle=False) as file:
            yield file
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        msg = f"{path} is not a file of {kind}: {error}"
        raise DataError(msg) from error
