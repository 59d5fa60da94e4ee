"""emotion-dj library: what is in the catalogue, and how it gets in and out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from emotion_dj.cli.console import (
    OMISSIONS,
    Database,
    Json,
    left_out,
    omitted,
    out,
    passed_over,
    print_json,
    progress,
    require_some,
    say,
    shown,
    summary_json,
)
from emotion_dj.errors import EmotionDJError, LibraryError
from emotion_dj.json_types import JsonObject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emotion_dj.analysis import Summary
    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Track

app = typer.Typer(help="Look into the catalogue, fill it, empty it.", no_args_is_help=True)


@app.command("import")
def import_table(
    tables: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="CSV, JSON or Parquet with features, a beets library, a list, a history.",
        ),
    ],
    *,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Take in tracks with features, whose moods are estimated, or what you played and skipped."""
    dj = _dj(database)
    with progress("taking in") as report:
        counts: dict[str, int] = {}
        unmatched: list[Track] = []
        for done, table in enumerate(tables):
            report(done, len(tables))
            counts[str(table)] = dj.library.import_table(table, unmatched.append)
    _tell_unmatched(unmatched)
    if as_json:
        print_json(counts)
        return
    for name, count in counts.items():
        out().print(f"{shown(name)}: {count} taken in", markup=False, soft_wrap=True)


def _tell_unmatched(tracks: Sequence[Track]) -> None:
    """Name the songs of a list of which nothing is known, the first of many."""
    for track in tracks[:OMISSIONS]:
        named = " — ".join(part for part in (track.title, ", ".join(track.artists)) if part)
        say(f"not known here: {named}")
    if len(tracks) > OMISSIONS:
        say(f"not known here: {len(tracks) - OMISSIONS} more")


@app.command("add")
def add(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Folders, files, or sources such as demo."),
    ],
    *,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Remember folders and sources, and hear what is in them."""
    with progress("listening") as report:
        summary = _dj(database, paths).library.add(report)
    _tell(summary, as_json=as_json)


@app.command("scan")
def scan(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Look into every file, whatever its times say.")
    ] = False,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Look through what was added: hear what is new, mark what is gone."""
    with progress("listening") as report:
        summary = _dj(database).library.rescan(report, full=full)
    _tell(summary, as_json=as_json)


@app.command("watch")
def watch(*, database: Database = None, as_json: Json = False) -> None:
    """Scan what was added, and again whenever something changes there, until Ctrl+C."""
    library = _dj(database).library
    before: Summary | None = None
    for _ in library.changes(Event(), say):
        try:
            with progress("listening") as report:
                summary = library.rescan(report)
        except EmotionDJError as error:
            say(str(error))
            continue
        if before is None or _has_news(summary, before):
            _tell_line(summary, as_json=as_json)
        before = summary
    if before is None:
        msg = "no folder was added that could be watched: say  emotion-dj library add ~/Music"
        raise LibraryError(msg)


def _has_news(summary: Summary, before: Summary) -> bool:
    """Tell whether something was heard, came or went since the scan before."""
    now = (set(summary.uris), summary.failed, summary.omitted)
    return bool(summary.analysed) or now != (set(before.uris), before.failed, before.omitted)


def _tell_line(summary: Summary, *, as_json: bool) -> None:
    """Print what a scan did, as one line of JSON or as `scan` says it; at once, for programs."""
    if as_json:
        sys.stdout.write(json.dumps(summary_json(summary)) + "\n")
    else:
        _show(summary)
    sys.stdout.flush()


@app.command("list")
def listing(
    *,
    mood: Annotated[str | None, typer.Option(help="Only happy, sad, calm or energetic.")] = None,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", min=1, help="At most so many.")
    ] = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """List tracks with where they stand on the plane."""
    rows = _dj(database).library.rows(mood=mood, limit=limit)
    if as_json:
        print_json(rows)
        return
    say("valence and arousal, mood, song")
    for row in rows:
        named = " — ".join(part for part in (row["title"], ", ".join(row["artists"])) if part)
        place = f"{row['plane_valence']:+.2f} {row['plane_arousal']:+.2f}"
        why = f"  (not in sets: {row['left_out']['code']})" if row["left_out"] else ""
        out().print(f"{place}  {row['mood']:9}  {shown(named)}{why}", markup=False, soft_wrap=True)


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="A .csv, .json or .parquet file to write.")],
    *,
    database: Database = None,
) -> None:
    """Write every track with its features, mood and place; `import` takes it back."""
    count = _dj(database).library.export(file)
    out().print(f"{shown(str(file))}: {count} tracks", markup=False, soft_wrap=True)


@app.command("search")
def search(
    words: Annotated[str, typer.Argument(help="Words of title, artist or album.")] = "",
    *,
    limit: Annotated[
        int, typer.Option("-n", "--limit", min=1, max=10_000, help="At most so many.")
    ] = 20,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """List tracks in which every word occurs; all of them without words."""
    from emotion_dj.serializers import track_json

    found = _dj(database).library.search(words, limit=limit)
    if as_json:
        print_json([{"id": number, **track_json(track)} for number, track in found])
        return
    if not found:
        say(f"no track holds the words '{words}'")
    for _, track in found:
        named = " — ".join(part for part in (track.title, ", ".join(track.artists)) if part)
        out().print(shown(named), markup=False, soft_wrap=True)


@app.command("stats")
def stats(
    *,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the plane into a .png or .svg file as well.")
    ] = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Count tracks by mood and draw them on the valence-arousal plane."""
    from emotion_dj.plane import counts, drawing, save

    candidates = _dj(database).library.current()
    if picture is not None:
        say(f"drawn: {save(candidates, picture)}")
    figures: JsonObject = {"tracks": len(candidates), "moods": counts(candidates)}
    if as_json:
        print_json(figures)
        return
    if not len(candidates):
        say("nothing is in the catalogue yet: say  emotion-dj library add ~/Music")
        return
    out().print(f"{figures['tracks']} tracks", *_words(figures["moods"]), sep="  ")
    out().print(drawing(candidates), markup=False)


@app.command("forget")
def forget(
    names: Annotated[
        list[str],
        typer.Argument(metavar="URI...", help="As `search --json` says, or what `add` was given."),
    ],
    *,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Remove tracks, or whole folders and sources, from the catalogue; files are never touched."""
    count, strange = _dj(database).library.forget(names)
    for name in strange:
        say(f"nothing that was added is called '{name}', and no track has it as its uri")
    if as_json:
        print_json({"forgotten": count})
        return
    out().print(f"{count} forgotten")


def _tell(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary_json(summary))
    else:
        _show(summary)
    require_some(summary.analysed, summary.known, len(summary.failed))


def _show(summary: Summary) -> None:
    passed_over(summary.failed)
    omitted(summary.omitted)
    left_out(summary.left_out)
    out().print(
        f"{summary.analysed} analysed, {summary.known} known already, "
        f"{len(summary.failed)} failed, {summary.gone} gone"
    )


def _words(moods: dict[str, int]) -> list[str]:
    return [f"{name} {count}" for name, count in moods.items()]


def _dj(database: str | None, library: list[str] | None = None) -> EmotionDJ:
    from emotion_dj.app import EmotionDJ, settings

    return EmotionDJ(library=library or (), settings=settings.load(database=database))
