"""Plug-ins over HTTP: played and written to, as our own sources are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import patient
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

EXAMPLE = Path(__file__).parents[2] / "examples" / "source-plugin" / "emotion_dj_m3u.py"
SONGS = {"mood": "calm", "n": 4, "sources": ["m3u", "memory"]}

MEMORY = '''
import hashlib, io, json, os
from contextlib import contextmanager
from pathlib import Path
from emotion_dj.domain import SavedPlaylist, Track
from emotion_dj.errors import NotAvailable

class Memory:
    """A source of audio in memory, and a sink that keeps a set in a file."""

    name = "memory"

    def _files(self):
        return sorted(Path(os.environ["MEMORY_MUSIC"]).glob("*.opus"))

    def tracks(self):
        for path in self._files():
            yield Track(f"memory:{path.stem}", path.stem)

    def describe(self, track):
        return track

    @contextmanager
    def open(self, track):
        found = {f"memory:{p.stem}": p for p in self._files()}.get(track.uri)
        if found is None:
            raise NotAvailable(f"{track.title} is not here")
        with io.BytesIO(found.read_bytes()) as file:
            yield file

    def modification_tag(self, track):
        return track.uri

    def fingerprint(self, track):
        return hashlib.sha256(track.uri.encode()).hexdigest()

    def write(self, music, *, name):
        own = [p.track.uri for p in music.picks if p.track.uri.startswith("memory:")]
        Path(os.environ["MEMORY_LIST"]).write_text(json.dumps({name: own}))
        return SavedPlaylist(name, "memory", len(own), len(music.picks))
'''

PAPER = '''
from emotion_dj.domain import AudioFeatures, Track

class Paper:
    """A source without audio that knows the features of its song."""

    name = "paper"

    def tracks(self):
        yield Track("paper:1", "Paper")

    def describe(self, track):
        return track

    def features(self, tracks):
        loud = AudioFeatures("paper", tempo=150.0, energy=0.95, valence=0.9, danceability=0.8)
        return {track.uri: loud for track in tracks}
'''


def install(site: Path, name: str, module: str, code: str) -> None:
    """Install a module as a distribution with an entry in the group of sources."""
    metadata = site / f"{module}-1.dist-info"
    metadata.mkdir(parents=True)
    (site / f"{module}.py").write_text(code)
    kind = {"m3u": "M3U", "memory": "Memory", "paper": "Paper"}[name]
    (metadata / "entry_points.txt").write_text(f"[emotion_dj.sources]\n{name} = {module}:{kind}\n")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")


@pytest.fixture(scope="module")
def address(
    serve_from: Callable[..., AbstractContextManager[str]],
    demo_music: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Serve the example plug-in with two songs, one that holds two in memory, one on paper."""
    home = tmp_path_factory.mktemp("plugins")
    songs = sorted((demo_music / "calm").glob("*.opus"))[:4]
    (home / "evening.m3u8").write_text("\n".join(map(str, songs[:2])), encoding="utf-8")
    (home / "music").mkdir()
    for path in songs[2:]:
        shutil.copy(path, home / "music")
    install(home / "site", "m3u", "emotion_dj_m3u", EXAMPLE.read_text(encoding="utf-8"))
    install(home / "site", "memory", "emotion_dj_memory", MEMORY)
    install(home / "site", "paper", "emotion_dj_paper", PAPER)
    own = {"EMOTION_DJ_M3U": str(home / "evening.m3u8"), "MEMORY_MUSIC": str(home / "music")}
    own["MEMORY_LIST"] = str(home / "list.json")
    paths = filter(None, [str(home / "site"), os.environ.get("PYTHONPATH")])
    own["PYTHONPATH"] = os.pathsep.join(paths)
    libraries = ("--library", "m3u", "--library", "memory", "--library", "paper")
    with serve_from(home, *libraries, **own) as address:
        httpx.get(f"{address}/api/v1/library/scan", timeout=120)  # ends when all is heard
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """Ask the service of plug-ins."""
    with patient.Client(base_url=f"{address}/api/v1") as client:
        yield client


def test_every_song_of_a_plug_in_can_be_played(client: httpx.Client) -> None:
    """`stream` leads to the audio, whole and in byte ranges, whether `open` gives path or file."""
    picks = client.post("/sets", json=SONGS).json()["picks"]
    assert {pick["uri"].partition(":")[0] for pick in picks} == {"m3u", "memory"}
    for pick in picks:
        place = pick["stream"].removeprefix("/api/v1")
        whole = client.get(place)
        assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/ogg")
        assert whole.content.startswith(b"OggS")
        part = client.get(place, headers={"range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
        head = client.head(place)
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["content-length"]) == len(whole.content)


def test_what_has_no_sound_has_no_stream(client: httpx.Client) -> None:
    """Songs of a source that tells features alone are placed, and offered without an address."""
    wish = {"mood": "energetic", "n": 1, "sources": ["paper"]}
    (pick,) = client.post("/sets", json=wish).json()["picks"]
    assert (pick["title"], pick["stream"]) == ("Paper", None)
    assert client.get(f"/tracks/{pick['id']}/stream").status_code == 404


@pytest.mark.parametrize("form", ["m3u8", "xspf", "jspf"])
def test_playlist_files_of_plug_ins_hold_addresses(client: httpx.Client, form: str) -> None:
    """A player that opens the file is led to the stream: no bare uris of ours."""
    text = client.post(f"/playlists/{form}", json=SONGS).text
    assert text.count("/api/v1/tracks/") == 4
    assert "memory:" not in text


def test_a_set_is_written_to_a_plug_in(client: httpx.Client) -> None:
    """What implements a sink takes sets; what does not, and what is not there, is refused."""
    sources = client.get("/sources").json()["sources"]
    assert {s["name"] for s in sources if s["writable"]} == {"memory"}
    written = client.post("/sources/memory/playlists", json=SONGS)
    told = written.json()
    assert told.pop("where").startswith("playlist 'Emotion-DJ' on memory with 2 of 4 songs")
    assert told == {"name": "Emotion-DJ", "place": "memory", "songs": 2, "total": 4}
    for name in ("m3u", "nowhere"):
        refused = client.post(f"/sources/{name}/playlists", json=SONGS)
        assert refused.status_code == 422, refused.text
        assert name in refused.json()["detail"]
