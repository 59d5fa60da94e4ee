"""emotion-dj play: a photo goes in, a set of songs comes out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emotion_dj.cli.console import (
    Database,
    Include,
    Json,
    left_out,
    omitted,
    out,
    passed_over,
    print_json,
    progress,
    say,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from emotion_dj.app import EmotionDJ
    from emotion_dj.domain import Affect, DJSet, PhotoAnalysis, Pick


def play(
    photo: Annotated[
        Path | None, typer.Argument(help="A photo of one face or several, or a film.")
    ] = None,
    *,
    library: Annotated[
        list[str] | None,
        typer.Option(help="A folder of music or a source such as demo; may be repeated."),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            help="match, lift, calm, liven, vent, clip (along a film) or journey:FROM..VIA..TO."
        ),
    ] = None,
    n: Annotated[int | None, typer.Option("-n", min=1, max=1000, help="How many songs.")] = None,
    mood: Annotated[
        str | None, typer.Option(help="Instead of a photo: happy, sad, calm or energetic.")
    ] = None,
    affect: Annotated[
        str | None, typer.Option(help="Instead of a photo: a point V,A, each from -1 to 1.")
    ] = None,
    say_it: Annotated[
        str | None,
        typer.Option("--say", help='In your own words: "tired, but I want something warm".'),
    ] = None,
    like: Annotated[
        str | None, typer.Option(help="A song to begin from: its title, file or uri.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="genre:, year:, artist:, album:, folder: or playlist:; repeatable."),
    ] = None,
    avoid: Annotated[
        list[str] | None, typer.Option(help="What must not be in the set, as with --only.")
    ] = None,
    include: Include = None,
    minutes: Annotated[
        float | None, typer.Option(min=1, max=1000, help="How long, instead of how many songs.")
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
        Path | None, typer.Option(help="Write the set as .m3u8, .xspf or .jspf, its wish as .nsp.")
    ] = None,
    relative: Annotated[
        bool, typer.Option("--relative", help="Name files in --save as seen from its folder.")
    ] = False,
    mix: Annotated[
        Path | None, typer.Option(help="Write the set as one recording: .opus, .mp3, .flac, .wav.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="As a playlist: subsonic, jellyfin, spotify or mpd.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(help="Start the set on a device of yours: spotify, mpd, mpd:NAME."),
    ] = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Read a face, or hear what you say, and play the songs that stand nearest to it."""
    ways = {"PHOTO": photo, "--mood": mood, "--affect": affect, "--say": say_it, "--like": like}
    _demand_one(ways, correct)
    if minutes is not None and n is not None:
        msg = "say how long in one way: -n or --minutes"
        raise typer.BadParameter(msg)
    from emotion_dj.affect import parse_plan
    from emotion_dj.app import EmotionDJ, settings

    chosen = settings.load(database=database, plan=plan, n=n, include=include)
    dj = EmotionDJ(library=library or (), settings=chosen)
    places = _Places(save, mix, to, on, relative=relative)
    _check(dj, chosen.plan, places)
    _check_words(say_it, [*(only or ()), *(avoid or ())])
    analysis, point = _reading(dj, photo, mood or affect, correct)
    _scan(dj)
    music = dj.recommend(
        None if point else analysis or photo,
        affect=point,
        say=say_it,
        like=like,
        plan=parse_plan(chosen.plan),
        n=chosen.n,
        minutes=minutes,
        only=only or (),
        avoid=avoid or (),
        seed=seed,
        aggregate=aggregate,
    )
    if seed is None or places.any():
        dj.taste.played(music)
    _show(music, analysis, as_json=as_json)
    _put(dj, music, places)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a set goes beside the screen; None where it does not go there."""

    save: Path | None
    mix: Path | None
    to: str | None
    on: str | None
    relative: bool

    def any(self) -> bool:
        return any(place is not None for place in (self.save, self.mix, self.to, self.on))


def _reading(
    dj: EmotionDJ, photo: Path | None, said: str | None, correct: str | None
) -> tuple[PhotoAnalysis | None, Affect | None]:
    """Return what a photo says, and the point that the listener names in its place; a film is read
    later, along with its set.
    """
    from emotion_dj.affect import parse_affect
    from emotion_dj.vision.film import is_film

    if photo is None or is_film(photo):
        if correct is not None:
            msg = "--correct corrects the reading of a photo, not that of a film"
            raise typer.BadParameter(msg)
        return None, parse_affect(said) if said else None
    analysis = dj.read(photo)
    return analysis, None if correct is None else dj.taste.correct(analysis, correct)


def _put(dj: EmotionDJ, music: DJSet, places: _Places) -> None:
    """Write and start a set where the listener wants it."""
    if places.save is not None:
        _save(dj, music, places.save, relative=places.relative)
    if places.mix is not None:
        _mix(dj, music, places.mix)
    if places.to is not None:
        from emotion_dj import messages

        say(f"written: {messages.saved(dj.services.save(music, places.to))}")
    if places.on is not None:
        dj.services.start(music, places.on)


def _demand_one(ways: Mapping[str, object], correct: str | None) -> None:
    """See that the listener says in one way where they are, and corrects a photo only."""
    if sum(way is not None for way in ways.values()) != 1:
        *others, last = ways
        msg = f"say where you are in one way: {', '.join(others)} or {last}"
        raise typer.BadParameter(msg)
    if correct is not None and ways["PHOTO"] is None:
        msg = "--correct corrects the reading of a photo: name a PHOTO"
        raise typer.BadParameter(msg)


def _check_words(said: str | None, conditions: Sequence[str]) -> None:
    """Tell what is not understood before any music is heard."""
    from emotion_dj.affect import words
    from emotion_dj.ranking.filters import parse_filter

    if said is not None:
        words.understand(said)
    for condition in conditions:
        parse_filter(condition)


def _check(dj: EmotionDJ, plan: str, places: _Places) -> None:
    """Tell what is not valid before any music is heard, which may take long."""
    from emotion_dj.affect import parse_plan

    parse_plan(plan)
    dj.library.check()
    if places.save is not None:
        from emotion_dj import playlists

        playlists.check(places.save.suffix)
    if places.mix is not None:
        from emotion_dj.music.mix import check

        check(places.mix)
    if places.to is not None:
        dj.services.sink(places.to)
    if places.on is not None:
        dj.services.player(places.on)


def _scan(dj: EmotionDJ) -> None:
    with progress("listening") as report:
        summary = dj.library.scan(report)
    passed_over(summary.failed)
    omitted(place for place in summary.omitted if place.code == "not_found")
    left_out(summary.left_out)


def _save(dj: EmotionDJ, music: DJSet, path: Path, *, relative: bool) -> None:
    from emotion_dj import messages

    for note in dj.save(music, path, relative=relative):
        say(f"note: {messages.say(note)}")


def _mix(dj: EmotionDJ, music: DJSet, path: Path) -> None:
    with progress("mixing") as report:
        left_out = dj.mix(music, path, report)
    for sentence in left_out:
        say(f"left out: {sentence}")


def _show(music: DJSet, analysis: PhotoAnalysis | None, *, as_json: bool) -> None:
    from emotion_dj import messages

    if as_json:
        from emotion_dj.serializers import photo_analysis_json, set_json

        print_json({**(photo_analysis_json(analysis) if analysis else {}), **set_json(music)})
        return
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
