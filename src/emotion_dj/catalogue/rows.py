"""Between rows of the tables and the nouns of the domain."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emotion_dj.catalogue.schema import MEASURES
from emotion_dj.domain import Affect, Analysis, AudioFeatures, Media, Track

if TYPE_CHECKING:
    from sqlalchemy import Row

    from emotion_dj.json_types import JsonObject


def values_of(result: Analysis | str) -> JsonObject:
    """Return the columns of an analysis, or of the reason why there is none."""
    return {"failure": result} if isinstance(result, str) else _analysis_values(result)


def _analysis_values(analysis: Analysis) -> JsonObject:
    features = asdict(analysis.features)
    return {
        "failure": None,
        "valence": analysis.affect.valence,
        "arousal": analysis.affect.arousal,
        "uncertainty": analysis.affect.uncertainty,
        **{name: features[name] for name in MEASURES},
        "features_valence": features["valence"],
        "gems": dict(analysis.gems),
        "embedding": np.asarray(analysis.embedding, np.float16).tobytes(),
    }


def analysis_of(row: Row[Any]) -> Analysis:
    """Return the analysis in a row."""
    measured = {name: getattr(row, name) for name in MEASURES}
    for name in ("key", "mode"):
        measured[name] = None if measured[name] is None else int(measured[name])
    features = AudioFeatures(row.analyser, **measured, valence=row.features_valence)
    return Analysis(
        features,
        Affect(row.valence, row.arousal, row.uncertainty),
        row.gems,
        tuple(map(float, np.frombuffer(row.embedding, np.float16))),
    )


def track_of(row: Row[Any]) -> Track:
    """Return the track in a row, playable where it is a file."""
    track = Track(
        uri=row.uri,
        title=row.title,
        artists=tuple(row.artists),
        album=row.album,
        duration=row.duration,
        artwork=row.artwork,
        isrc=row.isrc,
        genres=tuple(row.genres or ()),
        year=row.year,
        mbid=row.mbid,
    )
    return replace(track, media=Media("file", str(track.path))) if track.path else track
