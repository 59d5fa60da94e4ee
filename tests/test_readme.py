"""What the README says to type works as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def test_its_python_runs_as_a_script(tmp_path: Path, demo_music: Path, smiling_photo: Path) -> None:
    """No guard, more music than one process hears: ten songs with reasons, and a silent stderr."""
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "snippet.py").write_text(snippet, encoding="utf-8")
    (tmp_path / "Music").mkdir()
    for song in sorted(demo_music.glob("*/*.opus"))[:16]:
        shutil.copy(song, tmp_path / "Music")
    shutil.copy(smiling_photo, tmp_path / "me.jpg")
    done = subprocess.run(
        [sys.executable, "snippet.py"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "EMOTION_DJ_WORKERS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert [" (you look happy: " in line for line in done.stdout.splitlines()] == [True] * 10
