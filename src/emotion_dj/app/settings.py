"""Settings: defaults < file < environment < flags, read once and frozen.

The file is ``config.toml`` in the user's configuration folder (``emotion-dj doctor`` prints where);
each field is also a variable ``EMOTION_DJ_<FIELD>``. Secrets are not settings: see `credentials`.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from platformdirs import user_config_path, user_data_path

from emotion_dj import artifacts
from emotion_dj.eligibility import parse_codes
from emotion_dj.errors import LabelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emotion_dj.json_types import JsonObject

PREFIX: Final = "EMOTION_DJ_"
RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "n": (1, 1000),
    "workers": (0, 256),
    "port": (0, 65535),
    "quota": (0, 1_000_000),
}
"""The least and the greatest value of a setting that is a number."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "tls": ("", "own"),
    "log": ("", "off", "lines", "json"),
    "read_on": ("device", "server"),
}
"""What a setting may be that is one of few words."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may choose for good; every field has a default that works without a network.

    ``database`` is the path of an SQLite file or the address of a database of PostgreSQL; empty
    means a file in the user's data folder. ``detector`` is yunet or haar. ``reader`` and
    ``audio_model`` name the models that read faces and hear music: our own by id, or the path of a
    model's card, whose weights lie beside it. ``plan`` is what a set aims at where none is named.
    ``n`` is how many songs a set has, 1 to 1000.
    ``workers`` is how many processes analyse music, up to 256, 0 for one per core. ``hearing`` is
    excerpts, three of each track, or whole. ``engine`` is who hears, processes or ray; an empty
    ``ray_address`` is a cluster on this machine alone. ``subsonic_url`` and ``subsonic_user`` name
    the listener's server, ``jellyfin_url`` and ``jellyfin_user`` their Jellyfin.
    ``mpd_address`` is the listener's MPD: host, host:port, or the path of its socket; ``mpd_music``
    is the folder of its music on this machine, which MPD is asked for on a socket otherwise.
    ``spotify_client_id`` is the listener's own application at developer.spotify.com. What ends in
    ``_api``, ``_accounts`` or ``_embed`` is the address of a service, for proxies and tests; an
    empty ``reccobeats_api`` or ``deezer_api`` is not asked about songs of Spotify. ``include``
    names what is in sets although it is no song, with commas: short, speech, noise, long.

    ``host``, ``port``, ``name``, ``proxy`` (names and addresses with commas), ``tls`` (own or
    empty), ``log`` (off, lines, json) and ``read_on`` (device, server) are those of ``serve``.
    ``quota`` is how many sets, playlists and photos each listener who is not the owner may ask it
    for in a minute, 0 for any number. ``traces`` is the address of a collector that it sends traces
    to, empty for none.
    """

    database: str = ""
    detector: str = "yunet"
    reader: str = artifacts.FACE_READER
    audio_model: str = artifacts.AUDIO_MODEL
    plan: str = "match"
    n: int = 10
    workers: int = 0
    hearing: str = "excerpts"
    include: str = ""
    engine: str = "processes"
    ray_address: str = ""
    subsonic_url: str = ""
    subsonic_user: str = ""
    jellyfin_url: str = ""
    jellyfin_user: str = ""
    mpd_address: str = ""
    mpd_music: str = ""
    spotify_api: str = "https://api.spotify.com/v1"
    spotify_accounts: str = "https://accounts.spotify.com"
    spotify_client_id: str = ""
    spotify_embed: str = "https://open.spotify.com/embed"
    deezer_api: str = "https://api.deezer.com"
    reccobeats_api: str = "https://api.reccobeats.com"
    audius_api: str = "https://api.audius.co"
    host: str = "127.0.0.1"
    port: int = 8765
    name: str = ""
    proxy: str = ""
    tls: str = ""
    log: str = ""
    read_on: str = "device"
    quota: int = 0
    traces: str = ""


def load(
    *, file: Path | None = None, environment: Mapping[str, str] | None = None, **flags: Any
) -> Settings:
    """Read the settings of this process; a flag that is None was not given.

    Raises SettingsError naming the place of a value that is not valid.
    """
    path = file or config_file()
    given = {name: value for name, value in flags.items() if value is not None}
    settings = _overlay(Settings(), _from_file(path), place=str(path))
    settings = _overlay(
        settings,
        _from_environment(os.environ if environment is None else environment),
        place="the environment",
    )
    return _overlay(settings, given, place="the command line")


def config_file() -> Path:
    """Return where the settings file of this user is looked for."""
    return user_config_path("emotion-dj") / "config.toml"


def default_database() -> Path:
    """Return where the catalogue of this user lies unless a setting says otherwise."""
    return user_data_path("emotion-dj") / "catalogue.sqlite"


def _from_file(path: Path) -> JsonObject:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        msg = f"the settings file {path} cannot be read ({error}): correct or remove it"
        raise SettingsError(msg) from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = {field.name: PREFIX + field.name.upper() for field in fields(Settings)}
    return {name: environment[key] for name, key in names.items() if key in environment}


def _overlay(settings: Settings, values: Mapping[str, Any], *, place: str) -> Settings:
    known = {field.name for field in fields(Settings)}
    for name in values:
        if name not in known:
            msg = f"unknown setting '{name}' in {place}: the known ones are {', '.join(known)}"
            raise SettingsError(msg)
    typed = {name: _typed(name, value, place=place) for name, value in values.items()}
    return replace(settings, **typed)


def _typed(name: str, value: Any, *, place: str) -> Any:
    wanted = type(getattr(Settings(), name))
    try:
        typed: Any = _whole(value) if wanted is int else os.fsdecode(value)
    except (TypeError, ValueError) as error:
        kind = "a whole number" if wanted is int else "text"
        msg = f"the setting '{name}' in {place} is '{value}', which is not {kind}"
        raise SettingsError(msg) from error
    if name in CHOICES and typed not in CHOICES[name]:
        known = ", ".join(choice or "nothing" for choice in CHOICES[name])
        msg = f"the setting '{name}' in {place} is '{typed}': it is one of {known}"
        raise SettingsError(msg)
    if name == "include":
        _demand_codes(typed, place=place)
    low, high = RANGES.get(name, (None, None))
    if low is not None and high is not None and not low <= typed <= high:
        msg = f"the setting '{name}' in {place} is {typed}: it goes from {low} to {high}"
        raise SettingsError(msg)
    return typed


def _demand_codes(text: str, *, place: str) -> None:
    try:
        parse_codes(text)
    except LabelError as error:
        msg = f"the setting 'include' in {place}: {error}"
        raise SettingsError(msg) from error


def _whole(value: Any) -> int:
    """Return a number that is whole as it was written: true is none, and 2.7 is not 2."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        return int(value)
    raise TypeError(value)
