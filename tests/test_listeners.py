"""Many listeners of one facade: music is everyone's, taste and corrections are each one's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.catalogue import Catalogue
from emotion_dj.domain import (
    Affect,
    Analysis,
    AudioFeatures,
    Emotion,
    Face,
    Listener,
    PhotoAnalysis,
    Reading,
    Track,
)

if TYPE_CHECKING:
    from pathlib import Path

ANN, BEN = Listener("ann"), Listener("ben")


@pytest.fixture
def dj(tmp_path: Path) -> EmotionDJ:
    """Return a facade over a catalogue of forty songs."""
    path = tmp_path / "catalogue.sqlite"
    from emotion_dj.app.model_registry import audio_model_id

    analyser = audio_model_id()
    with Catalogue(path) as catalogue:
        heard = Analysis(AudioFeatures(analyser), Affect(0.1, 0.1))
        rows = [(Track(f"x:{i}", f"T{i}"), "1", f"{i}", heard) for i in range(40)]
        catalogue.store_all(rows, analyser=analyser)
    return EmotionDJ(settings=Settings(database=str(path)))


def sad_face() -> PhotoAnalysis:
    """Return what a photo says on which one face looks sad."""
    reading = Reading({Emotion.SAD: 0.9, Emotion.NEUTRAL: 0.1}, model="m")
    face = Face((0, 0, 9, 9), 1.0, tuple((float(i), 1.0) for i in range(5)))
    return PhotoAnalysis((face,), (reading,), Affect(-0.5, -0.3))


def test_what_one_does_no_other_can_read(dj: EmotionDJ) -> None:
    """Likes, plays and corrections are in one's own export and summary, in nobody else's."""
    ann, ben = dj.of(ANN), dj.of(BEN)
    (number,) = dj.library.numbers(["x:7"]).values()
    ann.taste.add(number, "like")
    ann.taste.correct(sad_face(), "calm")
    ben.taste.add(number, "skip")
    assert [row["kind"] for row in ann.taste.export()["feedback"]] == ["like"]
    assert [row["kind"] for row in ben.taste.export()["feedback"]] == ["skip"]
    assert (len(ann.taste.export()["corrections"]), ben.taste.export()["corrections"]) == (1, [])
    assert dj.taste.export() == {"feedback": [], "corrections": []}
    assert ann.taste.offsets[Emotion.SAD] != (0, 0)
    assert all(pair == (0, 0) for pair in dict(ben.taste.offsets).values())
    liked, skipped = (each.taste.preferences(dj.library.current()) for each in (ann, ben))
    row = dj.library.current().number.tolist().index(number)
    assert liked.taste[row] > 0 > skipped.taste[row]


def test_everything_of_one_is_deleted(dj: EmotionDJ, tmp_path: Path) -> None:
    """Not even their name is left in the file, and the others keep theirs."""
    ann, ben = dj.of(ANN), dj.of(BEN)
    (number,) = dj.library.numbers(["x:7"]).values()
    for each in (ann, ben):
        each.taste.add(number, "like")
        each.taste.correct(sad_face(), "calm")
    assert ann.taste.reset() == 2
    assert ann.taste.export() == {"feedback": [], "corrections": []}
    assert ann.taste.summary()["favourites"] == []
    assert len(ben.taste.export()["feedback"]) == len(ben.taste.export()["corrections"]) == 1
    with Catalogue(tmp_path / "catalogue.sqlite") as catalogue, catalogue._database.reading() as c:
        names = set(c.exec_driver_sql("SELECT name FROM state").scalars())
    assert names == {"id", "music", "told:ben"}


def test_music_and_models_are_shared(dj: EmotionDJ) -> None:
    """Another listener costs no other catalogue, candidates or networks."""
    ann = dj.of(ANN)
    assert ann.library is dj.library
    assert ann.of(BEN)._models is dj._models
    assert ann.listener == ANN
    assert dj.listener != ANN
