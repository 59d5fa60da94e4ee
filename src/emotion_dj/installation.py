"""The line that installs something into this environment, whoever made it and wherever from.

The package may come from a clone, a wheel, an address or an index, which pip notes in
``direct_url.json`` (PEP 610). The environment may be a venv, pipx's, uv's with no pip inside, or a
Python that the system manages (PEP 668). Nothing is looked at before it is asked for.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emotion_dj.json_types import Json

NAME: Final = "emotion-dj"
DATA: Final = "src/emotion_dj/_data"
_PACKAGE: Final = Path(__file__).resolve().parent


def for_extra(name: str) -> str:
    """Return the command that adds an extra to this installation, fit for this system's shell."""
    return Installation.here().for_extra(name)


def add(*requirements: str) -> str:
    """Return the command that installs other libraries beside this package."""
    return Installation.here().add(*requirements)


def mend(library: str = "") -> str:
    """Return the command that installs a library of the base anew, or all that the base lacks."""
    return Installation.here().mend(library)


def restore() -> str:
    """Return the command that brings the package's own files back."""
    return Installation.here().restore()


def update() -> str:
    """Return the command that brings the newest version."""
    return Installation.here().update()


@dataclass(frozen=True, slots=True)
class Installation:
    """One environment and where the package in it came from.

    ``tool`` is how the command begins there; ``source`` is what direct_url.json says, empty for an
    index; ``requires`` are the lines ``Requires-Dist`` of its metadata.
    """

    tool: tuple[str, ...]
    source: Mapping[str, Json]
    requires: tuple[str, ...] = ()

    @classmethod
    def here(cls) -> Installation:
        """Look at the running interpreter."""
        return cls(tool(Path(sys.prefix), sys.executable or "python3"), _source(), _requires())

    def for_extra(self, name: str) -> str:
        """Return the command that adds an extra.

        Where what it was installed from is gone, as a clone that was moved, the command names the
        libraries of the extra instead; so it does for pipx, which keeps a list of what was added.
        """
        if self._is_there() and not self._is_pipx():
            return self.add(*self._package(f"[{name}]"))
        return self.add(*self._libraries(name))

    def add(self, *requirements: str) -> str:
        """Return the command that installs these."""
        return _spoken((*self.tool, *requirements))

    def mend(self, library: str = "") -> str:
        """Return the command that installs a library of the base anew, or all that it lacks."""
        lines = [line for line in self._libraries() if library and _name(line) == library]
        if lines and self._is_pipx():
            return self.add("--force", *lines)
        if lines:
            broken = ("--force-reinstall", "--no-deps") if _is_installed(library) else ()
            return self.add(*broken, *lines)
        if self._is_pipx():
            return _spoken(("pipx", "reinstall", self.tool[-1]))
        return self.add(*(self._package() if self._is_there() else self._libraries()))

    def restore(self) -> str:
        """Return the command that brings the package's own files back."""
        if self._is_editable() and self._is_there():
            return _spoken(("git", "-C", str(self._folder()), "checkout", "--", DATA))
        if self._is_pipx():
            return _spoken(("pipx", "reinstall", self.tool[-1]))
        return self.add("--force-reinstall", "--no-deps", *self._package())

    def update(self) -> str:
        """Return the command that brings the newest version."""
        if "dir_info" in self.source and self._is_there():
            pull = _spoken(("git", "-C", str(self._folder()), "pull"))
            return f"{pull} && {self.mend()}"
        if self._is_pipx():
            return _spoken(("pipx", "upgrade", self.tool[-1]))
        return self.add("--upgrade", *self._package())

    def _is_pipx(self) -> bool:
        return self.tool[0] == "pipx"

    def _is_editable(self) -> bool:
        return bool(self.source.get("dir_info", {}).get("editable"))

    def _folder(self) -> Path | None:
        """Return the clone or file that it was installed from, None for what is no file."""
        url = str(self.source.get("url", ""))
        return _path(url) if url.startswith("file:") else None

    def _is_there(self) -> bool:
        folder = self._folder()
        return folder is None or folder.is_file() or (folder / "pyproject.toml").is_file()

    def _package(self, extras: str = "") -> tuple[str, ...]:
        """Return what names this package to pip, from where it came."""
        folder, url = self._folder(), str(self.source.get("url", ""))
        if folder is not None:
            return (*(["-e"] if self._is_editable() else []), f"{folder}{extras}")
        vcs = self.source.get("vcs_info", {})
        kind = f"{vcs['vcs']}+" if vcs else ""
        revision = f"@{vcs['requested_revision']}" if "requested_revision" in vcs else ""
        return (f"{NAME}{extras}" + (f" @ {kind}{url}{revision}" if url else ""),)

    def _libraries(self, name: str = "") -> list[str]:
        """Return the requirements of an extra, or of the base, as pip takes them."""
        own = f"extra == '{name}'"
        lines = [line.replace('"', "'") for line in self.requires]
        if not name:
            return [line for line in lines if "extra ==" not in line]
        return [_ENDS.sub("", line.replace(own, "")) for line in lines if own in line]


