"""Alembic scripts: one per version of the tables, named by its number."""
