"""Sources of other authors: installed as distributions of their own, named, heard, listed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from emotion_dj.domain import Device, DJSet, Media, SavedPlaylist, Track
from emotion_dj.errors import NotAvailable
from emotion_dj.sources.demo import demo
from emotion_dj.sources.local import Local
from emotion_dj.testing.conformance import check_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "source-plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example in a folder of its own, from a copy, without any network."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--target", str(folder / "site"), str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return folder / "site"


@pytest.fixture
def playlist(tmp_path: Path, demo_music: Path) -> Path:
    """Write a playlist of four real tracks."""
    paths = [*sorted((demo_music / "calm").glob("*.opus"))[:2]]
    paths += sorted((demo_music / "energetic").glob("*.opus"))[:2]
    lines = [f"#EXTINF:60,{path.parent.name} {path.stem}\n{path}" for path in paths]
    (tmp_path / "evening.m3u8").write_text("#EXTM3U\n" + "\n".join(lines), encoding="utf-8")
    return tmp_path / "evening.m3u8"


def run(*arguments: str, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with a folder of distributions on its path."""
    paths = os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **environment, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_is_listed_tried_and_played(
    installed: Path, playlist: Path, tmp_path: Path
) -> None:
    """What docs/plugins.md promises, in the order in which it does."""
    home = {"EMOTION_DJ_M3U": str(playlist), "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite")}
    listed = json.loads(run("emotion_dj", "sources", "list", "--json", path=installed).stdout)
    assert {"demo", "deezer", "subsonic", "audius"} < {row["name"] for row in listed}
    assert listed[-1]["name"] == "m3u"
    assert listed[-1]["origin"] == "m3u (emotion-dj-m3u 1.0)"
    tried = run("emotion_dj", "sources", "test", "m3u", path=installed, **home)
    assert "its first track is calm" in tried.stdout
    command = ("emotion_dj", "play", "--library", "m3u", "--mood", "calm", "-n", "2", "--json")
    played = run(*command, path=installed, **home)
    assert played.returncode == 0, played.stderr
    titles = [pick["title"] for pick in json.loads(played.stdout)["picks"]]
    assert len(titles) == 2
    assert all(f"#EXTINF:60,{title}\n" in playlist.read_text("utf-8") for title in titles)


@pytest.mark.slow
def test_the_examples_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    """Its author runs the contract of a source, and it holds."""
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    done = run("pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "tests"), path=installed)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
    assert not {"failed", "skipped"} & set(done.stdout.split())


def test_what_a_plug_in_lacks_is_said(installed: Path) -> None:
    """Its own error passes; without settings there is one sentence and no traceback."""
    tried = run("emotion_dj", "sources", "test", "m3u", path=installed)
    assert (tried.returncode, tried.stderr.count("\n")) == (2, 1)
    assert "EMOTION_DJ_M3U" in tried.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import a_module_that_is_not_there", "does not load"),
        ("def make(): return 1 / 0", "does not load"),
        ("def make(): return object()", "has no name, tracks, describe"),
    ],
)
def test_broken_plug_ins_harm_nobody_else(code: str, said: str, tmp_path: Path) -> None:
    """It is listed, one sentence names it where it is asked for, and the others go on."""
    site = tmp_path / "site"
    (site / "broken-1.dist-info").mkdir(parents=True)
    (site / "broken.py").write_text(code)
    entries = "[emotion_dj.sources]\nbroken = broken:make\ndemo = broken:make\n"
    (site / "broken-1.dist-info" / "entry_points.txt").write_text(entries)
    metadata = "Metadata-Version: 2.1\nName: broken\nVersion: 1\n"
    (site / "broken-1.dist-info" / "METADATA").write_text(metadata)
    assert "broken (broken 1)" in run("emotion_dj", "sources", "list", path=site).stdout
    tried = run("emotion_dj", "sources", "test", "broken", path=site)
    assert (tried.returncode, tried.stderr.count("\n")) == (9, 1)
    assert said in tried.stderr
    assert "broken (broken 1)" in tried.stderr
    assert run("emotion_dj", "sources", "test", "demo", path=site).returncode == 0