_ENDS: Final = re.compile(r"\s*(;|and)\s*$")


def _name(requirement: str) -> str:
    """Return the name of a requirement, in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def tool(prefix: Path, python: str) -> tuple[str, ...]:
    """Return the words with which something is installed into an environment."""
    if (prefix / "pipx_metadata.json").is_file():
        return ("pipx", "inject", prefix.name)
    if (prefix / "uv-receipt.toml").is_file() or not _has_pip():
        return _without_pip(python)
    if _is_managed(prefix):
        return (python, "-m", "pip", "install", "--break-system-packages")
    return (python, "-m", "pip", "install")


def _has_pip() -> bool:
    from importlib.util import find_spec

    return find_spec("pip") is not None


def _without_pip(python: str) -> tuple[str, ...]:
    """Return words for an environment without pip, as uv makes them."""
    from shutil import which

    if which("uv"):
        return ("uv", "pip", "install", "--python", python)
    if which("pip3"):
        return ("pip3", "--python", python, "install")
    return (python, "-m", "ensurepip", "&&", python, "-m", "pip", "install")


def _is_managed(prefix: Path) -> bool:
    """Tell a system's own Python, whose pip refuses by default (PEP 668)."""
    import sysconfig

    own = prefix == Path(sys.base_prefix)
    return own and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").is_file()


def _source() -> Mapping[str, Json]:
    """Return what pip noted of where the package came from, or the tree that is run as it lies."""
    from importlib import metadata

    try:
        noted = metadata.distribution(NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return _tree()
    source: Mapping[str, Json] = json.loads(noted) if noted else {}
    folder = _path(str(source.get("url", ""))) if "dir_info" in source else None
    if folder is None or (folder / "pyproject.toml").is_file():
        return source
    return _tree() or source


def _tree() -> Mapping[str, Json]:
    """Return the clone that this file lies in, where it does, as direct_url.json would name it."""
    clone = _PACKAGE.parents[1]
    if _PACKAGE.parent.name != "src" or not (clone / "pyproject.toml").is_file():
        return {}
    return {"url": clone.as_uri(), "dir_info": {"editable": True}}


def _requires() -> tuple[str, ...]:
    from importlib import metadata

    try:
        return tuple(metadata.requires(NAME) or ())
    except metadata.PackageNotFoundError:
        return ()


def _is_installed(library: str) -> bool:
    from importlib import metadata

    return next(iter(metadata.distributions(name=library)), None) is not None


def _path(url: str) -> Path:
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return Path(url2pathname(urlsplit(url).path))


def _spoken(words: Sequence[str]) -> str:
    """Return words as one line for the shell of this system."""
    quote = _quoted_for_windows if os.name == "nt" else shlex.quote
    return " ".join(word if word == "&&" else quote(word) for word in words)


def _quoted_for_windows(word: str) -> str:
    return f'"{word}"' if re.search(r"[\s<>&|^;\[\]]", word) else word
