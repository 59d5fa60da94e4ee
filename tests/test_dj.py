"""The whole way, on a real photograph and real music."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj import EmotionDJ, affect, messages
from emotion_dj.affect import distance
from emotion_dj.app import settings
from emotion_dj.domain import Affect, Emotion, Reason
from emotion_dj.errors import LabelError, LowConfidence, NoFace, SettingsError
from emotion_dj.serializers import photo_analysis_json, set_json

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def dj(tmp_path_factory: pytest.TempPathFactory) -> EmotionDJ:
    """Return a DJ over the demo library, with a catalogue of its own."""
    path = tmp_path_factory.mktemp("dj") / "catalogue.sqlite"
    return EmotionDJ(library=["demo"], settings=settings.Settings(database=str(path)))


def test_a_smile_gets_happy_music(dj: EmotionDJ, smiling_photo: Path) -> None:
    """The smiling portrait's ten picks stand nearer to it than the library, and are brighter."""
    music, everything = (dj.recommend(smiling_photo, plan="match", n=n) for n in (10, 28))
    near, all_ = (
        np.mean([distance(pick.affect, music.affect) for pick in one.picks])
        for one in (music, everything)
    )
    bright, usual = (
        np.mean([pick.affect.valence for pick in one.picks]) for one in (music, everything)
    )
    assert len(music.picks) == 10
    assert near < all_
    assert bright > usual
    assert messages.say(music.opening) == "you look happy"


def test_tomorrow_is_another_day(tmp_path: Path) -> None:
    """Seven days of one wish in a library of 400: no song twice; after a week songs come again."""
    table, source = tmp_path / "songs.csv", np.random.default_rng(0)
    rows = [f"T{i},A{i},{e:.3f},{v:.3f}" for i, (e, v) in enumerate(source.random((400, 2)))]
    table.write_text("\n".join(["title,artist,energy,valence", *rows]))
    now = [datetime(2026, 11, 20, 21, 0, tzinfo=UTC)]
    file = str(tmp_path / "week.sqlite")
    dj = EmotionDJ(settings=settings.Settings(database=file), clock=lambda: now[0])
    dj.library.import_table(table)
    days: list[set[str]] = []
    for _ in range(16):
        dj_set = dj.recommend(mood="calm", candidates=dj.library.current())
        dj.taste.played(dj_set)
        days.append({pick.track.uri for pick in dj_set.picks})
        now[0] += timedelta(days=1)
    week = days[:7]
    assert len(set.union(*week)) >= 66
    assert all(len(a & b) <= 1 for a, b in pairwise(days))
    assert days[0] & set.union(*days[8:])  # after a week's rest
    assert not dj.taste.preferences(dj.library.current()).taste.any()


def test_every_kind_of_photo_argument_is_the_same(dj: EmotionDJ, smiling_photo: Path) -> None:
    """A path, its bytes, a Pillow image and an array give the same look."""
    with Pillow.open(smiling_photo) as picture:
        rgb = picture.convert("RGB")
    looks = [
        dj.read(kind) for kind in (smiling_photo, smiling_photo.read_bytes(), rgb, np.asarray(rgb))
    ]
    assert looks == [looks[0]] * 4


def test_plans_take_the_listener_elsewhere(dj: EmotionDJ, smiling_photo: Path) -> None:
    """A calming set ends calmer than a matching one, and says what it is for."""
    look = dj.read(smiling_photo)
    match, calm = (dj.recommend(look, plan=plan, n=6) for plan in ("match", "calm"))
    assert calm.picks[-1].affect.arousal < match.picks[-1].affect.arousal - 0.2
    assert messages.say(calm.opening) == "to calm you down"


def test_a_mood_needs_no_photo(dj: EmotionDJ) -> None:
    """A mood or a point stands in for a face."""
    sad, energetic = dj.recommend(mood="sad", n=5), dj.recommend(affect=Affect(-0.1, 0.75), n=5)
    middle = [np.mean([p.affect.arousal for p in music.picks]) for music in (sad, energetic)]
    assert middle[0] < middle[1]
    assert messages.say(sad.opening) == "you want sad"


@pytest.mark.parametrize(
    ("said", "opening"),
    [
        ("neutral", "you said you are neutral"),
        ("angry", "you said you are angry"),
        ("fearful", "you said you are afraid"),
        ("calm", "you want calm"),
        ("0,0", "you want balanced"),
        ("-0.5,0.6", "you want dark and tense"),
    ],
)
def test_what_was_named_stays_named(dj: EmotionDJ, said: str, opening: str) -> None:
    """An emotion is not a mood: who says that they are neutral is not told that they want happy."""
    music = dj.recommend(affect=affect.parse_place(said), n=3)
    assert messages.say(music.opening) == opening


