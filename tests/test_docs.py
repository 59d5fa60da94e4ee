"""The documentation: built without a warning, made from the code, and asking nobody else."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
from dataclasses import fields
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import emotion_dj
from emotion_dj.app.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(emotion_dj.__file__).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(scope="module")
def parts() -> dict[str, Callable[[], str]]:
    """Return what makes the parts of the reference."""
    made: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "reference.py"))
    return made["PARTS"]


def test_every_setting_is_explained(parts: dict[str, Callable[[], str]]) -> None:
    """Each field with its variable and a sentence of the docstring that names it."""
    rows = [line.split(" | ") for line in parts["settings"]().splitlines()[2:] if line]
    assert [row[1].strip("`") for row in rows] == [
        PREFIX + each.name.upper() for each in fields(Settings)
    ]
    assert [row[0] for row in rows if len(row[-1]) < 20] == []


def test_every_secret_is_explained() -> None:
    """What is looked for in the environment and the keyring stands on the page of settings."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    secrets = set(re.findall(r'credentials\.(?:get|has|put|forget)\(\s*"(\w+)"', code))
    assert secrets
    for name in secrets:
        assert f"`{PREFIX}{name.upper()}`" in page


@pytest.mark.skipif(
    version("click") >= "8.5", reason="typer loses them with this click, which is newer than ours"
)
def test_every_argument_and_option_is_explained(parts: dict[str, Callable[[], str]]) -> None:
    """No row of the reference of commands is without words."""
    rows = [line for line in parts["commands"]().splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.endswith("|  |")] == []


def test_what_troubleshooting_quotes_is_said() -> None:
    """Each message that it explains is one of the program's, of its scripts' or of the page's."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("en.json"), ROOT / "scripts" / "venv.sh"]
    said = " ".join(path.read_text(encoding="utf-8") for path in files)
    said = re.sub(r'"\s+f?"', "", said.replace("{what}", "user and password"))
    quoted = re.findall(r'"([^"\n]+)"', " ".join(re.findall(r"^\*\*.*?\*\*", page, re.MULTILINE)))
    assert len(quoted) > 8
    for message in quoted:
        for part in re.split(r" ?… ?| N ", message):
            assert part in said, message


@pytest.mark.needs_tree
def test_links_lead_to_something() -> None:
    """Every relative link of the README and the documents is a file that is there."""
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in [*PAGES, *ROOT.glob("*.md")]
        for link in re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
        and ((ROOT / "src").is_dir() or "/src/" not in link)  # out of sight beside a wheel
    ]
    assert dead == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, strictly."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "true", "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.needs_docs
def test_the_site_has_what_is_made_from_the_code(site: Path) -> None:
    """Commands, settings, exit codes, addresses and the API stand on their pages."""
    reference = {page: (site / "reference" / page / "index.html").read_text(encoding="utf-8")
                 for page in ("commands", "settings", "python", "http")}  # fmt: skip
    assert "emotion-dj library import" in reference["commands"]
    assert "Stopped by the keyboard" in reference["commands"]
    assert "EMOTION_DJ_DETECTOR" in reference["settings"]
    assert "POST" in reference["http"]
    for name in ("recommend", "import_table", "available_sinks", "LowConfidence", "AudioSource"):
        assert name in reference["python"]


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Serve the site."""
    handler = partial(_Silent, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.slow
@pytest.mark.needs_docs
@pytest.mark.needs_browser
def test_the_site_asks_no_other_host(site: Path, address: str) -> None:
    """Every page in a real browser, and a search: each request goes to the site itself."""
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for file in sorted(site.rglob("index.html")):
            page.goto(address + str(file.relative_to(site)))
        page.goto(f"{address}?q=subsonic")
        page.wait_for_selector(".md-search-result__link")
        browser.close()
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
