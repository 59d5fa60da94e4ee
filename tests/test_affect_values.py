"""The bridge between faces and music, worked out by hand: values, bounds and sentences."""

from __future__ import annotations

import math

import pytest

from emotion_dj import affect
from emotion_dj.domain import Affect, Box, Emotion, Face, Mood, Plan, Reading
from emotion_dj.errors import LabelError, LowConfidence

NOT_A_POINT = "is not a point of the plane: write V,A, each from -1 to 1, as in 0.5,-0.2"
OR_A_POINT = ", or write a point V,A, each from -1 to 1, as in 0.5,-0.2"


def face(width: float, height: float = 1.0) -> Face:
    """Return a face with a box of that size."""
    return Face(Box(0, 0, width, height), 0.9)


def at(valence: float, arousal: float, of: Emotion = Emotion.HAPPY) -> Reading:
    """Return a certain reading of a face whose place a model read itself."""
    chances = {emotion: float(emotion is of) for emotion in Emotion}
    return Reading(chances, "a model", affect=Affect(valence, arousal))


def halves(first: Emotion, second: Emotion) -> Reading:
    """Return a reading that wavers between two emotions."""
    return Reading({e: 0.5 * (e in {first, second}) for e in Emotion}, "a model")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2,0", f"'2,0' {NOT_A_POINT}"),
        ("0,-1.01", f"'0,-1.01' {NOT_A_POINT}"),
        ("a,b", f"'a,b' {NOT_A_POINT}"),
        ("nan,0", f"'nan,0' {NOT_A_POINT}"),
        ("0,0,0", f"'0,0,0' {NOT_A_POINT}"),
        ("purple", f"unknown mood 'purple': choose happy, sad, calm, energetic{OR_A_POINT}"),
    ],
)
def test_what_is_no_point_is_said(text: str, sentence: str) -> None:
    """The sentence repeats what was written and shows how it is written."""
    with pytest.raises(LabelError) as refused:
        affect.parse_affect(text)
    assert str(refused.value) == sentence


def test_the_corners_of_the_plane_are_points() -> None:
    """Both ends of each axis belong to it."""
    assert affect.parse_affect("-1,1") == Affect(-1, 1)
    assert affect.parse_affect("1.0, -1.0") == Affect(1, -1)


@pytest.mark.parametrize(
    ("text", "place", "label"),
    [
        ("afraid", Affect(-0.64, 0.60), Emotion.FEAR),
        ("chill", Affect(0.35, -0.60, 0.25), Mood.CALM),
        ("sad", Affect(-0.63, -0.27), Emotion.SAD),
        ("0.5,-0.2", Affect(0.5, -0.2), None),
    ],
)
def test_a_place_is_said_in_any_way(text: str, place: Affect, label: str | None) -> None:
    """An emotion before a mood, and a point; a mood is wide, the others are certain."""
    said = affect.parse_place(text)
    assert (said, said.uncertainty, said.stated_label) == (place, place.uncertainty, label)


def test_what_is_no_place_is_said() -> None:
    """Every word that is understood is named once."""
    with pytest.raises(LabelError) as refused:
        affect.parse_place("purple")
    assert str(refused.value) == (
        "unknown emotion or mood 'purple': choose angry, disgust, fear, happy, neutral, sad, "
        f"surprise, calm, energetic{OR_A_POINT}"
    )
    with pytest.raises(LabelError, match="is not a point of the plane"):
        affect.parse_place("3,3")


def test_a_mood_is_a_region_with_its_name() -> None:
    """The middle of it, and as wide as it is."""
    target = affect.of_mood(Mood.CALM)
    assert (target.valence, target.arousal, target.uncertainty) == (0.35, -0.60, 0.25)
    assert target.stated_label is Mood.CALM


def test_a_wavering_face_stands_between_its_emotions() -> None:
    """Half angry, half happy: the middle of both, and as unsure as two of seven are."""
    target = affect.of_reading(halves(Emotion.ANGRY, Emotion.HAPPY))
    assert target.valence == pytest.approx(0.15)
    assert target.arousal == pytest.approx(0.55)
    assert target.uncertainty == pytest.approx(math.log(2) / math.log(7))


def test_offsets_move_each_emotion_by_its_share() -> None:
    """What a listener taught of anger counts by half where the face is half angry."""
    offsets = {Emotion.ANGRY: (0.2, -0.4)}
    target = affect.of_reading(halves(Emotion.ANGRY, Emotion.HAPPY), offsets)
    assert (target.valence, target.arousal) == pytest.approx((0.25, 0.35))
    room = affect.aggregate([face(1)], [halves(Emotion.ANGRY, Emotion.HAPPY)], offsets)
    assert (room.valence, room.arousal) == pytest.approx((0.25, 0.35))


