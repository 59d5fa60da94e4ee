"""The listener's own resting face over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.app import EmotionDJ

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

CALM = {"angry": 0.5, "disgust": 0, "fear": 0, "happy": 0, "neutral": 0.3, "sad": 0.2}
CALM["surprise"] = 0


def face(**more: Any) -> dict[str, Any]:
    """Return a face as /readings gives it, that looks as one does who is angry at rest."""
    return {"box": [10, 10, 100, 100], "emotions": CALM, "abstained": False, **more}


def test_a_set_follows_the_face_beside_its_resting_face(client: httpx.Client) -> None:
    """Someone who looks angry at rest gets calm music for the same face; the others stay."""
    wish = {"faces": [face()], "n": 3}
    assert client.post("/sets", json=wish).json()["opening"]["emotion"] == "angry"
    own = client.post("/sets", json={**wish, "resting": CALM}).json()
    assert own["opening"]["emotion"] == "neutral"
    hidden = face(abstained=True, reasons=[{"code": "mouth_hidden"}])
    told = client.post("/sets", json={"faces": [hidden], "resting": CALM})
    assert (told.status_code, told.json()["code"]) == (422, "low_confidence")


def test_a_photo_is_read_beside_the_resting_face(
    client: httpx.Client, in_package: Callable[[str, str], Path]
) -> None:
    """A form field of JSON; what comes is what Python reads with the same resting face."""
    path = in_package("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")
    sent = {"files": {"photo": path.read_bytes()}, "data": {"resting": json.dumps(CALM)}}
    told = client.post("/readings", **sent).json()["faces"][0]
    own, plain = EmotionDJ().read(path, resting=CALM), EmotionDJ().read(path)
    assert told["emotions"] == pytest.approx(own.readings[0].probabilities, abs=1e-4)
    assert told["emotions"] != pytest.approx(plain.readings[0].probabilities, abs=1e-2)


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ({**CALM, "sad": 0.3}, "resting_error"),
        ({"neutral": 1.0}, "resting_error"),
        ({**CALM, "calm": 0.0}, "resting_error"),
        ({**CALM, "happy": 0.7, "angry": 0, "neutral": 0.1}, "resting_error"),
        ({**CALM, "sad": "much"}, "invalid_request"),
        ([0.5], "invalid_request"),
    ],
)
def test_what_is_no_resting_face_is_refused(
    client: httpx.Client, smiling_photo: Path, own: Any, code: str
) -> None:
    """A sum off 1, missing or unknown emotions, a smile, no numbers: 422, by either address."""
    photo = {"photo": smiling_photo.read_bytes()}
    answers = [
        client.post("/sets", json={"faces": [face()], "resting": own}),
        client.post("/readings", files=photo, data={"resting": json.dumps(own)}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == 2 * [(422, code)]


def test_a_resting_face_needs_a_face_and_json(client: httpx.Client, smiling_photo: Path) -> None:
    """Beside a mood it says nothing; text that is no JSON is said to be none."""
    mood = client.post("/sets", json={"mood": "calm", "resting": CALM})
    assert (mood.status_code, "needs faces" in mood.json()["detail"]) == (422, True)
    photo = {"photo": smiling_photo.read_bytes()}
    text = client.post("/readings", files=photo, data={"resting": "calm"})
    assert (text.status_code, "'resting' is no JSON" in text.json()["detail"]) == (422, True)
