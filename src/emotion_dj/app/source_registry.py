"""The sources that may be named, and how each is made of the settings. None is loaded early."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.errors import LibraryError, LoginRequired, SettingsError
from emotion_dj.interfaces import FeatureProvider, Source
from emotion_dj.sources.playlist_files import Playlists, is_playlist

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.metadata import EntryPoint

    from emotion_dj.app.settings import Settings
    from emotion_dj.placement import FallbackPlacer
    from emotion_dj.sources.deezer import Deezer
    from emotion_dj.sources.jellyfin import Jellyfin
    from emotion_dj.sources.mpd import Mpd
    from emotion_dj.sources.reccobeats import ReccoBeats
    from emotion_dj.sources.spotify import Spotify
    from emotion_dj.sources.spotify_login import Session
    from emotion_dj.sources.subsonic import Subsonic
    from emotion_dj.stores import Store

TOKENS: Final = "spotify_tokens"
API_KEY: Final = "subsonic_api_key"
TABLES: Final = "tables"
"""Where tracks are from whose uris begin as those of no source do."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source that may be named: what it needs, whose it is, and how it is made.

    ``make`` takes what stands behind the colon of its name, as in deezer:playlist/908622995.
    """

    name: str
    needs: str
    origin: str
    make: Callable[[str], Source]


def source_specs(settings: Settings) -> dict[str, SourceSpec]:
    """Return every source that may be named: ours, then those of plug-ins. None is loaded."""
    from emotion_dj.sources import plugins

    ours: tuple[tuple[str, str, Callable[[str], Source]], ...] = (
        ("demo", "the extra demo", _undivided("demo", _demo)),
        (
            "subsonic",
            "a server of yours and its password or API key",
            _undivided("subsonic", lambda: subsonic(settings)),
        ),
        (
            "jellyfin",
            "a server of yours and its password",
            _undivided("jellyfin", lambda: jellyfin(settings)),
        ),
        ("deezer", "nothing; deezer:playlist/ID names a list", partial(deezer, settings)),
        (
            "spotify",
            "your account and EMOTION_DJ_SPOTIFY_CLIENT_ID",
            _undivided("spotify", lambda: spotify(settings)),
        ),
        ("audius", "nothing", _undivided("audius", lambda: _audius(settings))),
        ("mpd", "an MPD of yours and the extra mpd", _undivided("mpd", lambda: mpd(settings))),
    )
    named = {name: SourceSpec(name, needs, "built in", make) for name, needs, make in ours}
    theirs = {
        name: SourceSpec(
            name, "see its own words", plugins.display_name(entry), partial(_plugin, entry)
        )
        for name, entry in plugins.entry_points_by_name().items()
        if name not in named
    }
    return named | theirs


def _undivided(name: str, make: Callable[[], Source]) -> Callable[[str], Source]:
    """Return how a source is made that has no parts to name. Raises SettingsError for one."""

    def made(which: str) -> Source:
        if which:
            msg = f"'{name}:{which}' names nothing: {name} has no parts, say {name} alone"
            raise SettingsError(msg)
        return make()

    return made


def uri_prefixes(settings: Settings) -> dict[str, str]:
    """Return how the uris of each source begin, by its name; the demo library's are files too."""
    from emotion_dj.sources import demo

    own = {"files": "file://", "demo": demo.uri_prefix()}
    return own | {name: f"{name}:" for name in source_specs(settings) if name not in own}


def uri_prefixes_of(names: Iterable[str | Path], settings: Settings) -> list[str]:
    """Return how the uris of what is named begin, as far as that shows before it is listed: a part
    of a source, such as one list of it, begins as all of the source does, and is left out, as is a
    file that lists songs from anywhere.
    """
    begin = uri_prefixes(settings)
    specs, prefixes = source_specs(settings), []
    for name in names:
        word, part, _ = str(name).partition(":")
        if word not in specs and not is_playlist(Path(name)):
            root = Path(name).expanduser().resolve()
            prefixes.append(root.as_uri() if root.is_file() else root.as_uri().rstrip("/") + "/")
        elif word in specs and not part:
            prefixes.append(begin[word])
    return prefixes


