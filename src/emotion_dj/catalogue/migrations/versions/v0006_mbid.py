"""Tracks know MusicBrainz's id of their recording.

It is read from the files at the next scan; a process of the version before leaves it empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column, which catalogues of version 5 have that were made after it was thought of."""
    columns = sa.inspect(op.get_bind()).get_columns("tracks")
    if "mbid" not in {column["name"] for column in columns}:
        op.add_column("tracks", sa.Column("mbid", sa.String))
