"""The bridge between faces and music."""

from __future__ import annotations

import itertools

import pytest

from emotion_dj import affect
from emotion_dj.domain import Affect, Box, Emotion, Face, Mood, Plan, Reading
from emotion_dj.errors import EmptyJourney, LabelError, LowConfidence

BIG = Face(Box(0, 0, 200, 200), 0.9)
SMALL = Face(Box(300, 0, 50, 50), 0.9)
PLANS = ["match", "lift", "calm", "vent", "journey:sad..happy", "journey:..calm", "journey:happy.."]


def reading(sure: float = 1.0, of: Emotion = Emotion.HAPPY, *, abstained: bool = False) -> Reading:
    """Return a reading that gives ``sure`` to one emotion and the rest to the others evenly."""
    rest = (1 - sure) / (len(Emotion) - 1)
    probabilities = {emotion: sure if emotion is of else rest for emotion in Emotion}
    return Reading(probabilities, model="a model", abstained=abstained)


@pytest.mark.parametrize(
    ("spelling", "emotion"),
    [
        ("fear", Emotion.FEAR),
        ("fearful", Emotion.FEAR),
        ("Surprised", Emotion.SURPRISE),
        ("disgusted", Emotion.DISGUST),
        (" ANGER ", Emotion.ANGRY),
        ("happiness", Emotion.HAPPY),
        ("sadness", Emotion.SAD),
        ("neutral", Emotion.NEUTRAL),
    ],
)
def test_every_spelling_of_an_emotion_is_understood(spelling: str, emotion: Emotion) -> None:
    """The spellings of other libraries' label sets name our seven emotions."""
    assert affect.parse_emotion(spelling) is emotion


def test_contempt_is_no_disgust() -> None:
    """FER+'s eighth emotion is none of the seven, so it is not taken for one."""
    with pytest.raises(LabelError, match="unknown emotion 'contempt'"):
        affect.parse_emotion("contempt")


def test_unknown_labels_list_the_known_ones() -> None:
    """A label in no table is refused with the table, not guessed."""
    with pytest.raises(LabelError, match="angry, disgust, fear, happy, neutral, sad, surprise"):
        affect.parse_emotion("bored")
    with pytest.raises(
        LabelError, match=r"^unknown mood 'purple': choose happy, sad, calm, energetic$"
    ):
        affect.parse_mood("purple")


def test_all_seven_emotions_have_their_own_place() -> None:
    """The one table misses no emotion and merges none: the original lost three of seven."""
    places = [affect.EMOTION_AFFECT[emotion] for emotion in Emotion]
    assert len(set(places)) == len(Emotion) == 7


def test_a_certain_reading_is_its_emotion() -> None:
    """Probability one on an emotion gives its point without spread."""
    assert affect.of_reading(reading(1.0)) == Affect(0.81, 0.51, 0.0)


def test_doubt_widens_the_target() -> None:
    """The less certain a reading, the larger its spread, up to 1 for a uniform one."""
    spreads = [affect.of_reading(reading(sure)).uncertainty for sure in (1.0, 0.8, 0.5, 1 / 7)]
    assert spreads == sorted(spreads)
    assert spreads[0] == 0
    assert spreads[-1] == pytest.approx(1)


def test_the_nearer_face_counts_more() -> None:
    """The room's point lies between the faces, nearer to the larger one."""
    sad = reading(of=Emotion.SAD)
    room = affect.aggregate([BIG, SMALL], [reading(), sad])
    assert 0.5 < room.valence < 0.81
    assert room.uncertainty > 0.3


def test_faces_without_an_area_count_alike() -> None:
    """Boxes of no size weigh nothing, so that each face counts as much as the other."""
    flat = Face(Box(0, 0, 0, 0), 1.0)
    room = affect.aggregate([flat, flat], [reading(), reading(of=Emotion.SAD)])
    assert room.valence == pytest.approx((0.81 - 0.63) / 2)


def test_a_face_that_abstains_does_not_vote() -> None:
    """An abstained reading counts only where nobody else is sure."""
    unsure = reading(0.3, Emotion.SAD, abstained=True)
    alone = affect.aggregate([SMALL], [unsure])
    assert affect.aggregate([BIG, SMALL], [reading(), unsure]).valence == pytest.approx(0.81)
    assert alone == pytest.approx(affect.aggregate([SMALL], [unsure]))


def test_an_empty_room_has_no_affect() -> None:
    """Nobody in the picture is an error, never a neutral face."""
    with pytest.raises(LowConfidence):
        affect.aggregate([], [])


def test_disagreement_is_seen() -> None:
    """A happy and a sad face disagree, two happy ones do not."""
    assert affect.disagree([reading(), reading(of=Emotion.SAD)])
    assert not affect.disagree([reading(), reading(0.9)])


def test_every_mood_lies_in_its_own_region() -> None:
    """The middle of each mood's region has that mood."""
    for mood in Mood:
        assert affect.mood(affect.of_mood(mood)) is mood


