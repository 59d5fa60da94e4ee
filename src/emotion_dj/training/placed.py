"""How well the places that sets use agree with where listeners put the same tracks.

What listeners felt is put on the plane by the line that places tracks (`audio_model.on_plane`):
the mean of Emotify's 300 training tracks in the middle, one deviation of theirs as far as the card
says. It rises evenly, so rank correlations do not depend on it; quadrants and moods do.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from emotion_dj import affect
from emotion_dj.domain import Candidates, Emotion, Mood, Preferences, Track
from emotion_dj.music.audio_model import on_plane
from emotion_dj.music.features import NAMES
from emotion_dj.plane import moods
from emotion_dj.ranking.ranker import NearestRanker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.json_types import JsonObject
    from emotion_dj.training.music_data import Corpus

    Floats = npt.NDArray[np.floating[Any]]

PLANS: Final = ("match", "lift", "calm", "vent", "journey:..happy", "journey:sad..energetic")
SEEDS: Final = 3
SONGS: Final = 10
FIRST: Final = 10
"""How many of the tracks nearest to a mood are asked how much of it listeners felt."""


def agreement(places: Floats, corpus: Corpus, plane: Mapping[str, Any]) -> JsonObject:
    """Return how places (n, 2) agree with what listeners felt at the tracks of a corpus.

    ``spearman`` rank correlation for each axis; ``quadrant`` and ``mood`` the share of tracks that
    have the listeners' one; ``top10`` the mean percentile of what listeners felt among the ten
    tracks nearest to each mood, along the direction in which that mood lies;
    ``path_correlation`` Pearson's r of the listeners' arousal of the songs of sets with the arousal
    that was asked for, over PLANS, all emotions as beginnings, and SEEDS.
    """
    felt = on_plane(corpus.targets[:, :2], plane)
    axes = enumerate(("valence", "arousal"))
    figures = {
        "spearman": {name: spearman(places[:, i], felt[:, i]) for i, name in axes},
        "quadrant": float(((places > 0) == (felt > 0)).all(1).mean()),
        "mood": float((moods(*places.T) == moods(*felt.T)).mean()),
        "top10": {mood.value: top(mood, places, felt) for mood in Mood},
        "path_correlation": path_correlation(candidates(places, corpus), felt[:, 1]),
    }
    return rounded(figures)


def spearman(a: Floats, b: Floats) -> float:
    """Return Spearman's rank correlation; equal values share their mean rank; 0 without any."""
    ranks = np.array([ranked(a), ranked(b)])
    return float(np.corrcoef(ranks)[0, 1]) if ranks.std(1).all() else 0.0


def ranked(values: Floats) -> Floats:
    """Return the rank of each value from 0; equal ones share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[place])


def top(mood: Mood, places: Floats, felt: Floats) -> float:
    """Return the mean percentile of what was felt among the tracks nearest to a mood."""
    middle = np.array(affect.MOOD_AFFECT[mood])
    weight = np.array([1.0, affect.AROUSAL_WEIGHT])
    first = np.argsort(((places - middle) ** 2) @ weight, kind="stable")[:FIRST]
    percentile = 100 * (ranked(felt @ (middle * weight)) + 0.5) / len(felt)
    return float(percentile[first].mean())


def candidates(places: Floats, corpus: Corpus) -> Candidates:
    """Return the tracks of a corpus as a ranker takes them, numbered."""
    n = len(places)
    columns = corpus.vectors[:, [NAMES.index(name) for name in ("tempo", "loudness")]]
    nobody = np.full(n, -1, np.int32)
    nothing = np.zeros(n, np.float32)
    return Candidates(
        valence=np.asarray(places[:, 0], np.float32),
        arousal=np.asarray(places[:, 1], np.float32),
        uncertainty=nothing,
        tempo=np.asarray(2.0 ** columns[:, 0], np.float32),
        loudness=columns[:, 1],
        key=np.full(n, -1, np.int8),
        artist=nobody,
        album=nobody,
        number=np.arange(n),
        content=np.arange(n),
        left_out=np.full(n, -1, np.int8),
        embedding=np.zeros((n, 0), np.float16),
        load=_numbered,
    )


def path_correlation(music: Candidates, felt: Floats) -> float:
    """Return the correlation of the arousal that was felt along sets with that asked for."""
    ranker, nobody = NearestRanker(), Preferences.neutral(len(music))
    asked: list[float] = []
    heard: list[float] = []
    for text, emotion, seed in product(PLANS, Emotion, range(SEEDS)):
        path = affect.path(affect.parse_plan(text), [affect.of_emotion(emotion)], SONGS)
        picks = ranker.rank(path, music, nobody, seed=seed)
        heard += [float(felt[int(pick.track.uri.partition(":")[2])]) for pick in picks]
        asked += [target.arousal for target in path[: len(picks)]]
    return float(np.corrcoef(asked, heard)[0, 1]) if np.std(heard) else 0.0


def rounded(figures: Mapping[str, Any]) -> JsonObject:
    """Return figures, however deep, with three digits."""
    return {
        name: rounded(value) if isinstance(value, dict) else round(value, 3)
        for name, value in figures.items()
    }


def _numbered(rows: Sequence[int]) -> list[Track]:
    return [Track(f"track:{row}", f"Track {row}") for row in rows]
