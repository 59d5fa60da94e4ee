"""Everything that is told by a code has words: in English, and in each language of the page."""

from __future__ import annotations

import ast
import json
import string
from importlib.resources import files
from pathlib import Path

import pytest

import emotion_dj
from emotion_dj import errors, messages
from emotion_dj.domain import Reason
from emotion_dj.vision import visibility

PACKAGE = Path(emotion_dj.__file__).parent
PAGE = Path(str(files("emotion_dj.web"))) / "static" / "i18n"
LANGUAGES = ("en", "de", "fr", "es")
KINDS = ("reason", "opening", "note", "problem")
ELSEWHERE = {"text"}
"""A code whose words come with it."""


def _calls(name: str) -> set[str]:
    """Return the first argument of every call of a name in our source, where it is a text."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id == name and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def _raised() -> set[str]:
    """Return the names of our errors that are raised somewhere."""
    nodes = (
        node.func.id
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    )
    return {name for name in nodes if issubclass(_class(name), errors.EmotionDJError)}


def _class(name: str) -> type:
    found = getattr(errors, name, None)
    return found if isinstance(found, type) else object


def _code(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


REASONS = (_calls("Reason") | visibility.TRUST.keys() | visibility.ABSTAIN) - ELSEWHERE
PROBLEMS = set(map(_code, _raised()))


def test_every_code_has_words_in_english() -> None:
    """Each reason, opening and note that our source makes is in the table of messages."""
    assert messages.MESSAGES.keys() >= REASONS


def test_one_is_not_many() -> None:
    """A number chooses the form of its noun."""
    said = [messages.say(Reason("few_tracks", {"count": n})) for n in (1, 2)]
    assert said[0] == "there was only 1 track to choose from"
    assert said[1] == "there were only 2 tracks to choose from"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words_in_the_page(language: str) -> None:
    """Each of them, and each problem of the service, in every language that can be chosen."""
    words = json.loads((PAGE / f"{language}.json").read_text(encoding="utf-8"))
    told = {key.partition(".")[2] for key in words if key.partition(".")[0] in KINDS}
    assert sorted(REASONS - told) == []
    assert sorted(PROBLEMS - {key.removeprefix("problem.") for key in words}) == []


@pytest.mark.parametrize("code", sorted(messages.MESSAGES.keys() - ELSEWHERE))
def test_words_need_the_same_values_everywhere(code: str) -> None:
    """What a message wants to be filled in with is the same in English and in the page."""
    wanted = {name for _, name, _, _ in string.Formatter().parse(messages.MESSAGES[code]) if name}
    for language in LANGUAGES:
        words = json.loads((PAGE / f"{language}.json").read_text(encoding="utf-8"))
        for kind in KINDS[:-1]:
            text = words.get(f"{kind}.{code}", messages.MESSAGES[code])
            assert {name for _, name, _, _ in string.Formatter().parse(text) if name} == wanted
