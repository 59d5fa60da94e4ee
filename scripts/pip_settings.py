"""Passes this machine's settings of pip on to another root: python pip_settings.py FOLDER.

What they name on this machine's disk (folders of wheels, constraints) is mounted there, to be read.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

_SETTING: Final = re.compile(r"^(?P<where>[^.]+)\.(?P<name>[\w-]+)='(?P<value>.*)'$")
_INDEX: Final = "simple"
"""What the folder of an index is called; its pages name files that lie beside that folder."""

_PATH: Final = re.compile(r"(?:file://)?(/[^\s,]+)")


def main() -> None:
    """Write FOLDER/etc/pip.conf and mount what it names."""
    system = Path(sys.argv[1])
    command = [sys.executable, "-m", "pip", "config", "list"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    settings = [found for line in told.splitlines() if (found := _SETTING.match(line))]
    lines = [f"{one['name']} = {one['value']}" for one in settings if one["where"] == "global"]
    (system / "etc" / "pip.conf").write_text("\n".join(["[global]", *lines, ""]))
    for path in {Path(path) for one in settings for path in _PATH.findall(one["value"])}:
        _mount(path.parent if path.name == _INDEX else path, system)


def _mount(path: Path, system: Path) -> None:
    there = system / path.relative_to("/")
    if there.exists() or not path.exists():
        return
    (there if path.is_dir() else there.parent).mkdir(parents=True, exist_ok=True)
    if path.is_file():
        there.touch()
    subprocess.run(["mount", "--bind", "-o", "ro", path, there], check=True)  # noqa: S607


if __name__ == "__main__":
    main()
