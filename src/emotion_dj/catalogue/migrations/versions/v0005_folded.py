"""Tracks are searched in a text without case and accents, which we write.

The column is added in place and may be empty: a process of the version before goes on writing rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from emotion_dj.catalogue.database import chunks
from emotion_dj.catalogue.folding import fold_track

revision = "0005"
down_revision = "0004"

_TRACKS = sa.table(
    "tracks",
    sa.column("id", sa.BigInteger),
    sa.column("title", sa.String),
    sa.column("artists", sa.JSON),
    sa.column("album", sa.String),
    sa.column("folded", sa.String),
)


def upgrade() -> None:
    """Add the column and fill it for the tracks that are there."""
    op.add_column("tracks", sa.Column("folded", sa.String))
    connection = op.get_bind()
    query = sa.select(_TRACKS.c.id, _TRACKS.c.title, _TRACKS.c.artists, _TRACKS.c.album)
    rows = [
        {"number": number, "text": fold_track(title, artists, album)}
        for number, title, artists, album in connection.execute(query)
    ]
    change = sa.update(_TRACKS).where(_TRACKS.c.id == sa.bindparam("number"))
    for chunk in chunks(rows):
        connection.execute(change.values(folded=sa.bindparam("text")), list(chunk))
