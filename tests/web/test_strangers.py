"""What strangers send: floods, slow bodies, made-up paths, files that are two things at once."""

from __future__ import annotations

import asyncio
import io
import os
import re
import resource
import shlex
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import numpy as np
import patient
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Serve = Callable[..., AbstractContextManager[str]]

pytestmark = pytest.mark.slow

MARK = b"canary-7f3a91"
MEGABYTE = 1_000_000


@pytest.fixture
def running(tmp_path: Path, demo_music: Path) -> Iterator[tuple[str, int, Path]]:
    """Run a service that may leave core dumps and logs; give address, process id and its log."""
    log = tmp_path / "server.log"
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite"),
    }
    words = (sys.executable, "-m", "emotion_dj", "serve", "--port", "0", "--library")
    serve = shlex.join([*words, str(demo_music / "calm")])
    command = f"cd {tmp_path} && ulimit -c unlimited && exec {serve} 2> {log}"
    with subprocess.Popen(["/bin/bash", "-c", command], env=environment) as server:
        try:
            while not (found := re.search(r"http://\S+", log.read_text() if log.exists() else "")):
                assert server.poll() is None, log.read_text()
            httpx.get(f"{found.group()}/api/v1/library/scan", timeout=120)  # heard to its end
            yield found.group(), server.pid, log
        finally:
            server.kill()


def marked(photo: Path) -> bytes:
    """Return the photo as a PNG of some megabytes with a mark in its pixels and metadata."""
    info = PngInfo()
    info.add_text("comment", MARK.decode())
    with Pillow.open(photo) as picture:
        pixels = np.array(picture.convert("RGB").resize((1400, 1400)))
    pixels[-1, : len(MARK)] = np.frombuffer(MARK, np.uint8)[:, np.newaxis]
    noise = np.random.default_rng(0).integers(0, 3, pixels[:, :1].shape, np.uint8)
    out = io.BytesIO()
    Pillow.fromarray(np.maximum(pixels, noise)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def test_a_photo_never_touches_the_disk(
    running: tuple[str, int, Path], smiling_photo: Path, tmp_path: Path
) -> None:
    """While no byte may be written to any file a large photo is read; a crash leaves no dump."""
    address, process, log = running
    photo = marked(smiling_photo)
    assert len(photo) > MEGABYTE  # frameworks keep such uploads in files
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, before[1]))
    answer = patient.post(f"{address}/api/v1/readings", files={"photo": photo})
    assert answer.status_code == 200, answer.text
    resource.prlimit(process, resource.RLIMIT_FSIZE, before)
    assert patient.post(f"{address}/api/v1/sets", json={"mood": "calm"}).status_code == 200
    assert resource.prlimit(process, resource.RLIMIT_CORE) == (0, 0)
    os.kill(process, 6)
    os.waitpid(process, 0)
    assert log.exists()
    for path in tmp_path.rglob("*"):
        kept = path.read_bytes() if path.is_file() else b""
        assert MARK not in kept, path
        assert photo[1000:2000] not in kept, path


