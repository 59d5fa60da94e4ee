"""MPD as a library, a place for playlists and a player: the real one, over a socket and TCP."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from emotion_dj.app import EmotionDJ, settings
from emotion_dj.app.settings import Settings
from emotion_dj.domain import Affect, DJSet, Mood, Omission, Pick, Plan, Reason, Track
from emotion_dj.errors import (
    LibraryError,
    LoginRequired,
    MissingExtra,
    NotAvailable,
    SettingsError,
    SourceError,
)
from emotion_dj.sources import mpd as mpd_module
from emotion_dj.sources.local import Local
from emotion_dj.sources.mpd import Mpd
from emotion_dj.testing.conformance import check_source
from emotion_dj.testing.spotify import SpotifyStandIn, status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.needs_mpd

SECRET = "canary-secret"  # noqa: S105 - of no MPD but ours
PROGRAM = shutil.which("mpd") or "mpd"
CONFIG = """
music_directory "{folder}/music"
playlist_directory "{folder}/playlists"
db_file "{folder}/database"
bind_to_address "{folder}/socket"
bind_to_address "127.0.0.1"
port "{port}"
zeroconf_enabled "no"
auto_update "no"
{more}
audio_output {{
type "null"
name "Kitchen"
}}
audio_output {{
type "null"
name "Hall"
enabled "no"
}}
"""
LOCKED = f'password "{SECRET}@read,add,control,admin"\ndefault_permissions "read"\n'


@dataclass(frozen=True)
class Running:
    """An MPD that runs: its folder, its port, and the process."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    reader: threading.Thread

    @property
    def source(self) -> Mpd:
        """The source of it, by its socket."""
        return Mpd(address=str(self.folder / "socket"))

    @property
    def by_tcp(self) -> Mpd:
        """The source of it as another machine would meet it."""
        return Mpd(address=f"127.0.0.1:{self.port}", music=str(self.folder / "music"))

    def end(self) -> None:
        """End it, if it runs."""
        assert self.process.stderr is not None
        self.process.terminate()
        self.reader.join()
        self.process.stderr.close()
        self.process.wait()


