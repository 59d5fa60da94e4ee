"""emotion-dj sources: which there are, what they can do, and whether they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from emotion_dj.cli.console import Json, out, print_json

if TYPE_CHECKING:
    from emotion_dj.interfaces import Source

app = typer.Typer(help="List sources of music and try them.", no_args_is_help=True)

CAN: Final = {
    "Searchable": "search",
    "Listenable": "hear",
    "Resolver": "resolve",
    "FeatureProvider": "features",
    "Sink": "write",
    "Player": "play",
}
"""The protocols of `interfaces` and how the list calls them."""


@app.command("list")
def names(*, as_json: Json = False) -> None:
    """List the sources, what each can do, or what it lacks to do it."""
    from emotion_dj import compose
    from emotion_dj.errors import EmotionDJError

    found = {}
    for name in compose.SOURCES:
        try:
            found[name] = ", ".join(["list", *_verbs(compose.source(name))])
        except EmotionDJError as error:
            found[name] = f"not ready: {error}"
    if as_json:
        print_json(found)
        return
    for name, told in found.items():
        out().print(f"{name}: {told}", markup=False, soft_wrap=True)


@app.command("test")
def test(name: Annotated[str, typer.Argument(help="As `sources list` says.")]) -> None:
    """Ask a source for its first song."""
    from emotion_dj import compose
    from emotion_dj.errors import LibraryError

    first = next(iter(compose.source(name).tracks()), None)
    if first is None:
        msg = f"{name} answers, and holds no music"
        raise LibraryError(msg)
    artists = ", ".join(first.artists)
    out().print(f"{name} answers: {first.title}, {artists}".rstrip(", "), markup=False)


def _verbs(source: Source) -> list[str]:
    from emotion_dj import interfaces

    return [verb for kind, verb in CAN.items() if isinstance(source, getattr(interfaces, kind))]