def sources(names: Iterable[str | Path], settings: Settings) -> list[Source]:
    """Return one library for all folders, and one for each source or playlist that is named."""
    from emotion_dj.sources.local import Local

    specs = source_specs(settings)
    parts = [(name, *name.partition(":")[::2]) for name in map(str, names)]
    libraries = [specs[word].make(which) for _, word, which in parts if word in specs]
    paths = [Path(name).expanduser() for name, word, _ in parts if word not in specs]
    roots = tuple(path for path in paths if not is_playlist(path))
    playlists = [Playlists((), str(path), (path,)) for path in paths if is_playlist(path)]
    return [*map(_demand_tracks, libraries), *([Local(roots)] if roots else []), *playlists]


def folders(names: Iterable[str | Path], settings: Settings) -> list[Path]:
    """Return those of the names that are of folders and files, not of sources."""
    specs = source_specs(settings)
    paths = [name for name in map(str, names) if name.partition(":")[0] not in specs]
    return [Path(path).expanduser().resolve() for path in paths]


def _demand_tracks(made: Any) -> Source:
    """Return what was made if it has tracks. Raises SettingsError."""
    if isinstance(made, Source):
        return made
    msg = f"'{getattr(made, 'name', type(made).__name__)}' takes or plays sets and has no tracks"
    raise SettingsError(msg)


def library_names(library: str | Path | Iterable[str | Path] | None) -> tuple[str | Path, ...]:
    """Return the names of a library, which may be one alone. Raises SettingsError for no name."""
    one = (library,) if isinstance(library, str | Path) else library or ()
    prefixes = tuple(one) if isinstance(one, Iterable) else (one,)
    for name in prefixes:
        if not isinstance(name, str | Path) or not str(name).strip():
            msg = f"a library is named by a folder, a file or a source, not by {name!r}"
            raise SettingsError(msg)
    return prefixes


def check(names: Iterable[str | Path], settings: Settings) -> None:
    """See that what is named can be made and its folders are there. Raises as `sources` does, and
    LibraryError.
    """
    from emotion_dj.sources.local import Local

    for source in sources(names, settings):
        if isinstance(source, Local):
            source.check()


def remembered_as(name: str) -> str:
    """Return a folder as it is remembered, or the name of a source."""
    file = Path(name).expanduser()
    return str(file.resolve()) if (name and file.exists()) or file.is_absolute() else name


def added_as(name: str, folders: list[str]) -> str | None:
    """Return what was added by a name, which may be relative and not be there any more."""
    forms = (remembered_as(name), str(Path(name).expanduser().resolve()))
    return next((place for place in forms if place in folders), None)


def group_roots(places: Sequence[str]) -> list[list[str]]:
    """Return places that are remembered: all folders that are there together, the rest one by one,
    so that a playlist of which nothing is there stops no folder.

    Raises LibraryError where there is none.
    """
    if not places:
        msg = "nothing was added yet: say  emotion-dj library add ~/Music"
        raise LibraryError(msg)
    there = [
        place
        for place in places
        if Path(place).is_absolute() and Path(place).exists() and not is_playlist(Path(place))
    ]
    alone = [[place] for place in places if place not in there]
    return [there, *alone] if there else alone


def library(name: str, settings: Settings) -> Source:
    """Return the source that a name stands for, or the folder. Raises what the source raises."""
    (prefixes,) = sources([name], settings)
    return prefixes


def _plugin(entry: EntryPoint, _which: str) -> Source:
    from emotion_dj.sources import plugins

    library: Source = plugins.make(entry)
    return library


def deezer(settings: Settings, which: str = "") -> Deezer:
    """Return Deezer's chart, or the list that ``which`` names. Raises SettingsError."""
    from emotion_dj.sources.deezer import Deezer

    return Deezer(settings.deezer_api, which=which)


def reccobeats(settings: Settings) -> ReccoBeats:
    """Return what knows the features of tracks by their Spotify ids."""
    from emotion_dj.sources.reccobeats import ReccoBeats

    return ReccoBeats(settings.reccobeats_api)


def _audius(settings: Settings) -> Source:
    from emotion_dj.sources.audius import Audius

    return Audius(settings.audius_api)


