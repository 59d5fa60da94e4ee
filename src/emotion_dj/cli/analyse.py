"""emotion-dj analyse: hear music and keep what was heard in the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from emotion_dj.cli.console import Database, Json, out, print_json, progress, say, summary_json


def analyse(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Folders, files, or sources such as demo."),
    ],
    *,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Listen to every track once; what is known already costs nothing, what fails is named."""
    from emotion_dj import settings
    from emotion_dj.compose import EmotionDJ

    dj = EmotionDJ(library=paths, settings=settings.load(database=database))
    with progress("listening") as report:
        summary = dj.scan(report)
    if as_json:
        print_json(summary_json(summary))
        return
    for failure in summary.failed:
        say(f"passed over: {failure.why}")
    out().print(
        f"{summary.analysed} analysed, {summary.known} known already, {len(summary.failed)} failed"
    )
