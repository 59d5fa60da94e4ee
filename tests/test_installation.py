"""The line that adds something is the one that works where the reader is."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_dj import errors, installation
from emotion_dj.installation import Installation

PIP = ("/env/bin/python", "-m", "pip", "install")
REQUIRES = (
    "numpy>=2.0",
    "av>=14",
    "fastapi>=0.115; extra == 'web'",
    'uvicorn>=0.32; python_version >= "3.11" and extra == "web"',
    "pyarrow>=17; extra == 'tables'",
)


def line(source: object, tool: tuple[str, ...] = PIP) -> str:
    """Return the line for the extra web of an installation from there."""
    assert isinstance(source, dict)
    return Installation(tool, source, REQUIRES).for_extra("web")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone in a folder whose name a shell would take apart."""
    folder = tmp_path / "Müsik für Köpfe"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    return folder


def test_an_index_is_asked_by_name() -> None:
    """No direct_url.json: the name alone."""
    assert line({}) == "/env/bin/python -m pip install 'emotion-dj[web]'"


def test_a_clone_is_named_by_its_folder(clone: Path) -> None:
    """Installed from a clone, editable or not; what the shell reads is the folder and the extra."""
    for editable in (False, True):
        told = line({"url": clone.as_uri(), "dir_info": {"editable": editable}})
        assert shlex.split(told)[4:] == [*(["-e"] if editable else []), f"{clone}[web]"]


def test_a_wheel_is_named_by_its_file(tmp_path: Path) -> None:
    """Installed from a wheel that is still there: that file."""
    wheel = tmp_path / "emotion_dj-0.1.0-py3-none-any.whl"
    wheel.touch()
    told = line({"url": wheel.as_uri(), "archive_info": {}})
    assert shlex.split(told)[4:] == [f"{wheel}[web]"]


def test_addresses_are_asked_again() -> None:
    """Installed from a repository or an archive on the network: the same again."""
    vcs = {"vcs": "git", "requested_revision": "main", "commit_id": "0" * 40}
    there = {"url": "https://example.org/emotion-dj", "vcs_info": vcs}
    wanted = "emotion-dj[web] @ git+https://example.org/emotion-dj@main"
    assert shlex.split(line(there))[-1] == wanted
    archive = {"url": "https://example.org/emotion-dj.zip", "archive_info": {}}
    assert shlex.split(line(archive))[-1] == "emotion-dj[web] @ https://example.org/emotion-dj.zip"


def test_a_clone_that_has_moved_is_not_asked_for(clone: Path) -> None:
    """What it was installed from is gone: the libraries of the extra, which any index has."""
    clone.rename(clone.with_name("elsewhere"))
    told = line({"url": clone.as_uri(), "dir_info": {"editable": True}})
    libraries = ["fastapi>=0.115", "uvicorn>=0.32; python_version >= '3.11'"]
    assert shlex.split(told)[4:] == libraries


def test_pipx_keeps_the_list(clone: Path) -> None:
    """In pipx's environment the libraries are injected, so that pipx knows of them."""
    told = line({"url": clone.as_uri(), "dir_info": {}}, ("pipx", "inject", "emotion-dj"))
    assert shlex.split(told)[:4] == ["pipx", "inject", "emotion-dj", "fastapi>=0.115"]


def test_which_tool_an_environment_has(tmp_path: Path) -> None:
    """Pipx's folder is known by its file; a usual environment by its own interpreter and pip."""
    assert installation.tool(tmp_path, "/x/python") == ("/x/python", "-m", "pip", "install")
    (tmp_path / "pipx_metadata.json").touch()
    assert installation.tool(tmp_path, "/x/python") == ("pipx", "inject", tmp_path.name)


@pytest.mark.needs_tree  # beside an installed package there is its pip, too
def test_an_environment_without_pip_is_served_all_the_same(tmp_path: Path) -> None:
    """Made without pip, as uv makes them: what is told runs there and brings a library."""
    home = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    source = Path(installation.__file__).parents[1]
    code = f"import sys; sys.path.insert(0, {str(source)!r}); import emotion_dj.installation as i; "
    asked = subprocess.run(
        [python, "-c", code + "print(i.add('emotion-dj-helper'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    told = asked.stdout.strip()
    assert str(python) in told
    assert told.endswith(" emotion-dj-helper")
    package = tmp_path / "helper"
    package.mkdir()
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (package / "backend.py").write_text(BACKEND)
    line = told.replace("emotion-dj-helper", f"--no-index --no-build-isolation {package}")
    subprocess.run(line, shell=True, check=True, capture_output=True)  # noqa: S602 - as a reader does
    subprocess.run([python, "-c", "import helper"], check=True)


BACKEND = '''
from zipfile import ZipFile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    """Write the smallest wheel."""
    name, info = "emotion_dj_helper-1-py3-none-any.whl", "emotion_dj_helper-1.dist-info"
    metadata = "Metadata-Version: 2.1", "Name: emotion-dj-helper", "Version: 1", ""
    tags = "Wheel-Version: 1.0", "Root-Is-Purelib: true", "Tag: py3-none-any", ""
    with ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("helper.py", "")
        wheel.writestr(f"{info}/METADATA", "\\n".join(metadata))
        wheel.writestr(f"{info}/WHEEL", "\\n".join(tags))
        wheel.writestr(f"{info}/RECORD", "")
    return name
'''


def test_libraries_of_the_base_are_mended_alone(clone: Path) -> None:
    """A broken one is put in anew without its neighbours; what lacks comes by the package."""
    here = Installation(PIP, {"url": clone.as_uri(), "dir_info": {"editable": True}}, REQUIRES)
    assert shlex.split(here.mend("numpy"))[4:] == ["--force-reinstall", "--no-deps", "numpy>=2.0"]
    assert shlex.split(here.mend())[4:] == ["-e", str(clone)]


def test_what_is_newer_comes_from_where_it_came(clone: Path) -> None:
    """A clone is pulled, an index is asked for an upgrade; damaged files come out of the clone."""
    here = Installation(PIP, {"url": clone.as_uri(), "dir_info": {"editable": True}}, REQUIRES)
    pull, _, then = here.update().partition(" && ")
    assert shlex.split(pull) == ["git", "-C", str(clone), "pull"]
    assert shlex.split(then)[4:] == ["-e", str(clone)]
    assert shlex.split(here.restore())[:4] == ["git", "-C", str(clone), "checkout"]
    assert Installation(PIP, {}).update().endswith("pip install --upgrade emotion-dj")


def test_messages_hold_the_line() -> None:
    """An extra's message ends with what this very installation answers, and no placeholder."""
    told = str(errors.MissingExtra("web", "the page"))
    assert told == f"the page needs an extra: run  {installation.for_extra('web')}"
    assert "web" in told.rpartition("install")[2]
