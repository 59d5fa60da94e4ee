"""The HTTP service over real sockets: what it gives, and what it refuses."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import httpx
import patient
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from emotion_dj.web.connection import BODY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


JSON = {"content-type": "application/json"}


def is_problem(answer: httpx.Response, status: int, kind: str) -> None:
    """Assert a problem document (RFC 9457) with one sentence and no traceback."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == f"urn:emotion-dj:{kind}"
    assert told["detail"]
    assert "Traceback" not in answer.text


def test_a_photo_is_read_and_answered(client: httpx.Client, smiling_photo: Path) -> None:
    """The faces of /readings go back to /sets as they are, and a happy set comes out."""
    look = client.post("/readings", files={"photo": smiling_photo.read_bytes()}).json()
    assert look["faces"][0]["emotion"] == "happy"
    music = client.post("/sets", json={"faces": look["faces"], "n": 5}).json()
    assert len(music["picks"]) == 5
    assert music["picks"][0]["reason"].startswith("you look happy: ")
    assert music["affect"]["valence"] == pytest.approx(look["affect"]["valence"], abs=0.01)


@pytest.mark.parametrize(
    "wish", [{"mood": "calm"}, {"emotion": "Surprised"}, {"affect": "0.2,0.7"}]
)
def test_a_set_needs_no_photo(client: httpx.Client, wish: dict[str, str]) -> None:
    """A mood, an emotion in any spelling, or a point of the plane are enough."""
    answer = client.post("/sets", json={**wish, "plan": "lift", "n": 3})
    assert [set(pick) >= {"id", "stream", "title", "reason"} for pick in answer.json()["picks"]]


