"""What a listener may say is known to a type checker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import emotion_dj

PACKAGE = Path(emotion_dj.__file__).parent

SAID = """
from emotion_dj import EmotionDJ

dj = EmotionDJ(library="demo")
dj.recommend(mood="calm", plan="lift", n=3)
dj.recommend(emotion="sad", plan="vent")
dj.recommend("me.jpg", aggregate="each")
dj.recommend(mood="furious")
dj.recommend(emotion="calm")
dj.recommend(mood="calm", plan="up")
dj.recommend("me.jpg", aggregate="nobody")
title: int = dj.recommend(affect=(0.5, 0.2)).picks[0].track.title
"""
WRONG = [8, 9, 10, 11, 12]
"""The lines of it that are mistakes."""


@pytest.mark.slow
@pytest.mark.needs_dev
def test_moods_plans_and_what_comes_back_are_checked(tmp_path: Path) -> None:
    """Mypy takes each right form and names each line with a word that is none, and no other."""
    (tmp_path / "said.py").write_text(SAID, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", "said.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("said.py:")]
    assert sorted({int(line.split(":")[1]) for line in found}) == WRONG, done.stdout
