"""Who is let in is kept in the database of a server, for all replicas; in no catalogue's file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the key, invitations, devices and tries, where the database is a server's."""
    if op.get_bind().dialect.name == "postgresql":
        _devices()
        _key_and_tries()


def _devices() -> None:
    op.create_table(
        "access_devices",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("paired", sa.Float, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
        sa.Column("listener", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "access_invitations",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("made", sa.Float, nullable=False),
        sa.Column("listener", sa.String, nullable=False),
    )


def _key_and_tries() -> None:
    op.create_table(
        "access_secrets",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "access_tries",
        sa.Column("who", sa.String, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last", sa.Float, nullable=False),
    )
