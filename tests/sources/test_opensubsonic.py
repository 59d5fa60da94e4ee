"""What OpenSubsonic added to Subsonic, by a stand-in whose answers keep the published contract."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import patient
import pytest
from PIL import Image as Pillow

from emotion_dj.app import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Affect, DJSet, Mood, Pick, Plan, Reason, Track
from emotion_dj.errors import LoginRequired, SettingsError
from emotion_dj.sources.subsonic import Subsonic
from emotion_dj.testing.conformance import PLAYLIST, check_source
from emotion_dj.testing.subsonic import SubsonicStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_START = dict(os.environ)
"""Of the person who runs the tests, before they are given a home of their own."""

CONTRACT = Path(__file__).resolve().parents[3] / "shared/contracts/opensubsonic/openapi"
ANSWERS = {
    "createPlaylist": "createPlaylist/CreatePlaylistResponse.json",
    "getAlbum": "getAlbum/GetAlbumResponse.json",
    "getAlbumList2": "getAlbumList2/GetAlbumList2Response.json",
    "getPlaylists": "getPlaylists/GetPlaylistsResponse.json",
    "search3": "search3/Search3Response.json",
    "tokenInfo": "tokenInfo/GetTokenInfoResponse.json",
}
"""The others answer with nothing but that they did it."""


def described(song: str, **more: Any) -> dict[str, Any]:
    """Return a song as a server describes it."""
    return {"id": song, "title": f"Song {song}", "artist": "Somebody", "duration": 10, **more}


@pytest.fixture
def server(clips: dict[str, list[bytes]]) -> Iterator[SubsonicStandIn]:
    """Serve two songs with audio and one whose audio is none; hold all that was said to it."""
    songs = [
        described("c", isrc=["QZAB12345678"], moods=["energetic"], bpm=90),
        described("e", moods=[]),
        described("x", moods=["Happy", "cheerful", "Wistful", "calm"], bpm=120),
    ]
    with SubsonicStandIn(songs) as serving:
        serving.audio = {"c": clips["calm"][0], "e": clips["energetic"][0], "x": b"no audio"}
        yield serving
    if CONTRACT.is_dir():
        for method, document in serving.answers:
            assert _faults(method, document) == [], method
        for method, query in serving.asked:
            assert not _strange(method, query), method


def _faults(method: str, document: Any) -> list[str]:
    """Return what is wrong with an answer by the contract's JSON schemas."""
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    def read(uri: str) -> Resource[Any]:
        return Resource(json.loads(Path(uri.removeprefix("file://")).read_bytes()), DRAFT202012)

    place = CONTRACT / "endpoints" / ANSWERS.get(method, "")
    schema: dict[str, Any] = {"$ref": place.as_uri()}
    if method not in ANSWERS:
        schema = {"$ref": (CONTRACT / "schemas/SubsonicResponse.json").as_uri()}
    registry: Registry[Any] = Registry(retrieve=read)  # type: ignore[call-arg]
    found = Draft202012Validator(schema, registry=registry).iter_errors(document)
    return [error.message for error in found]


def _strange(method: str, query: dict[str, Any]) -> set[str]:
    """Return the parameters that the contract does not know, or asks for in vain."""
    told = json.loads((CONTRACT / f"endpoints/{method}.json").read_bytes())["get"]
    known = {each["name"]: each.get("required", False) for each in told.get("parameters", ())}
    return (query.keys() - known) | ({name for name, must in known.items() if must} - query.keys())


def at(server: SubsonicStandIn, tmp_path: Path) -> EmotionDJ:
    """Return a DJ whose library is the server."""
    place = str(tmp_path / "c.sqlite")
    settings = Settings(database=place, subsonic_url=server.address, workers=1, include="short")
    return EmotionDJ(library=["subsonic"], settings=settings)


