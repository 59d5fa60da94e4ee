"""Doctor, and every command, where a library is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from emotion_dj import checkup

ROOT = Path(__file__).resolve().parents[1]
MODULES = {name: module.partition(".")[0] for name, (module, _) in checkup.LIBRARIES.items()}


def without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process in which a module cannot be imported."""
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        f"sys.argv = {['emotion-dj', *arguments]!r}\n"
        "from emotion_dj.__main__ import main; main()"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_every_library_of_the_base_is_looked_at() -> None:
    """The table names what pyproject.toml asks for, no more and no less."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {re.split("[^a-z-]", line)[0] for line in project["dependencies"]} == set(MODULES)
    ours = {"docs", "test", "dev", "benchmarks"}  # for those who work on it
    assert set(project["optional-dependencies"]) - ours == set(checkup.EXTRAS)


@pytest.mark.parametrize("library", MODULES)
def test_doctor_names_what_is_missing_whatever_it_is(library: str) -> None:
    """Each library of the base in turn: the whole report, the library, the line, no traceback."""
    told = without(MODULES[library], "doctor")
    assert (told.returncode, told.stderr) == (0, "")
    assert f"missing library {library}: " in told.stdout
    (cure,) = re.findall(rf"missing library {library}: .*\n +(.*)", told.stdout)
    assert f"{library}" in cure.replace("_", "-")
    assert "extra train" in told.stdout


@pytest.mark.slow
@pytest.mark.parametrize("library", MODULES)
def test_no_command_ends_in_a_traceback(
    library: str, smiling_photo: Path, demo_music: Path, tmp_path: Path
) -> None:
    """A photo is read all the same, or one sentence says what to run (exit 7 or 8)."""
    shutil.copy(demo_music / "calm" / "calm_acoustic_1.opus", tmp_path)
    play = ("play", "--mood", "calm", "--library", str(tmp_path))
    for words in (("read", str(smiling_photo)), play):
        done = without(MODULES[library], *words)
        assert "Traceback" not in done.stderr
        if done.returncode:
            assert done.returncode in {7, 8}, done.stderr
            assert done.stderr.count("\n") == 1
            assert ": run  " in done.stderr


def test_a_settings_file_that_is_broken_is_reported(tmp_path: Path) -> None:
    """Doctor tells what the other commands would stop at."""
    wrong = "import os; os.environ['EMOTION_DJ_WORKERS'] = 'many'\n"
    code = wrong + "from emotion_dj import checkup; print(checkup.plainly())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "missing settings: " in done.stdout