def test_each_face_is_served_in_turns(dj: EmotionDJ, smiling_photo: Path) -> None:
    """Two listeners who differ get songs by turns, and are told that they differ."""
    look = dj.read(smiling_photo)
    sad = replace(
        look.readings[0],
        probabilities={e: 0.94 if e is Emotion.SAD else 0.01 for e in Emotion},
    )
    two = replace(look, faces=look.faces * 2, readings=(look.readings[0], sad))
    music = dj.recommend(two, n=6, aggregate="each")
    gaps = [distance(pick.affect, Affect(0.8, 0.5)) for pick in music.picks]
    assert np.mean(gaps[::2]) < np.mean(gaps[1::2])
    assert "faces_disagree" in {note.code for note in music.notes}


def test_a_face_that_cannot_be_told_is_not_spoken_for(dj: EmotionDJ, smiling_photo: Path) -> None:
    """One smiles and one abstains: nobody says that all look happy."""
    look = dj.read(smiling_photo)
    readings = (look.readings[0], replace(look.readings[0], abstained=True))
    music = dj.recommend(replace(look, faces=look.faces * 2, readings=readings), n=3)
    assert messages.say(music.opening) == "the room looks bright and lively"
    both = replace(look, faces=look.faces * 2, readings=look.readings * 2)
    assert messages.say(dj.recommend(both, n=3).opening) == "you all look happy"


def test_nobody_is_said(dj: EmotionDJ) -> None:
    """A photo without a face is an outcome of its own, never a neutral face."""
    with pytest.raises(NoFace, match="no face found"):
        dj.recommend(np.full((300, 300, 3), 90, np.uint8))


def test_an_unsure_reading_asks(dj: EmotionDJ, smiling_photo: Path) -> None:
    """Where every reading abstains the listener is asked instead of guessed at."""
    look = dj.read(smiling_photo)
    unsure = replace(look, readings=(replace(look.readings[0], abstained=True),))
    with pytest.raises(LowConfidence, match="--mood"):
        dj.recommend(unsure)


def test_a_set_longer_than_the_library_is_said(dj: EmotionDJ) -> None:
    """Asked for more songs than there are, all are played and a note says so."""
    music = dj.recommend(mood="calm", n=40)
    assert len(music.picks) == 28
    assert Reason("few_tracks", {"count": 28}) in music.notes


@pytest.mark.parametrize("n", [0, -3])
def test_a_set_of_no_songs_is_refused(dj: EmotionDJ, n: int) -> None:
    """From Python too."""
    with pytest.raises(SettingsError, match="one or more"):
        dj.recommend(mood="calm", n=n)


def test_unknown_words_are_refused(dj: EmotionDJ) -> None:
    """A plan or mood that is none is refused before anything is ranked."""
    with pytest.raises(LabelError):
        dj.recommend(mood="calm", plan="dance")
    with pytest.raises(LabelError):
        dj.recommend(mood="purple")


@pytest.mark.parametrize(
    "values", [(math.nan, 0.0), (0.0, math.inf), (1.01, 0.0), (0.0, 0.0, math.nan), (0, 0, -0.1)]
)
def test_what_is_no_point_is_refused(values: tuple[float, ...]) -> None:
    """A point that is nowhere on the plane has no nearest music: it is refused when it is made."""
    with pytest.raises(LabelError, match="is not a point of the plane"):
        Affect(*values)


def test_json_forms(dj: EmotionDJ, smiling_photo: Path) -> None:
    """The JSON of a look and of a set has the documented keys and survives a round trip."""
    look = dj.read(smiling_photo)
    seen, music = photo_analysis_json(look), set_json(dj.recommend(look, n=3))
    assert json.loads(json.dumps([seen, music])) == [seen, music]
    (face,) = seen["faces"]
    assert {"box", "score", "emotion", "abstained", "emotions", "turned", "reasons"} == set(face)
    assert set(face["emotions"]) == {emotion.value for emotion in Emotion}
    assert set(seen["affect"]) == {"valence", "arousal", "uncertainty"}
    assert seen["model"] == "face-6"
    wanted = {"uri", "title", "artists", "affect", "mood", "score", "reason"}
    assert all(wanted <= set(pick) for pick in music["picks"])
