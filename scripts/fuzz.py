"""Attacks what reads the files of strangers, with real files that were damaged at random.

    python scripts/fuzz.py images --seconds 60
    python scripts/fuzz.py all --seconds 10 --seed 7

Each batch runs in a process of its own, so that a crash is seen and its input named again by
``--seed`` and its number. What counts: crashes, inputs that took over five seconds, and errors that
are not ours. Exits with 1 where there was any.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import wave
import zipfile
from contextlib import closing
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.errors import EmotionDJError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Target = Callable[[bytes, str, Path], object]

BATCH: Final = 200
HANG_SECONDS: Final = 5
EDGES: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """Return data with a few of the usual damages, a piece of another file among them."""
    broken = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at = dice.randrange(len(broken) + 1)
        length = min(len(broken) - at, int(dice.expovariate(1 / 32)) + 1)
        kind = dice.randrange(6)
        if kind == 0:
            broken[at : at + length] = dice.randbytes(length)
        elif kind == 1:
            del broken[at : at + length]
        elif kind == 2:  # noqa: PLR2004 - the third kind
            broken[at:at] = broken[at : at + length] * dice.choice((1, 8, 200))
        elif kind == 3:  # noqa: PLR2004
            size = dice.choice((1, 2, 4))
            order = dice.choice(("big", "little"))
            broken[at : at + size] = (dice.choice(EDGES) % 256**size).to_bytes(size, order)
        elif kind == 4:  # noqa: PLR2004
            start = dice.randrange(len(other))
            broken[at : at + length] = other[start : start + length]
        else:
            del broken[dice.randrange(len(broken) // 2, len(broken) + 1) :]
    return bytes(broken)


def _image(data: bytes, _name: str, _folder: Path) -> None:
    from emotion_dj.vision import images

    images.load(data)


def _audio(data: bytes, _name: str, _folder: Path) -> None:
    from emotion_dj.music import decode

    decode.decode(io.BytesIO(data))


def _tags(data: bytes, name: str, folder: Path) -> None:
    from emotion_dj.sources import metadata

    file = folder / name
    file.write_bytes(data)
    metadata.read(file)
    metadata.picture(file)


def _table(data: bytes, name: str, folder: Path) -> None:
    """Take in what `library import` and `--library` take, to where the catalogue begins."""
    from emotion_dj.sources import beets_library, history, playlist_files, tables

    file = folder / name
    file.write_bytes(data)
    if playlist_files.is_playlist(file):
        list(playlist_files.Playlists((), name, (file,)).listing())
    elif beets_library.is_library(file):
        list(beets_library.read(file))
    elif history.streams(file) is None:
        list(tables.entries(file))


def _request(data: bytes, _name: str, _folder: Path) -> None:
    """Parse a head as uvicorn does, then ask what stands before the service; parse the rest."""
    import h11

    from emotion_dj.web import json_route, pairing_page
    from emotion_dj.web.network import Network

    line = h11.Connection(h11.SERVER)
    try:
        line.receive_data(data)
        event = line.next_event()
    except h11.RemoteProtocolError:
        return
    if not isinstance(event, h11.Request):
        return
    headers = [(name.lower(), value) for name, value in event.headers]
    scope = _scope(event.method.decode(), event.target.decode(), headers)
    for network in (Network.of("127.0.0.1"), Network.of("::", ["a/b"], ["192.0.2.0/24"])):
        arrived, _ = network.arrive(scope)
        network.refusal(arrived, {name: value.decode("latin-1") for name, value in headers})
    pairing_page.page("how", dict(headers).get(b"accept-language", b"").decode("latin-1"))
    try:
        json_route.parse(data.partition(b"\r\n\r\n")[2])
    except json.JSONDecodeError:
        return


def _scope(method: str, path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "scheme": "http",
        "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 8765),
        "headers": headers,
    }


TARGETS: Final[dict[str, Target]] = {
    "images": _image,
    "audio": _audio,
    "tags": _tags,
    "tables": _table,
    "requests": _request,
}


@cache
def seeds(kind: str) -> tuple[tuple[str, bytes], ...]:
    """Return (name, data) of real files of a kind."""
    return tuple(_SEEDS[kind]())


def _images() -> Iterator[tuple[str, bytes]]:
    from PIL import Image

    with Image.open(_package("skimage") / "data" / "astronaut.png") as photo:
        small = photo.convert("RGB").resize((48, 48))
    for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM"):
        out = io.BytesIO()
        small.save(out, form)
        yield f"x.{form.lower()}", out.getvalue()


def _sounds() -> Iterator[tuple[str, bytes]]:
    songs = sorted(_package("immich_memories_music").rglob("*.opus"))
    for song in songs[:3]:
        yield "x.opus", song.read_bytes()[:40_000]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(random.Random(0).randbytes(24_000))  # noqa: S311 - no secret
    yield "x.wav", out.getvalue()


def _tagged() -> Iterator[tuple[str, bytes]]:
    yield from _sounds()
    frame = b"TIT2\x00\x00\x00\x06\x00\x00\x03Title"
    yield "x.mp3", b"ID3\x04\x00\x00\x00\x00\x00\x40" + frame + bytes(80) + b"\xff\xfb\x90\x64" * 99
    yield "x.flac", b"fLaC\x84\x00\x00\x28" + bytes(36) + b"\x01\x00\x00\x00\x07\x00\x00\x00TITLE=a"
    yield "x.ape", b"APETAGEX" + (2000).to_bytes(4, "little") + bytes(60)


def _tables() -> Iterator[tuple[str, bytes]]:
    rows = [{"title": f"T{i}", "artist": "A", "valence": i / 9, "energy": 0.5} for i in range(9)]
    yield "x.json", json.dumps(rows).encode()
    lines = [f"T{i},A,{i / 9},0.5" for i in range(9)]
    yield "x.csv", "\n".join(["title,artist,valence,energy", *lines]).encode()
    named = (
        "Track Name;Artist Name(s);Duration (ms);Key;Spotify - id\nT;['A', \"B\"];1,5;F#m;7k4t\n"
    )
    yield "x.csv", named.encode("utf-16")
    yield from _histories()
    yield from _playlists()
    yield "x.db", _beets()


def _histories() -> Iterator[tuple[str, bytes]]:
    played = {"ms_played": 99_999, "master_metadata_track_name": "T", "ts": "2026-01-01T00:00:00Z"}
    yield "x.json", json.dumps([played]).encode()
    heard = {"listened_at": 1_779_022_440, "track_metadata": {"track_name": "T"}}
    yield "x.jsonl", (json.dumps(heard) + "\n").encode() * 3
    scrobble = {"artist": {"#text": "A"}, "name": "T", "date": {"uts": "1779022440"}}
    yield "x.json", json.dumps([{"recenttracks": {"track": [scrobble]}}]).encode()
    yield "x.csv", b'uts,utc_time,artist,track\n1779022440,"17 May 2026, 12:54",A,T\n'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/Streaming_History_Audio_0.json", json.dumps([played] * 9))
    yield "x.zip", out.getvalue()


def _playlists() -> Iterator[tuple[str, bytes]]:
    yield "x.m3u", b"#EXTM3U\nA/b.mp3\n..\\c.ogg\nC:\\d.flac\nfile:///e%20f.mp3\ncaf\xe9.mp3\n"
    yield "x.pls", b"[playlist]\nFile1=a.mp3\nTitle1=A\nFile2=/m/b.mp3\n"
    track = "<track><location>file:///m/a.mp3</location><title>A</title></track>"
    yield "x.xspf", f'<playlist xmlns="x"><trackList>{track}</trackList></playlist>'.encode()
    yield "x.jspf", json.dumps({"playlist": {"track": [{"location": ["a.mp3"]}]}}).encode()


def _beets() -> bytes:
    with closing(sqlite3.connect(":memory:")) as file:
        file.executescript(
            "CREATE TABLE items (id INTEGER, path BLOB, title TEXT, artist TEXT, bpm INTEGER);"
            "CREATE TABLE item_attributes (entity_id INTEGER, key TEXT, value TEXT);"
            "INSERT INTO items VALUES (1, '/m/a.mp3', 'A', 'B', 120);"
            "INSERT INTO item_attributes VALUES (1, 'energy', '0.5');"
        )
        return file.serialize()


def _requests() -> Iterator[tuple[str, bytes]]:
    body = b'{"mood": "calm", "faces": [{"box": [1, 2, 3, 4], "emotions": {"happy": 1.0}}]}'
    head = (
        b"POST /api/v1/sets?x=1 HTTP/1.1\r\nhost: music.example:8765\r\norigin: http://a\r\n"
        b"x-forwarded-for: 1.2.3.4, ::1\r\nforwarded: for=1.2.3.4;host=a\r\ncookie: a=b; c=d\r\n"
        b"accept-language: de,en;q=0.5\r\nsec-fetch-site: none\r\nx-forwarded-prefix: /music\r\n"
    )
    yield "x", head + b"content-length: %d\r\n\r\n" % len(body) + body


_SEEDS: Final = {
    "images": _images,
    "audio": _sounds,
    "tags": _tagged,
    "tables": _tables,
    "requests": _requests,
}


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        msg = f"the seeds need {name}: pip install {name}"
        raise SystemExit(msg)
    return Path(spec.origin).parent


def one(kind: str, seed: int, number: int) -> tuple[str, bytes]:
    """Return the input with this number."""
    dice = random.Random(f"{seed} {number}")  # noqa: S311 - to be repeated
    name, data = dice.choice(seeds(kind))
    return name, mutated(data, dice.choice(seeds(kind))[1], dice)


def batch(kind: str, seed: int, first: int, mark: Path) -> None:
    """Try a batch of inputs in this process; print what was found as JSON."""
    signal.signal(signal.SIGALRM, partial(_too_long))
    found: list[tuple[int, str]] = []
    ours = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + BATCH):
            mark.write_text(str(number))
            name, data = one(kind, seed, number)
            signal.alarm(HANG_SECONDS)
            try:
                TARGETS[kind](data, name, Path(folder))
            except EmotionDJError:
                ours += 1
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is what we look for
                found.append((number, f"{type(error).__name__}: {str(error)[:100]}"))
            signal.alarm(0)
    json.dump({"refused": ours, "found": found}, sys.stdout)


def _too_long(*_: object) -> None:
    msg = f"over {HANG_SECONDS} seconds"
    raise TimeoutError(msg)


def attack(kind: str, seconds: float, seed: int) -> bool:
    """Try inputs of a kind for a while; print what was found, and tell whether it was nothing."""
    end, tried, refused = time.monotonic() + seconds, 0, 0
    found: list[tuple[int, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        mark = Path(folder) / "number"
        while time.monotonic() < end:
            again = [sys.executable, __file__, kind, "--batch", str(tried), str(mark)]
            done = subprocess.run(
                [*again, "--seed", str(seed)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                crash = f"ended with {done.returncode}: {done.stderr[-200:]}"
                found.append((int(mark.read_text() or tried), crash))
            else:
                told = json.loads(done.stdout)
                refused += told["refused"]
                found += told["found"]
            tried += BATCH
    sys.stdout.write(f"{kind}: {tried} inputs (seed {seed}), {refused} refused, {len(found)} bad\n")
    for number, what in found[:20]:
        sys.stdout.write(f"  {number}: {what}\n")
    return not found


def main() -> None:
    """Parse the command line and attack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=[*TARGETS, "all"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", nargs=2, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.batch:
        batch(told.kind, told.seed, int(told.batch[0]), Path(told.batch[1]))
        return
    kinds = list(TARGETS) if told.kind == "all" else [told.kind]
    fine = [attack(kind, told.seconds, told.seed) for kind in kinds]
    sys.exit(0 if all(fine) else 1)


if __name__ == "__main__":
    main()
