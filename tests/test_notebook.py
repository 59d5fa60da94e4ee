"""What a notebook shows of a reading and of a set, taken apart as a browser would."""

from __future__ import annotations

import io
import pickle
import re
import shutil
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from emotion_dj import EmotionDJ
from emotion_dj.app.settings import Settings
from emotion_dj.domain import PhotoAnalysis

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.domain import DJSet

EVIL = "<script>alert(1)</script>\"'&"
VOID = {"img"}


class Page(HTMLParser):
    """The elements of a fragment of HTML, and whether each is closed by its own end."""

    def __init__(self, html: str) -> None:
        """Take it apart."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element and its attributes."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        """Hold that what ends is what was begun last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep what is read."""
        self.text += data

    def sources(self, tag: str) -> list[bytes]:
        """Return what lies inside the elements of a kind."""
        found = [attributes["src"] for name, attributes in self.elements if name == tag]
        assert all(source.startswith("data:") for source in found)
        return [b64decode(source.partition("base64,")[2]) for source in found]


def shown(value: object) -> Page:
    """Take apart what a notebook would show of a value, which has nothing of its own to hide."""
    html = value._repr_html_()  # type: ignore[attr-defined]
    assert not re.search(r"https?:|<script|<link|<style|\bon\w+=", html)
    assert not re.search(r"color:(?!currentColor)|#[0-9a-f]{3}", re.sub('base64,[^"]*', "", html))
    return Page(html)


@pytest.fixture(scope="module")
def dj(tmp_path_factory: pytest.TempPathFactory, demo_music: Path) -> EmotionDJ:
    """Return a DJ over three real songs."""
    folder = tmp_path_factory.mktemp("music")
    for song in sorted(demo_music.glob("*/*.opus"))[:3]:
        shutil.copy(song, folder)
    settings = Settings(database=str(folder / "catalogue.sqlite"), workers=1)
    return EmotionDJ(library=[folder], settings=settings)


@pytest.fixture(scope="module")
def music(dj: EmotionDJ) -> DJSet:
    """Return a set of the three."""
    return dj.recommend(mood="calm", n=3)


def test_a_reading_is_its_annotated_picture_with_bars(dj: EmotionDJ, smiling_photo: Path) -> None:
    """A JPEG that opens, the face's name as its text, seven bars that end at a hundred per cent."""
    page = shown(dj.read(smiling_photo))
    (picture,) = page.sources("img")
    with Pillow.open(io.BytesIO(picture)) as opened:
        assert max(opened.size) == 480
    assert [each["alt"] for tag, each in page.elements if tag == "img"] == ["looks happy"]
    bars = [float(width) for width in re.findall(r"'width:([\d.]+)%;height", str(page.elements))]
    assert len(bars) == 7
    assert sum(bars) == pytest.approx(100, abs=0.5)
    assert "Face 1 looks happy" in page.text
    assert "An estimate of the expression, not of the feeling." in page.text


def test_no_pixel_is_kept(dj: EmotionDJ, smiling_photo: Path) -> None:
    """An array is shown while the caller has it; bytes, and what travelled, are bars alone."""
    with Pillow.open(smiling_photo) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    analysis = dj.read(pixels)
    assert len(shown(analysis).sources("img")) == 1
    travelled = pickle.loads(pickle.dumps(analysis))  # noqa: S301 - our own
    assert type(travelled) is PhotoAnalysis
    assert travelled.affect == analysis.affect
    del pixels
    assert shown(analysis).sources("img") == []
    assert shown(dj.read(smiling_photo.read_bytes())).sources("img") == []


def test_a_set_is_a_table_that_plays(music: DJSet) -> None:
    """A row for each song with its reasons, and real sound of some seconds inside it."""
    page = shown(music)
    for pick in music.picks:
        assert pick.track.title in page.text
    sounds = page.sources("audio")
    assert len(sounds) == 3
    with av.open(io.BytesIO(sounds[0])) as sound:
        assert sound.streams.audio[0].codec_context.name.startswith("mp3")
        assert sum(frame.samples for frame in sound.decode(audio=0)) > 5 * 22_050
    assert len(sounds[0]) < 150_000


def test_names_are_text(music: DJSet) -> None:
    """A title made of HTML is shown letter by letter; what is no file has no player."""
    track = replace(music.picks[0].track, uri="audius:1", title=EVIL, artists=(EVIL,))
    page = shown(replace(music, picks=(replace(music.picks[0], track=track),)))
    assert f"{EVIL} — {EVIL}" in page.text
    assert page.sources("audio") == []