def test_an_api_key_is_all_that_is_sent(
    server: SubsonicStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No user and no password go with it; a wrong one is said without being shown."""
    monkeypatch.setenv("EMOTION_DJ_SUBSONIC_API_KEY", server.key)
    found = list(at(server, tmp_path).services.source("subsonic").tracks())
    assert [track.title for track in found] == ["Song c", "Song e", "Song x"]
    assert found[0].isrc == "QZAB12345678"
    with pytest.raises(LoginRequired, match="API key") as refused:
        list(Subsonic(server.address, "", "", key="canary-wrong").tracks())
    assert "canary" not in str(refused.value)


def test_an_address_without_a_scheme_is_said() -> None:
    """Before anything is asked, with what to write."""
    with pytest.raises(SettingsError, match="http://"):
        _ = EmotionDJ(settings=Settings(subsonic_url="music.example")).services.source("subsonic")


def test_songs_that_cannot_be_heard_are_placed_by_their_tags(
    server: SubsonicStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moods and tempo stand in for sound where there is none; what was heard is believed first."""
    monkeypatch.setenv("EMOTION_DJ_SUBSONIC_API_KEY", server.key)
    dj = at(server, tmp_path)
    summary = dj.library.scan()
    assert (summary.analysed, len(summary.failed)) == (2, 1)
    picks = {pick.track.title: pick for pick in dj.recommend(mood="calm", n=9).picks}
    assert set(picks) == {"Song c", "Song e", "Song x"}
    assert picks["Song x"].affect.valence == pytest.approx((0.60 + 0.60 + 0.35) / 3, abs=0.2)
    assert picks["Song x"].tempo == 120
    assert picks["Song c"].affect.arousal < picks["Song e"].affect.arousal
    assert dj.library.scan().analysed == 0


def test_long_playlists_are_written_in_parts(server: SubsonicStandIn) -> None:
    """A thousand songs do not fit into one address; written again they replace the first."""
    source = Subsonic(server.address, "", "", key=server.key)
    here = Affect(0, 0)
    host = server.address.removeprefix("http://")

    def music(count: int) -> DJSet:
        tracks = (Track(f"subsonic:{host}/{i}", str(i)) for i in range(count))
        picks = tuple(Pick(track, here, Mood.CALM, 1.0, ()) for track in tracks)
        return DJSet(picks, Plan("match"), (here,) * count, here, Reason("journey"))

    for count in (1000, 250, 3):
        server.asked.clear()
        source.write(music(count), name="Mix")
        ((name, songs),) = server.playlists.values()
        assert (name, songs) == ("Mix", [str(i) for i in range(count)])
        changes = [method for method, _ in server.asked if method.endswith("ePlaylist")]
        assert changes == ["createPlaylist", *["updatePlaylist"] * (-(-count // 100) - 1)]


def test_the_page_shows_covers_and_tells_the_server_what_was_liked(
    server: SubsonicStandIn, tmp_path: Path
) -> None:
    """A cover is drawn anew and small; a like is a star until it is taken back, a play a
    scrobble, a skip stays here.
    """
    picture = io.BytesIO()
    Pillow.new("RGB", (900, 900), "red").save(picture, "PNG")
    server.pictures["c"] = picture.getvalue()
    server.pictures["e"] = b"no picture"
    environment = {
        **os.environ,
        "EMOTION_DJ_SUBSONIC_URL": server.address,
        "EMOTION_DJ_SUBSONIC_API_KEY": server.key,
        "EMOTION_DJ_DATABASE": str(tmp_path / "c.sqlite"),
        "EMOTION_DJ_INCLUDE": "short",
        "EMOTION_DJ_WORKERS": "1",
    }
    command = [sys.executable, "-m", "emotion_dj", "serve", "--library", "subsonic", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            address = process.stderr.readline().split()[3]
            with patient.Client(base_url=address) as client:
                answer = client.post("/api/v1/sets", json={"mood": "calm"})
                ids = {pick["title"][-1]: pick["id"] for pick in answer.json()["picks"]}
                covers = {
                    name: client.get(f"/api/v1/tracks/{number}/cover")
                    for name, number in ids.items()
                }
                taken_back = (("e", "like"), ("e", "unlike"))
                for name, kind in (("c", "like"), *taken_back, ("e", "play"), ("x", "skip")):
                    told = {"track": ids[name], "kind": kind}
                    assert client.post("/api/v1/feedback", json=told).status_code == 204
                client.get("/api/v1/health")
        finally:
            process.terminate()
        said = process.stderr.read()
    assert {name: cover.status_code for name, cover in covers.items()} == {
        "c": 200,
        "e": 204,
        "x": 204,
    }
    assert Pillow.open(io.BytesIO(covers["c"].content)).size == (256, 256)
    assert (server.starred, server.scrobbled) == (["c"], ["e"])
    assert server.key not in said + answer.text


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="lists processes by /proc")
def test_a_key_is_in_no_process_list_and_no_file_but_its_own(
    server: SubsonicStandIn, clips: dict[str, list[bytes]], tmp_path: Path
) -> None:
    """While worker processes hear sixteen songs: no command line, no environment, no log; and
    afterwards nothing on disk but the file that only its owner can read.
    """
    server.songs = {str(i): {"isDir": False, **described(str(i))} for i in range(16)}
    server.audio = dict.fromkeys(server.songs, clips["calm"][0])
    kept = tmp_path / "data/emotion-dj/credentials.json"
    kept.parent.mkdir(parents=True)
    kept.touch(mode=0o600)
    kept.write_text(json.dumps({"subsonic_api_key": server.key}))
    environment = {
        **os.environ,
        **{f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("DATA", "CACHE")},
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "EMOTION_DJ_SUBSONIC_URL": server.address,
        "EMOTION_DJ_WORKERS": "2",
    }
    code = "import logging; logging.basicConfig(level=0); from emotion_dj.cli import main; main()"
    command = [sys.executable, "-c", code, "analyse", "subsonic"]
    told = tmp_path / "told.txt"
    seen: set[str] = set()
    with (
        told.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process,
    ):
        while process.poll() is None:
            for place in Path("/proc").glob("[0-9]*"):
                seen |= _shown(place, str(tmp_path))
    assert process.returncode == 0, told.read_text()
    assert any("spawn_main" in text for text in seen), "no worker process was seen"
    assert not [text for text in seen if server.key in text]
    holders = [path for path in tmp_path.rglob("*") if path.is_file() and _holds(path, server.key)]
    assert holders == [kept]


def _shown(process: Path, own: str) -> set[str]:
    """Return what a process shows to others of its user, nothing of one that has ended, or that
    another test has begun.
    """
    try:
        shown = {(process / name).read_text("latin-1") for name in ("cmdline", "environ")}
    except OSError:
        return set()
    return shown if any(own in text for text in shown) else set()


def _holds(path: Path, secret: str) -> bool:
    return secret.encode() in path.read_bytes()


@pytest.mark.live
def test_your_own_server_keeps_its_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where EMOTION_DJ_SUBSONIC_URL and a login are set; nothing is changed there."""
    for name, value in AT_START.items():
        monkeypatch.setenv(name, value)
    source = EmotionDJ().services.source("subsonic")
    track = next(source.tracks())
    assert source.search(track.title, limit=3)
    with source.stream(track, {"range": "bytes=0-99"}) as answer:
        assert answer.status_code in {200, 206}


def test_it_keeps_the_contract_of_a_source(server: SubsonicStandIn) -> None:
    """The public suite, over the socket: hearing, streaming, pictures and playlists."""
    check_source(lambda: Subsonic(server.address, "", "", key=server.key))
    assert list(server.playlists.values()) == [(PLAYLIST, ["c"])]