def started(folder: Path, more: str = "") -> Running:
    """Start an MPD in a folder with music, and return when it has been looked through."""
    (folder / "playlists").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "mpd.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, more=more), encoding="utf-8")
    process = subprocess.Popen(
        [PROGRAM, "--no-daemon", "--stderr", "--verbose", str(config)], stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    for line in process.stderr:  # a new database is filled before it idles
        if b"update: finished" in line:
            break
    reader = threading.Thread(target=process.stderr.read)  # so that it never waits for us
    reader.start()
    return Running(folder, port, process, reader)


@pytest.fixture
def folder(tmp_path: Path, demo_music: Path) -> Path:
    """A folder with three songs for MPD, one of them deeper."""
    songs = sorted(demo_music.glob("*/*.opus"))
    (tmp_path / "music" / "Ünder way").mkdir(parents=True)
    shutil.copy(songs[0], tmp_path / "music" / "one.opus")
    shutil.copy(songs[9], tmp_path / "music" / 'two "2" #.opus')
    shutil.copy(songs[18], tmp_path / "music" / "Ünder way" / "three.opus")
    return tmp_path


@pytest.fixture
def running(folder: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """Run an MPD; a parameter is more of its configuration."""
    run = started(folder, getattr(request, "param", ""))
    try:
        yield run
    finally:
        run.end()


@pytest.fixture
def client(running: Running) -> Iterator[Any]:
    """Return a client of others."""
    from mpd import MPDClient

    client = MPDClient()
    client.connect(str(running.folder / "socket"))
    yield client
    client.disconnect()


def music(*tracks: Track) -> DJSet:
    """Return a set of tracks."""
    here = Affect(0, 0)
    picks = tuple(Pick(track, here, Mood.CALM, 1.0, ()) for track in tracks)
    return DJSet(picks, Plan("match"), (here,) * len(tracks), here, Reason("journey"))


def test_it_keeps_the_contract_of_sources(running: Running) -> None:
    """Every check that a plug-in has to pass, by the socket and over TCP."""
    check_source(lambda: running.source)
    check_source(lambda: running.by_tcp)


def test_its_songs_are_those_of_the_folder(running: Running) -> None:
    """The same tracks with the same tags and marks, so that each is heard once."""
    for source in (running.source, running.by_tcp):
        local = Local((running.folder / "music",))
        assert list(source.tracks()) == list(local.tracks())
        for track in local.tracks():
            assert source.describe(track) == local.describe(track)
            assert source.fingerprint(track) == local.fingerprint(track)


def test_what_is_on_one_side_alone(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A song that went away is named; one that MPD does not know yet is not offered; a database is
    read in parts.
    """
    place = running.folder / "music"
    shutil.copy(place / "one.opus", place / "new.opus")
    (place / "Ünder way" / "three.opus").unlink()
    monkeypatch.setattr(mpd_module, "WINDOW", 1)
    entries = list(running.source.listing())
    titles = {entry.title for entry in entries if isinstance(entry, Track)}
    assert titles == {"one", 'two "2" #'}
    (gone,) = (entry for entry in entries if isinstance(entry, Omission))
    assert (gone.code, gone.uri[-10:]) == ("not_found", "three.opus")
    shutil.rmtree(place)
    with pytest.raises(LibraryError, match="none of the 3 songs of MPD is in"):
        list(running.source.tracks())


def test_albums_in_one_file_are_the_parts_that_the_folder_has(folder: Path) -> None:
    """A CUE sheet is read by us, whatever MPD makes of it; no part is written as the whole file."""
    sheet = 'FILE "one.opus" WAVE\n TRACK 01 AUDIO\n  TITLE "A"\n  INDEX 01 00:00:00\n'
    sheet += ' TRACK 02 AUDIO\n  TITLE "B"\n  INDEX 01 00:10:00\n'
    (folder / "music" / "one.cue").write_text(sheet, encoding="utf-8")
    run = started(folder)
    try:
        tracks = list(run.source.tracks())
        assert [track.title for track in tracks][:2] == ["A", "B"]
        assert tracks == list(Local((folder / "music",)).tracks())
        saved = run.source.write(music(*tracks), name="Mix")
        assert (saved.songs, saved.total) == (2, 4)
    finally:
        run.end()


def test_a_set_is_chosen_of_its_songs(running: Running, tmp_path: Path, demo_music: Path) -> None:
    """`--library mpd --to mpd --on mpd:Hall`: other songs that are known are not in it."""
    other = min((demo_music / "happy").glob("*.opus"))
    chosen = Settings(
        database=str(tmp_path / "c.sqlite"),
        workers=1,
        mpd_address=str(running.folder / "socket"),
        reccobeats_api="",
        deezer_api="",
    )
    EmotionDJ(library=other, settings=chosen).library.scan()
    dj = EmotionDJ(library="mpd", settings=chosen)
    assert dj.library.scan().analysed == 3
    found = dj.recommend(affect=Affect(0, 0), n=9)
    files = {pick.track.path for pick in found.picks}
    assert files == set((running.folder / "music").rglob("*.opus"))
    assert dj.services.available_sinks() == {"mpd"}
    assert dj.services.save(found, "mpd").songs == 3
    dj.services.start(found, "mpd:hall")
    assert [device.name for device in dj.services.devices()] == ["Hall", "Kitchen"]
    dj.services.play([found.picks[0].track], device="Kitchen")
    assert [device.name for device in dj.services.devices()] == ["Kitchen", "Hall"]
    again = EmotionDJ(library=running.folder / "music", settings=chosen)
    assert again.library.scan().analysed == 0


def test_a_playlist_is_replaced_as_a_whole(running: Running, client: Any) -> None:
    """Songs that MPD does not have are left out and counted; where it has none, or the connection
    was lost before, the old one is as it was.
    """
    source = running.source
    one, two, three = source.tracks()
    strange = Track("deezer:1", "D")
    outside = Track((running.folder / "x.opus").as_uri(), "X")
    gone = Track((running.folder / "music" / "gone.opus").as_uri(), "G")
    split = Track((running.folder / "music" / "a\nclear.opus").as_uri(), "S")
    saved = source.write(music(one, strange, outside, gone, split, three), name='My "Mix"')
    assert (saved.name, saved.songs, saved.total) == ('My "Mix"', 2, 6)
    assert client.listplaylist('My "Mix"') == ["one.opus", "Ünder way/three.opus"]
    client.playlistadd('My "Mix" (new)', "one.opus")  # as somebody left it who was cut off
    source.write(music(two, one), name='My "Mix"')
    assert client.listplaylist('My "Mix"') == ['two "2" #.opus', "one.opus"]
    with pytest.raises(NotAvailable, match="none of these songs is in MPD's database"):
        source.write(music(strange, outside, gone), name='My "Mix"')
    assert [entry["playlist"] for entry in client.listplaylists()] == ['My "Mix"']
    assert client.listplaylist('My "Mix"') == ['two "2" #.opus', "one.opus"]
    with pytest.raises(NotAvailable, match="several lines"):
        source.write(music(one), name="x\nclear")


def test_a_refusal_half_way_leaves_the_old_playlist(running: Running, client: Any) -> None:
    """The file of the new one cannot be written: the sentence tells MPD's reason."""
    one, two, _ = running.source.tracks()
    running.source.write(music(one), name="Mix")
    in_its_way = running.folder / "playlists" / "Mix (new).m3u"
    in_its_way.mkdir()
    with pytest.raises(SourceError, match="MPD refuses 'playlistadd': "):
        running.source.write(music(two), name="Mix")
    assert client.listplaylist("Mix") == ["one.opus"]
    in_its_way.rmdir()
    running.source.write(music(two), name="Mix")
    assert [entry["playlist"] for entry in client.listplaylists()] == ["Mix"]


def test_a_queue_plays_on_the_output_that_is_named(running: Running, client: Any) -> None:
    """In its order, in place of what was there, which stays where nothing can be played."""
    source = running.source
    one, two, three = source.tracks()
    client.random(1)
    assert [(device.name, device.active) for device in source.devices()] == [
        ("Kitchen", True),
        ("Hall", False),
    ]
    source.play([three, one, Track("deezer:1", "D")], device="Hall")
    assert [song["file"] for song in client.playlistinfo()] == ["Ünder way/three.opus", "one.opus"]
    status = client.status()
    assert (status["state"], status["song"], status["random"]) == ("play", "0", "0")
    assert [device.name for device in source.devices() if device.active] == ["Hall"]
    with pytest.raises(NotAvailable, match="no output called 'Attic': Kitchen, Hall"):
        source.play([one], device="Attic")
    with pytest.raises(NotAvailable, match="none of these songs"):
        source.play([Track("deezer:1", "D")], device="Kitchen")
    assert len(client.playlistinfo()) == 2
    source.play([two])
    assert [song["file"] for song in client.playlistinfo()] == ['two "2" #.opus']
    assert [device.name for device in source.devices() if device.active] == ["Hall"]


def test_each_device_is_of_its_own_service(
    running: Running, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside Spotify: a song starts where it was sent; what is down hides none of the others."""
    monkeypatch.setenv("EMOTION_DJ_MPD_ADDRESS", str(running.folder / "socket"))
    one, *_ = running.source.tracks()
    with SpotifyStandIn() as site:
        for name, value in site.environment().items():
            monkeypatch.setenv(name, value)
        site.devices = [{"id": "k1", "name": "Desk", "is_active": True, "is_restricted": False}]
        services = EmotionDJ(settings=settings.load()).services
        assert [each.name for each in services.devices()] == ["Desk", "Kitchen", "Hall"]
        services.play([one], device="Hall")
        services.play([Track("spotify:track:one", "One")], device="k1")
        assert (client.status()["state"], site.playing_on) == ("play", "k1")
        site.faults = [status(401)] * 9
        assert {each.name for each in services.devices()} == {"Kitchen", "Hall"}
        running.end()
        with pytest.raises(SourceError):
            services.devices()


@pytest.mark.parametrize("running", [LOCKED], indirect=True)
def test_passwords(running: Running) -> None:
    """Who gives none may read and no more; a wrong one is refused; none is printed."""
    known = replace(running.source, music=str(running.folder / "music"))
    tracks = list(known.tracks())
    with pytest.raises(LoginRequired, match="set EMOTION_DJ_MPD_PASSWORD"):
        known.write(music(*tracks), name="x")
    wrong = replace(running.source, password=SECRET[:-1])
    with pytest.raises(LoginRequired, match="correct EMOTION_DJ_MPD_PASSWORD") as told:
        wrong.devices()
    right = replace(running.source, password=SECRET)
    assert right.write(music(*tracks), name="x").songs == 3
    assert "canary" not in f"{told.value}{right!r}"


def test_what_is_not_set_up_is_said(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """No address, one that is none, a password in it, a folder that nobody names."""
    for address in ("", ":6600", "host:port", "secret@host", "http://host:6600"):
        dj = EmotionDJ(settings=Settings(mpd_address=address))
        with pytest.raises(SettingsError, match="EMOTION_DJ_MPD_ADDRESS") as told:
            dj.services.player("mpd").devices()
        assert "secret" not in str(told.value)
    with pytest.raises(SettingsError, match="EMOTION_DJ_MPD_MUSIC"):
        list(replace(running.by_tcp, music="").tracks())
    monkeypatch.setenv("EMOTION_DJ_MPD_PASSWORD", SECRET)
    services = EmotionDJ(settings=Settings(mpd_address="localhost")).services
    assert services.source("mpd").password == SECRET


def test_its_library_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed it is told how, and no set is offered to go there."""
    monkeypatch.setitem(sys.modules, "mpd", None)
    services = EmotionDJ(settings=Settings(mpd_address="localhost")).services
    with pytest.raises(MissingExtra, match=r"MPD needs an extra: run .*\[mpd\]"):
        services.sink("mpd")
    assert "mpd" not in services.available_sinks()


def test_who_is_not_there_is_said(running: Running) -> None:
    """Not running, by the socket and over TCP; another kind of server; one that ends meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"

        def answer(*parts: bytes) -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(parts[0])
                for part in parts[1:]:
                    connection.recv(1000)
                    connection.sendall(part)

        for parts, words in (
            ([b"HTTP/1.1 400 Bad Request\n"], "is no MPD"),
            ([b"\xff\xfe\n"], "is no MPD"),
            ([b"OK MPD 0.23.5\n"], "was lost"),
            ([b"OK MPD 0.23.5\n", b"outputid: 0\noutput"], "was lost"),
            ([b"OK MPD 0.23.5\n", b"ACK [99@0] {outputs} new\n"], "was lost"),
        ):
            thread = threading.Thread(target=answer, args=parts)
            thread.start()
            with pytest.raises(SourceError, match=words):
                Mpd(address=address).devices()
            thread.join()
    running.end()
    for source in (running.source, running.by_tcp, Mpd(address=address)):
        for act in (source.devices, lambda s=source: list(s.tracks())):
            with pytest.raises(SourceError, match="no MPD at"):
                act()
