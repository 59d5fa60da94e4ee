"""Films as phones make them: turned, with a varying rate, deep, cut off, or none at all."""

from __future__ import annotations

import csv
import json
import wave
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import command_line
import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj import affect
from emotion_dj.app import EmotionDJ, settings
from emotion_dj.app.intent import of_film
from emotion_dj.domain import Affect, Emotion, Plan, Reason
from emotion_dj.errors import ImageError, NoFace, SettingsError
from emotion_dj.vision import film, images

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import Image


@pytest.fixture(scope="module")
def portrait(smiling_photo: Path) -> Image:
    """Return a photograph of one smiling face, small."""
    picture = Pillow.fromarray(images.load(smiling_photo)).resize((256, 256))
    return np.asarray(picture)


def write(path: Path, image: Image, times: list[float], pixels: str = "yuv420p") -> Path:
    """Write a film that shows a picture at these times in seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(1000))
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt, stream.time_base = pixels, Fraction(1, 1000)
        stream.options = {"preset": "ultrafast"}
        for time in times:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


STEADY = [i / 10 for i in range(21)]


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
def test_a_smile_is_happy_all_along(tmp_path: Path, portrait: Image, pixels: str) -> None:
    """Two seconds at ten frames, eight and ten bits deep: five readings half a second apart."""
    moments = list(EmotionDJ().watch(write(tmp_path / "a.mp4", portrait, STEADY, pixels)))
    assert [round(seconds, 1) for seconds, _ in moments] == [0, 0.5, 1, 1.5, 2]
    assert {analysis.readings[0].emotion for _, analysis in moments} == {Emotion.HAPPY}


def test_a_varying_rate_keeps_the_times(tmp_path: Path, portrait: Image) -> None:
    """The frame that is shown at or after each half second is taken, once."""
    path = write(tmp_path / "a.mp4", portrait, [0, 0.1, 0.4, 0.7, 0.8, 1.9, 2.0, 2.1])
    assert [round(seconds, 1) for seconds, _ in film.frames(path)] == [0, 0.7, 1.9, 2.0]


def test_the_display_matrix_sets_a_film_upright(tmp_path: Path, portrait: Image) -> None:
    """A frame that a phone holds on its side, with the turn beside it."""
    sideways = np.ascontiguousarray(np.rot90(portrait, -1))
    path = write(tmp_path / "a.mp4", sideways, STEADY[:3])
    data = path.read_bytes()
    # The matrix of the track's header: rows a b u, c d v, x y w in fixed point.
    start = data.index(b"tkhd") + 4 + 4 + 5 * 4 + 8 + 8
    turn = [0, -65536, 0, 65536, 0, 0, 0, 0, 0x40000000]  # a quarter turn counterclockwise
    matrix = b"".join(value.to_bytes(4, "big", signed=True) for value in turn)
    path.write_bytes(data[:start] + matrix + data[start + 36 :])
    _, image = next(film.frames(path))
    assert np.abs(image.astype(int) - portrait).mean() < 12


def test_what_is_no_film_is_said(tmp_path: Path, portrait: Image) -> None:
    """Sound alone, text, nothing, a missing file, a GIF: a sentence each."""
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    (tmp_path / "sound.mp4").write_bytes((tmp_path / "sound.wav").read_bytes())
    (tmp_path / "text.mp4").write_text("not a film")
    (tmp_path / "empty.mp4").write_bytes(b"")
    whole = write(tmp_path / "whole.mp4", portrait, STEADY).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    sentences = {"sound": "only sound", "text": "cut off", "empty": "cut off", "cut": "cut off"}
    for name, sentence in {**sentences, "none": "does not exist"}.items():
        with pytest.raises(ImageError, match=sentence):
            list(film.frames(tmp_path / f"{name}.mp4"))
    with pytest.raises(ImageError, match=r"save it as \.mp4"):
        list(film.frames(tmp_path / "moving.gif"))


def test_a_film_of_nobody_is_said(tmp_path: Path) -> None:
    """Grey from end to end: nobody, said once, at the end."""
    path = write(tmp_path / "grey.mp4", np.full((64, 64, 3), 120, np.uint8), STEADY[:3])
    with pytest.raises(NoFace, match="in all of"):
        list(EmotionDJ().watch(path))


def test_what_is_before_the_damage_is_read(tmp_path: Path, portrait: Image) -> None:
    """A stream that is cut off gives the readings up to there."""
    data = write(tmp_path / "a.mkv", portrait, STEADY).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: 2 * len(data) // 3])
    times = [seconds for seconds, _ in film.frames(tmp_path / "cut.mkv")]
    assert 0 in times
    assert len(times) < 5


def test_the_command_writes_a_table_lines_csv_and_a_plot(tmp_path: Path, portrait: Image) -> None:
    """`emotion-dj read clip.mp4`: what people and what programs want of it."""
    path = write(tmp_path / "clip.mp4", portrait, STEADY)
    files = ("--csv", tmp_path / "c.csv", "--plot", tmp_path / "p.svg")
    assert "0:01.5" in command_line.run("read", path, *files).stdout
    rows = list(csv.DictReader((tmp_path / "c.csv").read_text().splitlines()))
    assert [row["emotion"] for row in rows] == ["happy"] * 5
    assert (tmp_path / "p.svg").read_text().count("<polyline") == 8
    lines = command_line.run("read", path, "--json").stdout
    assert [json.loads(line)["seconds"] for line in lines.splitlines()] == [0, 0.5, 1, 1.5, 2]


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> EmotionDJ:
    """Return a DJ with two hundred songs all over the plane."""
    dj = EmotionDJ(
        settings=settings.load(database=str(tmp_path_factory.mktemp("songs") / "songs.sqlite"))
    )
    path = tmp_path_factory.mktemp("table") / "songs.csv"
    rows = [
        f"Song {i},u:{i},{i % 14 / 13},{i // 14 / 14},{0.5},{0.1},{-8},{120}" for i in range(200)
    ]
    head = "title,uri,energy,valence,acousticness,instrumentalness,loudness,tempo"
    path.write_text("\n".join([head, *rows]))
    dj.library.import_table(path)
    return dj


def test_a_set_is_made_for_a_film(tmp_path: Path, portrait: Image, songs: EmotionDJ) -> None:
    """For all of it by any plan, along it by its own; what it shows is said."""
    path = write(tmp_path / "clip.mp4", portrait, STEADY)
    whole = songs.recommend(path, n=5, seed=1)
    assert whole.opening == Reason("film_shows", {"words": ["bright", "lively"]})
    along = songs.recommend(str(path), plan="clip", n=5, seed=1)
    assert (along.plan.name, along.opening.code, len(along.picks)) == ("clip", "film_along", 5)
    assert min(target.valence for target in along.path) > 0.5
    with pytest.raises(SettingsError, match="follows a film"):
        songs.recommend(mood="calm", plan="clip")


def test_a_set_follows_where_a_film_goes() -> None:
    """From sad at its beginning to happy at its end, through the middle."""
    film_of = [Affect(-0.6, -0.3)] * 10 + [Affect(0.8, 0.5)] * 10
    intent = of_film(film_of, Plan("clip"))
    path = affect.path(intent.plan, [Affect(0, 0)], 9)
    assert (path[0], path[-1]) == (film_of[0], film_of[-1])
    assert all(a.valence <= b.valence + 1e-9 for a, b in pairwise(path))
    (only,) = affect.path(of_film(film_of[:1], Plan("clip")).plan, [Affect(0, 0)], 1)
    assert only == film_of[0]
