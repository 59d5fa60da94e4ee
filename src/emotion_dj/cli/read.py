"""emotion-dj read: what the faces in photos and films seem to express."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from emotion_dj.cli.console import Json, out, print_json, say, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.table import Table

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Emotion, PhotoAnalysis
    from emotion_dj.errors import EmotionDJError

_BAR = 20
STDIN: Final = Path("-")
SUFFIXES: Final = frozenset(
    ".avif .bmp .gif .heic .heif .jfif .jpe .jpeg .jpg .pgm .png .ppm .tif .tiff .webp".split()
)
"""What is a photo in a folder."""


def read(
    photos: Annotated[
        list[Path],
        typer.Argument(
            metavar="PHOTO...", help="Photos, films, folders of photos, or - for stdin."
        ),
    ],
    *,
    annotate: Annotated[
        Path | None, typer.Option(help="Write the (only) photo with its faces framed, as PNG.")
    ] = None,
    resting: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="Your calm face: read how others differ from it."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what a film shows as a table.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw what a film shows, as SVG.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate the expression of every face, largest first; of a film every half second.

    With --json one photo gives one object, several give a list of objects with "photo", and a film
    gives a line for each time.
    """
    from emotion_dj.app import EmotionDJ
    from emotion_dj.vision import film

    paths = list(_files(photos))
    if len(paths) == 1 and film.is_film(paths[0]):
        from emotion_dj.cli import film as show

        show.film(EmotionDJ(), paths[0], csv=csv, plot=plot, as_json=as_json)
        return
    if csv or plot:
        msg = "--csv and --plot are for one film (a GIF is read as a photo: save it as .mp4)"
        raise typer.BadParameter(msg)
    if annotate is not None and len(paths) > 1:
        msg = "--annotate takes one photo at a time"
        raise typer.BadParameter(msg)
    _photos(EmotionDJ(), paths, annotate=annotate, resting=resting, as_json=as_json)


def _photos(
    dj: EmotionDJ,
    paths: list[Path],
    *,
    annotate: Path | None,
    resting: Path | None,
    as_json: bool,
) -> None:
    from emotion_dj.errors import EmotionDJError

    own = None if resting is None else dj.resting(resting)
    analyses: list[tuple[Path, PhotoAnalysis]] = []
    failure: EmotionDJError | None = None
    for path in paths:
        try:
            analyses.append((path, _read(dj, path, own, annotate)))
        except EmotionDJError as error:
            if len(paths) > 1:
                say(f"passed over: {path}: {error}")
            failure = failure or error
    _show(analyses, single=len(paths) == 1, as_json=as_json)
    if failure is not None:
        raise failure


def _read(
    dj: EmotionDJ, path: Path, resting: Mapping[Emotion, float] | None, annotate: Path | None
) -> PhotoAnalysis:
    """Read one photo and draw it where that is wanted."""
    from emotion_dj.vision import annotate as draw

    photo = _once(path) if path == STDIN or path.is_fifo() else path
    analysis = dj.read(photo, resting=resting)
    if annotate is not None:
        draw.photo(photo, analysis, annotate)
    return analysis


def _once(path: Path) -> bytes:
    """Return what comes through a pipe, which can be read only once."""
    from emotion_dj.vision.images import MAX_BYTES

    with nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _files(photos: Iterable[Path]) -> Iterator[Path]:
    """Yield the photos that are meant: those of a folder, and what a pattern stands for.

    Raises ImageError where a folder holds none or a pattern stands for nothing.
    """
    from emotion_dj.errors import ImageError

    for path in photos:
        if path.is_dir():
            files = [f for f in sorted(path.iterdir()) if f.suffix.lower() in SUFFIXES]
        elif "*" in path.name and not path.exists():  # as where no shell has put names in its place
            files = sorted(path.parent.glob(path.name))
        else:
            files = [path]
        if not files:
            msg = f"there is no photo in {path}"
            raise ImageError(msg)
        yield from files


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
