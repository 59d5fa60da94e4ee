"""The references that are made from the code: commands from Typer, settings from their class, HTTP
from OpenAPI. Each part is Markdown.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import typer

from emotion_dj import cli, errors
from emotion_dj.app.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_ENDINGS: Final = ("_api", "_accounts", "_embed")
"""Ends of settings that the docstring explains together."""


def commands() -> str:
    """Return every command with its arguments and options, in the order and groups of `--help`."""
    root: Any = typer.main.get_command(cli.app)
    groups: dict[str, list[str]] = {}
    for name, command in root.commands.items():
        text = _command(f"emotion-dj {name}", command)
        groups.setdefault(command.rich_help_panel or "Others", []).append(text)
    return "\n".join(f"## {title}\n\n" + "\n".join(texts) for title, texts in groups.items())


def _command(name: str, command: Any, level: int = 3) -> str:
    """Return one command, and below it those that it has."""
    below = getattr(command, "commands", {})
    lines = [f"{'#' * level} {name}", "", _plain(command.help or ""), ""]
    if command.params and not below:
        lines += _table(("name", "what it is"), map(_parameter, command.params))
    return "\n".join([*lines, *(_command(f"{name} {n}", c, level + 1) for n, c in below.items())])


def _parameter(parameter: Any) -> tuple[str, str]:
    is_argument = parameter.param_type_name == "argument"
    names = [parameter.metavar or parameter.name.upper()] if is_argument else parameter.opts
    about = [_plain(parameter.help or "")]
    if choices := getattr(parameter.type, "choices", ()):
        about.append(f"One of {', '.join(choices)}.")
    if parameter.default not in {None, False} and not callable(parameter.default):
        about.append(f"Otherwise {parameter.default}.")
    return ", ".join(f"`{name}`" for name in names), " ".join(filter(None, about))


def settings() -> str:
    """Return every setting with its variable, what it is unless it is set, and its meaning."""
    rows = (
        (
            f"`{each.name}`",
            f"`{PREFIX}{each.name.upper()}`",
            _shown(each.default),
            _about(each.name),
        )
        for each in fields(Settings)
    )
    return "\n".join(_table(("in the file", "in the environment", "otherwise", "meaning"), rows))


def _about(name: str) -> str:
    """Return what the docstring of the settings says of one: every sentence that names it."""
    text = _plain((Settings.__doc__ or "").split("\n\n", 1)[1])
    marks = [f"``{mark}``" for mark in (name, *filter(name.endswith, _ENDINGS))]
    sentences = re.split(r"(?<=\.)\s+(?=``|[A-Z])", text)
    told = (each for each in sentences if any(mark in each for mark in marks))
    return " ".join(told).replace("``", "`")


def _shown(value: object) -> str:
    return f"`{value}`" if value != "" else ""


def exit_codes() -> str:
    """Return the table of exit codes."""
    rows = [(str(code), _summary(kind)) for kind, code in cli.EXIT_CODES.items()]
    stopped = (str(cli.console.INTERRUPTED), "Stopped by the keyboard; what was done is kept.")
    return "\n".join(_table(("code", "when"), [("0", "Done."), *rows, stopped]))


def _summary(kind: type[errors.EmotionDJError]) -> str:
    return _plain((kind.__doc__ or "").split("\n\n")[0])


def http() -> str:
    """Return every address of the service and what it does."""
    from starlette.testclient import TestClient

    from emotion_dj.app import EmotionDJ
    from emotion_dj.web.app import create
    from emotion_dj.web.middleware import ROOT

    app: Any = create(EmotionDJ(library=["demo"]))
    client = TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1))
    document = client.get(f"{ROOT}/openapi.json").json()
    rows = (
        (f"`{method.upper()} {ROOT}{path}`", _plain(what["description"].split("\n\n")[0]))
        for path, methods in document["paths"].items()
        for method, what in methods.items()
    )
    return "\n".join(_table(("address", "what it does"), rows))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _plain(text: str) -> str:
    return " ".join(text.split())


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "commands": commands,
    "settings": settings,
    "exit_codes": exit_codes,
    "http": http,
}
"""Name in the comment of a page -> what makes the part."""
