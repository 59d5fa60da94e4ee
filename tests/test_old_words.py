"""One word for one idea: no name of the first house is left in the code or in the documents."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import emotion_dj

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(emotion_dj.__file__).parent
MODULES = set(
    "hearsay compose wire answers columns by_features elsewhere saving invalid guard "
    "addresses budget mixing".split()
)
CLASSES = set(
    "Look Set Hearsay Elsewhere Judge Known Heeding Pictured Tagged Listenable Recordings Offer "
    "Ear FeatureEar Hands Pupil Lessons Foretold Wish Saved Foreign Live Documented Crowd Unsure "
    "LIKED GUESSED TOLD CROWD".split()
)
VERBS = set(
    "play_at take_in heed take_back homes of_room clashes lately stamp doubts chances spread "
    "beginnings belonging look_json foretell".split()
)
HISTORY = {"log.md", "CHANGELOG.md"}
"""Documents that tell how it came to be."""


def _names(path: Path) -> set[str]:
    """Return every name that a file gives to something: classes, functions, values, arguments."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def _rooms() -> set[str]:
    return {path.stem for path in PACKAGE.rglob("*.py")} | {
        path.parent.name for path in PACKAGE.rglob("*.py")
    }


def test_no_module_has_an_old_name() -> None:
    """Files and folders are called as the field calls what is in them."""
    assert _rooms() & MODULES == set()


@pytest.mark.parametrize("folder", ["src", "examples", "benchmarks", "scripts"])
def test_no_name_is_an_old_one(folder: str) -> None:
    """Neither a class nor a function, an attribute, an argument or a local variable."""
    files = PACKAGE.rglob("*.py") if folder == "src" else (ROOT / folder).rglob("*.py")
    allowed = {"spread"} if folder == "benchmarks" else set()  # statistics' own word: of figures
    old = {path.name: _names(path) & ((CLASSES | VERBS) - allowed) for path in files}
    assert {name: words for name, words in old.items() if words} == {}


def test_no_document_names_what_is_gone() -> None:
    """What stands in backticks in a document is the name that it has today."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        if page.name in HISTORY:
            continue
        text = page.read_text(encoding="utf-8")
        words = set(re.findall(r"\b[A-Za-z_]+\b", " ".join(re.findall(r"`([^`\n]+)`", text))))
        assert words & (MODULES | CLASSES | VERBS) == set(), page.name
