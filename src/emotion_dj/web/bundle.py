"""The page's modules as the few files that a browser asks for: what a module needs comes with it.

A request costs a browser more than a kilobyte does, and an import is not known of before the module
above it is there. So what the page begins with is one file, put together when it is asked for. Each
module becomes a function that returns its exports, and stands below those that it needs:

    $$["dom.js"] = (() => { ...; return { $, make }; })();

Our modules keep to a form that can be read line by line, and what cannot be read is an error:
imports and exports begin a line, what is exported is never set again, no two modules need each
other.
"""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Final

import rjsmin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

MAIN: Final = "main.js"
"""What the page begins with."""

_LATER: Final = re.compile(r'\bimport\("\./([^"]+)"\)')
_WORKER: Final = re.compile(r'\bnew URL\("([^"]+\.js)",import\.meta\.url\)')
_IMPORT: Final = re.compile(
    r'^import (?:\* as (?P<all>\w+)|\{(?P<names>[^}]*)\}) from "(?P<path>\.[^"]+)";$', re.MULTILINE
)
_EXPORT: Final = re.compile(
    r"^export (?=(?:const|class|function|async function) (?P<name>[\w$]+))", re.MULTILINE
)
_EXPORTS: Final = re.compile(r"^export \{(?P<names>[^}]*)\};$", re.MULTILINE)
_LEFT: Final = re.compile(r"^(?:import|export)\b(?!\().*", re.MULTILINE)


def bundles(folder: Path) -> dict[str, str]:
    """Return every file that the page asks for, by its name: the one that it begins with, those of
    its workers, and those of what it imports later, which take from the first what is there.

    Without comments. Raises ValueError where a module is not written as is said above.
    """
    sources = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*.js")
    }
    plain = {name: minified(text) for name, text in sources.items()}
    first = _needed(sources, MAIN)
    made = {MAIN: f"export const $$ = {{}};\n{_linked(sources, first)}"}
    for name in _asked(plain.values(), _WORKER):
        made[name] = f"const $$ = {{}};\n{_linked(sources, _needed(sources, name))}"
    for name in _asked(plain.values(), _LATER):
        made[name] = _later(sources, name, first)
    return {name: minified(text) for name, text in made.items()}


def minified(text: str) -> str:
    """Return a module without its comments, a third of what it weighs on the wire."""
    return str(rjsmin.jsmin(text))


def _asked(texts: Iterable[str], form: re.Pattern[str]) -> list[str]:
    return sorted({name for text in texts for name in form.findall(text)})


def _needed(sources: Mapping[str, str], name: str) -> list[str]:
    """Return a module and all that it imports, each below what it needs."""
    order: dict[str, None] = {}
    _add(sources, name, order, ())
    return list(order)


def _add(
    sources: Mapping[str, str], name: str, order: dict[str, None], above: tuple[str, ...]
) -> None:
    if name in above:
        msg = f"{' needs '.join((*above, name))}: no two modules may need each other"
        raise ValueError(msg)
    for found in _IMPORT.finditer(sources[name]):
        path = _at(name, found["path"])
        if path not in order:
            _add(sources, path, order, (*above, name))
    order[name] = None


def _later(sources: Mapping[str, str], name: str, first: Collection[str]) -> str:
    needed = _needed(sources, name)
    own = [one for one in needed if one not in first]
    start = "const $$ = {};\n"
    if len(own) < len(needed):
        start = f'import {{ $$ as first }} from "./{MAIN}";\nconst $$ = {{ ...first }};\n'
    exports = ", ".join(_exported(sources[name]))
    return f'{start}{_linked(sources, own)}export const {{ {exports} }} = $$["{name}"];\n'


def _linked(sources: Mapping[str, str], names: Iterable[str]) -> str:
    return "".join(f'$$["{name}"] = {_function(name, sources[name])};\n' for name in names)


def _function(name: str, text: str) -> str:
    """Return a module as a function, called at once, that returns its exports."""

    def constants(found: re.Match[str]) -> str:
        names = found["all"] or f"{{{found['names'].replace(' as ', ': ')}}}"
        return f'const {names} = $$["{_at(name, found["path"])}"];'

    body = _EXPORTS.sub("", _EXPORT.sub("", _IMPORT.sub(constants, text)))
    if left := _LEFT.search(body):
        msg = f"{name}: cannot be put together with others: {left[0]}"
        raise ValueError(msg)
    return f"(() => {{\n{body}\nreturn {{ {', '.join(_exported(text))} }};\n}})()"


def _exported(text: str) -> list[str]:
    again = (one.strip() for found in _EXPORTS.finditer(text) for one in found["names"].split(","))
    return [*(found["name"] for found in _EXPORT.finditer(text)), *again]


def _at(name: str, path: str) -> str:
    return normpath(join(dirname(name), path))
