"""The listener's services, made of the settings when they are needed: where sets go and sound."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emotion_dj.app import source_registry
from emotion_dj.app.once import once
from emotion_dj.app.source_registry import TOKENS
from emotion_dj.domain import Reason
from emotion_dj.errors import (
    AudioError,
    EmotionDJError,
    LabelError,
    LoginRequired,
    NotAvailable,
    SettingsError,
    SourceError,
)
from emotion_dj.interfaces import (
    Account,
    ArtworkProvider,
    AudioSource,
    FeedbackSink,
    Player,
    Resolver,
    Sink,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from emotion_dj.app.settings import Settings
    from emotion_dj.domain import Device, DJSet, SavedPlaylist, Track
    from emotion_dj.interfaces import Audio, Source
    from emotion_dj.json_types import JsonObject
    from emotion_dj.sources.spotify import Spotify

NAME = "Emotion-DJ"
"""How a playlist of ours is called where nobody names it otherwise."""


class Services:
    """Writes sets to services, starts them on devices, and asks the source of a track about it.

    What a service can do is decided by what its source implements, for plug-ins as for ours.
    """

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is opened yet."""
        self._settings = settings
        self._made: JsonObject = {}

    def save(self, dj_set: DJSet, service: str, *, name: str = NAME) -> SavedPlaylist:
        """Write a set as a playlist called ``name`` to a service; return where it is.

        Raises SettingsError or a SourceError.
        """
        return self.sink(service).write(dj_set, name=name)

    def sink(self, name: str) -> Sink:
        """Return the service of this name, if sets can be written there; nobody is asked.

        Raises LabelError, SettingsError or LoginRequired.
        """
        sink: Sink = self._able(name, Sink, "sets cannot be written to")
        return sink

    def available_sinks(self) -> set[str]:
        """Return the services to which a set can be written right now, without asking them."""
        return {name for name in self._specs() if self._is_ready(name, Sink)}

    def start(self, dj_set: DJSet, player: str) -> None:
        """Start a set on a service's active device, or on the one named behind a colon.

        Raises SettingsError or a SourceError.
        """
        service, wanted = self.player(player), player.partition(":")[2]
        device = _device_id(service.devices(), wanted) if wanted else ""
        service.play([pick.track for pick in dj_set.picks], device=device)

    def play(self, tracks: Sequence[Track], *, device: str) -> None:
        """Start tracks on a device by its id, on the service that has it, else on the first.

        Raises LoginRequired where none is ready, or a SourceError.
        """
        ready = self._ready_players()
        if not ready:
            msg = "nobody is logged in to Spotify: run  emotion-dj login spotify"
            raise LoginRequired(msg)
        known = self._devices(ready) if device and len(ready) > 1 else []
        player = next((player for player, each in known if each.id == device), ready[0])
        player.play(tracks, device=device)

    def player(self, name: str) -> Player:
        """Return the service on which sets are started by this name; nobody is asked.

        Raises LabelError, SettingsError or LoginRequired.
        """
        player: Player = self._able(name.partition(":")[0], Player, "sets cannot be started on")
        return player

    def devices(self) -> list[Device]:
        """Return the devices on which a set can be started; none where nobody is logged in.

        Raises SourceError where no service tells its own.
        """
        return [device for _, device in self._devices(self._ready_players())]

    @staticmethod
    def _devices(players: Sequence[Any]) -> list[tuple[Any, Device]]:
        """Return each device with its service; one that is down hides none of the others."""
        found, down = [], []
        for player in players:
            try:
                found += [(player, device) for device in player.devices()]
            except SourceError as error:
                down.append(error)
        if down and not found:
            raise down[0]
        return found

    def _ready_players(self) -> list[Any]:
        return [self.source(name) for name in self._specs() if self._is_ready(name, Player)]

    @once
    def spotify(self) -> Spotify:
        """The listener's Spotify. Raises SettingsError."""
        return source_registry.spotify(self._settings)

    def login(self, open_browser: Callable[[str], object], *, port: int) -> str:
        """Log in to Spotify through a browser; return where the tokens are kept.

        Raises SettingsError, LoginRequired or another SourceError.
        """
        return source_registry.session(self._settings).begin(open_browser, port=port)

    def logout(self) -> str:
        """Forget the login to Spotify; return how the uris of what came from there begin."""
        from emotion_dj.app import credentials

        credentials.forget(TOKENS)
        return "spotify:"

    def source_of(self, track: Track) -> Source | None:
        """Return the source that a track's uri begins with, made once; None for files and tables.

        Raises what the source raises when it is made.
        """
        name = track.uri.partition(":")[0]
        return self.source(name) if name in self._specs() else None

    def audio(self, track: Track) -> AbstractContextManager[Audio]:
        """Give a track's audio for reading. Raises AudioError where nobody has it."""
        if track.path is not None:
            return nullcontext(track.section or track.path)
        source = self.source_of(track)
        if not isinstance(source, AudioSource):
            msg = "its audio is not to be had"
            raise AudioError(msg)
        return source.open(track)

    def can_stream(self, track: Track) -> bool:
        """Tell whether the sound of a track is to be had: of its file, or of its source."""
        from emotion_dj.sources import streaming

        try:
            return track.path is not None or streaming.can_stream(self.source_of(track))
        except EmotionDJError:
            return False  # its source is not set up any more

    def artwork(self, track: Track) -> bytes | None:
        """Return the picture that a track's source has of it, encoded; None where it has none.

        Raises SettingsError or a SourceError.
        """
        source = self.source_of(track)
        return source.picture(track) if isinstance(source, ArtworkProvider) else None

    def report_feedback(self, track: Track, kind: str) -> None:
        """Tell a track's source of a like, an unlike, a skip or a play, where it wants to know.

        Raises SettingsError or a SourceError.
        """
        source = self.source_of(track)
        if isinstance(source, FeedbackSink):
            source.report_feedback(track, kind)

    def resolved(self, dj_set: DJSet) -> DJSet:
        """Return the set with an address for every pick that can be played right now.

        One request for each track whose source has to be asked; a track that cannot be played
        stays as it is, and a note says so.
        """
        down: set[str] = set()
        picks, silent = [], 0
        for pick in dj_set.picks:
            try:
                track = self._resolved(pick.track, down)
            except (SourceError, SettingsError) as error:
                track, silent = replace(pick.track, media=None), silent + 1
                if not isinstance(error, NotAvailable):
                    down.add(track.uri.partition(":")[0])
            picks.append(replace(pick, track=track))
        notes = (Reason("not_playable", {"count": silent}),) if silent else ()
        return replace(dj_set, picks=tuple(picks), notes=(*dj_set.notes, *notes))

    def _resolved(self, track: Track, down: Collection[str]) -> Track:
        """Return a track with an address that is good now; a source that is down is not asked.

        Raises what the source raises.
        """
        media = track.media
        if media and (media.expires is None or media.expires > time.time()):
            return track
        if track.uri.partition(":")[0] in down:
            raise NotAvailable(track.uri)
        source = self.source_of(track)
        if not isinstance(source, Resolver):
            return track
        return replace(track, media=source.resolve(track))

    def _specs(self) -> dict[str, source_registry.SourceSpec]:
        return source_registry.source_specs(self._settings)

    def source(self, name: str) -> Any:
        """Return the source of this name, made once. Raises KeyError, or what the source raises."""
        if name not in self._made:
            self._made[name] = self._specs()[name].make("")
        return self._made[name]

    def _able(self, name: str, ability: Any, refusal: str) -> Any:
        """Return the source of this name if it has the ability, a protocol."""
        if name in self._specs():
            source = self.source(name)
            if isinstance(source, ability):
                return source
        able = [other for other in self._specs() if self._may(other, ability)]
        msg = f"{refusal} '{name}': choose {', '.join(able) or 'a source that can, none is there'}"
        raise LabelError(msg)

    def _may(self, name: str, ability: Any) -> bool:
        """Tell whether a source has an ability, or would once it is set up."""
        try:
            return isinstance(self.source(name), ability)
        except (SettingsError, LoginRequired):
            return True
        except Exception:  # noqa: BLE001 - a plug-in of others that does not load cannot do it
            return False

    def _is_ready(self, name: str, ability: Any) -> bool:
        try:
            able = isinstance(self.source(name), ability)
        except Exception:  # noqa: BLE001 - not set up, or a plug-in of others that does not load
            return False
        return able and self._has_login(self.source(name))

    @staticmethod
    def _has_login(source: Any) -> bool:
        return not isinstance(source, Account) or source.logged_in()


def _device_id(devices: Sequence[Device], wanted: str) -> str:
    """Return the id of the device that is called so. Raises NotAvailable naming those there are."""
    for device in devices:
        if wanted.casefold() in {device.name.casefold(), device.id.casefold()}:
            return device.id
    names = ", ".join(device.name for device in devices) or "none is there"
    msg = f"no device of yours is called '{wanted}': {names}"
    raise NotAvailable(msg)
