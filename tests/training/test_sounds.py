"""Teaching the network inside the ear, on real music."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.errors import DataError
from emotion_dj.music import network
from emotion_dj.music.decode import decode
from emotion_dj.music.spectrum import spectra
from emotion_dj.training.sounds import Sounds, distil, read_sounds

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def lessons(demo_music: Path) -> Sounds:
    """Return patches of eight tracks, and a teacher who tells their mean and deviation by band."""
    paths = sorted(demo_music.glob("*/*.opus"))[::4][:8]
    cut = [network.patches(spectra(decode(path)).mel) for path in paths]
    mel = np.concatenate(cut)
    files = [f"{path.parent.name}/{path.name}" for path, one in zip(paths, cut, strict=True)
             for _ in one]  # fmt: skip
    return Sounds(mel.astype(np.float16), np.hstack([mel.mean(1), mel.std(1)]), np.array(files))


@pytest.mark.needs_train
def test_the_network_is_served_as_it_was_trained(lessons: Sounds) -> None:
    """NumPy answers as torch does, on real music, and has learnt what can be learnt."""
    import torch

    epochs = []
    pupil = distil(lessons, epochs=12, tick=lambda: epochs.append(1))
    mel = np.maximum(lessons.mel.astype(np.float32), network.QUIETEST_DB)
    patches = (mel - pupil.network.mean) / pupil.network.deviation
    with torch.inference_mode():
        theirs = pupil.net(torch.from_numpy(patches).transpose(1, 2)).numpy()
    assert pupil.network.answers(mel) == pytest.approx(theirs, abs=1e-3)
    assert pupil.agreement(lessons) > 0.3
    assert len(epochs) == 12


@pytest.mark.needs_train
def test_the_same_seed_gives_the_same_network(lessons: Sounds) -> None:
    """And another one another."""
    heads = [distil(lessons, epochs=1, seed=seed).network.head for seed in (1, 1, 2)]
    assert np.array_equal(heads[0], heads[1])
    assert not np.array_equal(heads[0], heads[2])


@pytest.mark.needs_train
def test_what_is_held_back_is_gone(lessons: Sounds) -> None:
    """By the name of a file in any folder; where nothing is left, that is said."""
    own = {str(lessons.files[0]).split("/")[1]}
    kept, held = lessons.without(own), lessons.of(own)
    assert len(kept.mel) + len(held.mel) == len(lessons.mel)
    assert set(held.files) == {lessons.files[0]}
    assert lessons.files[0] not in set(kept.files)
    with pytest.raises(DataError, match="no sound is left to learn from"):
        distil(held.without(own))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"mel": np.zeros((90, 9, 9))}, "128 frames of 64 bands"),
        ({"answers": np.zeros((3, 128))}, "one row of answers"),
        ({"files": np.array(["a"])}, "one file, for each"),
        ({"files": np.array("a")}, "one file, for each"),
        ({"answers": np.zeros((90, 4))}, "fewer than 48 answers"),
        ({"mel": np.full((90, 128, 64), np.nan)}, "no numbers"),
        ({"answers": None}, "answers"),
    ],
)
def test_files_that_hold_no_sounds_are_refused(
    tmp_path: Path, fault: dict[str, np.ndarray | None], said: str
) -> None:
    """One sentence says what is wrong with a file of lessons, and names it."""
    whole = {"mel": np.zeros((90, 128, 64)), "answers": np.zeros((90, 128)), "files": ["a"] * 90}
    np.savez(tmp_path / "s.npz", **{k: v for k, v in (whole | fault).items() if v is not None})
    with pytest.raises(DataError, match=rf"s\.npz is not a file of sounds: .*{said}"):
        read_sounds(tmp_path / "s.npz")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    """A text, and a file that is not there."""
    (tmp_path / "no.npz").write_bytes(b"no")
    for name, said in (("no.npz", "not in NumPy's .npz form"), ("none.npz", "No such file")):
        with pytest.raises(DataError, match=f"not a file of sounds: .*{said}"):
            read_sounds(tmp_path / name)
