"""emotion-dj library: what is in the catalogue, and how it gets in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from emotion_dj.cli.console import Database, Json, out, print_json

app = typer.Typer(help="Look into the catalogue, fill it, empty it.", no_args_is_help=True)


@app.command("import")
def take_in(
    tables: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV or Parquet with features.")
    ],
    *,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Take in tracks with features that a service exported; their moods are estimated."""
    dj = _dj(database)
    counts = {str(table): dj.take_in(table) for table in tables}
    if as_json:
        print_json(counts)
        return
    for name, count in counts.items():
        out().print(f"{name}: {count} tracks", soft_wrap=True)


@app.command("search")
def search(
    words: Annotated[str, typer.Argument(help="Words of title, artist or album.")] = "",
    *,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=10_000)] = 20,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """List tracks in which every word occurs; all of them without words."""
    from emotion_dj.wire import track_json

    found = _dj(database).catalogue.search(words, limit=limit)
    if as_json:
        print_json([{"id": number, **track_json(track)} for number, track in found])
        return
    for _, track in found:
        named = " — ".join(part for part in (track.title, ", ".join(track.artists)) if part)
        out().print(named, markup=False, soft_wrap=True)


@app.command("stats")
def stats(*, database: Database = None, as_json: Json = False) -> None:
    """Count tracks by mood and draw them on the valence-arousal plane."""
    from emotion_dj.plane import counts, drawing

    candidates = _dj(database).known()
    figures: dict[str, Any] = {"tracks": len(candidates), "moods": counts(candidates)}
    if as_json:
        print_json(figures)
        return
    out().print(f"{figures['tracks']} tracks", *_words(figures["moods"]), sep="  ")
    out().print(drawing(candidates), markup=False)


@app.command("forget")
def forget(
    uris: Annotated[list[str], typer.Argument(metavar="URI...", help="As `search --json` says.")],
    *,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Remove tracks from the catalogue; files are never touched."""
    count = _dj(database).catalogue.forget(uris)
    if as_json:
        print_json({"forgotten": count})
        return
    out().print(f"{count} forgotten")


def _words(moods: dict[str, int]) -> list[str]:
    return [f"{name} {count}" for name, count in moods.items()]


def _dj(database: str | None) -> Any:
    from emotion_dj import settings
    from emotion_dj.compose import EmotionDJ

    return EmotionDJ(settings=settings.load(database=database))
