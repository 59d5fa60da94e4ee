"""emotion-dj train: make the models again (extra ``train``)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emotion_dj.cli.console import print_json, progress, say
from emotion_dj.errors import MissingExtra

if TYPE_CHECKING:
    from emotion_dj.training.emotion_recipe import Recipe
    from emotion_dj.training.music import Taught

app = typer.Typer(help="Train the models (extra `train`).", no_args_is_help=True)

Faces = Annotated[
    Path, typer.Option(exists=True, help="Labelled faces: Parquet, or folders named by emotion.")
]
Table = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The labelled examples.")]
Out = Annotated[Path, typer.Option(help="Where weights, card and log are written.")]


@app.command()
def emotion(
    data: Faces,
    validate: Faces,
    out: Out,
    *,
    recipe: Annotated[
        Literal["small", "fresh", "teacher", "original"],
        typer.Option(
            help="The network that ships, the same from --start on with faces seen anew each time, "
            "a larger one, or the original system's."
        ),
    ] = "small",
    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="The folder of a finished run to learn from; may be repeated."),
    ] = None,
    start: Annotated[
        list[Path] | None,
        typer.Option(help="A run's folder or a reader's card to begin from; of several, the mean."),
    ] = None,
    truth: Annotated[
        Literal["votes", "label"] | None,
        typer.Option(help="What choices are made by: what most people saw, or labels."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=0, help="Another length of the run; 0 takes --start as it is.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another lot.")] = None,
) -> None:
    """Train the face reader; killed training goes on where it stopped with the same command."""
    _check(recipe, taught=bool(teacher), begun=bool(start), epochs=epochs)
    if find_spec("torch") is None:
        raise MissingExtra("train", "training")
    import dataclasses

    from emotion_dj.training import emotion as training
    from emotion_dj.training import emotion_card, emotion_data, emotion_run

    faces, held = emotion_data.read(data), emotion_data.read(validate)
    if faces.passed_over or held.passed_over:
        count = faces.passed_over + held.passed_over
        say(f"passed over: {count} pictures that are damaged or have none of the seven labels")
    if recipe == "original":
        from emotion_dj.original import emotion_recipe as original

        with progress("training") as report:
            figures = original.train(
                faces, held, out, epochs=epochs or original.EPOCHS, report=report
            )
        print_json(figures)
        return
    truth = emotion_data.truth_of(held, truth)
    wanted = _recipe(recipe, begun=bool(start), epochs=epochs, seed=seed)
    teachers = [emotion_run.load(folder) for folder in teacher or ()]
    begun = [training.begun(path, faces, held) for path in start or ()]
    with progress("training") as report:
        run = emotion_run.Run(wanted, out, start=[net for net, _ in begun])
        nets = [net for net, _ in teachers]
        net = training.train(run, faces, held, teachers=nets, report=report)
    recipe_of_run = {**dataclasses.asdict(wanted), "teachers": [recipe for _, recipe in teachers]}
    if begun:
        recipe_of_run["start"] = [recipe for _, recipe in begun]
    prior = emotion_data.prior(faces)
    card = emotion_card.publish(net, held, out, recipe=recipe_of_run, prior=prior, truth=truth)
    print_json(card["metrics"])


def _check(recipe: str, *, taught: bool, begun: bool, epochs: int | None) -> None:
    """Refuse options that do not belong together, before any face is looked at."""
    if recipe == "original" and (taught or begun):
        msg = "--teacher and --start do not belong to --recipe original"
        raise typer.BadParameter(msg)
    if recipe == "fresh" and not begun:
        msg = "--recipe fresh goes on from trained weights: name them with --start"
        raise typer.BadParameter(msg)
    if epochs == 0 and not begun:
        msg = "--epochs 0 needs --start: there is nothing to take as it is"
        raise typer.BadParameter(msg)


def _recipe(name: str, *, begun: bool, epochs: int | None, seed: int | None) -> Recipe:
    """Return what decides a run of the face reader, with another length and lot where asked."""
    import dataclasses

    from emotion_dj.training import emotion_recipe

    wanted = {
        "small": emotion_recipe.FURTHER if begun else emotion_recipe.Recipe(),
        "fresh": emotion_recipe.FRESH,
        "teacher": emotion_recipe.TEACHER,
    }[name]
    if seed is not None:
        wanted = dataclasses.replace(wanted, seed=seed)
    if epochs is not None:
        settle = wanted.settle if epochs else 0
        wanted = dataclasses.replace(wanted, epochs=epochs, settle=settle)
    return wanted


@app.command()
def music(
    data: Table,
    audio: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Their recordings.")],
    out: Out,
    *,
    scales: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What scripts/hear-with-vibenet.py wrote."),
    ] = None,
    sounds: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What scripts/hear-with-musicnn.py wrote."),
    ] = None,
    teachers: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The card of an ear that has learnt from both."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Another length of the runs.")] = None,
) -> None:
    """Train the ear on a table in Emotify's form and on what teachers said of music."""
    if not teachers and not (scales and sounds):
        msg = "name --scales and --sounds, or --teachers"
        raise typer.BadParameter(msg)
    if find_spec("torch") is None:
        raise MissingExtra("train", "training")
    from emotion_dj.training import music as recipe
    from emotion_dj.training.music_data import read_emotify

    told = recipe.kept_of(teachers) if teachers else _taught(scales, sounds, epochs)
    with progress("listening") as report:
        corpus = read_emotify(data, audio, report=report)
    for why in corpus.passed_over:
        say(f"passed over: {why}")
    with progress("training") as report:
        card = recipe.train(corpus, told, out, report=report)
    print_json(card["metrics"])


