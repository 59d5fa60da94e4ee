"""The network inside the ear, on real music."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import artifacts
from emotion_dj.music import network
from emotion_dj.music.audio_model import ARTIFACT, AudioModel
from emotion_dj.music.decode import RATE, Signal, decode
from emotion_dj.music.network import FRAMES, QUIETEST_DB
from emotion_dj.music.spectrum import BANDS, spectra

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def audio_model() -> AudioModel:
    """Return the ear that ships."""
    return AudioModel()


def test_spectra_are_cut_into_patches(happy_track: Path) -> None:
    """Whole patches of each excerpt, in order; less than one is repeated, silence is -80 dB."""
    mels = spectra(decode(happy_track)).mel
    cut = network.patches(mels)
    assert cut.shape == (sum(len(mel) // FRAMES for mel in mels), FRAMES, BANDS)
    assert np.array_equal(cut[1], np.maximum(mels[0][FRAMES : 2 * FRAMES], QUIETEST_DB))
    short = network.patches([mel[:50] for mel in mels[:2]])
    assert short.shape == (1, FRAMES, BANDS)
    assert np.array_equal(short[0, 100:], short[0, :28])
    silent = spectra(Signal((np.zeros(4 * RATE, np.float32),), None, 1.0)).mel
    assert (network.patches(silent) == QUIETEST_DB).all()


def test_what_it_says_of_a_track_is_mean_and_change_over_its_patches(
    audio_model: AudioModel, happy_track: Path
) -> None:
    """And what is not music at all gets finite answers too."""
    mels = spectra(decode(happy_track)).mel
    each = audio_model.network.answers(network.patches(mels))
    both = np.concatenate([each.mean(0), each.std(0)])
    assert audio_model.network(mels) == pytest.approx(both, abs=1e-5)
    assert each.std(0).min() > 0
    for odd in (np.full((3, BANDS), -300.0), np.full((999, BANDS), 60.0)):
        assert np.isfinite(audio_model.network([odd.astype(np.float32)])).all()


def test_packing_a_network_changes_little(audio_model: AudioModel, happy_track: Path) -> None:
    """Half precision moves no answer by a fiftieth of what it moves over a track."""
    mels = spectra(decode(happy_track)).mel
    patches = network.patches(mels)
    packed = network.packed(audio_model.network, "a_")
    again = network.unpacked(packed, "a_").answers(patches)
    told = audio_model.network.answers(patches)
    assert np.abs(again - told).max() < told.std(0).min() / 50
    with pytest.raises(KeyError, match="b_mean"):
        network.unpacked(packed, "b_")


def test_the_shortest_and_a_long_piece_are_heard(
    audio_model: AudioModel, samples: np.ndarray, write: Callable[..., Path], tmp_path: Path
) -> None:
    """A second, shorter than a patch, and all of two minutes: sounds are told of both."""
    short = write(tmp_path / "short.flac", samples[:, 480_000:530_400])
    long = write(tmp_path / "long.flac", np.tile(samples[:, 480_000:960_000], 12))
    whole = AudioModel(whole=True)
    for analysis in (audio_model.analyse(short), audio_model.analyse(long), whole.analyse(long)):
        assert np.isfinite(analysis.embedding).all()
        assert abs(analysis.affect.valence) <= 1 >= abs(analysis.affect.arousal)
    apart = np.subtract(audio_model.analyse(long).embedding, whole.analyse(long).embedding)
    assert np.linalg.norm(apart) < 0.5


def test_the_weights_stay_small() -> None:
    """The whole ear is smaller than a song, and its card says how large."""
    artifact = artifacts.packaged(ARTIFACT)
    assert artifact.path.stat().st_size == artifact.card["bytes"] < 750_000
