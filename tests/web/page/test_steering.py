"""What the page steers when, and its other pure modules: their own tests, in Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

UNITS = Path(__file__).parent / "units"
BESIDE = Path(sys.executable).parent
NODE = shutil.which("node", path=f"{BESIDE}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.needs_node
@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("*.test.mjs")))
def test_pure_modules_hold_their_own_tests(unit: str) -> None:
    """Each row of the table of steering, and what the others promise, holds with any clock."""
    module = (
        Path(str(files("emotion_dj.web")))
        / "static"
        / "js"
        / f"{unit.split('.', maxsplit=1)[0]}.js"
    )
    done = subprocess.run(
        [str(NODE), "--test", str(UNITS / unit)],
        env={**os.environ, unit.split(".", maxsplit=1)[0].upper(): module.as_uri()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
