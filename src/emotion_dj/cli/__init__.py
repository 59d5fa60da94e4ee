"""The command line: parse, call, print. What a command needs is loaded when it runs.

Exit codes, also in docs/reference/commands.md: 0 done, 2 wrong usage, and one code for each branch
of the tree in `emotion_dj.errors`, in the table below.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import typer

from emotion_dj import __version__, errors
from emotion_dj.cli import (
    account,
    analyse,
    console,
    devices,
    doctor,
    evaluate,
    library,
    play,
    read,
    serve,
    sources,
    taste,
    train,
)

EXIT_CODES: Final[dict[type[errors.EmotionDJError], int]] = {
    errors.SettingsError: 2,
    errors.LabelError: 2,
    errors.InputError: 3,
    errors.NoFace: 4,
    errors.LowConfidence: 5,
    errors.CatalogueError: 6,
    errors.PairingRefused: 2,
    errors.ArtifactError: 7,
    errors.MissingExtra: 8,
    errors.SourceError: 9,
}
"""The nearest class of an error decides; subclasses come before their parents."""


app = typer.Typer(
    name="emotion-dj",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
LISTEN: Final = "Listen"
MUSIC: Final = "Your music"
YOU: Final = "Your face, your taste"
CARE: Final = "This installation"
MODELS: Final = "The models"
"""What a person wants; `--help` groups the commands by it."""

app.command("play", rich_help_panel=LISTEN)(play.play)
app.command("serve", rich_help_panel=LISTEN)(serve.serve)
app.command("analyse", rich_help_panel=MUSIC)(analyse.analyse)
app.add_typer(library.app, name="library", rich_help_panel=MUSIC)
app.add_typer(sources.app, name="sources", rich_help_panel=MUSIC)
app.command("login", rich_help_panel=MUSIC)(account.login)
app.command("logout", rich_help_panel=MUSIC)(account.logout)
app.command("read", rich_help_panel=YOU)(read.read)
app.add_typer(taste.app, name="taste", rich_help_panel=YOU)
app.add_typer(devices.app, name="devices", rich_help_panel=CARE)
app.command("doctor", rich_help_panel=CARE)(doctor.doctor)
app.add_typer(evaluate.app, name="evaluate", rich_help_panel=MODELS)
app.add_typer(train.app, name="train", rich_help_panel=MODELS)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"emotion-dj {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print it and stop."),
    ] = False,
) -> None:
    """Show it your face, hear your music."""


def main() -> None:
    """Run the command line; an error becomes one sentence on stderr and its exit code."""
    # Music is heard in one process per core. A second thread in each would only wait for work,
    # busily: that took 0.10 of the 0.25 CPU-seconds of a track.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    console.speak()
    try:
        code = _run()
        sys.stdout.flush()
    except BrokenPipeError:  # as of `| head`, which has read enough
        code = _silenced(0)
    except OSError as error:
        what = error.filename or "the output cannot be written"
        console.tell(f"{what}: {error.strerror or error}")
        code = _silenced(EXIT_CODES[errors.InputError])
    sys.exit(code)


def _run() -> int | str | None:
    """Run a command; return its exit code. Raises OSError as of an output on a full disk."""
    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None  # Click and Rich would end with 1
        if end.code == console.INTERRUPTED:
            console.tell(console.STOPPED)
        return end.code
    except errors.EmotionDJError as error:
        console.tell(str(error))
        return exit_code(error)
    except KeyboardInterrupt:
        console.tell(console.STOPPED)
        return console.INTERRUPTED
    return 0


def _silenced(code: int) -> int:
    """Drop what stdout still holds, which Python would try to write once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def exit_code(error: errors.EmotionDJError) -> int:
    """Return the exit code of the first class in the table that the error belongs to."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
