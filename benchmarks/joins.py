"""How songs follow each other in sets of real music: style, tempo and key at the joins.

python benchmarks/joins.py [--shared ../shared]

Emotify's 300 tracks (classical, electronic, pop, rock) are heard by our ear; sets of ten by six
plans for seven emotions are made with the ranker as it is, and as it would be without a thought for
what follows what.
"""

from __future__ import annotations

import tempfile
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from asked import SHARED, need_data, parser

from emotion_dj import EmotionDJ, affect
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Candidates, Emotion, Preferences
from emotion_dj.ranking import NearestRanker, sequencing

PLANS = ("match", "lift", "calm", "vent", "journey:..happy", "journey:sad..energetic")
SONGS = 10
SEEDS = 2
CLASSICAL = "classical"
LOUD = {"rock", "electronic"}


def main() -> None:
    """Print the figures of both ways."""
    options = parser(__doc__)
    options.add_argument("--shared", type=Path, default=SHARED, help="where the data is")
    folder = options.parse_args().shared / "data/music/emotify"
    need_data(folder, ["classical-002.opus"])
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(database=str(Path(home) / "joins.sqlite"), workers=1)
        music = EmotionDJ(library=[folder], settings=settings).library.candidates()
        for name, mixing in (("as it is", None), ("without a thought for the joins", 0.0)):
            ranker = NearestRanker() if mixing is None else NearestRanker(mixing=mixing)
            print(f"{name}: {figures(ranker, music)}")


def figures(ranker: NearestRanker, music: Candidates) -> str:
    """Return harsh joins, by sound and by genre, neighbours that mix, and the missed distance."""
    tracks = music.load(range(len(music)))
    row_of = {track.uri: row for row, track in enumerate(tracks)}
    genres = [track.uri.rpartition("/")[2].partition("-")[0] for track in tracks]
    harsh, foreign, mixes, missed = [], [], [], []
    for text, emotion, seed in product(PLANS, Emotion, range(SEEDS)):
        path = affect.path(affect.parse_plan(text), [affect.of_emotion(emotion)], SONGS)
        picks = ranker.rank(path, music, Preferences.neutral(len(music)), seed=seed)
        rows = np.array([row_of[pick.track.uri] for pick in picks], np.intp)
        harsh.append(sequencing.harsh(music, rows))
        mixes.append(sequencing.mixes(music, rows))
        missed += [affect.distance(p.affect, goal) for p, goal in zip(picks, path, strict=True)]
        joins = [{genres[a], genres[b]} for a, b in pairwise(rows)]
        foreign.append(np.mean([CLASSICAL in join and bool(join & LOUD) for join in joins]))
    return (
        f"harsh {np.mean(harsh):.1%}, classical beside rock or electronic {np.mean(foreign):.1%}, "
        f"neighbours that mix {np.mean(mixes):.1%}, missed {np.mean(missed):.3f}"
    )


if __name__ == "__main__":
    main()
