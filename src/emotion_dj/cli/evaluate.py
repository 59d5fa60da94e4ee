"""emotion-dj evaluate: measure the models on labelled data of yours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from emotion_dj.cli.console import Json, out, print_json, progress, say

app = typer.Typer(help="Measure the models on labelled data.", no_args_is_help=True)

LEFT_OUT: Final = {
    "no_face": "in which no face was found",
    "damaged": "that cannot be read",
    "unlabelled": "without one of the seven labels (empty, contempt, unknown)",
}
"""What is said of the pictures that the figures do not count, by its name in the report."""


@app.command()
def emotion(
    data: Annotated[
        Path,
        typer.Argument(
            help="A Parquet file (image; emotion or label), or folders named by emotion."
        ),
    ],
    *,
    model: Annotated[
        Path | None,
        typer.Option(exists=True, help="Another reader: its card, or the folder of a run."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure the face reader; in photographs of any size faces are found and cropped first.

    Numbers as labels count as FER2013's do: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise,
    6 neutral. In a table with FER+'s columns of votes, what most people saw is measured besides.
    """
    from emotion_dj.training import evaluation

    with progress("reading") as report:
        figures = evaluation.evaluate_emotion(data, report, model=model)
    if as_json:
        print_json(figures)
        return
    out().print(
        f"accuracy {figures['accuracy']:.2%}  macro-F1 {figures['macro_f1']:.3f}  "
        f"ECE {figures['ece']:.3f}  {figures['ms_per_face']:.2f} ms per face, n = {figures['n']}"
    )
    if seen := figures.get("votes"):
        out().print(
            f"what most people saw: {seen['accuracy']:.2%}  macro-recall {seen['macro_recall']:.3f}"
            f"  ECE {seen['ece']:.3f}  {seen['affect_distance']:.3f} away on the plane, "
            f"n = {seen['n']}"
        )
    classes = figures["per_class"]
    for name, row in classes.items():
        if row["n"]:
            out().print(f"  {name:9} recall {row['recall']:.2f}  precision {row['precision']:.2f}")
    if absent := [name for name, row in classes.items() if not row["n"]]:
        out().print(f"no pictures of: {', '.join(absent)}")
    for name, text in LEFT_OUT.items():
        if figures[name]:
            out().print(f"left out: {figures[name]} {text}")


@app.command()
def music(
    table: Annotated[Path, typer.Argument(help="A CSV file in Emotify's form.")],
    *,
    audio: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Its recordings.")],
    as_json: Json = False,
) -> None:
    """Measure the ear against what listeners said."""
    from emotion_dj.training import evaluation

    with progress("listening") as report:
        figures = evaluation.evaluate_music(table, audio, report)
    if as_json:
        print_json(figures)
        return
    for name, value in figures["r2"].items():
        out().print(f"{name:18} R2 {value:+.3f}  r {figures['pearson'][name]:+.3f}")
    placed = figures["placed"]
    ranks = ", ".join(f"{axis} {rho:.2f}" for axis, rho in placed["spearman"].items())
    first = ", ".join(f"{mood} {percentile:.0f}" for mood, percentile in placed["top10"].items())
    out().print(f"places against listeners: rank correlation {ranks}")
    out().print(f"  quadrant right {placed['quadrant']:.0%}, mood right {placed['mood']:.0%}")
    out().print(f"  percentile of the ten first: {first}")
    out().print(f"  arousal along the asked path: r {placed['path_correlation']:+.2f}")
    out().print(f"n = {figures['n']}, {figures['cpu_s_per_track']:.2f} CPU-seconds per track")
    for why in figures["passed_over"]:
        say(f"passed over: {why}")


@app.command()
def mood(
    table: Annotated[Path, typer.Argument(help="A table of features with a column mood.")],
    *,
    as_json: Json = False,
) -> None:
    """Measure how features become moods against the moods that people gave."""
    from emotion_dj.training import evaluation

    figures = evaluation.evaluate_mood(table)
    if as_json:
        print_json(figures)
        return
    out().print(
        f"accuracy {figures['accuracy']:.2%}  macro-F1 {figures['macro_f1']:.3f}  "
        f"ECE {figures['ece']:.3f}, n = {figures['n']}, {figures['left_out']} copies left out"
    )
