"""The ear that ships, on real music."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import artifacts
from emotion_dj.artifacts import Artifact
from emotion_dj.errors import ArtifactError
from emotion_dj.music.audio_model import GEMS, SCALES, AudioModel, on_plane, tapped
from emotion_dj.training.metrics import ece, f1, fit_temperature
from emotion_dj.training.music_data import proxies

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import Analysis


@pytest.fixture(scope="module")
def heard(demo_music: Path) -> dict[Path, Analysis]:
    """Return what the ear hears in every demo track."""
    audio_model = AudioModel()
    return {path: audio_model.analyse(path) for path in sorted(demo_music.glob("*/*.opus"))}


def test_an_analysis_is_whole(heard: dict[Path, Analysis]) -> None:
    """Every value lies in its range, and the analyser signs what it measured."""
    for analysis in heard.values():
        point = analysis.affect
        assert abs(point.valence) <= 1 >= abs(point.arousal)
        assert 0 < point.uncertainty < 1
        assert tuple(analysis.gems) == GEMS
        assert all(0 <= share <= 1 for share in analysis.gems.values())
        assert np.linalg.norm(analysis.embedding) == pytest.approx(1, abs=1e-3)
        assert analysis.features.analyser == "ear-6"
        assert -40 < (analysis.features.loudness or 0) < 0


def test_versions_of_one_song_sound_alike(heard: dict[Path, Analysis]) -> None:
    """Tracks of one mood and style are nearer in the embedding than others, on average."""
    rows = np.array([analysis.embedding for analysis in heard.values()])
    kinds = np.array([path.stem.rsplit("_", 1)[0] for path in heard])
    alike = rows @ rows.T
    same = (kinds[:, None] == kinds[None]) & ~np.eye(len(rows), dtype=bool)
    assert alike[same].mean() > alike[kinds[:, None] != kinds[None]].mean() + 0.2


def test_the_same_file_is_heard_the_same(heard: dict[Path, Analysis], demo_music: Path) -> None:
    """Analysis is deterministic."""
    path = demo_music / "calm" / "calm_acoustic_1.opus"
    assert AudioModel().analyse(path) == heard[path]


def test_weights_that_do_not_fit_their_card_are_refused(tmp_path: Path) -> None:
    """A card that names a feature nobody measures, or weights cut short, stop at load."""
    artifact = artifacts.packaged("ear-6")
    card = json.loads(json.dumps(dict(artifact.card)))
    card["input"]["features"][0] = "smell"
    with pytest.raises(ArtifactError, match="do not fit their card"):
        AudioModel(Artifact(artifact.path, card))
    (tmp_path / "ear.npz").write_bytes(b"no archive")
    with pytest.raises(ArtifactError, match="do not fit their card"):
        AudioModel(Artifact(tmp_path / "ear.npz", artifact.card))


@pytest.mark.needs_shared
def test_the_ear_hears_what_listeners_felt(shared: Path) -> None:
    """On a sample of its training music, places follow what listeners said."""
    audio_model, rows = AudioModel(), []
    with (shared / "data/music/emotify.csv").open(newline="") as file:
        for row in list(csv.DictReader(file))[::20]:
            at = audio_model.analyse(shared / "data/music/emotify" / row["file"]).affect
            felt = proxies({name: float(row[name]) for name in GEMS})
            rows.append((at.valence, at.arousal, *felt))
    agreed = np.corrcoef(np.array(rows).T)
    assert agreed[0, 2] > 0.8
    assert agreed[1, 3] > 0.8


def test_expected_and_felt_are_placed_by_one_line() -> None:
    """The mean of the listeners stands in the middle, a deviation of theirs reaches so far, and the
    plane ends.
    """
    plane = {"mean": [0.1, -0.2], "deviation": [0.5, 2.0], "reach": 0.4}
    felt = np.array([[0.1, -0.2], [0.6, -2.2], [9.0, -99.0]], np.float32)
    assert on_plane(felt, plane) == pytest.approx(
        np.array([[0, 0], [0.4, -0.4], [1, -1]]), abs=1e-6
    )


@pytest.mark.parametrize(
    ("tempo", "energy", "danceability", "arousal", "is_tapped"),
    [
        (85.0, 0.99, 0.4, 0.5, 170.0),  # metal, whose snare comes on every other beat
        (95.0, 0.99, 0.4, 0.5, 190.0),
        (135.0, 0.99, 0.4, 0.5, 135.0),
        (90.0, 0.8, 0.8, 0.5, 90.0),  # hip-hop
        (90.0, 0.99, 0.4, -0.2, 90.0),
        (68.0, 0.2, 0.5, -0.8, 68.0),  # a ballad
    ],
)
def test_the_octave_of_tempo_is_decided_by_what_else_is_heard(
    tempo: float, energy: float, danceability: float, arousal: float, is_tapped: float
) -> None:
    """Fierce music that repeats slowly is fast; nothing else is changed."""
    heard = dict.fromkeys(SCALES, 0.5) | {"energy": energy, "danceability": danceability}
    assert tapped(tempo, np.array([heard[name] for name in SCALES]), arousal) == is_tapped


def test_metrics_agree_with_their_definitions() -> None:
    """A perfect table has F1 of 1; sharp wrong probabilities have the error they should."""
    assert f1(np.diag([3, 4])).tolist() == [1, 1]
    sharp = np.array([[0.9, 0.1]] * 10)
    assert ece(sharp, np.array([0] * 5 + [1] * 5)) == pytest.approx(0.4)


def test_a_temperature_mends_overconfidence() -> None:
    """Logits multiplied by three are given back a temperature of about three."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (4000, 7))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([rng.choice(7, p=row) for row in probabilities])
    assert fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
