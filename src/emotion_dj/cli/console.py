"""How commands speak: tables and progress for people on stderr, JSON for machines on stdout."""

from __future__ import annotations

import codecs
import io
import json
import re
import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from emotion_dj.errors import LibraryError
from emotion_dj.json_types import JsonObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from rich.console import Console

    from emotion_dj.analysis import Failure, Summary
    from emotion_dj.domain import Omission

    Report = Callable[[int, int], None]

INTERRUPTED: Final = 130
STOPPED: Final = "stopped; what was done is kept"

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="EMOTION_DJ_DATABASE",
        show_envvar=True,
        help="The catalogue: an SQLite file, or postgresql://... (docs/scale.md).",
    ),
]

Include = Annotated[
    str | None,
    typer.Option("--include", help="What is no song, and in sets: short,speech,noise,long."),
]


def print_json(value: Any) -> None:
    """Print one JSON document on stdout; what its encoding cannot hold is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    sys.stdout.write(text + "\n")


OMISSIONS = 5
"""Places that are named one by one."""


def summary_json(summary: Summary) -> JsonObject:
    """Return what a scan did as `--json` prints it."""
    return {
        "analysed": summary.analysed,
        "known": summary.known,
        "gone": summary.gone,
        "failed": [{"uri": failure.uri, "why": failure.why} for failure in summary.failed],
        "omitted": list(map(asdict, summary.omitted)),
        "left_out": dict(summary.left_out),
    }


def omitted(omissions: Iterable[Omission]) -> None:
    """Name the first places that are not looked into on purpose, and how many more there are."""
    chosen = [omission for omission in omissions if omission.code != "unreadable"]
    for omission in chosen[:OMISSIONS]:
        say(f"left out: {omission.why}")
    if len(chosen) > OMISSIONS:
        say(f"left out: {len(chosen) - OMISSIONS} more; --json names them all")


def left_out(counts: Mapping[str, int]) -> None:
    """Say how many tracks are not in sets, and how they get in."""
    if counts:
        each = ", ".join(f"{count} {code}" for code, count in counts.items())
        say(f"not in sets: {each}; --include {','.join(counts)} lets them in")


def passed_over(failures: Iterable[Failure]) -> None:
    """Name what failed for people, with the file where it is one."""
    from emotion_dj.domain import Track

    for failure in failures:
        path = Track(failure.uri, "").path
        say(f"passed over: {failure.why}" + (f" ({path})" if path else ""))


def require_some(analysed: int, known: int, failed: int) -> None:
    """Raise LibraryError where nothing could be heard of all that there was."""
    if failed and not analysed + known:
        msg = f"none of {failed} tracks could be heard"
        raise LibraryError(msg)


def out() -> Console:
    """Return the console for results."""
    from rich.console import Console

    return Console(highlight=False)


def say(sentence: str) -> None:
    """Print a remark for people on stderr, where it never mixes with a result."""
    sys.stderr.write("\n".join(map(shown, sentence.split("\n"))) + "\n")


def tell(problem: str) -> None:
    """Print why the command ends."""
    sys.stderr.write(f"emotion-dj: {shown(problem)}\n")


def shown(text: str) -> str:
    """Return a text in which nothing steers a terminal: such characters are spelled out.

    A file may be called anything, and an escape sequence in its name would be obeyed.
    """
    return _STEERING.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters of C0 and C1, and those that turn the direction of writing."""

_PLAINER = {"█": "#", "—": "-", "·": "*"}


def speak() -> None:
    """Let people be told everything in any encoding, also names whose bytes are no text."""
    codecs.register_error("emotion-dj", _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="emotion-dj")


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Return what is written instead of characters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    plainer = (_PLAINER.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lost)
    return "".join(plainer), error.end


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """Show a bar with the time left on stderr; the block is given report(done, total).

    The bar draws nothing where stderr is not a terminal.
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
