"""The listener's own music, added in the page while it plays."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import patient
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.needs_browser


def test_a_folder_is_chosen_and_heard(
    serve: Callable[..., AbstractContextManager[str]],
    demo_music: Path,
    tmp_path: Path,
    opened: Callable[..., AbstractContextManager[Page]],
    says: Callable[..., None],
) -> None:
    """Without any music: two folders deep, added, its dots appear, a set is made of it; what cannot
    be heard is named.
    """
    (tmp_path / "empty").mkdir()
    mine = tmp_path / "Music" / "mine"  # in the home folder of the service
    mine.mkdir(parents=True)
    for song in sorted((demo_music / "calm").glob("*.opus"))[:3]:
        shutil.copy(song, mine)
    (mine / "broken.mp3").write_bytes(b"no music")
    with serve("--library", str(tmp_path / "empty")) as address, opened(address) as page:
        says(page, "#music", "no music")
        page.click("#add-open")
        page.click("#add-dialog .folders >> text=Music")
        page.click("#add-dialog .folders >> text=mine")
        says(page, "#add-dialog .folders", "4 songs")
        page.click("text=Add the folder mine")
        says(page, "#music", "3 songs")
        assert page.locator("#map .star").count() == 3
        says(page, "#add-dialog", "broken.mp3")
        heard = min(mine.glob("*.opus")).as_uri()
        rows = f"uri,title,artist\n{heard},,\n,No such song,Nobody\n"
        table = {"name": "list.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        page.set_input_files("#add-dialog input[type=file]", table)
        says(page, "#add-dialog [role=status]", "1 song of the table was added")
        says(page, "#add-dialog", "1 song of this list is not known here")
        says(page, "#add-dialog", "No such song — Nobody")
        page.keyboard.press("Escape")
        page.check("#moods input[value=calm]")
        says(page, "#play-word", "Pause")
        assert page.locator("#set li").count() >= 3


def test_only_who_sits_here_may_add(
    serve: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    """Beyond this machine nobody may who was not let in; what cannot be read is said."""
    with serve("--library", "demo", "--name", "music.example") as address:
        for method, path, body in (
            ("GET", "folders", None),
            ("POST", "library/places", {"place": str(tmp_path)}),
            ("POST", "library/servers", {"url": "http://x", "user": "u", "password": "p"}),
        ):
            answer = patient.request(method, f"{address}/api/v1/{path}", json=body)
            assert answer.status_code == 401, path
    with serve("--library", "demo") as address:
        gone = patient.get(f"{address}/api/v1/folders", params={"at": str(tmp_path / "none")})
        assert gone.status_code >= 400
        assert "cannot be read" in gone.json()["detail"]
