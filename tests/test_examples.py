"""The examples run as they are, over the real engine."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image as Pillow

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.needs_streamlit
APP = Path(__file__).resolve().parents[1] / "examples" / "streamlit_app.py"


@pytest.fixture
def app(demo_music: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Open the app over the demo tracks."""
    import streamlit
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr("sys.argv", [str(APP), str(demo_music)])
    streamlit.cache_resource.clear()
    return AppTest.from_file(str(APP), default_timeout=120).run()


def test_a_photo_becomes_songs(app: AppTest, smiling_photo: Path) -> None:
    """Upload: the emotion and its probabilities, then as many songs as asked for, to listen to."""
    assert not app.exception
    assert "hear your music" in app.info[0].value
    app.slider[0].set_value(3)
    app.file_uploader[0].set_value(("me.png", smiling_photo.read_bytes(), "image/png"))
    app.run()
    assert not app.exception
    assert app.subheader[0].value == "Face 1: looks happy"
    assert app.get("progress")[0].proto.text.startswith("happy ")
    assert len(app.get("audio")) == 3


def test_the_camera_and_a_correction(app: AppTest, smiling_photo: Path) -> None:
    """A picture of the camera counts the same; who says that they are sad gets another set."""
    frame = io.BytesIO()
    Pillow.open(smiling_photo).convert("RGB").save(frame, "JPEG")
    app.camera_input[0].set_value(("camera.jpg", frame.getvalue(), "image/jpeg"))
    app.run()
    assert app.caption[1].value.partition(": ")[2].startswith("you look happy: ")
    app.selectbox[0].select("sad").run()
    assert not app.exception
    assert app.caption[1].value.partition(": ")[2].startswith("you said you are sad: ")


def test_a_photo_of_nobody_is_said(app: AppTest) -> None:
    """One sentence, no traceback."""
    wall = io.BytesIO()
    Pillow.new("RGB", (300, 200), "white").save(wall, "PNG")
    app.file_uploader[0].set_value(("wall.png", wall.getvalue(), "image/png"))
    app.run()
    assert not app.exception
    assert "no face" in app.error[0].value


def test_the_app_is_small() -> None:
    """It shows how small an app on the library is."""
    assert len(APP.read_text().splitlines()) < 120
