"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MEASURES = (
    *("tempo", "key", "mode", "loudness", "brightness", "onset_rate", "dynamics"),
    *("energy", "danceability", "acousticness", "instrumentalness", "speechiness", "liveness"),
)


def upgrade() -> None:
    """Make tracks, analyses and feedback."""
    _tracks()
    _analyses()
    _feedback()


def _tracks() -> None:
    op.create_table(
        "tracks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uri", sa.String, nullable=False, unique=True),
        sa.Column("stamp", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String, nullable=False, index=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("artists", sa.JSON, nullable=False),
        sa.Column("album", sa.String, nullable=False),
        sa.Column("duration", sa.Float),
        sa.Column("artwork", sa.String),
        sa.Column("isrc", sa.String, index=True),
    )


def _analyses() -> None:
    op.create_table(
        "analyses",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "track", sa.Integer, sa.ForeignKey("tracks.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("analyser", sa.String, nullable=False),
        sa.Column("failure", sa.String),
        sa.Column("valence", sa.Float),
        sa.Column("arousal", sa.Float),
        sa.Column("spread", sa.Float),
        *(sa.Column(name, sa.Float) for name in MEASURES),
        sa.Column("brightness_of_mood", sa.Float),
        sa.Column("gems", sa.JSON),
        sa.Column("embedding", sa.LargeBinary),
        sa.UniqueConstraint("track", "fingerprint", "analyser"),
    )


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "track",
            sa.Integer,
            sa.ForeignKey("tracks.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False, server_default=sa.func.now()),
    )
