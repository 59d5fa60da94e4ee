"""emotion-dj play: a photo goes in, a set of songs comes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emotion_dj.cli.console import (
    Database,
    Json,
    out,
    passed_over,
    print_json,
    progress,
    say,
    shown,
)

if TYPE_CHECKING:
    from rich.table import Table

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import DJSet, Pick


def play(
    photo: Annotated[Path | None, typer.Argument(help="A photo of one face or several.")] = None,
    *,
    library: Annotated[
        list[str] | None,
        typer.Option(help="A folder of music or a source such as demo; may be repeated."),
    ] = None,
    plan: Annotated[
        str | None, typer.Option(help="match, lift, calm, vent or journey:FROM..TO.")
    ] = None,
    n: Annotated[int | None, typer.Option("-n", min=1, max=1000, help="How many songs.")] = None,
    mood: Annotated[
        str | None, typer.Option(help="Instead of a photo: happy, sad, calm or energetic.")
    ] = None,
    affect: Annotated[
        str | None, typer.Option(help="Instead of a photo: a point V,A, each from -1 to 1.")
    ] = None,
    correct: Annotated[
        str | None,
        typer.Option(help="Correct the reading: an emotion, a mood or V,A; it is learnt from."),
    ] = None,
    aggregate: Annotated[
        Literal["room", "each"], typer.Option(help="Serve the whole room, or each face in turns.")
    ] = "room",
    seed: Annotated[
        int | None,
        typer.Option(help="The same seed gives the same set; without one each day has its own."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the set as .m3u8, .xspf or .jspf.")
    ] = None,
    relative: Annotated[
        bool, typer.Option("--relative", help="Name files in --save as seen from its folder.")
    ] = False,
    mix: Annotated[
        Path | None, typer.Option(help="Write the set as one recording: .opus, .mp3, .flac, .wav.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="Write the set as a playlist: subsonic or spotify.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(help="Start the set on a device of yours: spotify or spotify:NAME."),
    ] = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Read a face and play the songs that stand nearest to it."""
    starts = [start for start in (photo, mood, affect) if start is not None]
    if len(starts) != 1:
        msg = "say where you are in one way: a PHOTO, --mood or --affect"
        raise typer.BadParameter(msg)
    from emotion_dj.affect import parse_affect, parse_plan
    from emotion_dj.app import EmotionDJ, settings

    chosen = settings.load(database=database, plan=plan, n=n)
    dj = EmotionDJ(library=library or (), settings=chosen)
    _check(dj, chosen.plan, save=save, mix=mix, to=to, on=on)
    if correct is not None and photo is None:
        msg = "--correct corrects the reading of a photo: name a PHOTO"
        raise typer.BadParameter(msg)
    analysis = None if photo is None else dj.read(photo)
    point = None if analysis else parse_affect(str(starts[0]))
    if analysis is not None and correct is not None:
        point = dj.taste.correct(analysis, correct)
    _scan(dj)
    music = dj.recommend(
        None if point else analysis,
        affect=point,
        plan=parse_plan(chosen.plan),
        n=chosen.n,
        seed=seed,
        aggregate=aggregate,
    )
    if seed is None or save is not None or mix is not None or to is not None or on is not None:
        dj.taste.played(music)
    if as_json:
        from emotion_dj.serializers import photo_analysis_json, set_json

        print_json({**(photo_analysis_json(analysis) if analysis else {}), **set_json(music)})
    else:
        _show(music)
    if save is not None:
        _save(dj, music, save, relative=relative)
    if mix is not None:
        _mix(dj, music, mix)
    if to is not None:
        from emotion_dj import messages

        say(f"written: {messages.saved(dj.services.save(music, to))}")
    if on is not None:
        dj.services.start(music, on)


def _check(
    dj: EmotionDJ,
    plan: str,
    *,
    save: Path | None,
    mix: Path | None,
    to: str | None,
    on: str | None,
) -> None:
    """Tell what is not valid before any music is heard, which may take long."""
    from emotion_dj.affect import parse_plan

    parse_plan(plan)
    dj.library.check()
    if save is not None:
        from emotion_dj import playlists

        playlists.check(save.suffix)
    if mix is not None:
        from emotion_dj.music.mix import check

        check(mix)
    if to is not None:
        dj.services.sink(to)
    if on is not None:
        dj.services.player(on)


def _scan(dj: EmotionDJ) -> None:
    with progress("listening") as report:
        summary = dj.library.scan(report)
    passed_over(summary.failed)


def _save(dj: EmotionDJ, music: DJSet, path: Path, *, relative: bool) -> None:
    from emotion_dj import messages

    for note in dj.save(music, path, relative=relative):
        say(f"note: {messages.say(note)}")


def _mix(dj: EmotionDJ, music: DJSet, path: Path) -> None:
    with progress("mixing") as report:
        left_out = dj.mix(music, path, report)
    for sentence in left_out:
        say(f"left out: {sentence}")


def _show(music: DJSet) -> None:
    from emotion_dj import messages

    for note in music.notes:
        say(f"note: {messages.say(note)}")
    opening = messages.say(music.opening)
    out().print(f"[bold]{opening.capitalize()}[/]: {music.plan.name}, {len(music.picks)} songs\n")
    out().print(_table(music))


def _table(music: DJSet) -> Table:
    from rich.table import Table
    from rich.text import Text  # a title may hold brackets, which are no markup

    from emotion_dj import messages

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "title", "mood", "because it is"):
        table.add_column(heading, justify="left" if heading else "right")
    for place, pick in enumerate(music.picks, start=1):
        table.add_row(str(place), Text(_name(pick)), pick.mood, messages.explain(pick.reasons))
    return table


def _name(pick: Pick) -> str:
    artists = ", ".join(pick.track.artists)
    return shown(f"{pick.track.title} — {artists}" if artists else pick.track.title)
