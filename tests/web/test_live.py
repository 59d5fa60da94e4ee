"""How the readings of a camera are followed: server-sent events over a real socket."""

from __future__ import annotations

import io
import json
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from PIL import Image as Pillow

from emotion_dj.web.broadcaster import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Yield (event, data) as they come."""
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def test_who_has_the_key_follows_a_camera(client: httpx.Client, smiling_photo: Path) -> None:
    """Each reading sent with the key comes as an event, the same as its sender was told."""
    key, other = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    photo, wall = smiling_photo.read_bytes(), io.BytesIO()
    Pillow.new("RGB", (300, 200), "white").save(wall, "PNG")
    with client.stream("GET", f"/readings/live/{key}") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == ": following"
        told = events(lines)
        client.post("/readings", params={"live": other}, files={"photo": wall.getvalue()})
        look = client.post("/readings", params={"live": key}, files={"photo": photo}).json()
        assert next(told) == ("reading", look)
        client.post("/readings", params={"live": key}, files={"photo": wall.getvalue()})
        assert next(told) == ("nobody", {})


def test_a_phone_tells_what_it_read_in_numbers(client: httpx.Client) -> None:
    """Faces as JSON come to the followers as a reading, none as nobody; what is wrong is said."""
    key = secrets.token_urlsafe(16)
    face = {"box": [1, 2, 30, 40], "emotions": {"happy": 0.9, "neutral": 0.1}}
    with client.stream("GET", f"/readings/live/{key}") as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": following"
        told = events(lines)
        look = client.post("/readings", params={"live": key}, json={"faces": [face]}).json()
        assert look["faces"][0]["emotion"] == "happy"
        assert look["affect"]["valence"] > 0.3
        assert next(told) == ("reading", look)
        nobody = client.post("/readings", params={"live": key}, json={"faces": []})
        assert nobody.json()["code"] == "no_face"
        assert next(told) == ("nobody", {})
    wrong = client.post("/readings", json={"faces": [{"box": [1, 2, 0, 4], "emotions": {}}]})
    assert wrong.status_code == 422
    assert "faces.0" in wrong.json()["detail"]
    broken = client.post("/readings", content=b"{", headers={"content-type": "application/json"})
    assert broken.json()["detail"].startswith("the body")


def test_keys_are_long_and_followers_counted(client: httpx.Client) -> None:
    """A key that could be guessed is refused, and so is one follower too many, until one goes."""
    assert client.get("/readings/live/short").status_code == 422
    key = secrets.token_urlsafe(16)
    with ExitStack() as followers:
        for _ in range(MOST):
            answer = followers.enter_context(client.stream("GET", f"/readings/live/{key}"))
            assert answer.status_code == 200
        refused = client.get(f"/readings/live/{key}")
        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        assert client.get("/health").status_code == 200