def memory(process: int) -> float:
    """Return a process's resident memory in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024  # type: ignore[union-attr]


@pytest.mark.slow
def test_readings_leave_no_memory_behind(
    running: tuple[str, int, Path], smiling_photo: Path
) -> None:
    """Hundreds of readings, one by one and many at once, cost a few megabytes once and no more."""
    address, process, _ = running
    small = io.BytesIO()
    with Pillow.open(smiling_photo) as picture:
        picture.convert("RGB").save(small, "JPEG")

    def read(times: int) -> None:
        with httpx.Client(base_url=f"{address}/api/v1", timeout=120) as client:
            for _ in range(times):
                client.post("/readings", files={"photo": small.getvalue()}).raise_for_status()

    read(20)
    before = memory(process)
    read(100)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, [8] * 16))
    assert memory(process) - before < 25  # a copy of each picture would be over 50


def test_a_thousand_at_once_are_read_or_sent_away(address: str, smiling_photo: Path) -> None:
    """Each gets a reading or 503 with Retry-After; then all is as before."""
    small = io.BytesIO()
    with Pillow.open(smiling_photo) as picture:
        picture.convert("RGB").resize((160, 160)).save(small, "JPEG")
    body = httpx.Request("POST", address, files={"photo": small.getvalue()})
    head = "POST /api/v1/readings HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
    kind = f"content-type: {body.headers['content-type']}\r\n"
    request = f"{head}{kind}content-length: {len(body.read())}\r\n\r\n".encode() + body.read()
    place = urlsplit(address)

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(request)
        answer = await reader.read(2000)
        writer.close()
        return answer

    async def flood() -> list[bytes | BaseException]:
        return await asyncio.gather(*(one() for _ in range(1000)), return_exceptions=True)

    answers = asyncio.run(flood())
    assert not [answer for answer in answers if not isinstance(answer, bytes)]
    codes = [answer.split(b" ", 2)[1] for answer in answers if isinstance(answer, bytes)]
    assert set(codes) <= {b"200", b"503"}
    assert b"200" in codes
    shed = [answer for answer in answers if isinstance(answer, bytes) and b" 503 " in answer[:20]]
    assert all(b"retry-after" in answer for answer in shed)
    assert patient.get(f"{address}/api/v1/health").json()["status"] == "ok"


def test_two_things_at_once_are_a_photo_or_nothing(
    client: httpx.Client, smiling_photo: Path
) -> None:
    """A JPEG that is also a page and an archive is read as a JPEG; nothing of it comes back."""
    jpeg = io.BytesIO()
    with Pillow.open(smiling_photo) as picture:
        picture.convert("RGB").save(jpeg, "JPEG")
    both = jpeg.getvalue() + b"<script>alert(1)</script>PK\x05\x06" + bytes(18)
    answer = client.post("/readings", files={"photo": ("x.html", both, "text/html")})
    assert answer.json()["faces"][0]["emotion"] == "happy"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"script" not in answer.content


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_of_moving_pictures_the_first_counts(
    client: httpx.Client, smiling_photo: Path, form: str
) -> None:
    """An animation is read as its first picture, however many follow."""
    with Pillow.open(smiling_photo) as picture:
        first = picture.convert("RGB")
    walls = [Pillow.new("RGB", first.size, colour) for colour in ("white", "black", "grey")]
    moving = io.BytesIO()
    first.save(moving, form, save_all=True, append_images=walls, duration=100)
    look = client.post("/readings", files={"photo": moving.getvalue()}).json()
    assert [face["emotion"] for face in look["faces"]] == ["happy"]


@pytest.mark.parametrize(
    "path",
    [
        *("/../../pyproject.toml", "/..%2f..%2fpyproject.toml", "/%2e%2e/%2e%2e/etc/passwd"),
        *("//etc/passwd", "/js/..%5c..%5c..%5capp.py", "/%00", "/api/v1/tracks/%2fetc%2fpasswd"),
        *("/api/v1/tracks/-1/stream", "/api/v1/tracks/1e9/stream", "/api/v1/tracks/1%00/stream"),
        f"/api/v1/tracks/{2**63}/stream",
    ],
)
def test_no_path_leads_out(address: str, path: str) -> None:
    """As they are sent, past what any client would tidy: nothing outside the page is given."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=30) as line:
        line.sendall(
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer[:100]
    assert b"root:" not in answer
    assert b"[project]" not in answer


def test_a_link_does_not_lead_out_of_the_music(
    serve: Serve, demo_music: Path, tmp_path: Path
) -> None:
    """A song that has become a link to something else is not sent, nor its cover looked for."""
    music = tmp_path / "music"
    music.mkdir()
    song = Path(copy(min((demo_music / "calm").glob("*.opus")), music))
    with serve("--library", str(music)) as address:
        httpx.get(f"{address}/api/v1/library/scan", timeout=120)
        (track,) = patient.get(f"{address}/api/v1/tracks").json()["tracks"]
        stream = f"{address}/api/v1/tracks/{track['id']}/stream"
        assert patient.get(stream).status_code == 200
        song.rename(tmp_path / "elsewhere.opus")
        song.symlink_to(tmp_path / "elsewhere.opus")
        assert patient.get(stream).status_code == 200
        song.unlink()
        song.symlink_to("/etc/passwd")
        assert patient.get(stream).status_code == 404
        assert patient.get(stream.replace("/stream", "/cover")).status_code == 204


@pytest.mark.parametrize(
    "asked",
    [
        *("bytes=", "bytes=abc", "bytes=9-2", "bytes=-", "bytes=--1", "bytes=1e3-", "lines=0-1"),
        "bytes=" + ",".join(f"{n}-{n}" for n in range(2000)),
        "bytes=" + ",".join(["0-"] * 500),
    ],
)
def test_ranges_that_make_no_sense(client: httpx.Client, asked: str) -> None:
    """They are refused, or the file comes whole; never more than the file, never a crash."""
    pick = client.post("/sets", json={"mood": "happy", "n": 1}).json()["picks"][0]
    path = pick["stream"].removeprefix("/api/v1")
    size = len(client.get(path).content)
    answer = client.get(path, headers={"range": asked})
    assert answer.status_code in {200, 206, 400, 416, 431}
    assert len(answer.content) < 2 * size + 300_000


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null"},
        {"origin": "https://evil.example", "content-type": "text/plain"},
        {"origin": "http://127.0.0.1.evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_posts_of_other_sites_change_nothing(client: httpx.Client, headers: dict[str, str]) -> None:
    """Whatever a page of another site can make a browser send is refused."""
    answer = client.post("/feedback", content=b'{"track": 1, "kind": "like"}', headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:emotion-dj:cross-site"


def test_other_origins_get_no_answer_to_read(client: httpx.Client) -> None:
    """No answer allows another origin, and none may be shown or run by one."""
    for answer in (client.get("/library"), client.options("/sets"), client.get("/tracks/1/stream")):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
