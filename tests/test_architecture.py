"""The rooms and who may know whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import emotion_dj

PACKAGE = Path(emotion_dj.__file__).parent

FREE = {"errors", "artifacts", "installation"}
"""Rooms that anyone may use."""

LAYERS = [
    {"domain"},
    {"interfaces", "stores"},
    {"affect", "eligibility", "matching", "messages", "pairing"},
    {
        *("catalogue", "executors", "marks", "music", "playlists"),
        *("ranking", "sources", "taste", "vision"),
    },
    {"cluster", "analysis", "dj", "notebook", "plane", "serializers"},
    {"placement", "tagging"},
    {"app"},
    {"checkup", "original", "web"},
    {"cli"},
]
"""Lowest first: a room may use the rooms of lower layers, and of its own layer only itself."""


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    """Return the rooms that a file imports, whether at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("emotion_dj.")}
    return found


def _layer(room: str) -> int | None:
    return next((i for i, layer in enumerate(LAYERS) if room in layer), None)


def test_rooms_import_downwards_only() -> None:
    """No room imports a room above it or a neighbour on its own floor."""
    broken = []
    for path in PACKAGE.rglob("*.py"):
        room, here = _room(path), _layer(_room(path))
        for other in _imports(path) - FREE - {room, "__version__"}:
            there = _layer(other)
            if here is None or there is None:
                continue
            if there >= here:
                broken.append(f"{path.relative_to(PACKAGE)} imports {other}")
    assert not broken, "\n".join(broken)


def test_only_training_uses_training() -> None:
    """Nothing that serves a user depends on training, except the command that starts it."""
    users = {
        _room(path)
        for path in PACKAGE.rglob("*.py")
        if "training" in _imports(path) and _room(path) != "training"
    }
    assert users <= {"cli", "original"}


def test_import_is_light() -> None:
    """`import emotion_dj` loads no model runtime, no web framework and no training library."""
    heavy = {
        "ai_edge_litert",
        "numpy",
        "fastapi",
        "torch",
        "keras",
        "sqlalchemy",
        "cv2",
        "av",
        "PIL",
    }
    code = "import sys, emotion_dj; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not heavy & set(loaded.stdout.split())


def test_help_loads_nothing_heavy() -> None:
    """`emotion-dj --help` loads none of the libraries that the commands will need."""
    heavy = {
        "ai_edge_litert",
        "numpy",
        "fastapi",
        "torch",
        "sqlalchemy",
        "cv2",
        "av",
        "PIL",
        "httpx",
    }
    code = (
        "import sys\nfrom emotion_dj import cli\nsys.argv = ['emotion-dj', '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "play" in run.stdout
    assert not heavy & set(run.stderr.split())


def test_every_file_is_one_room() -> None:
    """No source file is longer than a reader's patience."""
    long = [
        f"{path.relative_to(PACKAGE)}: {lines}"
        for path in PACKAGE.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    ]
    assert not long, "\n".join(long)
