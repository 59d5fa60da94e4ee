"""How commands speak: tables and progress for people on stderr, JSON for machines on stdout."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from emotion_dj.analysis import Summary

    Report = Callable[[int, int], None]

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="EMOTION_DJ_DATABASE",
        show_envvar=True,
        help="The catalogue: an SQLite file.",
    ),
]


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def summary_json(summary: Summary) -> dict[str, Any]:
    """Return what a scan did as `--json` prints it."""
    return {
        "analysed": summary.analysed,
        "known": summary.known,
        "gone": summary.gone,
        "failed": [{"uri": failure.uri, "why": failure.why} for failure in summary.failed],
    }


def out() -> Console:
    """Return the console for results."""
    from rich.console import Console

    return Console(highlight=False)


def say(sentence: str) -> None:
    """Print a remark for people on stderr, where it never mixes with a result."""
    sys.stderr.write(f"{sentence}\n")


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """Show a bar with the time left on stderr; the block is given report(done, total).

    The bar draws nothing where stderr is no terminal.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
