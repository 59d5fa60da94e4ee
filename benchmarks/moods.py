"""Which moods a real library has, by folder: the borders of moods must not call all of it one.

python benchmarks/moods.py FOLDER... [--shared ../shared]

Every folder that is named is heard by our ear; without one, Emotify's 300 tracks are (classical,
electronic, pop, rock), by genre, with the listeners' own share beside.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from asked import SHARED, need_data, parser

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Mood
from emotion_dj.music.audio_model import AudioModel, on_plane
from emotion_dj.plane import moods
from emotion_dj.sources.table_files import named_rows
from emotion_dj.training.music_data import proxies

if TYPE_CHECKING:
    from collections.abc import Iterable


NAMES = [mood.value for mood in Mood]


def main() -> None:
    """Print the share of each mood in each group of songs and in all."""
    options = parser(__doc__)
    options.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    options.add_argument("--shared", type=Path, default=SHARED, help="where Emotify is")
    given = options.parse_args()
    emotify = given.shared / "data/music/emotify"
    if not given.folders:
        need_data(emotify, ["classical-002.opus"])
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(database=str(Path(home) / "moods.sqlite"))
        folders = given.folders or [emotify]
        music = EmotionDJ(library=folders, settings=settings).library.candidates()
        uris = [track.uri for track in music.load(range(len(music)))]
    groups = [genre(uri) if not given.folders else uri.split("/")[-2] for uri in uris]
    show(groups, moods(music.valence, music.arousal))
    if not given.folders:
        print("what listeners said of the same songs:")
        show(*said(emotify.with_suffix(".csv")))


def said(table: Path) -> tuple[list[str], np.ndarray]:
    """Return genre and mood of Emotify's tracks as its listeners felt them."""
    plane = AudioModel().card["plane"]
    rows = list(named_rows(table))
    scales = AudioModel().card["targets"][2:]
    felt = np.array([proxies({name: float(row[name]) for name in scales}) for row in rows])
    return [genre(row["file"]) for row in rows], moods(*on_plane(felt, plane).T)


def genre(name: str) -> str:
    """Return the genre that a file of Emotify is named by."""
    return name.rpartition("/")[2].partition("-")[0]


def show(groups: Iterable[str], found: np.ndarray) -> None:
    """Print the shares."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for group, mood in zip(groups, found.tolist(), strict=True):
        for name in (group, "all"):
            counts[name][NAMES[mood]] += 1
    for group, count in sorted(counts.items(), key=lambda item: (item[0] == "all", item[0])):
        shares = ", ".join(f"{name} {count[name] / count.total():.0%}" for name in NAMES)
        print(f"{group:>14}, {count.total():>4} songs: {shares}")


if __name__ == "__main__":
    main()
