"""What learning from likes and skips is worth, on simulated listeners whose taste is known.

python benchmarks/taste.py [--shared ../shared] [--write docs/pictures/taste.png]

A listener likes some kinds of sound and a few artists; the model sees the sounds among others, and
is not told which count, nor the artists. Every round
they stand somewhere on the plane, get a set of ten and answer each song with a like or a skip.
Regret is how many more likes the best set would have got: the one whose maker knows the taste and
stays as near to the wanted place as ours does.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from asked import SHARED, need, need_data, parser

from emotion_dj import EmotionDJ, affect, taste
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Affect, Candidates, Emotion, Plan, Preferences, Track
from emotion_dj.ranking import NearestRanker

if TYPE_CHECKING:
    from collections.abc import Sequence

CATALOGUE = "data/music/catalogue-41106.parquet"
SONGS = 10
ROUNDS = 40
LISTENERS = 24
TRACKS = 4000
LOVED = 0.1
"""Share of the artists that a listener likes whatever they sound like."""
SOUNDS = ("danceability", "acousticness", "speechiness", "tempo", "loudness", "duration_ms")
WAYS = ("no learning", "popularity", "ours, without exploring", "ours", "the oracle")


@dataclass
class Listener:
    """Likes each track with a chance that follows from a hidden taste."""

    probabilities: npt.NDArray[np.float32]
    seed: int

    def answer(self, rows: npt.NDArray[np.intp], turn: int) -> npt.NDArray[np.bool_]:
        """Say of each song whether it is liked; the same song in the same set gets the same."""
        luck = np.random.default_rng((self.seed, turn)).random(len(self.probabilities))
        return luck[rows] < self.probabilities[rows]


def main() -> None:
    """Print the regret of each way after all rounds, with its spread over listeners; draw it."""
    options = parser(__doc__)
    options.add_argument("--shared", type=Path, default=SHARED, help="the folder of data sets")
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    need("pyarrow", *(["matplotlib.figure"] if given.write else []))
    need_data(given.shared, [CATALOGUE])
    music, sounds = library(given.shared / CATALOGUE)
    crowd = [listener(music, sounds, seed) for seed in range(LISTENERS)]
    popular = np.mean([someone.probabilities for someone in crowd], axis=0)
    regrets = {way: regret(way, music, crowd, popular) for way in WAYS}
    for way, rows in regrets.items():
        last = rows[:, -1]
        print(
            f"{way:24} regret after {ROUNDS} sets of {SONGS}: {np.median(last):6.1f} likes "
            f"({last.min():.1f} to {last.max():.1f} over {LISTENERS} listeners)"
        )
    if given.write:
        draw(regrets, given.write)


def library(path: Path) -> tuple[Candidates, npt.NDArray[np.float64]]:
    """Return some tracks as `library import` takes them, and what they sound like (n, sounds)."""
    import pyarrow.parquet as pq

    table = pq.read_table(path).take(np.random.default_rng(0).permutation(41106)[:TRACKS])
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(table, Path(folder) / "some.parquet")
        dj = EmotionDJ(settings=Settings(database=str(Path(folder) / "c.sqlite")))
        dj.library.import_table(Path(folder) / "some.parquet")
        music = dj.library.current()
        uris = [
            track.uri
            for start in range(0, len(music), 1000)
            for track in music.load(range(start, min(start + 1000, len(music))))
        ]
    said = {row["uri"]: row for row in table.to_pylist()}
    sounds = np.array([[said[uri][name] for name in SOUNDS] for uri in uris])
    return music, (sounds - sounds.mean(0)) / sounds.std(0)


def listener(music: Candidates, sounds: npt.NDArray[np.float64], seed: int) -> Listener:
    """Return a listener: weights on sounds, a bent for one region of them, liked artists."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(0, 0.8, sounds.shape[1])
    middle = sounds[generator.integers(len(sounds))]
    near = np.exp(-((sounds - middle) ** 2).mean(axis=1))
    fans = generator.random(int(music.artist.max()) + 2) < LOVED
    score = sounds @ weights + 2 * near + 2 * fans[music.artist] - 1
    return Listener((1 / (1 + np.exp(-score))).astype(np.float32), seed)


def regret(
    way: str, music: Candidates, crowd: list[Listener], popular: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Return the summed regret of one way, (listeners, rounds)."""
    rows = []
    for seed, someone in enumerate(crowd):
        places = np.random.default_rng(100 + seed)
        answers = np.zeros((len(music), 2), np.float32)
        lost = []
        for turn in range(ROUNDS):
            here = affect.of_emotion(list(Emotion)[places.integers(len(Emotion))])
            picked = choose(music, opinion(way, music, answers, someone, popular), here, turn)
            best = choose(music, 2 * someone.probabilities - 1, here, turn)
            liked = someone.answer(picked, turn)
            np.add.at(answers, (picked, np.where(liked, 0, 1)), 1)
            lost.append(
                float(someone.probabilities[best].sum() - someone.probabilities[picked].sum())
            )
        rows.append(np.cumsum(lost))
    return np.array(rows)


def opinion(
    way: str,
    music: Candidates,
    answers: npt.NDArray[np.float32],
    someone: Listener,
    popular: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Return what a way believes of every track, in [-1, 1]."""
    if way == "no learning":
        return np.zeros(len(music), np.float32)
    if way == "popularity":
        return np.asarray(2 * popular - 1, np.float32)
    if way == "the oracle":
        return 2 * someone.probabilities - 1
    counts = {
        (int(music.number[row]), kind): int(answers[row, place])
        for place, kind in enumerate(("like", "skip"))
        for row in np.flatnonzero(answers[:, place])
    }
    exploration = taste.EXPLORATION if way == "ours" else 0.0
    return taste.learn(counts, music, exploration=exploration).of(music).taste


def choose(
    music: Candidates, believed: npt.NDArray[np.float32], here: Affect, seed: int
) -> npt.NDArray[np.intp]:
    """Return the rows of the set that our ranker makes of a belief."""
    picked: list[int] = []

    def load(rows: Sequence[int]) -> list[Track]:
        picked.extend(rows)
        return [Track(str(row), "") for row in rows]

    listener = Preferences(believed, np.zeros(len(music), np.float32))
    path = affect.path(Plan("match"), [here], SONGS)
    NearestRanker().rank(path, replace(music, load=load), listener, seed=seed)
    return np.array(picked, np.intp)


def draw(regrets: dict[str, npt.NDArray[np.float64]], path: Path) -> None:
    """Draw the median of each way over the rounds, with the middle half of the listeners."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    rounds = np.arange(1, ROUNDS + 1)
    for way, rows in regrets.items():
        low, middle, high = np.percentile(rows, (25, 50, 75), axis=0)
        (line,) = axes.plot(rounds, middle, label=way)
        axes.fill_between(rounds, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set_xlabel(f"sets of {SONGS} songs")
    axes.set_ylabel("likes lost against the oracle")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
