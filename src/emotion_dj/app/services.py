"""The listener's services, made of the settings when they are needed: where sets go and sound."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from emotion_dj.app.source_registry import TOKENS, session, source_specs, spotify, subsonic
from emotion_dj.errors import LoginRequired, NotAvailable, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emotion_dj.app.settings import Settings
    from emotion_dj.domain import Device, DJSet, Track
    from emotion_dj.interfaces import Player, Sink
    from emotion_dj.sources.spotify import Spotify
    from emotion_dj.sources.subsonic import Subsonic


class Services:
    """Writes sets to services, starts them on devices, and asks the source of a track about it."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is opened yet."""
        self.settings = settings
        self._made: dict[str, Any] = {}

    @cached_property
    def subsonic(self) -> Subsonic:
        """The listener's Subsonic server. Raises SettingsError or LoginRequired."""
        return subsonic(self.settings)

    @cached_property
    def spotify(self) -> Spotify:
        """The listener's Spotify. Raises SettingsError."""
        return spotify(self.settings)

    def login(self, open_browser: Callable[[str], object], *, port: int) -> str:
        """Log in to Spotify through a browser; return where the tokens are kept.

        Raises SettingsError, LoginRequired or another SourceError.
        """
        return session(self.settings).begin(open_browser, port=port)

    def write(self, music: DJSet, sink: str, *, name: str = "Emotion-DJ") -> str:
        """Write a set as a playlist called ``name`` to a service; return where it is.

        Raises SettingsError or a SourceError.
        """
        return self.sink(sink).write(music, name=name)

    def sink(self, name: str) -> Sink:
        """Return the service called so, if sets are written there; nobody is asked.

        Raises SettingsError or LoginRequired.
        """
        sinks: dict[str, Callable[[], Sink]] = {
            "subsonic": lambda: self.subsonic,
            "spotify": lambda: self.spotify,
        }
        if name not in sinks:
            msg = f"sets cannot be written to '{name}': choose {', '.join(sinks)}"
            raise SettingsError(msg)
        return sinks[name]()

    def available_sinks(self) -> set[str]:
        """Return the services to which a set can be written right now, without asking them."""
        ready = {"subsonic": self._names_subsonic, "spotify": self.logged_in}
        return {name for name, is_ready in ready.items() if is_ready()}

    def _names_subsonic(self) -> bool:
        try:
            self.sink("subsonic")
        except (SettingsError, LoginRequired):
            return False
        return True

    def start(self, music: DJSet, player: str) -> None:
        """Start a set on a service's active device, or on the one named behind a colon.

        Raises SettingsError or a SourceError.
        """
        target, wanted = self.player(player), player.partition(":")[2]
        device = _named(target.devices(), wanted) if wanted else ""
        target.play([pick.track for pick in music.picks], device=device)

    def player(self, name: str) -> Player:
        """Return the service on which ``start`` starts sets by this name; nobody is asked.

        Raises SettingsError.
        """
        service = name.partition(":")[0]
        players: dict[str, Callable[[], Player]] = {"spotify": lambda: self.spotify}
        if service not in players:
            msg = f"sets cannot be started on '{service}': choose {', '.join(players)}"
            raise SettingsError(msg)
        return players[service]()

    def logged_in(self) -> bool:
        """Tell whether there is a login to Spotify, without asking Spotify."""
        from emotion_dj.app import credentials  # noqa: PLC0415

        return bool(self.settings.spotify_client_id) and credentials.has(TOKENS)

    def devices(self) -> list[Device]:
        """Return the devices on which a set can be started; none where nobody is logged in.

        Raises SourceError.
        """
        return self.spotify.devices() if self.logged_in() else []

    def source_of(self, track: Track) -> Any | None:
        """Return the source that a track's uri begins with, made once; None for files and tables.

        Raises what the source raises when it is made.
        """
        name = track.uri.partition(":")[0]
        if name not in self._made:
            offer = source_specs(self.settings).get(name)
            self._made[name] = None if offer is None else offer.make("")
        return self._made[name]

    def picture(self, track: Track) -> bytes | None:
        """Return the picture that a track's source has of it, encoded; None where it has none.

        Raises SettingsError or a SourceError.
        """
        from emotion_dj.interfaces import ArtworkProvider  # noqa: PLC0415

        source = self.source_of(track)
        return source.picture(track) if isinstance(source, ArtworkProvider) else None

    def report_feedback(self, track: Track, kind: str) -> None:
        """Tell a track's source of a like, an unlike, a skip or a play, where it wants to know.

        Raises SettingsError or a SourceError.
        """
        from emotion_dj.interfaces import FeedbackSink  # noqa: PLC0415

        source = self.source_of(track)
        if isinstance(source, FeedbackSink):
            source.report_feedback(track, kind)


def _named(devices: Sequence[Device], wanted: str) -> str:
    """Return the id of the device that is called so. Raises NotAvailable naming those there are."""
    for device in devices:
        if wanted.casefold() in {device.name.casefold(), device.id.casefold()}:
            return device.id
    names = ", ".join(device.name for device in devices) or "none is there"
    msg = f"no device of yours is called '{wanted}': {names}"
    raise NotAvailable(msg)