def _taught(scales: Path | None, sounds: Path | None, epochs: int | None) -> Taught:
    from emotion_dj.training.music import Taught
    from emotion_dj.training.music_data import read_lessons
    from emotion_dj.training.music_fit import MEASURED
    from emotion_dj.training.sounds import EPOCHS, read_sounds

    assert scales and sounds  # noqa: S101, PT018 - music asks for both
    return Taught(read_lessons(scales, MEASURED), read_sounds(sounds), epochs or EPOCHS)


@app.command()
def mood(
    data: Annotated[
        list[Path],
        typer.Option(exists=True, dir_okay=False, help="Features with moods; may be repeated."),
    ],
    out: Out,
    felt: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Features with valence_mean and arousal_mean, 1 to 9."
        ),
    ] = None,
    recipe: Annotated[
        Literal["small", "original"],
        typer.Option(help="The one that ships, or the original's, which learns loudness."),
    ] = "small",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Another length of the original's run.")
    ] = None,
) -> None:
    """Train the ear without sound on tables of features with a column mood."""
    if recipe == "original":
        _original_mood(data, out, epochs)
        return
    if epochs is not None:
        msg = "--epochs belongs to --recipe original"
        raise typer.BadParameter(msg)
    if felt is None:
        msg = "name --felt too: a table of what listeners felt"
        raise typer.BadParameter(msg)
    from emotion_dj.training import mood as small

    tables = [(path.stem, small.read_moods(path)) for path in data]
    places = small.read_felt(felt)
    with progress("searching") as report:
        card = small.train(tables, places, out, report=report)
    print_json(card["metrics"])


def _original_mood(data: list[Path], out: Path, epochs: int | None) -> None:
    if len(data) != 1:
        msg = "--recipe original learns from one table"
        raise typer.BadParameter(msg)
    from emotion_dj.original import mood_recipe as original

    songs = original.read_songs(data[0])
    if not (find_spec("keras") and find_spec("torch")):
        raise MissingExtra("train", "training")
    with progress("training") as report:
        card = original.train(songs, out, epochs=epochs or original.EPOCHS, report=report)
    print_json(card["metrics"])
