"""Moods and affect from features alone."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj.domain import AudioFeatures
from emotion_dj.errors import DataError, LabelError
from emotion_dj.music.mood_from_features import FEATURES, MOODS, MoodFromFeatures, as_table
from emotion_dj.training import evaluation, mood

if TYPE_CHECKING:
    from pathlib import Path

PARTY = AudioFeatures("t", energy=0.8, valence=0.9, danceability=0.8, loudness=-5, tempo=120)
REST = AudioFeatures("t", energy=0.05, acousticness=0.97, instrumentalness=0.9, loudness=-28)


@pytest.fixture(scope="module")
def listener() -> MoodFromFeatures:
    """Return the one that ships."""
    return MoodFromFeatures()


def test_a_party_is_happy_and_a_rest_is_calm(listener: MoodFromFeatures) -> None:
    """Loud and cheerful stands in the upper right, quiet and acoustic low."""
    party, rest = listener.analyse([PARTY, REST])
    assert party.affect.valence > 0.2
    assert party.affect.arousal > 0.2
    assert rest.affect.arousal < -0.3
    probabilities = dict(zip(MOODS, listener.moods(as_table([REST]))[0], strict=True))
    assert max(probabilities, key=lambda name: probabilities[name]) == "calm"


def test_less_known_means_more_spread(listener: MoodFromFeatures) -> None:
    """Nothing known at all: a place near the middle, and wide."""
    nothing, something = listener.analyse([AudioFeatures("t"), PARTY])
    assert nothing.affect.uncertainty > something.affect.uncertainty
    assert abs(nothing.affect.arousal) < 0.4
    assert np.isfinite(nothing.affect.valence)


def test_probabilities_are_probabilities(listener: MoodFromFeatures) -> None:
    """Whatever comes in, even absurd numbers, rows are finite and sum to 1."""
    rows = np.random.default_rng(0).normal(0, 1e4, (50, len(FEATURES))).astype(np.float32)
    probabilities = listener.moods(rows)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


@pytest.mark.needs_shared
def test_listeners_moods_are_met(shared: Path) -> None:
    """`evaluate mood` on both playlists: far above the majority, and calibrated."""
    for name in ("moods-686", "moods-1200"):
        figures = evaluation.evaluate_mood(shared / f"data/music/{name}.csv")
        assert figures["accuracy"] > 0.7
        assert figures["ece"] < 0.1


@pytest.mark.needs_shared
def test_listeners_valence_and_arousal_are_followed(
    shared: Path, listener: MoodFromFeatures
) -> None:
    """PMEmo's listeners, from whom the model learnt: both correlate clearly."""
    import csv

    with (shared / "data/music/pmemo-spotify.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = np.array([[float(row[name]) for name in FEATURES] for row in rows], np.float32)
    features = [
        AudioFeatures("t", **dict(zip(FEATURES, map(float, r), strict=True))) for r in table
    ]
    affects = [analysis.affect for analysis in listener.analyse(features)]
    said = np.array([[float(r["valence_mean"]), float(r["arousal_mean"])] for r in rows])
    placed = np.array([[affect.valence, affect.arousal] for affect in affects])
    valence, arousal = starmap(
        lambda a, b: np.corrcoef(a, b)[0, 1], zip(placed.T, said.T, strict=True)
    )
    assert arousal > 0.6
    assert valence > 0.6


@pytest.mark.needs_shared
def test_a_list_tells_whose_way_it_follows(shared: Path, listener: MoodFromFeatures) -> None:
    """Tracks that come together are read more as their author would than each by itself."""
    for name in ("moods-686", "moods-1200"):
        playlist = mood.read_moods(shared / f"data/music/{name}.csv")
        apart, together = (
            float(
                (listener.moods(playlist.features, together=so).argmax(1) == playlist.labels).mean()
            )
            for so in (False, True)
        )
        assert together > apart


@pytest.mark.needs_shared
def test_hands_are_told_apart_on_lists_that_were_not_learnt(shared: Path) -> None:
    """Half of each author's tracks, by models of the other halves: better as lists than mixed."""
    lists = [mood.read_moods(shared / f"data/music/{n}.csv") for n in ("moods-686", "moods-1200")]
    scale = np.full(len(FEATURES), 0.25, np.float32)
    learnt = [mood.Playlist(one.features[::2], one.labels[::2]) for one in lists]
    hands = mood.fit_hands(learnt, scale)
    for one in lists:
        rows, labels = one.features[1::2], one.labels[1::2]
        apart, together = (
            float((hands.moods(rows, together=so).argmax(1) == labels).mean())
            for so in (False, True)
        )
        assert together >= apart


@pytest.mark.needs_shared
def test_training_makes_an_artifact(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short search leaves weights and card that serve."""
    monkeypatch.setattr(mood, "STEPS", 3)
    tables = [("moods-686", mood.read_moods(shared / "data/music/moods-686.csv"))]
    felt = mood.read_felt(shared / "data/music/pmemo-spotify.csv")
    card = mood.train(tables, felt, tmp_path)
    assert card["metrics"]["moods-686"]["accuracy_5_fold_3_times"] > 0.75
    from emotion_dj import artifacts

    assert MoodFromFeatures(artifacts.load(tmp_path / "mood-2.json")).moods(
        as_table([PARTY])
    ).shape == (
        1,
        4,
    )


def test_tables_are_checked(tmp_path: Path) -> None:
    """Copies that disagree are left out; no mood, an unknown one, nothing: one sentence each."""
    path = tmp_path / "t.csv"
    path.write_text("energy,mood\n0.5,Happy\n0.5,Sad\n0.7,calm\n0.7,Calm\n")
    playlist = mood.read_moods(path)
    assert playlist.labels.tolist() == [MOODS.index("calm")]
    assert np.isnan(playlist.features[0]).sum() == len(FEATURES) - 1
    assert playlist.left_out == 3
    wrong = {
        "energy\n1\n": (DataError, "no column mood"),
        "energy,mood\n.5,calm\n1,hungry\n": (LabelError, "row 2: .*hungry"),
        "mood,energy\ncalm,70\n": (DataError, "tells none of .*shares are from 0 to 1"),
        "energy,mood\n.5,calm\n.5,sad\n": (DataError, "without contradiction"),
    }
    for content, (error, said) in wrong.items():
        path.write_text(content)
        with pytest.raises(error, match=said):
            mood.read_moods(path)
    path.write_text("mood\n")
    with pytest.raises(DataError, match="no track"):
        mood.read_moods(path)
    path.write_bytes("\ufeffEnergy , Mood\n0.5,Happy\n".encode())
    assert mood.read_moods(path).features[0, FEATURES.index("energy")] == 0.5
    for content, said in (
        ("energy\n1\n", "does not tell"),
        ("valence_mean,arousal_mean\n", "no track"),
    ):
        path.write_text(content)
        with pytest.raises(DataError, match=said):
            mood.read_felt(path)
