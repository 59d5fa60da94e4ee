"""What most people saw in a face: the protocol of FER+, its figures, and tables that break it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from emotion_dj import affect
from emotion_dj.domain import Emotion, Reading
from emotion_dj.errors import DataError
from emotion_dj.training import emotion_examples, votes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

ANSWERS = [name.removeprefix("votes_") for name in votes.COLUMNS]


def people(**said: int) -> list[int]:
    """Return one face's votes, of ten answers, by how many people gave each."""
    return [said.get(answer, 0) for answer in ANSWERS]


def faces(*rows: list[int]) -> npt.NDArray[np.float32]:
    """Return the votes of several faces."""
    return np.array(rows, np.float32)


def sure_of(*emotions: str) -> npt.NDArray[np.float64]:
    """Return readings that are nearly certain of these emotions."""
    rows = [list(Emotion).index(Emotion(name)) for name in emotions]
    return np.full((len(rows), 7), 0.01) + 0.93 * np.eye(7)[rows]


def test_a_face_is_clear_where_more_than_half_agree_after_single_votes_are_dropped() -> None:
    """Barsoum's rules, one face for each; unknown and no-face count in the half, but cannot win."""
    clear, seen = votes.majority(
        faces(
            people(happiness=5, neutral=5),
            people(happiness=5, neutral=4, fear=1),
            people(unknown=6, sadness=4),
            people(nf=6, sadness=4),
            people(contempt=6, neutral=4),
            people(sadness=4, unknown=5),
            people(anger=1, fear=1, unknown=1),
            people(),
        )
    )
    assert clear.tolist() == [False, True, False, False, True, False, False, False]
    assert [votes.EIGHT[index] for index in seen[clear]] == ["happy", "contempt"]


def test_shares_are_of_the_seven_and_of_votes_that_somebody_shares() -> None:
    """Single votes and what is none of the seven count nothing; no vote gives zeros."""
    found = votes.shares(faces(people(happiness=6, neutral=2, fear=1, contempt=1), people()))
    assert found[0].tolist() == pytest.approx([0, 0, 0, 0.75, 0.25, 0, 0])
    assert not found[1].any()
    others = faces(people(contempt=5, anger=4), people(anger=5, contempt=4), people())
    assert votes.is_other(others).tolist() == [True, False, False]


def test_contempt_counts_in_accuracy_alone() -> None:
    """Three clear faces, one of contempt: accuracy of three, recall and F1 of the other two."""
    seen = faces(
        people(happiness=9), people(sadness=9), people(contempt=9), people(fear=5, anger=5)
    )
    figures = votes.report(sure_of("happy", "sad", "neutral", "fear"), seen)
    assert (figures["n"], figures["accuracy"]) == (3, 0.6667)
    assert (figures["macro_recall"], figures["macro_f1"]) == (1, 1)
    assert figures["per_class"]["sad"] == {"n": 1, "precision": 1, "recall": 1, "f1": 1}
    table = np.array(figures["confusion"]["rows_true_columns_read"])
    assert figures["confusion"]["labels"][7] == "contempt"
    assert table[7].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert table.sum() == 3


def test_the_distance_is_between_the_places_of_reading_and_votes() -> None:
    """The same points as `affect.of_reading` gives, one for the reading and one for the votes."""
    seen = faces(people(happiness=8, neutral=2), people(fear=6, surprise=4))
    readings = sure_of("neutral", "surprise")

    def place(row: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        shares = dict(zip(Emotion, map(float, row), strict=True))
        point = affect.of_reading(Reading(shares, model="x"))
        return np.array([point.valence, point.arousal])

    pairs = zip(readings, votes.shares(seen), strict=True)
    apart = [np.linalg.norm(place(ours) - place(theirs)) for ours, theirs in pairs]
    figures = votes.report(readings, seen)
    assert figures["affect_distance"] == pytest.approx(np.mean(apart), abs=1e-4)
    found = votes.affect_correlation(votes.shares(seen).astype(np.float64), seen)
    assert found == {"valence": 1.0, "arousal": 1.0}


def test_no_clear_face_is_said() -> None:
    """Faces on which nobody agrees cannot be measured by."""
    with pytest.raises(DataError, match="more than half"):
        votes.report(sure_of("happy"), faces(people(happiness=5, neutral=5)))


def write(path: Path, columns: dict[str, list[object]]) -> Path:
    """Write a table of two faces with these columns of votes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": [b"", b""], "emotion": ["happy", "sad"], **columns}), path)
    return path


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"votes_fear": None, "votes_nf": None}, "no column votes_fear and no votes_nf"),
        ({"votes_fear": [0, -1]}, "row 2: votes_fear is -1"),
        ({"votes_fear": [float("inf"), 0]}, "row 1: votes_fear is inf"),
        ({"votes_fear": ["two", "none"]}, "votes_fear holds no numbers"),
        ({name: [0, 0] for name in votes.COLUMNS}, "every vote is 0"),
    ],
)
def test_votes_that_cannot_be_counted_are_refused(
    tmp_path: Path, changed: dict[str, list[object] | None], said: str
) -> None:
    """Missing, negative, endless, no numbers, all zero: each in one sentence with file and row."""
    columns = {**{name: [1, 2] for name in votes.COLUMNS}, **changed}
    kept = {name: list(column) for name, column in columns.items() if column is not None}
    with pytest.raises(DataError, match=said):
        emotion_examples.find(write(tmp_path / "t.parquet", kept))


def test_faces_nobody_was_asked_about_are_allowed(tmp_path: Path) -> None:
    """A table without votes, and empty cells beside votes, are zeros."""
    assert not emotion_examples.find(write(tmp_path / "a.parquet", {})).votes.any()
    half = {name: [2, None] for name in votes.COLUMNS}
    found = emotion_examples.find(write(tmp_path / "b.parquet", half)).votes
    assert found.sum(axis=1).tolist() == [20, 0]


@pytest.mark.needs_shared
def test_the_public_test_set_has_as_many_clear_faces_as_the_protocol_says(shared: Path) -> None:
    """3,199 of its 3,589 faces, of which 13 show contempt."""
    found = emotion_examples.find(shared / "data/faces/fer2013-public.parquet").votes
    clear, seen = votes.majority(found)
    assert clear.sum() == 3199
    assert (seen[clear] == votes.EIGHT.index("contempt")).sum() == 13
