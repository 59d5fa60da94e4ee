"""Writes a bill of materials (CycloneDX 1.5, JSON) of what an installation of Emotion-DJ runs on.

    python scripts/sbom.py [EXTRA...] > emotion-dj.cdx.json

Named are the package, its artifacts with their digests, and every distribution that it needs here,
with the extras named, by version and licence.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

ROOT: Final = "emotion-dj"
TREE: Final = Path(__file__).resolve().parents[1]


def needed(extras: list[str]) -> dict[str, metadata.Distribution]:
    """Return the distributions that are needed here, by name; those of extras as well."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [(ROOT, frozenset(extras))]
    seen = set(waiting)
    while waiting:
        name, asked = waiting.pop()
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another system, or of an extra that is not installed
        for requirement in _requirements(found[name]) if name != ROOT else _ours(asked):
            if _applies(requirement, asked):
                one = (_plain(requirement.name), frozenset(requirement.extras))
                waiting += [one] if one not in seen else []
                seen.add(one)
    return found


def _requirements(distribution: metadata.Distribution) -> list[Requirement]:
    return list(map(Requirement, distribution.requires or ()))


def _ours(extras: frozenset[str]) -> list[Requirement]:
    """Return what the tree asks for, which may be newer than what was installed of it."""
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    return [Requirement(line) for each in extras for line in optional[each]] + [
        Requirement(line) for line in project["dependencies"]
    ]


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def component(name: str, distribution: metadata.Distribution) -> dict[str, Any]:
    """Return a distribution as CycloneDX has it."""
    version = distribution.version
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"name": licence(distribution)}}],
    }


def licence(distribution: metadata.Distribution) -> str:
    """Return what a distribution says of its licence, by the newest field that it fills."""
    told: Any = distribution.metadata  # its type lacks `get` in some versions
    classified = [
        line.rpartition(" :: ")[2]
        for line in told.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    stated = told.get("License", "").strip().partition("\n")[0][:100]
    return str(told.get("License-Expression") or " and ".join(classified) or stated or "unknown")


def artifacts() -> list[dict[str, Any]]:
    """Return the models that ship, with the SHA-256 of each."""
    folder = Path(str(files("emotion_dj") / "_data"))
    return [
        {
            "type": "machine-learning-model",
            "name": file.name,
            "hashes": [
                {"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}
            ],
        }
        for file in sorted(folder.iterdir())
        if file.suffix in {".tflite", ".npz"}
    ]


def document(extras: list[str]) -> dict[str, Any]:
    """Return the whole bill; the same installation gives the same one."""
    found = needed(extras)
    own = component(ROOT, found.pop(ROOT))
    libraries = [component(name, found[name]) for name in sorted(found)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**own, "type": "application"}},
        "components": [*libraries, *artifacts()],
    }


if __name__ == "__main__":
    json.dump(document(sys.argv[1:]), sys.stdout, indent=2)
    sys.stdout.write("\n")
