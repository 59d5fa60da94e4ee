"""Songs that no browser plays, over a real socket: as FLAC or Opus, whole and in ranges."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import av
import httpx
import numpy as np
import pytest
from starlette.exceptions import HTTPException

from emotion_dj.music import transcode
from emotion_dj.web import transcodings
from emotion_dj.web.transcodings import Growing, Transcodings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

RATE = 44_100
SECONDS = 4
FORMS = {
    "alac.m4a": ("alac", "audio/flac"),
    "aiff.aiff": ("pcm_s16be", "audio/flac"),
    "float.wav": ("pcm_f32le", "audio/flac"),
    "wavpack.wv": ("wavpack", "audio/flac"),
    "tta.tta": ("tta", "audio/flac"),
    "wma.wma": ("wmav2", "audio/ogg"),
    "ac3.ac3": ("ac3", "audio/ogg"),
}


def write(path: Path, codec: str, seconds: float = SECONDS) -> Path:
    """Write a tone of 440 Hz over two channels, of which the right one is half as loud."""
    time = np.arange(int(RATE * seconds)) / RATE
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32) / 2
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE, layout="stereo")
        stream.bit_rate = 128_000
        stream.codec_context.open()
        size = stream.frame_size or 4096
        resampler = av.AudioResampler(stream.format, "stereo", RATE, size)
        frame = av.AudioFrame.from_ndarray(np.stack([tone, tone / 2]), "fltp", "stereo")
        frame.sample_rate = RATE
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def measured(audio: bytes | Path) -> tuple[float, list[float]]:
    """Return the seconds of some audio, and the level of each channel in dB."""
    with av.open(io.BytesIO(audio) if isinstance(audio, bytes) else str(audio)) as container:
        resampler = av.AudioResampler("fltp", "stereo", RATE)
        pieces = [p for f in container.decode(audio=0) for p in resampler.resample(f)]
        samples = np.concatenate(
            [p.to_ndarray() for p in (*pieces, *resampler.resample(None))], axis=1
        )
    return samples.shape[1] / RATE, list(10 * np.log10((samples**2).mean(axis=1)))


@pytest.fixture(scope="module")
def songs(
    serve_from: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Serve a song of each form, and give folder, address, and the stream of each by its title."""
    music = tmp_path_factory.mktemp("music")
    for name, (codec, _) in FORMS.items():
        write(music / name, codec)
    blob = write(tmp_path_factory.mktemp("store") / "blob.m4a", "alac")
    (music / "link.m4a").symlink_to(blob.rename(blob.with_suffix("")))
    with serve_from(tmp_path_factory.mktemp("server"), "--library", str(music)) as address:
        httpx.get(f"{address}/api/v1/library/scan", timeout=120)
        tracks = httpx.get(f"{address}/api/v1/tracks").json()["tracks"]
        streams = {t["title"]: f"{address}/api/v1/tracks/{t['id']}/stream" for t in tracks}
        yield music, address, streams


@pytest.mark.parametrize("name", FORMS)
def test_what_no_browser_plays_is_sent_in_another_form(
    songs: tuple[Path, str, dict[str, str]], name: str
) -> None:
    """What comes is as long and as loud as the source: FLAC of lossless forms, Opus of others."""
    music, _, streams = songs
    answer = httpx.get(streams[name.partition(".")[0]])
    assert (answer.status_code, answer.headers["content-type"]) == (200, FORMS[name][1])
    seconds, levels = measured(answer.content)
    wanted, loud = measured(music / name)
    assert seconds == pytest.approx(wanted, abs=0.06)
    assert levels == pytest.approx(loud, abs=0.3)


def test_flac_holds_the_very_samples(songs: tuple[Path, str, dict[str, str]]) -> None:
    """Nothing is lost of a lossless song."""
    music, _, streams = songs
    with (
        av.open(str(music / "alac.m4a")) as one,
        av.open(io.BytesIO(httpx.get(streams["alac"]).content)) as other,
    ):
        source = np.concatenate([f.to_ndarray() for f in one.decode(audio=0)], axis=1)
        sent = np.concatenate([f.to_ndarray() for f in other.decode(audio=0)], axis=1)
    assert (source == sent.reshape(-1, 2).T).all()


