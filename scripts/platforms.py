"""Asks pip's own index on which platforms the base and the page install from wheels.

Every file of every dependency is listed once by pip, under the settings that it has here; which of
them fit a platform is computed from their names. Writes the table of docs/platforms.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags, mac_platforms
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "platforms.md"
BETWEEN: Final = re.compile(
    "(?<=<!-- written by scripts/platforms -->\n).*(?=<!-- end -->)", re.DOTALL
)
PYTHONS: Final = ((3, 11), (3, 12), (3, 13), (3, 14))
NAME: Final = "emotion-dj"
EXTRAS: Final = ("demo", "web")
RUN: Final = {("Linux x86-64", (3, 11)): "Debian 12", ("Linux x86-64", (3, 13)): "Debian 13"}
"""What `scripts/test-fresh` installs, demonstrates and tests; the rest is only looked up."""

_FILE: Final = re.compile(r"[\w.+-]+(?:\.whl|\.tar\.gz)\b")
_GLIBC: Final = 36
"""Minor version of the GNU C library of Debian 12, the oldest that counts."""


@dataclass(frozen=True)
class Platform:
    """An operating system on a processor: the tags of wheels for it, and what markers see of it."""

    name: str
    tags: tuple[str, ...]
    markers: Mapping[str, str] = field(hash=False)

    def environment(self, python: tuple[int, int]) -> dict[str, str]:
        """Return what markers are evaluated against."""
        version = ".".join(map(str, python))
        full = {"python_version": version, "python_full_version": f"{version}.0"}
        running = {name: str(value) for name, value in default_environment().items()}
        return {**running, **self.markers, **full, "extra": ""}

    def accepts(self, python: tuple[int, int]) -> set[Tag]:
        """Return the tags of the wheels that install there."""
        own = cpython_tags(python, platforms=self.tags, abis=[f"cp{python[0]}{python[1]}"])
        return {*own, *compatible_tags(python, f"cp{python[0]}{python[1]}", self.tags)}


def _linux(machine: str) -> Platform:
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC, 4, -1)]
    old = [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    markers = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": machine}
    name = f"Linux {'x86-64' if machine == 'x86_64' else 'arm64'}"
    return Platform(name, (*tags, *old, f"linux_{machine}"), {**markers, "os_name": "posix"})


PLATFORMS: Final = (
    _linux("x86_64"),
    _linux("aarch64"),
    Platform(
        "macOS 14 arm64",
        tuple(mac_platforms((14, 0), "arm64")),
        {
            "sys_platform": "darwin",
            "platform_system": "Darwin",
            "platform_machine": "arm64",
            "os_name": "posix",
        },
    ),
    Platform(
        "Windows x86-64",
        ("win_amd64",),
        {
            "sys_platform": "win32",
            "platform_system": "Windows",
            "platform_machine": "AMD64",
            "os_name": "nt",
        },
    ),
)


def main() -> None:
    """Write the table."""
    lines = ["| platform | Python | the base | with the page and the demo | run here |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    lines += [_row(platform, python) for platform in PLATFORMS for python in PYTHONS]
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BETWEEN.sub("\n".join(lines) + "\n", page), encoding="utf-8")


def _row(platform: Platform, python: tuple[int, int]) -> str:
    base = _verdict(platform, python, ())
    more = _verdict(platform, python, EXTRAS)
    run = RUN.get((platform.name, python), "no")
    version = ".".join(map(str, python))
    return f"| {platform.name} | {version} | {base} | {more} | {run} |"


def _verdict(platform: Platform, python: tuple[int, int], extras: Iterable[str]) -> str:
    """Return one table cell: wheels, or what is in the way."""
    words = [
        f"{name}: {obstacle}"
        for name, specifier in sorted(_closure(platform, python, extras).items())
        if (obstacle := _obstacle(name, specifier, platform, python))
    ]
    return "; ".join([*words, *_left_out(platform, python)]) or "wheels"


def _obstacle(
    name: str, specifier: SpecifierSet, platform: Platform, python: tuple[int, int]
) -> str:
    """Return why a dependency does not come as the pinned wheel, empty where it does."""
    wheels, sources = _files(name)
    accepted = platform.accepts(python)
    there = {version for version, tags in wheels if tags & accepted}
    pin = _pin(name, platform.environment(python))
    if pin in there:
        return ""
    if fitting := [version for version in there if version in specifier]:
        return f"no wheel of {pin}, but of {max(fitting)}" if pin else ""
    return "needs a compiler" if any(version in specifier for version in sources) else "not at all"


def _closure(
    platform: Platform, python: tuple[int, int], extras: Iterable[str]
) -> dict[str, SpecifierSet]:
    """Return every distribution that an install brings there, as the installed metadata says."""
    environment = platform.environment(python)
    found: dict[str, SpecifierSet] = {}
    waiting = [Requirement(f"{NAME}[{','.join(extras)}]")]
    while waiting:
        wanted = waiting.pop()
        for requirement in _needs(wanted, environment):
            name = canonicalize_name(requirement.name)
            if name not in found:
                waiting.append(requirement)
            found[name] = found.get(name, requirement.specifier) & requirement.specifier
    return found


def _needs(wanted: Requirement, environment: dict[str, str]) -> Iterator[Requirement]:
    try:
        lines = _ours() if wanted.name == NAME else metadata.requires(wanted.name) or ()
    except metadata.PackageNotFoundError:  # what only other platforms need
        return
    for requirement in map(Requirement, lines):
        if requirement.marker is None or any(
            requirement.marker.evaluate({**environment, "extra": extra})
            for extra in ("", *wanted.extras)
        ):
            yield requirement


def _left_out(platform: Platform, python: tuple[int, int]) -> Iterator[str]:
    """Yield the direct dependencies that our own markers leave out there."""
    for requirement in map(Requirement, _ours()):
        own = requirement.marker if "extra" not in str(requirement.marker) else None
        if own and not own.evaluate(platform.environment(python)):
            yield f"without {requirement.name}"


@cache
def _ours() -> list[str]:
    """Return our own requirements as metadata would say them, of the tree as it lies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    optional = [f"{line}; extra == '{extra}'" for extra in EXTRAS for line in extras[extra]]
    return [*project["dependencies"], *optional]


@cache
def _files(name: str) -> tuple[list[tuple[Version, frozenset[Tag]]], set[Version]]:
    """Return the wheels and the source archives of a distribution that pip sees here."""
    command = [sys.executable, "-m", "pip", "index", "versions", name, "-vvv", "--no-color"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT.anchor)
    wheels, sources = [], set()
    for file in sorted(set(_FILE.findall(told.stdout + told.stderr))):
        try:
            if file.endswith(".whl"):
                _, version, _, tags = parse_wheel_filename(file)
                wheels.append((version, tags))
            else:
                sources.add(parse_sdist_filename(file)[1])
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue  # a name of another age
    if not wheels:
        msg = f"pip lists no wheel of {name}: is the index in reach?"
        raise SystemExit(msg)
    return wheels, sources


@cache
def _pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def _pin(name: str, environment: dict[str, str]) -> Version | None:
    for pin in _pins():
        fits = pin.marker is None or pin.marker.evaluate(environment)
        if canonicalize_name(pin.name) == name and fits:
            return Version(str(pin.specifier).removeprefix("=="))
    return None


if __name__ == "__main__":
    main()
