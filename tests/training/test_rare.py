"""How much of the prior is taken back: by plain numbers, without a network."""

from __future__ import annotations

import numpy as np
import pytest

from emotion_dj.training import rare
from emotion_dj.training.rare import Measured, Tilt

PRIOR = np.array([0.09, 0.01, 0.03, 0.27, 0.34, 0.14, 0.12])


def test_only_the_rare_are_helped_and_the_rarest_most() -> None:
    """Under a twentieth: disgust and fear; the logarithm is taken back as far as that limit."""
    added = rare.offsets(Tilt(0.5, 0.05), PRIOR)
    assert added.nonzero()[0].tolist() == [1, 2]
    assert added[1] == pytest.approx(0.5 * np.log(5))
    everything = rare.offsets(Tilt(0.5, 1.0), PRIOR)
    assert everything == pytest.approx(-0.5 * np.log(PRIOR))
    assert not rare.offsets(Tilt(0.0, 1.0), PRIOR).any()


def test_a_rare_face_that_is_nearly_seen_is_named() -> None:
    """Ten clear smiles, and one face on which disgust is just behind anger."""
    scores = np.zeros((11, 7))
    scores[:10, 3] = 9.0
    scores[10, [0, 1]] = [1.0, 0.8]
    made = rare.measured(scores, np.array([3] * 10 + [1]), PRIOR)
    assert made[Tilt(0.0, 0.05)] == Measured(round(10 / 11, 4), 0.5)
    assert made[Tilt(0.2, 0.05)] == Measured(1.0, 1.0)


def test_the_most_accurate_tilt_that_is_fair_enough_is_chosen() -> None:
    """Among those over the recall that is asked for; of equals the least; else the best sum."""
    few = {
        Tilt(0.0, 1.0): Measured(0.88, 0.76),
        Tilt(0.4, 1.0): Measured(0.86, 0.83),
        Tilt(0.8, 0.05): Measured(0.87, 0.81),
        Tilt(0.9, 0.05): Measured(0.87, 0.82),
    }
    assert rare.choose(few) == Tilt(0.8, 0.05)
    assert rare.choose({tilt: few[tilt] for tilt in list(few)[:1]}) == Tilt(0.0, 1.0)
    told = rare.described(few, Tilt(0.8, 0.05))
    assert (told["towards_rare_emotions"], told["rarer_than"]) == (0.8, 0.05)