def test_listing_and_importing_load_no_client() -> None:
    """`emotion_dj.sources` costs nothing until a source is named."""
    code = (
        "import sys, emotion_dj.sources, emotion_dj.app, emotion_dj.app.settings as s\n"
        "emotion_dj.app.source_registry.source_specs(s.load())\n"
        "print(*{'httpx', 'mutagen', 'keyring'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_our_own_sources_keep_the_contract(demo_music: Path) -> None:
    """Folders and the demo library."""
    check_source(demo)
    check_source(lambda: Local((demo_music / "calm",)))


class Good:
    """A source in memory that keeps the contract; each subclass below breaks one promise."""

    name = "good"

    def tracks(self) -> Iterator[Track]:
        """Yield two tracks."""
        yield Track("good:1", "One", duration=10)
        yield Track("good:2", "Two")

    def describe(self, track: Track) -> Track:
        """Return the track."""
        return track

    @contextmanager
    def open(self, track: Track) -> Iterator[BytesIO]:
        """Give three bytes."""
        if track.uri not in {"good:1", "good:2"}:
            raise FileNotFoundError(track.uri)
        with BytesIO(b"abc") as file:
            yield file

    def modification_tag(self, track: Track) -> str:
        """Return the uri."""
        return track.uri

    def fingerprint(self, track: Track) -> str:
        """Return the uri."""
        return track.uri


class Streamed:
    """Audio on its way, as an answer of HTTP would be."""

    def __init__(self, status_code: int, content: bytes) -> None:
        """Keep what is sent."""
        self.status_code, self.headers = status_code, {"content-type": "audio/mpeg"}
        self._content = content

    def iter_raw(self) -> Iterator[bytes]:
        """Yield it whole."""
        yield self._content


class Everything(Good):
    """A good source that can also stream, write playlists and play: nobody's base class."""

    playlists: ClassVar[dict[str, list[str]]] = {}

    @contextmanager
    def stream(self, track: Track, headers: Mapping[str, str]) -> Iterator[Streamed]:
        """Send the bytes that are asked for."""
        with self.open(track) as file:
            ranged = headers.get("range") == "bytes=1-4"
            yield Streamed(206, file.read()[1:5]) if ranged else Streamed(200, file.read())

    def write(self, music: DJSet, *, name: str) -> SavedPlaylist:
        """Keep the songs under the name."""
        own = [p.track.uri for p in music.picks if p.track.uri.startswith("good:")]
        if not own:
            msg = "none of these songs is here"
            raise NotAvailable(msg)
        self.playlists[name] = own
        return SavedPlaylist(name, "here", len(own), len(music.picks))

    def devices(self) -> list[Device]:
        """Return two devices."""
        return [Device("a", "A", active=True), Device("b", "B")]

    def play(self, tracks: Sequence[Track], *, device: str = "") -> None:
        """Play on one of them."""
        if not tracks or device not in {"", "a", "b"}:
            msg = f"no device is called '{device}'"
            raise NotAvailable(msg)


class Wrong(Everything):
    """Sends other bytes for a byte range."""

    @contextmanager
    def stream(self, track: Track, headers: Mapping[str, str]) -> Iterator[Streamed]:
        """Send the beginning whatever is asked for."""
        with self.open(track) as file:
            yield Streamed(206 if headers else 200, file.read())


class Hollow(Everything):
    """Says that a set is written of which nothing is there."""

    def write(self, music: DJSet, *, name: str) -> SavedPlaylist:
        """Say so."""
        return SavedPlaylist(name, "nowhere", len(music.picks), len(music.picks))


class Mute(Everything):
    """Plays on devices that are not there."""

    def play(self, tracks: Sequence[Track], *, device: str = "") -> None:
        """Do nothing."""


class Rootless(Good):
    """Says that its tracks are files, which they are not."""

    roots = (ROOT,)


class Twice(Good):
    """Yields a track twice."""

    def tracks(self) -> Iterator[Track]:
        """Yield one twice."""
        yield from [Track("good:1", "One")] * 2


class Foreign(Good):
    """Names tracks under another's name."""

    def tracks(self) -> Iterator[Track]:
        """Yield one."""
        yield Track("spotify:track:1", "One")


class Milliseconds(Good):
    """Says durations in milliseconds."""

    def describe(self, track: Track) -> Track:
        """Return a long one."""
        return Track(track.uri, track.title, duration=180_000)


class Open(Good):
    """Leaves its file open."""

    @contextmanager
    def open(self, track: Track) -> Iterator[BytesIO]:
        """Give a file and keep it."""
        del track
        yield BytesIO(b"abc")


class Restless(Good):
    """Has a new modification tag each time it is made."""

    def modification_tag(self, track: Track) -> str:
        """Return a number that changes."""
        del track
        return os.urandom(8).hex()


class Anyone(Good):
    """Opens whatever it is asked for."""

    @contextmanager
    def open(self, track: Track) -> Iterator[BytesIO]:
        """Give three bytes for any track."""
        del track
        with BytesIO(b"abc") as file:
            yield file


class Stuck(Good):
    """Cannot travel to another process."""

    def __init__(self) -> None:
        """Hold what cannot be pickled."""
        self.lock = lambda: None


class Greedy(Good):
    """Finds more than is asked for."""

    def search(self, query: str, *, limit: int = 25) -> list[Track]:
        """Return everything."""
        del query, limit
        return list(self.tracks())


class Late(Good):
    """Resolves to an address of yesterday."""

    def resolve(self, track: Track) -> Media:
        """Return an old address."""
        return Media("stream", track.uri, expires=1.0)


def test_the_contract_holds_for_a_good_source() -> None:
    """In memory, without anything optional, and with everything."""
    check_source(Good)
    check_source(Everything)
    assert list(Everything.playlists.values()) == [["good:1"]]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (Twice, "twice"),
        (Foreign, "does not begin with good:"),
        (Milliseconds, "say seconds"),
        (Open, "stays open"),
        (Restless, "modification_tag"),
        (Anyone, "unknown track"),
        (Greedy, "more than its limit"),
        (Late, "expired"),
        (Wrong, "other bytes"),
        (Hollow, "foreign songs raises no NotAvailable"),
        (Mute, "no device raises no NotAvailable"),
        (Rootless, "no file below the roots"),
    ],
)
def test_each_broken_promise_is_named(made: Any, said: str) -> None:
    """A sentence tells the author what to mend."""
    with pytest.raises(AssertionError, match=said):
        check_source(made)


def test_a_source_that_cannot_travel_is_found_out() -> None:
    """Pickling is what worker processes need."""
    with pytest.raises((AttributeError, TypeError), match=r"pickle|local object"):
        check_source(Stuck)
