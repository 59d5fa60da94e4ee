"""How long reading a photo takes, cold and warm, how much memory, how large the base install is.

python benchmarks/read_photo.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from asked import parser
from PIL import Image as Pillow
from portrait import photo
from spread import spread

from emotion_dj import EmotionDJ

ROOT = Path(__file__).resolve().parents[1]
TIMES = 15


def main() -> None:
    """Measure and print."""
    parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        picture = photo(Path(folder))
        whole_process(picture)
        warm(picture)
    install()


def whole_process(picture: Path) -> None:
    """Time `emotion-dj read` from start to exit; take the peak memory of the largest run."""
    command = [sys.executable, "-m", "emotion_dj", "read", str(picture), "--json"]
    helping = [sys.executable, "-m", "emotion_dj", "--help"]
    spread("emotion-dj read, whole process", [_run(command) for _ in range(TIMES)], "s", goal="0.8")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"emotion-dj read, peak memory: {peak:.0f} MB  (asked: 200)")
    spread("emotion-dj --help", [_run(helping) for _ in range(TIMES)], "s", goal="0.3")


def _run(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def warm(picture: Path) -> None:
    """Time a JPEG, and one of twelve megapixels, from bytes to readings in a process that has done
    it before: processor time, since the reader takes one core.
    """
    large = picture.with_name("large.jpg")
    with Pillow.open(picture) as small:
        small.resize((4000, 3000), Pillow.Resampling.LANCZOS).save(large, quality=92)
    dj = EmotionDJ()
    for path, name, goal in ((picture, "640x480", "8"), (large, "12 megapixels", "100")):
        data = path.read_bytes()
        dj.read(data)
        times = []
        for _ in range(30):
            began = time.process_time()
            dj.read(data)
            times.append(1000 * (time.process_time() - began))
        spread(f"a JPEG of {name} to readings, warm", times, "ms", goal=goal)


def install() -> None:
    """Install the base alone into a new environment and compare it with an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        before = _size(Path(folder))
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet"]
        constraints = str(ROOT / "constraints.txt")
        subprocess.run([*pip, "-c", constraints, str(ROOT)], check=True)
        print(f"base install: {(_size(Path(folder)) - before) / 1e6:.0f} MB  (asked: 300)")


def _size(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118 - a hot loop over thousands
        for where, _, names in os.walk(folder)
        for name in names
    )


if __name__ == "__main__":
    main()
