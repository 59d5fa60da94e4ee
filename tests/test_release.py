"""A release says what it is in one way, and dates it."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

from emotion_dj import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_version_is_one() -> None:
    """The package, its metadata and the newest release of the changelog have the same number."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", text, re.MULTILINE)
    assert PROJECT["version"] == __version__ == releases[0][0]
    days = [date.fromisoformat(day) for _, day in releases]
    assert days == sorted(days, reverse=True)


def test_the_classifiers_say_where_it_runs() -> None:
    """Each Python from the least that is asked for, and what is listed stands in order."""
    classifiers = PROJECT["classifiers"]
    assert classifiers == sorted(classifiers)
    versions = [line.rpartition(" ")[2] for line in classifiers if "Python :: 3." in line]
    assert versions == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == ">=3.11"
