"""Sets by the original's filter, by chance, by a range of tempo and by us, on real songs.

python benchmarks/evaluation.py [--shared ../shared] [--write docs/evaluation.md]

What counts as a right song is not asked of our own models: in the catalogue of 41,106 tracks it is
where Spotify's own valence and energy put the track. docs/evaluation.md explains the figures.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from asked import SHARED, need, need_data, parser

from emotion_dj import EmotionDJ, affect
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Affect, Candidates, Emotion, Mood, Plan, Preferences, Track
from emotion_dj.plane import moods
from emotion_dj.ranking import NearestRanker, sequencing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Rows = npt.NDArray[np.intp]
    Way = Callable[["Library", Affect, Sequence[Affect], int], Rows]
    Change = Callable[[Candidates], Candidates]

CATALOGUE, WORDS_TABLE = "catalogue-41106.parquet", "moodtag-va-56.csv"
DRAWS, SMALL = 20, 28
"""How many libraries are drawn from the catalogue, and how many tracks each has."""

PLANS = ("match", "lift", "calm", "vent", "journey:..happy")
LISTENERS = 30
WHO = f"{LISTENERS} listeners\n"
GRADES = ((0.15, 3.0), (0.3, 2.0), (0.5, 1.0))
"""Distance on the plane up to which a song is worth so much; beyond the last it is worth 0."""

TEMPO_REACH = 10
FIGURES = ("nDCG", "distance", "diversity", "artists", "step", "mixes")
BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"


@dataclass(frozen=True)
class Library:
    """Music with the truth about it: where each track stands (n, 2), and what it sounds like."""

    music: Candidates
    rows: dict[str, int]
    truth: npt.NDArray[np.float64]
    sound: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Collection:
    """Libraries over which the figures are means, and the length of a set from each."""

    name: str
    songs: int
    libraries: tuple[Library, ...]


def main() -> None:
    """Print the table; with --write also put it into the document."""
    options = parser(__doc__)
    options.add_argument("--shared", type=Path, default=SHARED, help="the folder of data sets")
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    need("pyarrow", "immich_memories_music")
    need_data(given.shared / "data/music", [CATALOGUE, WORDS_TABLE])
    with tempfile.TemporaryDirectory() as folder:
        whole = catalogue(given.shared / "data/music", Path(folder))
        collections = [
            Collection("catalogue", 20, (whole,)),
            Collection("small", 10, tuple(drawn(whole, seed) for seed in range(DRAWS))),
        ]
        text = "\n".join(map(table, collections))
    print(text)
    if given.write:
        page = given.write.read_text(encoding="utf-8")
        head, _, rest = page.partition(BEGIN)
        tail = rest.partition(END)[2]
        given.write.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


def catalogue(data: Path, folder: Path) -> Library:
    """Return the 41,106 tracks as `library import` takes them."""
    import pyarrow.parquet as pq

    path = data / CATALOGUE
    dj = EmotionDJ(settings=Settings(database=str(folder / "catalogue.sqlite")))
    dj.library.import_table(path)
    music = dj.library.current()
    columns = ["uri", "valence", "energy", "danceability", "acousticness", "tempo", "loudness"]
    said = {row["uri"]: row for row in pq.read_table(path, columns=columns).to_pylist()}
    numbered = {track.uri: row for row, track in enumerate(loaded(music))}
    rows = [said[uri] for uri in numbered]
    truth = np.array([[2 * row["valence"] - 1, 2 * row["energy"] - 1] for row in rows])
    sound = np.array([[row[name] for name in columns[1:]] for row in rows])
    return Library(music, numbered, truth, unit(sound))


def drawn(library: Library, seed: int) -> Library:
    """Return a small library of tracks drawn from a large one."""
    rows = np.sort(np.random.default_rng(seed).choice(len(library.music), SMALL, replace=False))
    named = [Track(f"drawn:{i}", "") for i in range(SMALL)]
    music = replace(library.music.rows(rows), load=lambda places: [named[i] for i in places])
    numbered = {f"drawn:{i}": i for i in range(SMALL)}
    return Library(music, numbered, library.truth[rows], library.sound[rows])


def loaded(music: Candidates) -> list[Track]:
    """Return all tracks, asked for in parts."""
    parts = (range(start, min(start + 5000, len(music))) for start in range(0, len(music), 5000))
    return [track for part in parts for track in music.load(part)]


def unit(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Standardise the columns and give each row length 1."""
    scaled = (sound - sound.mean(0)) / (sound.std(0) + 1e-9)
    return np.asarray(scaled / (np.linalg.norm(scaled, axis=1, keepdims=True) + 1e-9))


def by_label(library: Library, here: Affect, path: Sequence[Affect], _seed: int) -> Rows:
    """Return the first tracks of the mood that the reading names, as the original did."""
    wanted = list(Mood).index(affect.mood(here))
    own = moods(library.music.valence, library.music.arousal)
    return np.flatnonzero(own == wanted)[: len(path)]


def by_chance(library: Library, _here: Affect, path: Sequence[Affect], seed: int) -> Rows:
    """Return any tracks."""
    return np.random.default_rng(seed).permutation(len(library.music))[: len(path)]


def by_tempo(library: Library, _here: Affect, path: Sequence[Affect], seed: int) -> Rows:
    """Return tracks within a range of tempo that rises with arousal, as running apps do."""
    generator = np.random.default_rng(seed)
    taken: list[int] = []
    for target in path:
        apart = np.abs(library.music.tempo - (115 + 45 * target.arousal))
        apart[taken] = np.inf
        fitting = np.flatnonzero(apart <= max(TEMPO_REACH, float(np.nanmin(apart))))
        taken.append(int(generator.choice(fitting)))
    return np.array(taken, np.intp)