def test_streams_give_byte_ranges(client: httpx.Client) -> None:
    """A range of a track is that part of the file; one beyond its end is refused."""
    pick = client.post("/sets", json={"mood": "happy", "n": 1}).json()["picks"][0]
    path = pick["stream"].removeprefix("/api/v1")
    whole = client.get(path)
    assert whole.headers["content-type"] == "audio/ogg"
    part = client.get(path, headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    beyond = client.get(path, headers={"range": f"bytes={len(whole.content) + 1}-"})
    is_problem(beyond, 416, "range-not-satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    is_problem(client.get(path, headers={"range": "lines=1-2"}), 400, "bad-request")
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["accept-ranges"] == "bytes"
    assert client.head("/tracks/999999/stream").status_code == 404


@pytest.mark.parametrize(
    "path", ["/tracks/999999/stream", "/tracks/0", "/tracks/..%2f..%2fetc%2fpasswd/stream"]
)
def test_only_what_the_catalogue_knows_is_streamed(client: httpx.Client, path: str) -> None:
    """Made-up numbers and paths lead nowhere."""
    answer = client.get(path)
    assert answer.status_code in {404, 422}
    assert b"root:" not in answer.content


def test_tracks_are_found_by_their_words(client: httpx.Client) -> None:
    """Every word has to occur, in any order and case; wildcards mean themselves."""
    found = client.get("/tracks", params={"q": "acoustic HAPPY"}).json()["tracks"]
    assert {track["title"].split()[0] for track in found} == {"Happy"}
    assert client.get("/tracks", params={"q": "%"}).json()["tracks"] == []
    number = found[0]["id"]
    assert client.get(f"/tracks/{number}").json()["title"] == found[0]["title"]


def test_what_is_liked_comes_sooner(client: httpx.Client) -> None:
    """Likes bring a track into a short set that it was too low for; the answer has no body."""

    def best(length: int) -> list[int]:
        answer = client.post("/sets", json={"mood": "sad", "n": length})
        return [pick["id"] for pick in answer.json()["picks"]]

    loved = next(track for track in best(9) if track not in best(6))
    for _ in range(8):
        assert client.post("/feedback", json={"track": loved, "kind": "like"}).status_code == 204
    assert loved in best(6)


def test_a_like_can_be_taken_back(client: httpx.Client) -> None:
    """Likes that were all taken back leave every set as it was; one too many changes nothing."""

    def best() -> list[tuple[int, str]]:
        answer = client.post("/sets", json={"mood": "energetic", "n": 9})
        return [(pick["id"], pick["reason"]) for pick in answer.json()["picks"]]

    track = best()[-1][0]

    def tell(kind: str, times: int) -> None:
        for _ in range(times):
            told = client.post("/feedback", json={"track": track, "kind": kind})
            assert told.status_code == 204

    tell("unlike", 9)  # what others told the service of this song
    before = best()
    tell("like", 8)
    assert best() != before
    tell("unlike", 9)
    assert best() == before


@pytest.mark.parametrize(("form", "start"), [("m3u8", "#EXTM3U"), ("xspf", "<?xml"), ("jspf", "{")])
def test_sets_are_saved_as_files(client: httpx.Client, form: str, start: str) -> None:
    """Each form downloads under a name of its own."""
    answer = client.post(f"/playlists/{form}", json={"mood": "happy"})
    assert answer.text.startswith(start)
    assert f'"emotion-dj.{form}"' in answer.headers["content-disposition"]


@pytest.mark.parametrize("form", ["m3u8", "xspf", "jspf"])
def test_who_sits_here_gets_files(client: httpx.Client, form: str) -> None:
    """At the machine a playlist holds the files themselves."""
    answer = client.post(f"/playlists/{form}", json={"mood": "calm", "n": 3})
    assert answer.text.count(".opus") == 3


def test_who_is_elsewhere_gets_addresses_and_no_paths(
    run_service: Callable[..., AbstractContextManager[Any]],
) -> None:
    """By a name a playlist holds streams that play, also in a player that has no cookie."""
    with (
        run_service("--library", "demo", "--name", "music.example") as service,
        patient.Client(base_url=service.address, headers={"host": "music.example:8000"}) as client,
    ):
        assert client.get("/pair", params={"code": service.code}).status_code == 303
        # cookies are by address, and the jar knows none of that name
        cookie = {"cookie": "; ".join(f"{k}={v}" for k, v in client.cookies.items())}
        told = {"json": {"mood": "calm", "n": 3}, "timeout": 120, "headers": cookie}
        for form in ("m3u8", "xspf", "jspf"):
            there = client.post(f"/api/v1/playlists/{form}", **told).text
            assert ".opus" not in there
            stream = r"http://music\.example:8000(/api/v1/tracks/\d+/stream\?key=[\w.]+)"
            found = re.findall(stream, there)
            assert len(found) == 3
            assert all(patient.get(service.address + path).status_code == 200 for path in found)
            other = found[0].replace("tracks/", "tracks/1")
            assert patient.get(service.address + other).status_code == 401


def test_a_set_that_was_made_before_is_saved_as_it_was(client: httpx.Client) -> None:
    """Its songs in its order with its words, whatever was heard since; unknown ones are said."""
    picks = client.post("/sets", json={"mood": "happy", "n": 4}).json()["picks"]
    for pick in picks:
        assert client.post("/feedback", json={"track": pick["id"], "kind": "play"}).is_success
    songs = [{"id": pick["id"], "reason": f"reason {i}"} for i, pick in enumerate(picks[::-1])]
    saved = client.post("/playlists/jspf", json={"songs": songs, "plan": "lift"}).json()["playlist"]
    assert saved["title"].endswith("lift")
    assert [(song["title"], song["annotation"]) for song in saved["track"]] == [
        (pick["title"], f"reason {i}") for i, pick in enumerate(picks[::-1])
    ]
    nul = {"songs": [{"id": picks[0]["id"], "reason": "a\0b"}]}
    tree = ET.fromstring(client.post("/playlists/xspf", json=nul).content)  # noqa: S314 - ours
    assert "ab" in tree.itertext()
    unknown = client.post("/playlists/jspf", json={"songs": [{"id": 2**40}]})
    is_problem(unknown, 404, "not-found")
    is_problem(client.post("/playlists/jspf", json={"songs": []}), 422, "invalid-request")


def test_uploads_that_are_no_photos_are_refused(client: httpx.Client) -> None:
    """Text, SVG, nothing, a lying type, nobody in it: each its own problem."""
    for data in (b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b""):
        is_problem(
            client.post("/readings", files={"photo": ("a.jpg", data, "image/jpeg")}),
            422,
            "image-error",
        )
    wall = io.BytesIO()
    Pillow.new("RGB", (300, 200), "white").save(wall, "PNG")
    is_problem(client.post("/readings", files={"photo": wall.getvalue()}), 422, "no-face")
    is_problem(client.post("/readings", data={"photo": "text"}), 422, "invalid-request")
    is_problem(client.get("/readings"), 405, "method-not-allowed")


def test_a_photo_may_be_the_body_itself(client: httpx.Client, smiling_photo: Path) -> None:
    """What `curl --data-binary` sends is read as a form's file is; a body that is none is told."""
    photo = smiling_photo.read_bytes()
    raw = client.post("/readings", content=photo, headers={"content-type": "image/jpeg"})
    assert raw.json()["faces"] == client.post("/readings", files={"photo": photo}).json()["faces"]
    for data in (b"", b"hello"):
        broken = client.post("/readings", content=data, headers={"content-type": "image/png"})
        is_problem(broken, 422, "image-error")
    as_text = client.post("/readings", content=b"a", headers={"content-type": "text/plain"})
    is_problem(as_text, 422, "invalid-request")


def test_of_two_photos_in_a_form_none_is_chosen(client: httpx.Client, smiling_photo: Path) -> None:
    """Which one was meant is not guessed."""
    part = ("photo", ("a.jpg", smiling_photo.read_bytes(), "image/jpeg"))
    refused = client.post("/readings", files=[part, part])
    is_problem(refused, 422, "invalid-request")
    assert "one photo at a time" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/api", "/api/v1", "/api/v1/", "/api/v2/sets", "/api/v1/nothing"])
def test_what_is_not_there_is_told_in_a_problem_document(address: str, path: str) -> None:
    """Below /api every refusal is one, whoever finds that nothing is there; the page has pages."""
    is_problem(patient.get(address + path), 404, "not-found")
    assert patient.post(address + path).headers["content-type"] == "application/problem+json"
    assert patient.get(f"{address}/nothing").headers["content-type"].startswith("text/plain")


FACE = {"box": [0, 0, 9, 9], "emotions": {"happy": 1}}


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        (
            "/sets",
            {"mood": "sad", "aggregat": "each"},
            "'aggregat' is not known here: did you mean 'aggregate'?",
        ),
        (
            "/playlists/m3u8",
            {"mood": "sad", "sead": 3},
            "'sead' is not known here: did you mean 'seed",
        ),
        ("/sets", {}, "say where you are in one way: faces, emotion, mood, affect, say or like"),
        (
            "/playlists/m3u8",
            {},
            "say where you are in one way: faces, emotion, mood, affect, say or like",
        ),
        (
            "/playlists/m3u8",
            {"songs": [{"id": 1, "why": ""}]},
            "'songs.0': 'why' is not known here",
        ),
        (
            "/feedback",
            {"track": 1, "kind": "like", "kinds": 1},
            "'kinds' is not known here: did you",
        ),
        ("/feedback", {"track": 1, "kind": "love"}, "'kind' must be 'like', 'unlike', 'skip' or"),
        (
            "/corrections",
            {"face": FACE, "emotion": "sad", "said": 1},
            "'said' is not known here: use",
        ),
        (
            "/devices/play",
            {"tracks": [1], "devise": ""},
            "'devise' is not known here: did you mean",
        ),
        ("/sets", {"faces": [{**FACE, "abstaned": True}]}, "'faces.0': 'abstaned' is not known"),
        ("/sets", {"mood": "sad", "n": 2.5}, "'n' must be a whole number"),
        ("/sets", {"mood": "sad", "n": 0}, "'n' must be 1 or more"),
        ("/sets", {"mood": 3}, "'mood' must be text"),
        ("/sets", [1], "the body must be a JSON object"),
        ("/playlists/m3u8", [1], "the body must be a JSON object"),
    ],
)
def test_a_mistake_is_named_in_plain_words(
    client: httpx.Client, path: str, body: object, detail: str
) -> None:
    """Which field, and what it must be; of misspelt ones, which was meant."""
    refused = client.post(path, json=body)
    is_problem(refused, 422, "invalid-request")
    assert refused.json()["detail"].startswith(detail)


