"""What a film shows, for `emotion-dj read`: a table, JSON lines, CSV, and a plot."""

from __future__ import annotations

import csv as tables
import io
import json
import sys
from typing import TYPE_CHECKING

from emotion_dj.cli.console import out, shown
from emotion_dj.json_types import JsonObject

if TYPE_CHECKING:
    from pathlib import Path

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import PhotoAnalysis

    Moments = list[tuple[float, PhotoAnalysis]]


def film(dj: EmotionDJ, path: Path, *, csv: Path | None, plot: Path | None, as_json: bool) -> None:
    """Print what a film shows, as a table or, while it is read, as JSON lines; write files."""
    moments: Moments = []
    for seconds, analysis in dj.watch(path):
        moments.append((seconds, analysis))
        if as_json:
            sys.stdout.write(json.dumps(_line(seconds, analysis)) + "\n")
    if csv is not None:
        _write(csv, _csv(moments))
    if plot is not None:
        from emotion_dj.vision import film_plot

        rows = [(seconds, each.readings[0], each.affect) for seconds, each in moments]
        _write(plot, film_plot.svg(rows))
    if not as_json:
        _table(path, moments)


def _line(seconds: float, analysis: PhotoAnalysis) -> JsonObject:
    from emotion_dj.serializers import photo_analysis_json

    return {"seconds": round(seconds, 3), **photo_analysis_json(analysis)}


def _csv(moments: Moments) -> str:
    """Return a row for each face and time."""
    from emotion_dj.domain import Emotion

    text = io.StringIO()
    rows = tables.writer(text, lineterminator="\n")
    columns = [emotion.value for emotion in Emotion]
    rows.writerow(["seconds", "face", "emotion", "abstained", *columns, "valence", "arousal"])
    for seconds, analysis in moments:
        place = [round(analysis.affect.valence, 4), round(analysis.affect.arousal, 4)]
        for number, reading in enumerate(analysis.readings, start=1):
            shares = [round(reading.probabilities[emotion], 4) for emotion in Emotion]
            named = [reading.emotion.value, int(reading.abstained)]
            rows.writerow([round(seconds, 3), number, *named, *shares, *place])
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    from emotion_dj.errors import ImageError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise ImageError(msg) from error


def _table(path: Path, moments: Moments) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(shown(path.name)), title_justify="left", box=None, pad_edge=False)
    for heading in ("time", "emotion", "probability", "valence", "arousal"):
        table.add_column(heading, justify="left" if heading == "emotion" else "right")
    for seconds, analysis in moments:
        reading, at = analysis.readings[0], analysis.affect
        table.add_row(
            f"{int(seconds // 60)}:{seconds % 60:04.1f}",
            "unsure" if reading.abstained else reading.emotion.value,
            f"{reading.probabilities[reading.emotion]:.0%}",
            f"{at.valence:+.2f}",
            f"{at.arousal:+.2f}",
        )
    out().print(table)
    out().print("An estimate of the expression, not of the feeling.")