def by_us(
    ranker: NearestRanker, *, change: Callable[[Candidates], Candidates] | None = None
) -> Way:
    """Return our way with a ranker; ``change`` takes something away from the music first."""
    kept: dict[int, Candidates] = {}

    def way(library: Library, _here: Affect, path: Sequence[Affect], seed: int) -> Rows:
        music = kept.setdefault(id(library), change(library.music) if change else library.music)
        picks = ranker.rank(path, music, Preferences.neutral(len(music)), seed=seed)
        return np.array([library.rows[pick.track.uri] for pick in picks], np.intp)

    return way


def without_key(music: Candidates) -> Candidates:
    """Leave out what the playing order is made from."""
    unknown = np.full(len(music), np.nan, np.float32)
    return replace(music, key=np.full(len(music), -1, np.int8), tempo=unknown, loudness=unknown)


WAYS: dict[str, Way] = {
    "the original's label filter": by_label,
    "chance": by_chance,
    "a range of tempo": by_tempo,
    "ours": by_us(NearestRanker()),
    "ours without variety": by_us(NearestRanker(variety=0.0)),
    "ours without caps": by_us(NearestRanker(per_artist=10**6, per_album=10**6)),
    "ours without mixing": by_us(NearestRanker(), change=without_key),
}


def listeners() -> list[Affect]:
    """Return where listeners stand: the seven emotions, and mixtures of them."""
    pure = [affect.of_emotion(emotion) for emotion in Emotion]
    generator = np.random.default_rng(0)
    points = np.array([affect.EMOTION_AFFECT[emotion] for emotion in Emotion])
    mixed = generator.dirichlet(np.full(len(points), 0.5), LISTENERS - len(pure)) @ points
    return pure + [Affect(float(v), float(a)) for v, a in mixed]


def table(collection: Collection) -> str:
    """Return the figures of some libraries: nDCG for each plan, the others over all plans."""
    tracks = sum(len(library.music) for library in collection.libraries) // len(
        collection.libraries
    )
    lines = [
        f"\n{collection.name}, {len(collection.libraries)} x {tracks:,} tracks, "
        f"sets of {collection.songs}, " + WHO,
        f"| way | {' | '.join(f'nDCG {plan}' for plan in PLANS)} | {' | '.join(FIGURES[1:])} |",
        f"|{' --- |' * (len(PLANS) + len(FIGURES))}",
    ]
    for name, way in WAYS.items():
        by_plan = [measured(collection, way, affect.parse_plan(text)) for text in PLANS]
        gains = " | ".join(f"{row[0]:.3f}" for row in by_plan)
        others = " | ".join(f"{value:.2f}" for value in np.mean(by_plan, axis=0)[1:])
        lines.append(f"| {name} | {gains} | {others} |")
    return "\n".join(lines)


def measured(collection: Collection, way: Way, plan: Plan) -> npt.NDArray[np.float64]:
    """Return the mean FIGURES of one way and plan over all libraries and listeners."""
    rows = [
        figures(library, path, way(library, here, path, seed))
        for library in collection.libraries
        for seed, here in enumerate(listeners())
        for path in [affect.path(plan, [here], collection.songs)]
    ]
    return np.asarray(np.nanmean(rows, axis=0))


def figures(library: Library, path: Sequence[Affect], rows: Rows) -> list[float]:
    """Return FIGURES of one set; of an empty one only that nothing was gained is known."""
    if not len(rows):
        return [0.0, *[float("nan")] * (len(FIGURES) - 1)]
    targets = np.array([[point.valence, point.arousal] for point in path])
    ideal = greedy(library, targets)
    apart = np.linalg.norm(library.truth[rows] - targets[: len(rows)], axis=1)
    likeness = library.sound[rows] @ library.sound[rows].T
    off = ~np.eye(len(rows), dtype=bool)
    steps = np.linalg.norm(np.diff(library.truth[rows], axis=0), axis=1)
    return [
        gain(library, targets, rows) / max(gain(library, targets, ideal), 1e-9),
        float(apart.mean()),
        float(1 - likeness[off].mean()) if len(rows) > 1 else 0.0,
        len(set(library.music.artist[rows])) / len(rows),
        float(steps.mean()) if len(steps) else float("nan"),
        sequencing.mixes(library.music, rows),
    ]


def gain(library: Library, targets: npt.NDArray[np.float64], rows: Rows) -> float:
    """Return the discounted cumulative gain of songs, each against the target of its place."""
    apart = np.linalg.norm(library.truth[rows] - targets[: len(rows)], axis=1)
    return float((worth(apart) / np.log2(np.arange(len(rows)) + 2)).sum())


def worth(apart: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Grade distances from the target."""
    return np.select([apart <= limit for limit, _ in GRADES], [grade for _, grade in GRADES], 0.0)


def greedy(library: Library, targets: npt.NDArray[np.float64]) -> Rows:
    """Return, for each target in turn, the nearest free track: what could be reached."""
    taken: list[int] = []
    for target in targets:
        apart = np.linalg.norm(library.truth - target, axis=1)
        apart[taken] = np.inf
        taken.append(int(apart.argmin()))
    return np.array(taken, np.intp)


if __name__ == "__main__":
    main()
