"""emotion-dj taste: what likes, skips and corrections have taught, and how to be rid of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from emotion_dj.cli.console import Database, Json, out, print_json, shown
from emotion_dj.json_types import JsonObject

if TYPE_CHECKING:
    from emotion_dj.app import EmotionDJ

app = typer.Typer(
    help="What your likes, skips and corrections have taught; it stays on this machine.",
    no_args_is_help=True,
)


@app.command("show")
def show(*, database: Database = None, as_json: Json = False) -> None:
    """Say what was learnt: answers, how you differ, and what you would like best."""
    figures = _dj(database).taste.summary()
    if as_json:
        print_json(figures)
        return
    if not figures["feedback"] and not figures["corrections"]:
        out().print("nothing was learnt yet: like and skip songs on the page")
        return
    counted = ", ".join(f"{count} {kind}s" for kind, count in figures["feedback"].items())
    out().print(f"{counted or 'no feedback'}, {figures['corrections']} corrections")
    for name, (valence, arousal) in figures["offsets"].items():
        out().print(f"  {name:9} valence {valence:+.2f}  arousal {arousal:+.2f}")
    for row in figures["favourites"]:
        out().print(f"  {row['taste']:+.2f}  {shown(row['title'])}", markup=False, soft_wrap=True)


@app.command("export")
def export(*, database: Database = None) -> None:
    """Print everything that was learnt from, as JSON."""
    print_json(_dj(database).taste.export())


@app.command("reset")
def reset(*, database: Database = None, as_json: Json = False) -> None:
    """Forget all likes, skips, plays and corrections."""
    count = _dj(database).taste.reset()
    answer: JsonObject = {"forgotten": count}
    if as_json:
        print_json(answer)
        return
    out().print(f"{count} forgotten")


def _dj(database: str | None) -> EmotionDJ:
    from emotion_dj.app import EmotionDJ, settings

    return EmotionDJ(settings=settings.load(database=database))
