"""The tables of a catalogue."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
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
    false,
    func,
)

VERSION: Final = 2
"""Raised with every change of the tables, which is a script in `migrations`; stored as SQLite's
``user_version``."""

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
    Column("gone", Boolean, nullable=False, server_default=false()),
)
"""``gone`` marks what a scan did not find any more: it is kept, with all that was heard and said
of it, and is not a candidate until it comes back."""

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

corrections = Table(
    "corrections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("probabilities", JSON, nullable=False),
    Column("valence", Float, nullable=False),
    Column("arousal", Float, nullable=False),
    Column("at", DateTime, nullable=False, server_default=func.now()),
)
"""What was read of the listener's face, by emotion, and where they said that they are."""

folders = Table("folders", metadata, Column("path", String, primary_key=True))
"""The folders and sources that `library scan` looks through."""

state = Table(
    "state",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Integer, nullable=False),
)
"""``music`` counts the changes of tracks and analyses, ``told`` those of feedback."""
