"""Files of weights: verified before use, written whole, and fetched over a real socket."""

from __future__ import annotations

import dataclasses
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from emotion_dj import artifacts
from emotion_dj.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEIGHTS = b"pretend that these are weights"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serve a folder with one file of weights over HTTP."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "weights.onnx").write_bytes(WEIGHTS)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/weights.onnx"
        server.shutdown()


@pytest.fixture
def wanted(site: str, monkeypatch: pytest.MonkeyPatch) -> artifacts.Foreign:
    """Know one foreign artifact, which lies on the site."""
    entry = artifacts.Foreign("weights.onnx", artifacts.digest(WEIGHTS), site)
    monkeypatch.setitem(artifacts.FOREIGN, "some", entry)  # type: ignore[arg-type]
    return entry


@pytest.mark.usefixtures("wanted")
def test_a_download_happens_once(tmp_path: Path) -> None:
    """The first call fetches, the second finds the verified copy although the site lost it."""
    path = artifacts.foreign("some")
    assert path.read_bytes() == WEIGHTS
    (tmp_path / "site" / "weights.onnx").unlink()
    assert artifacts.foreign("some") == path


def test_a_wrong_download_is_not_kept(
    wanted: artifacts.Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not have the expected sha256 never gets its name."""
    wrong = dataclasses.replace(wanted, sha256="0" * 64)
    monkeypatch.setitem(artifacts.FOREIGN, "some", wrong)  # type: ignore[arg-type]
    with pytest.raises(ArtifactError, match="nothing was kept"):
        artifacts.foreign("some")
    assert not list(artifacts._cache().glob("*"))


@pytest.mark.usefixtures("wanted")
def test_without_the_site_the_way_by_hand_is_named(tmp_path: Path) -> None:
    """Where nothing can be fetched, the sentence says where to put the file."""
    (tmp_path / "site" / "weights.onnx").unlink()
    with pytest.raises(ArtifactError, match=artifacts.DIRECTORY_VARIABLE):
        artifacts.foreign("some")


@pytest.mark.usefixtures("wanted")
def test_a_folder_of_the_user_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a network takes the file from the folder that the variable names."""
    monkeypatch.setenv(artifacts.DIRECTORY_VARIABLE, str(tmp_path / "site"))
    assert artifacts.foreign("some") == tmp_path / "site" / "weights.onnx"
    (tmp_path / "site" / "weights.onnx").write_bytes(b"something else")
    with pytest.raises(ArtifactError, match="damaged"):
        artifacts.foreign("some")


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs the new file, not the old one, and leaves no rubbish."""
    target = tmp_path / "card.json"
    artifacts.write_atomically(target, b"old")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        artifacts.write_atomically(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]


def test_a_card_that_is_no_card_is_refused(tmp_path: Path) -> None:
    """No JSON, no file name, or no weights beside it: one sentence each."""
    (tmp_path / "a.json").write_text("[")
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "c.json").write_text('{"file": "gone", "sha256": ""}')
    for name in ("a.json", "b.json", "c.json"):
        with pytest.raises(ArtifactError, match="reinstall"):
            artifacts.load(tmp_path / name)
