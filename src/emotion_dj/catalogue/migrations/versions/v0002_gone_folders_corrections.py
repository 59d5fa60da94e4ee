"""Tracks may be gone; folders are remembered; readings are corrected; changes are counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add a column and three tables."""
    op.add_column(
        "tracks", sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("probabilities", sa.JSON, nullable=False),
        sa.Column("valence", sa.Float, nullable=False),
        sa.Column("arousal", sa.Float, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False, server_default=sa.func.now()),
    )
    op.create_table("folders", sa.Column("path", sa.String, primary_key=True))
    op.create_table(
        "state",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
