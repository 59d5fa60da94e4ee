"""emotion-dj sources: where music can come from, and whether it answers."""

from __future__ import annotations

import time
from itertools import islice
from typing import Annotated

import typer

from emotion_dj.cli.console import Json, out, print_json, shown
from emotion_dj.json_types import JsonObject

app = typer.Typer(help="See where music can come from, and try it.", no_args_is_help=True)


@app.command("list")
def listed(*, as_json: Json = False) -> None:
    """List the sources that --library understands: ours and those of plug-ins."""
    from emotion_dj.app import settings
    from emotion_dj.app.source_registry import source_specs

    specs = source_specs(settings.load()).values()
    rows = [{"name": o.name, "origin": o.origin, "needs": o.needs} for o in specs]
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "from", "needs"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row["name"], row["origin"], row["needs"])
    out().print(table)
    out().print("\nA folder or a file may stand in place of a name.")


@app.command("test")
def tried(
    name: Annotated[str, typer.Argument(help="As behind --library, such as deezer:playlist/ID.")],
    *,
    as_json: Json = False,
) -> None:
    """Ask a source once for its first track, and say how long that took."""
    from emotion_dj.app import settings
    from emotion_dj.app.source_registry import library
    from emotion_dj.errors import LibraryError

    start = time.perf_counter()
    source = library(name, settings.load())
    first = next(islice(source.tracks(), 1), None)
    if first is None:
        msg = f"{name} answers, and has no music"
        raise LibraryError(msg)
    result: JsonObject = {
        "source": source.name,
        "first": first.title,
        "seconds": round(time.perf_counter() - start, 2),
    }
    if as_json:
        print_json(result)
        return
    out().print(
        f"{name} answers in {result['seconds']} s; its first track is {shown(first.title)}",
        markup=False,
    )
