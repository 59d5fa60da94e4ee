"""Feedback and corrections are one listener's.

Columns are added in place, with defaults: a process of the version before goes on writing rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Give both tables a listener; what is there is of the only one there was."""
    for table in ("feedback", "corrections"):
        op.add_column(table, sa.Column("listener", sa.String, nullable=False, server_default="me"))
        op.create_index(f"ix_{table}_listener", table, ["listener"])