@pytest.mark.parametrize("text", PLANS)
@pytest.mark.parametrize("emotion", list(Emotion))
def test_paths_stay_on_the_plane_and_are_smooth(text: str, emotion: Emotion) -> None:
    """Whatever the plan and the face, the path has n points, on the plane, without a jump."""
    here = affect.of_reading(reading(0.8, emotion))
    path = affect.path(affect.parse_plan(text), [here], 20)
    assert len(path) == 20
    assert all(abs(p.valence) <= 1 and abs(p.arousal) <= 1 for p in path)
    assert all(affect.distance(a, b) < 0.25 for a, b in itertools.pairwise(path))
    assert {p.uncertainty for p in path} == {here.uncertainty}


def test_match_stays_where_the_listener_is() -> None:
    """A matching set mirrors the face from the first song to the last."""
    here = Affect(-0.6, -0.3, 0.2)
    assert affect.path(Plan("match"), [here], 5) == [here] * 5


def test_lift_begins_with_the_listener_and_ends_brighter() -> None:
    """Lifting meets a sad face first and ends bright; it never pulls a radiant one down."""
    sad = affect.path(Plan("lift"), [Affect(-0.6, -0.3)], 9)
    assert sad[0] == Affect(-0.6, -0.3)
    assert sad[-1].valence > 0.5
    radiant = affect.path(Plan("lift"), [Affect(0.9, 0.8)], 9)
    assert radiant[-1] == Affect(0.9, 0.8)


def test_vent_meets_the_energy_and_then_lets_go() -> None:
    """Anger is met at full energy first and released at the end."""
    path = affect.path(Plan("vent"), [Affect(-0.5, 0.6)], 10)
    assert path[0].arousal >= 0.6
    assert path[-1].arousal < 0


def test_a_journey_and_its_opposite_mirror_each_other() -> None:
    """`journey:..happy` walks from the listener to happy, `journey:happy..` the same way back."""
    here = Affect(-0.6, -0.3)
    there = affect.path(affect.parse_plan("journey:..happy"), [here], 7)
    back = affect.path(affect.parse_plan("journey:happy.."), [here], 7)
    for a, b in zip(there, reversed(back), strict=True):
        assert affect.distance(a, b) == pytest.approx(0, abs=1e-9)


def test_a_journey_goes_by_its_waypoints() -> None:
    """A journey from sad by calm to happy is in calm halfway, and there with no jump."""
    path = affect.path(affect.parse_plan("journey:sad..calm..happy"), [Affect(0, 0)], 9)
    for place, mood in ((0, Mood.SAD), (4, Mood.CALM), (8, Mood.HAPPY)):
        assert affect.distance(path[place], affect.of_mood(mood)) == pytest.approx(0, abs=1e-9)


def test_livening_lifts_the_energy_alone() -> None:
    """`liven` ends lively, as bright or dark as it began."""
    path = affect.path(Plan("liven"), [Affect(-0.6, -0.3)], 7)
    assert path[-1].arousal > 0.5
    assert {point.valence for point in path} == {-0.6}


@pytest.mark.parametrize(
    "text", ["journey:sad..sad", "journey:0.1,0.2..0.1,0.2", "journey:....sad"]
)
def test_a_journey_to_itself_is_refused(text: str) -> None:
    """A journey that stays where it is gets a sentence that says so."""
    with pytest.raises(EmptyJourney, match="goes nowhere"):
        affect.parse_plan(text)


def test_each_face_is_served_in_turns() -> None:
    """Several points alternate along the path."""
    happy, sad = Affect(0.8, 0.5), Affect(-0.6, -0.3)
    assert affect.path(Plan("match"), [happy, sad], 4) == [happy, sad, happy, sad]


@pytest.mark.parametrize("text", ["", "dance", "journey", "journey:", "journey:..", "match:happy"])
def test_unknown_plans_are_refused(text: str) -> None:
    """A plan that is none gets a sentence that names the plans."""
    with pytest.raises(LabelError, match="match, lift, calm, liven, vent"):
        affect.parse_plan(text)


@pytest.mark.parametrize("text", ["2,0", "0.1,", "nan,0", "a,b", "0,0,0"])
def test_points_off_the_plane_are_refused(text: str) -> None:
    """A point that is none, or off the plane, gets a sentence with an example."""
    with pytest.raises(LabelError, match=r"0\.5,-0\.2"):
        affect.parse_affect(text)


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (Affect(0.6, 0.5), ("bright", "lively")),
        (Affect(-0.6, 0.5), ("dark", "tense")),
        (Affect(-0.6, -0.5), ("dark", "calm")),
        (Affect(0.0, -0.5), ("calm",)),
        (Affect(0.0, 0.0), ("balanced",)),
    ],
)
def test_points_are_described_as_a_person_would(point: Affect, words: tuple[str, ...]) -> None:
    """Every corner of the plane has its plain words."""
    assert affect.describe(point) == words