def test_other_mistakes_are_named_too(client: httpx.Client) -> None:
    """Forms, paths, queries, broken JSON and nothing at all; an unsure face has no options."""
    for answer, detail in (
        (client.post("/readings", data={"photo": "text"}), "'photo' must be a file in a form"),
        (client.post("/readings"), "'photo' is missing"),
        (client.post("/sets", content=b"{", headers=JSON), "the body is no JSON"),
        (client.post("/sets"), "the body is missing"),
        (client.get("/tracks/0"), "'number' must be 1 or more"),
        (client.get("/tracks", params={"limit": "x"}), "'limit' must be a whole number"),
        (client.post("/playlists/exe", json={"mood": "sad"}), "'form' must be 'm3u8', 'xspf' or"),
    ):
        is_problem(answer, 422, "invalid-request")
        assert answer.json()["detail"].startswith(detail)
    unsure = client.post("/sets", json={"faces": [{**FACE, "abstained": True}]})
    is_problem(unsure, 422, "low-confidence")
    assert "--" not in unsure.json()["detail"]


def test_wishes_that_cannot_be_meant_are_refused(client: httpx.Client) -> None:
    """Nothing, two starts, unknown words, absurd numbers."""
    for wish in ({}, {"mood": "sad", "affect": "0,0"}, {"mood": "sad", "n": 0}, {"faces": []}):
        is_problem(client.post("/sets", json=wish), 422, "invalid-request")
    is_problem(client.post("/sets", json={"mood": "furious"}), 422, "label-error")
    is_problem(client.post("/sets", json={"mood": "sad", "plan": "dance"}), 422, "label-error")
    face = {"box": [0, 0, 9, 9], "emotions": {"happy": 0}}
    is_problem(client.post("/sets", json={"faces": [face]}), 422, "data-error")
    is_problem(client.post("/playlists/exe", json={"mood": "sad"}), 422, "invalid-request")


