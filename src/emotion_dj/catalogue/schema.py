"""The tables of a catalogue."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
)

VERSION: Final = 1
"""Raised with every change of the tables; stored in the database itself."""

MEASURES: Final = (
    *("tempo", "key", "mode", "loudness", "brightness", "onset_rate", "dynamics"),
    *("energy", "danceability", "acousticness", "instrumentalness", "speechiness", "liveness"),
)

metadata = MetaData()

tracks = Table(
    "tracks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uri", String, nullable=False, unique=True),
    Column("stamp", String, nullable=False),
    Column("fingerprint", String, nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("artists", JSON, nullable=False),
    Column("album", String, nullable=False),
    Column("duration", Float),
    Column("artwork", String),
    Column("isrc", String, index=True),
)

analyses = Table(
    "analyses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("track", ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("analyser", String, nullable=False),
    Column("failure", String),
    Column("valence", Float),
    Column("arousal", Float),
    Column("spread", Float),
    *(Column(name, Float) for name in MEASURES),
    Column("brightness_of_mood", Float),
    Column("gems", JSON),
    Column("embedding", LargeBinary),
    UniqueConstraint("track", "fingerprint", "analyser"),
)
"""One row for each (track, content, analyser); ``failure`` says why there is no analysis.

``brightness_of_mood`` is AudioFeatures.valence; the column ``valence`` is that of the Affect.
"""

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("track", ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("at", DateTime, nullable=False, server_default=func.now()),
)
"""What the listener did with a track: like, skip or play. It stays in this file."""
