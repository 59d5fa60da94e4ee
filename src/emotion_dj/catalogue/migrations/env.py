"""Run by Alembic: the connection is handed over by `catalogue.migrate`."""

from __future__ import annotations

from alembic import context

from emotion_dj.catalogue import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
)
with context.begin_transaction():
    context.run_migrations()
