"""emotion-dj login, emotion-dj logout: accounts at services."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from emotion_dj.cli.console import Database, say

Service = Annotated[Literal["spotify"], typer.Argument(help="The service.")]


def login(
    service: Service,
    *,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Where the login comes back on 127.0.0.1; 0: any."),
    ] = 8898,
) -> None:
    """Log in through your browser; http://127.0.0.1:8898/callback is the address to register."""
    import webbrowser

    from emotion_dj.app import EmotionDJ

    def open_browser(address: str) -> None:
        say(f"if no browser opens, open this address:\n{address}")
        webbrowser.open(address)

    place = EmotionDJ().services.login(open_browser, port=port)
    say(f"logged in to {service}; the tokens are in {place}")


def logout(service: Service, *, database: Database = None) -> None:
    """Forget the login and everything in the catalogue that came from the service."""
    from emotion_dj.app import EmotionDJ, settings

    dj = EmotionDJ(settings=settings.load(database=database))
    count = dj.library.forget_source(dj.services.logout())
    say(f"logged out of {service}: the login and {count} tracks are forgotten")
