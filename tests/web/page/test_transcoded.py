"""What a browser cannot play by itself is heard all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.needs_browser, pytest.mark.slow]


def to_alac(path: Path) -> None:
    """Replace a WAV by an M4A of Apple's lossless codec."""
    with av.open(str(path)) as source, av.open(str(path.with_suffix(".m4a")), "w") as out:
        stream = out.add_stream("alac", rate=48_000, layout="mono")
        stream.codec_context.open()
        resampler = av.AudioResampler(stream.format, "mono", 48_000, stream.frame_size)
        for frame in (*source.decode(audio=0), None):
            for piece in resampler.resample(frame):
                out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    path.unlink()


def test_chromium_plays_and_seeks_in_alac(
    serve: Callable[..., AbstractContextManager[str]],
    opened: Callable[..., AbstractContextManager[Page]],
    comes_true: Callable[..., None],
    write_tone: Callable[..., None],
    hearing: str,
    tmp_path: Path,
) -> None:
    """A song in ALAC sounds as what it is, and goes on from where it is moved to."""
    music = tmp_path / "music"
    music.mkdir()
    write_tone(music / "700.wav", 700, level=-10, seconds=25)
    to_alac(music / "700.wav")
    with serve("--library", str(music)) as address:
        httpx.get(f"{address}/api/v1/library/scan", timeout=120)
        with opened(address, script=hearing) as page:
            page.check("#moods input[value=happy]")
            comes_true(page, "Math.abs(now().tone - 700) < 12 && now().level > -30")
            page.evaluate("""() => {
              const seek = document.querySelector('#seek');
              seek.value = 600;
              seek.dispatchEvent(new Event('input'));
            }""")
            comes_true(page, "/^0:1[5-9]/.test(document.querySelector('#time').textContent)")
            comes_true(page, "Math.abs(now().tone - 700) < 12 && now().level > -30")
