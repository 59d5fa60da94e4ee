"""emotion-dj analyse: hear music and keep what was heard, on request also in the files."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from emotion_dj.cli.console import (
    Database,
    Json,
    left_out,
    omitted,
    out,
    passed_over,
    print_json,
    progress,
    require_some,
)
from emotion_dj.errors import TagError
from emotion_dj.json_types import JsonObject

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ


def analyse(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Folders, files, or sources such as demo."),
    ],
    *,
    whole: Annotated[
        bool, typer.Option("--whole", help="Hear all of every track instead of three excerpts.")
    ] = False,
    tags: Annotated[
        bool, typer.Option("--tags", help="Also write mood, tempo and key into the files.")
    ] = False,
    untag: Annotated[
        bool, typer.Option("--untag", help="Only put back what --tags found in the files.")
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(help="Who hears: processes of this machine, or ray, a cluster."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Address of the Ray cluster; without it, one on this machine alone."),
    ] = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Listen to every track once; what is known already costs nothing, what fails is named."""
    from emotion_dj.app import EmotionDJ, settings

    if tags and untag:
        msg = "--tags and --untag exclude each other"
        raise typer.BadParameter(msg)
    hearing = "whole" if whole else None
    chosen = settings.load(database=database, hearing=hearing, engine=engine, ray_address=address)
    dj = EmotionDJ(library=paths, settings=chosen)
    results: JsonObject = {} if untag else _heard(dj)
    if tags or untag:
        results |= _tagged(dj, write=tags)
    if as_json:
        lists = {key: list(map(asdict, results[key])) for key in _LISTS if key in results}
        print_json(results | lists)
    else:
        _show(results, tags=tags, untag=untag)
    if not untag:
        require_some(results["analysed"], results["known"], len(results["failed"]))
    if tags or untag:
        _require_tagged(results, "tagged" if tags else "restored")


def _require_tagged(results: JsonObject, done: str) -> None:
    """Raise TagError where no file could be written of all that there were."""
    failed = len(results["untaggable"])
    if failed and not results[done] + results["unchanged"]:
        msg = f"none of {failed} files could be {done}"
        raise TagError(msg)


def _show(results: JsonObject, *, tags: bool, untag: bool) -> None:
    passed_over(failure for key in _FAILURES for failure in results.get(key, ()))
    omitted(results.get("omitted", ()))
    left_out(results.get("left_out", {}))
    if not untag:
        out().print(
            f"{results['analysed']} analysed, {results['known']} known already, "
            f"{len(results['failed'])} failed"
        )
    if tags or untag:
        done = "tagged" if tags else "restored"
        out().print(
            f"{results[done]} files {done}, "
            f"{results['unchanged']} left as they were, {len(results['untaggable'])} failed"
        )


_FAILURES = ("failed", "untaggable")
_LISTS = (*_FAILURES, "omitted")


def _heard(dj: EmotionDJ) -> JsonObject:
    with progress("listening") as report:
        summary = dj.library.scan(report)
    return {
        "analysed": summary.analysed,
        "known": summary.known,
        "gone": summary.gone,
        "failed": summary.failed,
        "omitted": list(summary.omitted),
        "left_out": dict(summary.left_out),
    }


def _tagged(dj: EmotionDJ, *, write: bool) -> JsonObject:
    with progress("tagging" if write else "restoring") as report:
        done = (dj.library.tag if write else dj.library.untag)(report)
    name = "tagged" if write else "restored"
    return {name: done.changed, "unchanged": done.same, "untaggable": done.failed}
