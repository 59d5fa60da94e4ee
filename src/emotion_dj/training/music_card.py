"""The card of the ear: what it is, what it learnt from, how well it hears."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from emotion_dj.artifacts import write_atomically
from emotion_dj.music.audio_model import ARTIFACT, SCALES, TARGETS
from emotion_dj.music.harmony import BASS, CHORDS, MELODY, MODES
from emotion_dj.music.network import FRAMES
from emotion_dj.music.spectrum import BANDS
from emotion_dj.training import music_fit as fit
from emotion_dj.training.placed import rounded
from emotion_dj.training.sounds import OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from emotion_dj.json_types import Json, JsonObject
    from emotion_dj.training.music import Taught
    from emotion_dj.training.music_data import TeacherLabels

HELD = (
    "A track that a figure was measured on was held from all that learnt: from the scales and the "
    "network too."
)
NOT_HELD = (
    "Scales and network are those of an earlier ear. Its teachers had heard these tracks, though "
    "nobody had told them what was felt: figures flatter by about 0.03 of R2."
)


def beginning(sha256: str, size: int) -> JsonObject:
    """Return what the artifact is."""
    return {
        "id": ARTIFACT,
        "file": f"{ARTIFACT}.npz",
        "sha256": sha256,
        "bytes": size,
        "task": "music -> affect, nine GEMS shares, an embedding",
        "input": {
            "features": list(fit.INPUTS),
            "excerpts": "three of 15 s, or a short track",
            "patches": f"{FRAMES} frames of {BANDS} mel bands in dB",
        },
        "gamma": {"valence": fit.VALENCE.gamma, "others": fit.OTHERS.gamma},
        "ridge": {"valence": fit.VALENCE.ridge, "others": fit.OTHERS.ridge},
        "counts_for_inputs": {"valence": _counts(fit.VALENCE), "others": _counts(fit.OTHERS)},
        "targets": list(TARGETS),
    }


def _counts(counts: fit.Counts) -> dict[str, float]:
    """Return how many inputs each kind of input counts for."""
    groups = {
        "key": fit.KEY,
        "rhythm": fit.RHYTHM,
        "melody": MELODY,
        "bass": BASS,
        "modes": MODES,
        "chords": CHORDS,
        "measured": fit.INPUTS,
    }
    sums = {kind: sum(counts.measured.get(n, 0.0) for n in names) for kind, names in groups.items()}
    told = {"scales": counts.scales * len(SCALES), "sounds": counts.sounds}
    return rounded({**sums, **told, "changes": counts.changes})


def taught(teachers: Taught, on_tracks: Sequence[float], on_genres: Sequence[float]) -> JsonObject:
    """Return who taught the ear, and how well it understood them."""
    return {
        "scales": {
            "names": list(SCALES),
            "gamma": fit.SCALES_GAMMA,
            "ridge": fit.SCALES_RIDGE,
            "teacher": "VibeNet 0.1 (PyPI, GPL): its answers were learnt, nothing of it ships",
            "pieces": len(teachers.lessons.files),
            "r2_against_the_teacher_five_fold_by_file": _told_again(teachers.lessons),
        },
        "sounds": {
            "teacher": "musicnn 0.1 (PyPI, ISC), both of its models: tags of MagnaTagATune, whose "
            "recordings come from Emotify's label, and of the Million Song Dataset. Neither was "
            "told what listeners felt. Their answers were learnt, nothing of them ships",
            "patches": len(teachers.sounds.files),
            "answers": teachers.sounds.answers.shape[1],
            "outputs": OUTPUTS,
            "epochs": teachers.epochs,
            "r2_against_the_teachers_five_fold_by_track": _mean(on_tracks),
            "r2_against_the_teachers_genre_held_out": _mean(on_genres),
        },
        "held_back": HELD,
    }


def kept(card: Mapping[str, Json]) -> JsonObject:
    """Return what an earlier card says of the teachers."""
    counts = {"counts_for_inputs", "changes_count_for_inputs"}
    sounds = {name: value for name, value in card["sounds"].items() if name not in counts}
    return {"scales": card["scales"], "sounds": sounds, "held_back": NOT_HELD}


def end() -> JsonObject:
    """Return where it comes from and what it cannot do."""
    return {
        "data": "Emotify (300 of 400 tracks; research use); for what the teachers say also music "
        "that Debian and PyPI ship. The recordings are not distributed.",
        "licence": "Apache-2.0 (weights)",
        "limits": "Trained on classical, electronic, pop and rock of one netlabel. Valence is "
        "heard poorly by everything that listens to sound alone, and not at all in a genre that "
        "was not learnt from, where the network too says least of what its teachers would; lyrics "
        "are not understood. Figures move by 0.02 with the split.",
    }


def write(card: Mapping[str, Json], path: Path) -> None:
    """Write a card beside its weights."""
    write_atomically(path, (json.dumps(card, indent=2) + "\n").encode())


def mean_of(figures: Sequence[Mapping[str, Json]]) -> JsonObject:
    """Return the mean of figures of one form, however deep, with three digits."""
    first = figures[0]
    means = {
        name: mean_of([one[name] for one in figures])
        if isinstance(value, dict)
        else float(np.mean([one[name] for one in figures]))
        for name, value in first.items()
    }
    return rounded(means)


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 3) if values else None


def _told_again(lessons: TeacherLabels) -> dict[str, float]:
    """Return how well the scales are predicted in files that were not learnt from."""
    names, numbers = np.unique(lessons.files, return_inverse=True)
    folds = (np.random.default_rng(0).permutation(len(names)) % 5)[numbers]
    said = np.zeros_like(lessons.scales)
    for fold in range(5):
        held = folds == fold
        said[held] = fit.fit_scales(lessons, ~held)(lessons.vectors[held])
    error = ((lessons.scales - said) ** 2).sum(0)
    total = ((lessons.scales - lessons.scales.mean(0)) ** 2).sum(0)
    return rounded(dict(zip(SCALES, map(float, 1 - error / total), strict=True)))
