"""Sets over HTTP from words, from a song, under conditions and of a length in minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    import httpx


def test_words_are_understood(client: httpx.Client) -> None:
    """A sentence becomes a set whose notes tell as codes what was understood."""
    music = client.post(
        "/sets", json={"say": "müde, aber ich will etwas Fröhliches", "n": 4}
    ).json()
    assert len(music["picks"]) == 4
    assert music["opening"]["code"] == "you_say"
    told = {note["code"]: note["said"] for note in music["notes"] if "said" in note}
    assert told == {"understood_is": ["müde"], "understood_wants": ["Fröhliches"]}


def test_more_like_this(client: httpx.Client) -> None:
    """A song's number and a direction are enough; the song is not in its own set."""
    first = client.post("/sets", json={"mood": "happy", "n": 1}).json()["picks"][0]
    for plan, code in (("match", "like"), ("calm", "like_calmer"), ("liven", "like_livelier")):
        music = client.post("/sets", json={"like": first["id"], "plan": plan, "n": 5}).json()
        assert music["opening"]["code"] == code
        assert music["opening"]["title"] == first["title"]
        assert first["id"] not in {pick["id"] for pick in music["picks"]}


def test_minutes_and_conditions(client: httpx.Client) -> None:
    """A length in minutes is kept, and a condition keeps songs out."""
    wish = {"mood": "calm", "minutes": 10}
    music = client.post("/sets", json=wish).json()
    length = sum(pick["duration"] for pick in music["picks"])
    assert abs(length - 600) < max(pick["duration"] for pick in music["picks"])
    folder = unquote(music["picks"][0]["uri"]).removeprefix("file://").rpartition("/")[0]
    others = client.post("/sets", json={**wish, "avoid": [f"folder:{folder}"]}).json()
    assert not any(folder in unquote(pick["uri"]) for pick in others["picks"])


@pytest.mark.parametrize(
    ("wish", "code", "words"),
    [
        ({"say": "xyzzy"}, "not_understood", "English"),
        ({"say": "happy sad"}, "contradiction", "pull apart"),
        ({"like": 10**9}, "unknown_track", "knows no track"),
        ({"mood": "sad", "only": ["genre:polka"]}, "nothing_left", "genre:polka"),
        ({"mood": "sad", "only": ["playlist:/etc/passwd"]}, "invalid_request", "only"),
        ({"mood": "sad", "minutes": 0}, "invalid_request", "minutes"),
        ({"mood": "sad", "plan": "journey:sad..sad"}, "empty_journey", "goes nowhere"),
        ({"mood": "sad", "like": 1}, "invalid_request", "one way"),
        ({"say": ""}, "invalid_request", "say"),
    ],
)
def test_bad_wishes_are_one_sentence(
    client: httpx.Client, wish: dict[str, object], code: str, words: str
) -> None:
    """Each wish that makes no sense is a problem document with a code of its own."""
    answer = client.post("/sets", json=wish)
    assert answer.status_code == 422
    told = answer.json()
    assert told["code"] == code
    assert words in told["detail"]
    assert "--" not in told["detail"]