def subsonic(settings: Settings) -> Subsonic:
    """Return the listener's server. Raises SettingsError or LoginRequired."""
    from emotion_dj.app import credentials
    from emotion_dj.sources.subsonic import Subsonic

    _demand_scheme(settings.subsonic_url)
    if settings.subsonic_url and credentials.has(API_KEY):
        return Subsonic(settings.subsonic_url, "", "", key=credentials.get(API_KEY))
    if not (settings.subsonic_url and settings.subsonic_user):
        msg = "name your Subsonic server in EMOTION_DJ_SUBSONIC_URL and EMOTION_DJ_SUBSONIC_USER"
        raise SettingsError(msg)
    return Subsonic(
        settings.subsonic_url, settings.subsonic_user, credentials.get("subsonic_password")
    )


def jellyfin(settings: Settings) -> Jellyfin:
    """Return the listener's server. Raises SettingsError or LoginRequired."""
    from emotion_dj.app import credentials
    from emotion_dj.sources.jellyfin import Jellyfin

    _demand_scheme(settings.jellyfin_url)
    if not (settings.jellyfin_url and settings.jellyfin_user):
        msg = "name your Jellyfin server in EMOTION_DJ_JELLYFIN_URL and EMOTION_DJ_JELLYFIN_USER"
        raise SettingsError(msg)
    return Jellyfin(
        settings.jellyfin_url, settings.jellyfin_user, credentials.get("jellyfin_password")
    )


def mpd(settings: Settings) -> Mpd:
    """Return the listener's MPD. Raises SettingsError or MissingExtra."""
    from emotion_dj.app import credentials
    from emotion_dj.sources.mpd import Mpd

    if not settings.mpd_address:
        msg = "name your MPD in EMOTION_DJ_MPD_ADDRESS: host, host:port, or the path of its socket"
        raise SettingsError(msg)
    password = credentials.get("mpd_password") if credentials.has("mpd_password") else ""
    return Mpd(address=settings.mpd_address, password=password, music=settings.mpd_music)


def _demand_scheme(address: str) -> None:
    if address and "://" not in address:
        msg = f"'{address}' is not an address of a server: write http:// or https://"
        raise SettingsError(msg)


def spotify(settings: Settings) -> Spotify:
    """Return the listener's Spotify. Raises SettingsError."""
    from emotion_dj.app import credentials
    from emotion_dj.sources.spotify import Spotify

    has_login = partial(credentials.has, TOKENS)
    return Spotify(settings.spotify_api, session(settings), has_login=has_login)


def session(settings: Settings) -> Session:
    """Return the login to Spotify that is kept. Raises SettingsError."""
    from emotion_dj.app import credentials
    from emotion_dj.sources.spotify_login import Session

    if not settings.spotify_client_id:
        msg = (
            "name your Spotify application in EMOTION_DJ_SPOTIFY_CLIENT_ID: "
            "developer.spotify.com/dashboard makes one"
        )
        raise SettingsError(msg)

    def load() -> str:
        try:
            return credentials.get(TOKENS)
        except LoginRequired:
            return ""  # the session knows better what to say

    return Session(
        settings.spotify_accounts,
        settings.spotify_client_id,
        load,
        lambda text: credentials.put(TOKENS, text),
    )


def _demo() -> Source:
    from emotion_dj.sources.demo import demo

    return demo()


def placer(catalogue: Store, source: object, settings: Settings) -> FallbackPlacer:
    """Return what places the songs of a source that cannot be heard."""
    from emotion_dj.app.model_registry import analyser_ids, audio_model
    from emotion_dj.music.mood_from_features import MoodFromFeatures
    from emotion_dj.placement import FallbackPlacer, IsrcAnalyser

    providers = [source] if isinstance(source, FeatureProvider) else []
    if settings.reccobeats_api:
        providers.append(reccobeats(settings))
    by_isrc = None
    if settings.deezer_api:
        make = partial(audio_model, name=settings.audio_model)
        by_isrc = IsrcAnalyser(catalogue, deezer(settings), make)
    known = analyser_ids(settings.audio_model)
    return FallbackPlacer(catalogue, known, MoodFromFeatures(), providers, by_isrc)