def test_offsets_do_not_leave_the_plane() -> None:
    """A face at the edge stays on it."""
    happy = Reading({e: float(e is Emotion.HAPPY) for e in Emotion}, "a model")
    beyond = affect.of_reading(happy, {Emotion.HAPPY: (0.9, 0.9)})
    assert (beyond.valence, beyond.arousal) == (1, 1)
    below = affect.of_reading(happy, {Emotion.HAPPY: (-2.5, -2.5)})
    assert (below.valence, below.arousal) == (-1, -1)


def test_a_place_that_was_read_counts_by_itself() -> None:
    """A model that reads the plane is not put back onto the table of emotions."""
    assert affect.of_reading(at(-0.3, 0.9)) == Affect(-0.3, 0.9)
    wavering = Reading(halves(Emotion.ANGRY, Emotion.SAD).probabilities, "", affect=Affect(0, 0.5))
    assert affect.of_reading(wavering).uncertainty == pytest.approx(math.log(2) / math.log(7))


def test_the_nearer_emotion_is_the_likelier() -> None:
    """An emotion is likeliest at its own point, and the others by their distance."""
    chances = affect.likely_emotions(Affect(*affect.EMOTION_AFFECT[Emotion.SAD]))
    assert max(chances, key=chances.__getitem__) is Emotion.SAD
    assert math.fsum(chances.values()) == pytest.approx(1)
    apart = 0.63**2 + 1.3 * 0.27**2  # from neutral
    ratio = chances[Emotion.NEUTRAL] / chances[Emotion.SAD]
    assert ratio == pytest.approx(math.exp(-apart / 0.25))


def test_a_room_is_the_mean_by_size_and_certainty() -> None:
    """A face twice as large counts twice; doubt takes from it, and both widen the target."""
    room = affect.aggregate([face(2), face(1)], [at(0.6, 0.0), at(0.0, 0.3)])
    assert (room.valence, room.arousal) == pytest.approx((0.4, 0.1))
    between = (2 * (0.2**2 + 1.3 * 0.1**2) + 0.4**2 + 1.3 * 0.2**2) / 3
    assert room.uncertainty == pytest.approx(math.sqrt(between))
    wavering = halves(Emotion.ANGRY, Emotion.HAPPY)
    doubt = math.log(2) / math.log(7)
    mixed = affect.aggregate([face(1), face(1)], [at(0.15, 0.55), wavering])
    assert mixed.uncertainty == pytest.approx(
        math.sqrt((1.05 - doubt) / (1.05 + 1.05 - doubt)) * doubt
    )
    apart = affect.aggregate([face(1), face(1)], [at(0.65, 0.55), wavering])
    assert apart.valence == pytest.approx(0.15 + 0.5 * 1.05 / (1.05 + 1.05 - doubt))


def test_a_small_room_counts_as_a_large_one() -> None:
    """Boxes whose areas come to less than a pixel weigh faces all the same."""
    room = affect.aggregate([face(0.2), face(0.1)], [at(0.6, 0.0), at(0.0, 0.3)])
    assert (room.valence, room.arousal) == pytest.approx((0.4, 0.1))


def test_the_widest_disagreement_is_one() -> None:
    """Uncertainty has an end, however far faces stand apart."""
    room = affect.aggregate([face(1), face(1)], [at(1, 1), at(-1, -1)])
    assert room.uncertainty == 1


def test_a_room_of_nobody_is_said() -> None:
    """And so is a list that names more faces than it reads."""
    with pytest.raises(LowConfidence) as refused:
        affect.aggregate([], [])
    assert str(refused.value) == "there is no face to read"
    with pytest.raises(ValueError, match="zip"):
        affect.aggregate([face(1), face(1)], [at(0, 0)])
    with pytest.raises(ValueError, match="zip"):
        affect.mean([Affect(0, 0)], [1, 1])


def test_faces_disagree_from_a_distance_on() -> None:
    """Seven tenths of the plane are still near, a little more is not."""
    assert not affect.disagree([at(0.35, 0.0), at(-0.35, 0.0)])
    assert affect.disagree([at(0.36, 0.0), at(-0.36, 0.0)])


