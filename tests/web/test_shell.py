"""The page's own files as the service sends them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

STATIC = Path(str(files("emotion_dj.web"))) / "static"
MODULES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))


def test_modules_come_without_their_comments(demo_address: str) -> None:
    """Less than the files are, with their marks: a browser that has them is told so."""
    for name in MODULES:
        sent = httpx.get(f"{demo_address}/{name}")
        assert sent.headers["content-type"] == "text/javascript; charset=utf-8"
        assert not re.search(r"^\s*(//|/\*)", sent.text, re.MULTILINE), name
        assert len(sent.content) < (STATIC / name).stat().st_size
        again = {"if-none-match": sent.headers["etag"]}
        assert httpx.get(f"{demo_address}/{name}", headers=again).status_code == 304
    assert httpx.head(f"{demo_address}/js/main.js").status_code == 200
    assert httpx.get(f"{demo_address}/js/none.js").status_code == 404


@pytest.mark.needs_node
def test_they_are_modules_still(demo_address: str, tmp_path: Path) -> None:
    """Node takes each of them."""
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert node
    for name in MODULES:
        path = tmp_path / "module.mjs"
        path.write_text(httpx.get(f"{demo_address}/{name}").text)
        subprocess.run([node, "--check", path], check=True)
