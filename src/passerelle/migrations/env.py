"""Alembic's entry: runs the migrations on the connection that `passerelle.migrations.schema` opened."""

from typing import Any

from alembic import context

from passerelle.migrations.applied import INSERT, VERSION_TABLE
from passerelle.migrations.release import Release

connection = context.config.attributes["connection"]
release: Release = context.config.attributes["release"]
BREAKS = {one.name: one.breaks for one in release.migrations}


def note(ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
    """Write down in the migration's own transaction that it was applied."""
    name = step.up_revision_id
    ctx.connection.exec_driver_sql(INSERT, ("migration", name, release.version, BREAKS[name]))


context.configure(
    connection=connection,
    transaction_per_migration=True,
    version_table=VERSION_TABLE,
    on_version_apply=note,
)
with context.begin_transaction():
    context.run_migrations()