@pytest.mark.parametrize("title", ["alac", "wma"])
def test_ranges_of_a_transcoding_are_those_of_a_file(
    songs: tuple[Path, str, dict[str, str]], title: str
) -> None:
    """A range from the middle is that part, one beyond is refused, HEAD tells size and form."""
    place = songs[2][title]
    middle = httpx.get(place, headers={"range": "bytes=5000-5999"})
    whole = httpx.get(place)
    assert (middle.status_code, middle.content) == (206, whole.content[5000:6000])
    size = len(whole.content)
    assert middle.headers["content-range"] == f"bytes 5000-5999/{size}"
    assert httpx.get(place, headers={"range": "bytes=-500"}).content == whole.content[-500:]
    beyond = httpx.get(place, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    head = httpx.head(place)
    assert (head.status_code, head.content) == (200, b"")
    for name, value in (("content-length", str(size)), ("accept-ranges", "bytes")):
        assert head.headers[name] == value
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_a_link_to_a_file_without_a_suffix_is_sent(
    songs: tuple[Path, str, dict[str, str]],
) -> None:
    """What a link leads to is told by its content where its name says nothing."""
    answer = httpx.get(songs[2]["link"])
    assert answer.headers["content-type"] == "audio/flac"
    assert measured(answer.content)[0] == pytest.approx(SECONDS, abs=0.01)


def test_sets_lead_to_transcodings(songs: tuple[Path, str, dict[str, str]]) -> None:
    """Every song of a set has a stream that plays."""
    _, address, streams = songs
    wish = {"mood": "calm", "n": 3}
    picks = httpx.post(f"{address}/api/v1/sets", json=wish, timeout=60).json()["picks"]
    assert picks
    assert all(f"{address}{pick['stream']}" in streams.values() for pick in picks)


def test_a_song_that_breaks_off_ends_there(tmp_path: Path) -> None:
    """Of a file that was cut off comes what there is, as a whole file."""
    song = write(tmp_path / "song.wv", "wavpack", 20)
    song.write_bytes(song.read_bytes()[: song.stat().st_size // 2])
    growing = Transcodings(tmp_path / "cache").of(song, transcode.FLAC)
    assert isinstance(growing, Growing)
    sent = b"".join(growing.blocks())
    assert 5 < measured(sent)[0] < 15
    growing.wait()
    assert measured(growing.path)[0] == pytest.approx(measured(sent)[0])


def test_a_file_that_is_no_audio_leaves_nothing(tmp_path: Path) -> None:
    """Where nothing can be decoded the stream is empty and the cache stays so."""
    (tmp_path / "song.wv").write_bytes(b"no music" * 500)
    growing = Transcodings(tmp_path / "cache").of(tmp_path / "song.wv", transcode.FLAC)
    assert isinstance(growing, Growing)
    growing.wait()
    assert not growing.size
    assert not list((tmp_path / "cache").iterdir())


def made(cache: Transcodings, song: Path) -> Path:
    """Return the whole transcoding of a song."""
    place = cache.of(song, transcode.FLAC)
    if isinstance(place, Growing):
        place.wait()
        return place.path
    return place


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    """What was not asked for the longest goes; a song that is larger than all is not kept."""
    songs = [write(tmp_path / f"{n}.wv", "wavpack", 2) for n in range(3)]
    size = made(Transcodings(tmp_path / "one"), songs[0]).stat().st_size
    cache = Transcodings(tmp_path / "two", most=int(2.5 * size), workers=1)
    first, second = made(cache, songs[0]), made(cache, songs[1])
    assert made(cache, songs[0]) == first
    third = made(cache, songs[2])
    made(cache, songs[2])
    with cache._places:  # the thread has made room
        assert {*(tmp_path / "two").iterdir()} == {first, third} - {second}
    made(Transcodings(tmp_path / "three", most=size // 2), songs[0])
    assert not list((tmp_path / "three").iterdir())


def test_no_more_are_made_at_once_than_there_are_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more waits, and is refused after some seconds with a word on when to come back."""
    monkeypatch.setattr(transcodings, "PATIENCE_S", 0.01)
    cache = Transcodings(tmp_path / "cache", workers=1)
    song = write(tmp_path / "song.wv", "wavpack", 1)
    with cache._places, pytest.raises(HTTPException) as refusal:
        cache.of(song, transcode.FLAC)
    assert refusal.value.status_code == 503
    assert refusal.value.headers == {"retry-after": "5"}
    assert measured(made(cache, song))[0] == pytest.approx(1, abs=0.01)


def test_who_reads_while_it_grows_gets_all_of_it(tmp_path: Path) -> None:
    """Readers wait for what is not there yet, and end where it ends."""
    growing = Growing(tmp_path / "part", 100)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.extend(growing.blocks()))
    growing.write(b"one")
    reader.start()
    growing.write(b"two")
    growing.end(tmp_path / "whole")
    reader.join()
    assert b"".join(heard) == b"onetwo" == (tmp_path / "whole").read_bytes()
