"""ReccoBeats: features of tracks by their Spotify ids, without a key."""

from __future__ import annotations

import math
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from emotion_dj.domain import AudioFeatures
from emotion_dj.errors import SourceError
from emotion_dj.sources.http import Client

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from emotion_dj.domain import Track
    from emotion_dj.json_types import JsonObject

NAME: Final = "ReccoBeats"
API: Final = "https://api.reccobeats.com"
BATCH: Final = 40
SHARES: Final = frozenset(
    "energy danceability acousticness instrumentalness speechiness liveness valence".split()
)
_SPOTIFY: Final = re.compile(r"(?:spotify:track:|open\.spotify\.com/track/)([A-Za-z0-9]{22})\b")


class ReccoBeats:
    """Fits `FeatureProvider` of `interfaces`."""

    def __init__(self, address: str = API) -> None:
        """Keep where to ask; nothing is asked yet."""
        self._client = Client(NAME, f"{address.rstrip('/')}/v1")

    def features(self, tracks: Iterable[Track]) -> Mapping[str, AudioFeatures]:
        """Return the features by track uri, one request for 40 tracks; unknown ones are left out.

        Tracks whose uri names no Spotify id are left out without asking. Raises a SourceError.
        """
        ids = {track.uri: found[1] for track in tracks if (found := _SPOTIFY.search(track.uri))}
        known: dict[str, AudioFeatures] = {}
        wanted = list(dict.fromkeys(ids.values()))
        for start in range(0, len(wanted), BATCH):
            known |= self._batch(wanted[start : start + BATCH])
        return {uri: known[name] for uri, name in ids.items() if name in known}

    def _batch(self, ids: list[str]) -> dict[str, AudioFeatures]:
        answer = self._client.get("audio-features", {"ids": ",".join(ids)})
        rows = answer.get("content") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            msg = f"{NAME} answered something that is none of its answers: try later"
            raise SourceError(msg)
        named = [
            (_SPOTIFY.search(str(row.get("href"))), row) for row in rows if isinstance(row, dict)
        ]
        return {name[1]: _features(row) for name, row in named if name}


def _features(row: Mapping[str, Any]) -> AudioFeatures:
    """Return what a row says; a value that is not valid counts as unknown."""
    values: JsonObject = {}
    for field in fields(AudioFeatures):
        value = _number(row.get(field.name))
        if field.name in SHARES and value is not None and not 0 <= value <= 1:
            value = None
        values[field.name] = value
    key, mode = values["key"], values["mode"]
    values["key"] = int(key) if key is not None and 0 <= key <= 11 else None  # noqa: PLR2004
    values["mode"] = int(mode) if mode in {0, 1} else None
    return AudioFeatures(**{**values, "analyser": "reccobeats"})


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
