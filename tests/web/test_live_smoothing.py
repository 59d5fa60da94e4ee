"""Live readings are smoothed alike in Python and in the page: one table of cases for both."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import emotion_dj
from emotion_dj.domain import Affect, Box, Emotion, Face, Reading
from emotion_dj.vision import images
from emotion_dj.vision.detectors import YuNet
from emotion_dj.vision.emotion import EmotionReader
from emotion_dj.vision.smoothing import RULES, Room, Settled, follow, settle

TESTS = Path(__file__).resolve().parents[1]
CASES = json.loads((TESTS / "data" / "live-smoothing.json").read_text("utf-8"))
STATIC = Path(emotion_dj.__file__).parent / "web" / "static"
pytestmark = pytest.mark.needs_node

NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node") or "node"
NOT_EMOTIONS = ("box", "unsure", "id", "emotion", "abstained")


def emotions(given: dict[str, Any]) -> dict[str, float]:
    """Return seven probabilities: what a case names, and the rest spread over the others."""
    named = {name: p for name, p in given.items() if name not in NOT_EMOTIONS}
    rest = (1 - sum(named.values())) / (len(Emotion) - len(named))
    return {emotion.value: named.get(emotion.value, rest) for emotion in Emotion}


def whole(face: dict[str, Any]) -> dict[str, Any]:
    """Return a face of a case as the page's eye returns one."""
    shares = emotions(face)
    most = max(shares, key=shares.__getitem__)
    unsure = bool(face.get("unsure"))
    return {
        "box": face["box"],
        "score": 0.9,
        "emotions": shares,
        "emotion": most,
        "abstained": unsure,
    }


def in_python(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the people whom Python follows through these frames."""
    room = Room()
    for frame in frames:
        shown = [whole(face) for face in frame["faces"]]
        faces = [Face(Box(*face["box"]), face["score"]) for face in shown]
        readings = [
            Reading({Emotion(e): p for e, p in face["emotions"].items()}, "face", face["abstained"])
            for face in shown
        ]
        room = follow(room, faces, readings, frame["now"])
    return [
        {
            "id": person.id,
            "box": list(person.face.box),
            "emotion": person.emotion.value,
            "abstained": person.reading.abstained,
            "emotions": {e.value: p for e, p in person.reading.probabilities.items()},
        }
        for person in room.people
    ]


@cache
def in_page() -> dict[str, Any]:
    """Return what the page's module makes of all cases."""
    following = [
        [{"now": f["now"], "faces": [whole(face) for face in f["faces"]]} for f in case["frames"]]
        for case in CASES["following"]
    ]
    settling = [case["points"] for case in CASES["settling"]]
    given = {"modules": str(STATIC), "rules": RULES._asdict(), "following": following}
    done = subprocess.run(
        [NODE, "--no-warnings", str(Path(__file__).parent / "eye" / "smoothing.mjs")],
        input=json.dumps({**given, "settling": settling}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "number", range(len(CASES["following"])), ids=lambda i: CASES["following"][i]["says"]
)
def test_people_are_followed(number: int) -> None:
    """Each case comes out as the table says, in Python and in the page."""
    case = CASES["following"][number]
    ours, theirs = in_python(case["frames"]), in_page()["rooms"][number]["people"]
    assert len(ours) == len(theirs) == len(case["people"])
    for expected, *found in zip(case["people"], ours, theirs, strict=True):
        named = {name: p for name, p in expected.items() if name not in NOT_EMOTIONS}
        for one in found:
            assert {
                key: one[key] for key in ("id", "emotion", "abstained")
            }.items() <= expected.items()
            assert {name: one["emotions"][name] for name in named} == pytest.approx(named, abs=5e-4)
        assert found[0]["emotions"] == pytest.approx(found[1]["emotions"], abs=1e-9)
        assert found[0]["box"] == found[1]["box"]


@pytest.mark.parametrize(
    "number", range(len(CASES["settling"])), ids=lambda i: CASES["settling"][i]["says"]
)
def test_a_room_settles(number: int) -> None:
    """A room is elsewhere once it has been there for long, in Python and in the page."""
    case = CASES["settling"][number]
    state, moves = Settled(), []
    for now, valence, arousal in case["points"]:
        state, moved = settle(state, Affect(valence, arousal), now)
        moves.append(moved)
    assert moves == case["moved"] == in_page()["moves"][number]


@pytest.mark.needs_shared
def test_a_first_unsure_second_stops_nothing(shared: Path) -> None:
    """A camera that begins with unsure frames shows the first sure one as soon as it comes."""
    folder = shared / "cases" / "faces"
    detector, reader = YuNet(), EmotionReader()
    room = Room()
    for now, name in ((0.0, "live-unsure"), (0.5, "live-unsure"), (1.0, "live-sure")):
        image = images.load(folder / f"{name}.jpg")
        faces = detector.detect(image)
        room = follow(room, faces, reader.read(image, faces), now)
    (person,) = room.people
    assert not person.reading.abstained
    assert person.sure == 1.0
