"""Tracks have genres and a year, by which listeners choose.

Columns are added in place and may be empty: a process of the version before goes on writing rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add two columns; the next scan fills them."""
    op.add_column("tracks", sa.Column("genres", sa.JSON))
    op.add_column("tracks", sa.Column("year", sa.Integer))