def test_arousal_counts_more_than_valence() -> None:
    """By the ratio of the listeners' agreement."""
    assert affect.distance(Affect(0.3, 0.0), Affect(0.0, 0.0)) == pytest.approx(0.3)
    assert affect.distance(Affect(0.0, 0.3), Affect(0.0, 0.0)) == pytest.approx(0.3 * 1.3**0.5)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("match", [(-0.5, 0.0), (-0.5, 0.0), (-0.5, 0.0)]),
        ("lift", [(-0.5, 0.0), (0.075, 0.225), (0.65, 0.45)]),
        ("calm", [(-0.5, 0.0), (-0.075, -0.275), (0.35, -0.55)]),
        ("journey:..0.5,0.4", [(-0.5, 0.0), (0.0, 0.2), (0.5, 0.4)]),
        ("journey:0.5,0.4..", [(0.5, 0.4), (0.0, 0.2), (-0.5, 0.0)]),
    ],
)
def test_a_plan_leads_where_it_says(text: str, points: list[tuple[float, float]]) -> None:
    """Its first target, the one half-way and its last one, each as wide as the listener's."""
    start = Affect(-0.5, 0.0, 0.3)
    path = affect.path(affect.parse_plan(text), [start], 3)
    for target, (valence, arousal) in zip(path, points, strict=True):
        assert (target.valence, target.arousal) == pytest.approx((valence, arousal))
        assert target.uncertainty == 0.3


def test_a_vent_meets_the_energy_and_lets_go_after_two_fifths() -> None:
    """At full energy up to there, half of the way back at seven tenths, then released."""
    path = affect.path(Plan("vent"), [Affect(-0.5, 0.1)], 11)
    assert [target.arousal for target in path[:5]] == pytest.approx([0.65] * 5)
    assert (path[7].valence, path[7].arousal) == pytest.approx((-0.15, 0.175))
    assert (path[10].valence, path[10].arousal) == pytest.approx((0.2, -0.3))


def test_plans_take_away_nothing_that_is_good_already() -> None:
    """Lift lowers nobody, calm dims nobody and stirs nobody, vent tames nobody."""
    bright = Affect(0.9, 0.8)
    assert affect.path(Plan("lift"), [bright], 5)[-1] == bright
    still = Affect(0.6, -0.9)
    assert affect.path(Plan("calm"), [still], 5)[-1] == still
    assert affect.path(Plan("vent"), [Affect(-0.5, 0.9)], 5)[0].arousal == 0.9


def test_a_set_of_one_song_is_the_beginning() -> None:
    """There is no way to go."""
    (only,) = affect.path(Plan("lift"), [Affect(-0.5, -0.5)], 1)
    assert only == Affect(-0.5, -0.5)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        (" Journey:SAD..happy ", Mood.SAD, Mood.HAPPY),
        ("journey:..calm", None, Mood.CALM),
        ("journey:calm..", Mood.CALM, None),
    ],
)
def test_a_journey_knows_its_ends(text: str, start: Mood | None, end: Mood | None) -> None:
    """Named by moods; the end left out is where the listener is."""
    plan = affect.parse_plan(text)
    ends = [stop and stop.stated_label for stop in plan.stops]
    assert (plan.name, ends) == ("journey", [start, end])


@pytest.mark.parametrize(
    "text",
    ["dance", "lift:sad..happy", "journey:sad", "journey:..", "journey:" + "sad..calm.." * 4],
)
def test_what_is_no_plan_is_said(text: str) -> None:
    """Only a journey has stops, two to eight of them; the sentence names every plan."""
    with pytest.raises(LabelError) as refused:
        affect.parse_plan(text)
    assert str(refused.value) == (
        f"unknown plan '{text}': choose match, lift, calm, liven, vent, or journey:FROM..TO "
        "as in journey:sad..happy"
    )


def test_a_journey_has_eight_stops_at_most() -> None:
    """Each stretch between them takes the same time, and begins and ends gently."""
    plan = affect.parse_plan("journey:" + "..".join(["sad", "calm"] * 4))
    assert len(plan.stops) == 8
    by_calm = affect.parse_plan("journey:0,0..0.5,0..0.5,0.8")
    path = affect.path(by_calm, [Affect(-1, -1)], 7)
    eased = [t * t * (3 - 2 * t) for t in (0, 1 / 3, 2 / 3, 1)]
    assert [target.valence for target in path[:4]] == pytest.approx([0.5 * e for e in eased])
    assert [target.arousal for target in path[3:]] == pytest.approx([0.8 * e for e in eased])


def test_a_set_of_two_songs_goes_all_the_way() -> None:
    """From where the listener is to where the plan leads."""
    first, last = affect.path(Plan("lift"), [Affect(-0.5, 0.0)], 2)
    assert first == Affect(-0.5, 0.0)
    assert (last.valence, last.arousal) == pytest.approx((0.65, 0.45))
