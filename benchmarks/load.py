"""The service under load: twenty clients at once on two workers, and its memory over readings.

python benchmarks/load.py [READINGS]
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
from asked import need, parser
from portrait import photo
from serving import serving

from emotion_dj import EmotionDJ

if TYPE_CHECKING:
    from starlette.types import ASGIApp

CLIENTS = 20
EACH = 25
WORKERS = 2
QUIET = ("--workers", str(WORKERS), "--port", "8766", "--no-access-log")


def app() -> ASGIApp:
    """Return the service, for each worker that uvicorn starts."""
    from emotion_dj.web.app import create

    return create(EmotionDJ(library=["demo"]))


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("readings", type=int, nargs="?", default=10_000)
    readings = options.parse_args().readings
    need("immich_memories_music", "fastapi")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = photo(folder).read_bytes()
        two_workers(folder, data)
        memory(folder, data, readings)


def two_workers(folder: Path, data: bytes) -> None:
    """Time readings that twenty clients ask for at once."""
    here = str(Path(__file__).parent)
    uvicorn = (sys.executable, "-m", "uvicorn", "load:app", "--factory", "--app-dir", here)
    with (
        serving(folder, *uvicorn, *QUIET) as (address, _),
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        client = partial(one_client, address, data)
        client(4 * WORKERS)  # each worker has read before it is timed
        answers = [answer for each in pool.map(client, [EACH] * CLIENTS) for answer in each]
    times = [1000 * seconds for status, seconds in answers if status == httpx.codes.OK]
    errors = len(answers) - len(times)
    p50, p99 = np.percentile(times, [50, 99])
    print(
        f"POST /readings, {CLIENTS} clients, {WORKERS} workers, {len(answers)} readings: "
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, errors {errors}  (asked: 60, 200, 0)"
    )


def one_client(address: str, data: bytes, times: int) -> list[tuple[int, float]]:
    """Send the photo several times; return (status, seconds) of each."""
    answers = []
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as client:
        for _ in range(times):
            began = time.perf_counter()
            status = client.post("/readings", files={"photo": data}).status_code
            answers.append((status, time.perf_counter() - began))
    return answers


def memory(folder: Path, data: bytes, readings: int) -> None:
    """Print the resident memory of `emotion-dj serve` before and after many readings."""
    with serving(folder) as (address, process):
        idle = resident(process)
        answers = one_client(address, data, readings)
        after = resident(process)
    refused = sum(status != httpx.codes.OK for status, _ in answers)
    print(
        f"server memory: idle {idle:.0f} MB, after {readings} readings {after:.0f} MB, "
        f"{refused} refused  (asked: 100, 120)"
    )


def resident(process: int) -> float:
    """Return a process's resident memory in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