@pytest.mark.parametrize(
    "box",
    ["[0,0,0,9]", "[0,0,9,-9]", "[0,0,NaN,9]", "[0,0,9,1e999]", "[0,0,9]", "[0,0,9,9,9]", "9"],
)
def test_a_face_has_a_width_and_a_height(client: httpx.Client, box: str) -> None:
    """A box that cannot be one is refused as a wish and as a correction; a tiny one counts."""
    face = f'{{"box": {box}, "emotions": {{"happy": 1}}}}'
    for path, body in (
        ("/sets", f'{{"faces": [{face}]}}'),
        ("/corrections", f'{{"face": {face}, "emotion": "sad"}}'),
    ):
        refused = client.post(path, content=body, headers=JSON)
        is_problem(refused, 422, "invalid-request")
        assert "box" in refused.json()["detail"]
    tiny = {"box": [0, 0, 1e-300, 1e-300], "emotions": {"happy": 1}}
    assert client.post("/sets", json={"faces": [tiny, tiny], "n": 1}).is_success


def stalled(address: str, length: int) -> bytes:
    """Promise a body, send five bytes of it, and return what the service says to that."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port)) as line:
        line.sendall(
            b"POST /api/v1/readings HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n"
            b"content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\n" % length
        )
        soon = BODY_SECONDS / 2  # not only once the body is given up
        assert httpx.get(f"{address}/api/v1/health", timeout=soon).status_code == 200
        line.settimeout(60)
        return line.recv(200)


@pytest.mark.slow  # it waits for real
def test_a_body_that_never_comes_is_given_up(address: str) -> None:
    """A connection that promises a body and stalls holds no one else up, and is closed."""
    assert b" 408 " in stalled(address, 1000)


def test_endless_bodies_are_cut_off(client: httpx.Client, address: str) -> None:
    """A body that says, or turns out, to be over 20 MB is refused before it is in memory."""
    assert b" 413 " in stalled(address, 2_000_000_000)

    def endless() -> Iterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="photo"; filename="x"\r\n\r\n'
        while True:
            yield bytes(1_000_000)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    try:
        answer = client.post("/readings", content=endless(), headers=headers)
    except httpx.WriteError:
        return  # the server hung up before all was written, as it should
    is_problem(answer, 413, "too-large")


def test_strangers_are_refused(address: str) -> None:
    """Another Host (DNS rebinding) and another Origin (cross-site posts) get nothing."""
    is_problem(
        patient.get(f"{address}/api/v1/health", headers={"host": "evil.example"}), 421, "wrong-host"
    )
    posted = patient.post(
        f"{address}/api/v1/sets", json={"mood": "sad"}, headers={"origin": "https://evil.example"}
    )
    is_problem(posted, 403, "cross-site")
    own = patient.post(f"{address}/api/v1/sets", json={"mood": "sad"}, headers={"origin": address})
    assert own.status_code == 200


def test_the_page_asks_no_other_host(address: str) -> None:
    """The page is there, with a policy that allows nothing from elsewhere and no cookie."""
    page = patient.get(address)
    assert "Emotion-DJ" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "")
    assert "set-cookie" not in page.headers


def test_a_flood_is_shed_and_the_service_lives(client: httpx.Client, smiling_photo: Path) -> None:
    """Two hundred photos at once: each is read or told to come back; then all is as before."""
    photo = smiling_photo.read_bytes()

    def send(_: int) -> httpx.Response:
        return client.post("/readings", files={"photo": photo})

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(send, range(200)))
    codes = {answer.status_code for answer in answers}
    assert codes <= {200, 503}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
    assert client.get("/health").json()["status"] == "ok"


def test_metrics_count_requests(client: httpx.Client) -> None:
    """Prometheus' text form, by route and status."""
    text = client.get("/metrics").text
    assert 'emotion_dj_requests_total{route="/readings",status="200"}' in text


def test_a_photo_leaves_no_trace(
    client: httpx.Client, smiling_photo: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A photo with a mark in its pixels and metadata is nowhere on disk afterwards."""
    mark = b"canary-7f3a91"
    marked, info = io.BytesIO(), PngInfo()
    info.add_text("comment", mark.decode())
    with Pillow.open(smiling_photo) as photo:
        photo.save(marked, "PNG", pnginfo=info)
    assert client.post("/readings", files={"photo": marked.getvalue()}).status_code == 200
    for path in tmp_path_factory.getbasetemp().rglob("*"):
        if path.is_file() and os.access(path, os.R_OK):  # another test's may be closed to all
            data = path.read_bytes()
            assert mark not in data, path
            assert marked.getvalue()[:5000] not in data, path


def test_a_taken_port_is_said(address: str) -> None:
    """Exit code 2 and what to do."""
    port = str(urlsplit(address).port)
    done = subprocess.run(
        [sys.executable, "-m", "emotion_dj", "serve", "--port", port],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
