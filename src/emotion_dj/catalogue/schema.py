"""The tables of a catalogue, in types that mean the same to every backend.

Where a column's name in the database is older than the term for it, ``key`` gives the term: names
in the database never change, so that an older version may have the same catalogue open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import (
    JSON,
    BigInteger,
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
from sqlalchemy.types import UserDefinedType

from emotion_dj.domain import ME

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement

MUSIC: Final = "music"
"""The state that is another number after every change of tracks or analyses."""

FEEDBACK: Final = "told"
"""The state that is another number after every change of feedback; see `feedback_state`."""

MEASURES: Final = (
    *("tempo", "key", "mode", "loudness", "brightness", "onset_rate", "dynamics"),
    *("energy", "danceability", "acousticness", "instrumentalness", "speechiness", "liveness"),
)

_WHOLE: Final = BigInteger().with_variant(Integer, "sqlite")
"""64 bits everywhere; SQLite numbers new rows by themselves under the name INTEGER alone."""

_BY_CODE_POINT: Final = String().with_variant(String(collation="C"), "postgresql")
"""Text whose order is that of its code points, whatever the language of the server."""


class _HalfVector(UserDefinedType[bytes]):
    """The bytes of a float16 vector, kept as pgvector's type; one of no dimensions is NULL."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the name of the type."""
        return "halfvec"

    def bind_processor(self, dialect: object) -> Callable[[bytes | None], str | None]:
        """Return what writes a vector as text."""
        del dialect
        return lambda data: str(np.frombuffer(data, "<f2").tolist()) if data else None

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Read the form of the wire, which needs no parsing."""
        return func.halfvec_send(column, type_=self)

    def result_processor(self, dialect: object, coltype: object) -> Callable[[bytes | None], bytes]:
        """Return what reads that form: two numbers of 16 bits and the vector, big-endian."""
        del dialect, coltype
        return lambda data: np.frombuffer(data or b"", ">f2")[2:].astype("<f2").tobytes()


_EMBEDDING: Final = LargeBinary().with_variant(_HalfVector(), "postgresql")

metadata = MetaData()

tracks = Table(
    "tracks",
    metadata,
    Column("id", _WHOLE, primary_key=True),
    Column("uri", _BY_CODE_POINT, nullable=False, unique=True),
    Column("stamp", String, key="modification_tag", nullable=False),
    Column("fingerprint", String, nullable=False, index=True),
    Column("title", _BY_CODE_POINT, nullable=False),
    Column("artists", JSON, nullable=False),
    Column("album", String, nullable=False),
    Column("duration", Float),
    Column("artwork", String),
    Column("isrc", String, index=True),
    Column("genres", JSON),
    Column("year", Integer),
    Column("mbid", String),
    Column("folded", String),
    Column("gone", Boolean, key="missing", nullable=False, server_default=false()),
)
"""``missing`` marks what the last scan did not see: its analyses and feedback are kept, and it is
not a candidate until it comes back. ``folded`` is what `folding.fold_track` says of it; a version
before leaves it empty."""

analyses = Table(
    "analyses",
    metadata,
    Column("id", _WHOLE, primary_key=True),
    Column("track", ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("analyser", String, nullable=False),
    Column("failure", String),
    Column("valence", Float),
    Column("arousal", Float),
    Column("spread", Float, key="uncertainty"),
    *(Column(name, Float) for name in MEASURES),
    Column("brightness_of_mood", Float, key="features_valence"),
    Column("gems", JSON),
    Column("embedding", _EMBEDDING),
    UniqueConstraint("track", "fingerprint", "analyser"),
)
"""One row for each (track, content, analyser); ``failure`` says why there is no analysis.

``features_valence`` is AudioFeatures.valence; ``valence`` is that of the Affect.
"""

feedback = Table(
    "feedback",
    metadata,
    Column("id", _WHOLE, primary_key=True),
    Column("track", ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("at", DateTime, nullable=False, server_default=func.now()),
    Column("listener", String, nullable=False, server_default=ME.id, index=True),
)
"""What each listener did with tracks: like, skip or play."""

corrections = Table(
    "corrections",
    metadata,
    Column("id", _WHOLE, primary_key=True),
    Column("probabilities", JSON, nullable=False),
    Column("valence", Float, nullable=False),
    Column("arousal", Float, nullable=False),
    Column("at", DateTime, nullable=False, server_default=func.now()),
    Column("listener", String, nullable=False, server_default=ME.id, index=True),
)
"""What was read of a listener's face, by emotion, and where they said that they are."""

folders = Table("folders", metadata, Column("path", _BY_CODE_POINT, primary_key=True))
"""The folders and sources that `library scan` looks through."""

state = Table(
    "state",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", _WHOLE, nullable=False),
)
"""``id`` is the database's own; MUSIC and those of feedback say whether something has changed."""

access = MetaData()
"""Who is let in, in the database of a server alone: a catalogue that is a file may be given away,
and they lie in a file of their own.
"""

access_secrets = Table(
    "access_secrets",
    access,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""The key that signs cookies."""

access_invitations = Table(
    "access_invitations",
    access,
    Column("digest", LargeBinary, primary_key=True),
    Column("role", String, nullable=False),
    Column("made", Float, nullable=False),
    Column("listener", String, nullable=False),
)
"""Digests of codes that were not used; times are POSIX seconds, as in the next tables."""

access_devices = Table(
    "access_devices",
    access,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("paired", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("listener", String, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
"""Devices, each with the digest of its token."""

access_tries = Table(
    "access_tries",
    access,
    Column("who", String, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last", Float, nullable=False),
)
"""How many codes came from an address, which is not kept itself, and when the last one."""


def feedback_state(listener: str) -> str:
    """Return the name of the state of a listener's feedback; that of the first one is older."""
    return FEEDBACK if listener == ME.id else f"{FEEDBACK}:{listener}"
