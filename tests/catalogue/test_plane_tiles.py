"""Sets chosen of a large catalogue in PostgreSQL are those that ranking all of it would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import affect, taste
from emotion_dj.app.shortlist import shortlist, shortlisted
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import Affect, Listener
from emotion_dj.ranking import NearestRanker, grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emotion_dj.domain import Candidates

pytestmark = pytest.mark.needs_postgres

COUNT = 20_000
LENGTH = 20
ANALYSERS = ["ear-2", "ear-1"]
FAN, NOBODY = Listener("fan"), Listener("nobody")

TRACKS = f"""
INSERT INTO tracks (id, uri, stamp, fingerprint, title, artists, album)
SELECT i, CASE i % 2 WHEN 0 THEN 'even:' ELSE 'odd:' END || i, '', '', 'Track ' || i,
 json_build_array('Artist ' || i % 3000), 'Album ' || i % 6000
FROM generate_series(1, {COUNT}) AS i"""  # noqa: S608 - put together of constants
ANALYSES = """
INSERT INTO analyses (track, fingerprint, analyser, valence, arousal, spread, tempo, loudness,
 key, mode, embedding)
SELECT id, '', '{analyser}', greatest(-1, least(1, random_normal(0, 0.4))),
 greatest(-1, least(1, random_normal(0, 0.4))), 0.2 + 0.2 * random(), 70 + 110 * random(),
 -20 * random(), id % 12, id % 2, l2_normalize(ARRAY[{numbers}]::real[]::halfvec)
FROM tracks WHERE {where}"""


HEARD = (("ear-1", 9, "id % 10 > 2"), ("ear-2", 6, "id % 10 < 4"))
"""Who heard what, and how long their embeddings are."""


@pytest.fixture(scope="module")
def catalogue(postgres: str) -> Iterator[Catalogue]:
    """Return one of many tracks, heard by two analysers whose sounds cannot be compared; a tenth
    of them by both. A fan has liked and skipped some, and has played some of them.
    """
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE tiles")
    address = postgres.replace("/postgres?", "/tiles?")
    with Catalogue(address) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr("emotion_dj.catalogue.analysis_store.LARGE", COUNT // 2)
        patch.setattr(grid, "SEED_JITTER", 0.0)  # what chance decides cannot be compared
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("SELECT setseed(0.5)")
            connection.execute(TRACKS.encode())
            for analyser, width, where in (
                ("ear-1", 9, "id % 10 > 2"),
                ("ear-2", 6, "id % 10 < 4"),
            ):
                numbers = ", ".join(["random_normal()"] * width)
                query = ANALYSES.format(analyser=analyser, numbers=numbers, where=where)
                connection.execute(query.encode())
            connection.execute("ANALYZE")
        answer(made)
        assert made.surroundings(ANALYSERS) is None
        made.packer.wait()
        yield made


def answer(catalogue: Catalogue) -> None:
    """Let the fan like what is bright and skip what is dark, in one region, and play a few."""
    found = near(catalogue, [Affect(0.1, 0.1)])
    generator = np.random.default_rng(2)
    for row in generator.choice(len(found), 30, replace=False).tolist():
        bright = found.embedding[row, [0, -1]].sum() > 0
        catalogue.add_feedback(int(found.number[row]), "like" if bright else "skip", FAN)
    for number in found.number[:20].tolist():
        catalogue.add_feedback(number, "play", FAN)


def near(catalogue: Catalogue, path: list[Affect], listener: Listener = FAN) -> Candidates:
    """Return what stands near a path, whatever is liked."""
    found = catalogue.candidates_near(path, ANALYSERS, listener=listener)
    assert found is not None
    return found


def wishes() -> Iterator[list[Affect]]:
    """Yield the paths of sets that begin anywhere, by several plans; some doubt where they are."""
    generator = np.random.default_rng(1)
    for plan in 3 * ["match", "lift", "journey:..energetic"]:
        valence, arousal, doubt = generator.normal(0, 0.3, 3).clip(-0.9, 0.9).tolist()
        here = Affect(valence, arousal, max(doubt, 0))
        yield affect.path(affect.parse_plan(plan), [here], LENGTH)


def chosen(
    catalogue: Catalogue, path: list[Affect], music: Candidates, listener: Listener
) -> set[str]:
    """Return the uris of the set that a listener gets of candidates."""
    liking = taste.of_listener(catalogue, music, listener).of(music)
    return {pick.track.uri for pick in NearestRanker().rank(path, music, liking)}


@pytest.mark.parametrize("listener", [FAN, NOBODY])
def test_a_listener_gets_the_set_that_ranking_all_would_give(
    catalogue: Catalogue, listener: Listener
) -> None:
    """Nineteen of twenty songs and more are those that the whole catalogue would have given; of
    what is merely near it would be fewer for somebody who has a taste.
    """
    everything = catalogue.candidates(ANALYSERS)
    assert len(everything) == COUNT
    shares = []
    for path in wishes():
        exact = chosen(catalogue, path, everything, listener)
        found = shortlisted(catalogue, path, ANALYSERS, listener=listener)
        assert found is not None
        assert len(found) < COUNT / 4
        for_both = [found, near(catalogue, path, listener)]
        sets = [chosen(catalogue, path, music, listener) for music in for_both]
        shares.append([len(exact & some) / LENGTH for some in sets])
    whole, merely_near = np.mean(shares, axis=0)
    assert whole >= 0.97
    assert merely_near < 0.9 or listener is NOBODY


def test_the_shortlist_is_of_one_listener_and_of_the_sources_asked_for(
    catalogue: Catalogue,
) -> None:
    """It holds nothing of other sources, nothing that was played this week, and something else for
    somebody else.
    """
    path = next(wishes())
    numbers = shortlist(catalogue, path, ANALYSERS, listener=FAN)
    assert set(numbers) != set(shortlist(catalogue, path, ANALYSERS, listener=NOBODY))
    assert len(numbers) == len(set(numbers)) >= grid.NEIGHBOURHOOD
    played = {number for number, kind in catalogue.feedback_counts(FAN) if kind == "play"}
    assert not played & set(numbers)
    even = shortlist(catalogue, path, ANALYSERS, prefixes=["even:"], listener=FAN)
    assert even
    assert all(track.uri.startswith("even:") for track in catalogue.tracks(even))
    found = shortlisted(catalogue, path, ANALYSERS, prefixes=["even:"], listener=FAN)
    assert found is not None
    assert set(even) <= set(found.number.tolist())


def test_what_is_gone_since_it_was_packed_is_not_picked(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles may be minutes old: what they still tell of is looked up, and they are packed anew in
    the end.
    """
    path = next(wishes())
    gone = shortlist(catalogue, path, ANALYSERS, listener=FAN)[0]
    uris = {track.uri for track in catalogue.tracks([gone])}
    catalogue.mark_missing(min(uris), [])
    found = shortlisted(catalogue, path, ANALYSERS, listener=FAN)
    assert found is not None
    assert gone not in found.number
    monkeypatch.setattr("emotion_dj.catalogue.backends.plane_tiles.REST", 0)
    for _ in range(2):
        numbers = shortlist(catalogue, path, ANALYSERS, listener=FAN)
        catalogue.packer.wait()
    assert gone not in numbers
    catalogue.mark_missing("even:", {f"even:{i}" for i in range(2, COUNT + 1, 2)})
    catalogue.mark_missing("odd:", {f"odd:{i}" for i in range(1, COUNT + 1, 2)})
