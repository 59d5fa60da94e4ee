"""Runs pip for the other scripts: says what comes, how much, how long; one sentence on failure.

    python install.py NAME MEGABYTES ARGUMENT...

NAME is what the arguments of `pip install` are for, MEGABYTES about how much they fetch where
nothing is there yet. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LOG: Final = Path(sys.prefix) / "install.log"
_FETCHED: Final = re.compile(r"(?:Downloading|Using cached) \S+ \(([\d.]+) (MB|kB)\)")
_HERE: Final = re.compile(r"Processing (/.+\.whl)$")
_OUT_OF_REACH: Final = re.compile(
    "Retrying|NewConnection|NameResolution|Connection (?:broken|refused|reset)|Max retries"
)
_PIP: Final = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input")
_SLOW: Final = 2.5
"""Megabytes a second of a line of 20 Mbit/s."""


@dataclass
class Progress:
    """What has come so far; on a terminal one line that is written over, elsewhere a few lines."""

    name: str
    total: float
    fetched: float = 0.0
    begun: float = field(default_factory=time.monotonic)
    _told: int = 0

    def begin(self) -> None:
        """Say what comes, and about how long that takes."""
        minutes = max(1, round(self.total / _SLOW / 60))
        about = f"{minutes} min at 20 Mbit/s and the time to unpack"
        _say(f"Installing {self.name} into .venv, once: up to {self.total:.0f} MB, {about}.")

    def take(self, line: str) -> None:
        """Take a line of pip's into account."""
        if size := _megabytes(line):
            self.fetched += size
            self._tell(f"{self.fetched:.0f} of about {max(self.total, self.fetched):.0f} MB")
        elif line.startswith("Installing collected packages"):
            self._tell(f"unpacking {line.count(',') + 1} packages", new=True)
        elif "Retrying" in line:
            self._tell("no answer, trying again")

    def end(self) -> None:
        """Say that it is done."""
        self._clear()
        _say(f"Installed in {time.monotonic() - self.begun:.0f} s.")

    def _tell(self, what: str, *, new: bool = False) -> None:
        if sys.stderr.isatty():
            self._clear()
            sys.stderr.write(f"  {what}, {time.monotonic() - self.begun:.0f} s")
            sys.stderr.flush()
        elif new or self.fetched >= self.total * (self._told + 1) / 4:
            self._told = int(4 * self.fetched / self.total)
            _say(f"  {what}")

    def _clear(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")


def _megabytes(line: str) -> float:
    """Return the size of what pip takes next by that line, from an index or from a folder."""
    if found := _FETCHED.search(line):
        return float(found[1]) / (1 if found[2] == "MB" else 1000)
    here = _HERE.search(line.rstrip())
    return Path(here[1]).stat().st_size / 1e6 if here and Path(here[1]).is_file() else 0


def main() -> int:
    """Run pip; return its exit code."""
    name, megabytes, *arguments = sys.argv[1:]
    progress = Progress(name, float(megabytes))
    progress.begin()
    os.environ.setdefault("PIP_RETRIES", "2")  # also for what builds; five take two minutes
    command = [*_PIP, "--progress-bar", "off", *arguments]
    with (
        LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as pip,
    ):
        for line in pip.stdout or ():
            log.write(line)
            progress.take(line)
    if pip.returncode:
        _say("\n" + _why(LOG.read_text(encoding="utf-8")))
    else:
        progress.end()
    return pip.returncode


def _why(told: str) -> str:
    """Return one sentence on why pip failed."""
    if _OUT_OF_REACH.search(told):
        return (
            "The packages cannot be fetched: connect this machine to the network and run it again."
        )
    if "No space left" in told:
        return f"The disk is full: make room where {sys.prefix} lies and try again."
    errors = [line for line in told.splitlines() if line.startswith("ERROR: ")]
    last = errors[-1].removeprefix("ERROR: ") if errors else "pip stopped"
    return f"That did not work ({last}): all that pip said is in {LOG}."


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped; run it again to go on.")
