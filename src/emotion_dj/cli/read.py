"""emotion-dj read: what the faces in photos seem to express."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emotion_dj.cli.console import Json, out, print_json, say, shown

if TYPE_CHECKING:
    from rich.table import Table

    from emotion_dj.domain import PhotoAnalysis

_BAR = 20


def read(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos to read.")],
    *,
    annotate: Annotated[
        Path | None, typer.Option(help="Write the (only) photo with its faces framed, as PNG.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate the expression of every face, largest first.

    With --json one photo gives one object and several give a list of objects with "photo".
    """
    if annotate is not None and len(photos) > 1:
        msg = "--annotate takes one photo at a time"
        raise typer.BadParameter(msg)
    from emotion_dj.app import EmotionDJ
    from emotion_dj.errors import EmotionDJError

    dj = EmotionDJ()
    analyses: list[tuple[Path, PhotoAnalysis]] = []
    failure: EmotionDJError | None = None
    for photo in photos:
        try:
            analyses.append((photo, dj.read(photo)))
        except EmotionDJError as error:
            if len(photos) > 1:
                say(f"passed over: {photo}: {error}")
            failure = failure or error
    _show(analyses, single=len(photos) == 1, as_json=as_json)
    if annotate is not None and analyses:
        from emotion_dj.vision import annotate as draw
        from emotion_dj.vision import images

        draw.save(images.load(photos[0]), analyses[0][1], annotate)
    if failure is not None:
        raise failure


def _show(analyses: list[tuple[Path, PhotoAnalysis]], *, single: bool, as_json: bool) -> None:
    if not as_json:
        for photo, analysis in analyses:
            out().print(_table(photo, analysis))
        return
    from emotion_dj.serializers import photo_analysis_json

    if not single:
        print_json(
            [{"photo": str(photo), **photo_analysis_json(analysis)} for photo, analysis in analyses]
        )
    elif analyses:
        print_json(photo_analysis_json(analyses[0][1]))


def _table(photo: Path, analysis: PhotoAnalysis) -> Table:
    from rich.table import Table
    from rich.text import Text  # a name may hold brackets, which are no markup

    from emotion_dj.affect import describe

    at = analysis.affect
    table = Table(
        title=Text(
            f"{shown(photo.name)}: {' and '.join(describe(at))}  (valence {at.valence:+.2f}, "
            f"arousal {at.arousal:+.2f}, uncertainty {at.uncertainty:.2f})"
        ),
        title_justify="left",
        caption="An estimate of the expression, not of the feeling.",
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    for heading in ("face", "emotion", "", "probability"):
        table.add_column(heading, justify="right" if heading == "probability" else "left")
    for number, reading in enumerate(analysis.readings, start=1):
        ranked = sorted(reading.probabilities.items(), key=lambda item: -item[1])
        for place, (emotion, chance) in enumerate(ranked):
            named = "unsure" if reading.abstained else "looks " + reading.emotion
            first = f"{number} {named}" if place == 0 else ""
            table.add_row(first, emotion, "█" * round(_BAR * chance), f"{chance:.1%}")
    return table
