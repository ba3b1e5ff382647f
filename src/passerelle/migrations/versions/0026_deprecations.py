"""Who uses what is deprecated, and how far each workspace is with it."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import door, isolate

revision = "0026"
down_revision = before(revision)


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE deprecated_use (
            workspace_id uuid NOT NULL,
            day          date NOT NULL,
            key_id       uuid NOT NULL,
            endpoint     text NOT NULL,
            version      integer NOT NULL,
            key_name     text NOT NULL,
            uses         bigint NOT NULL,
            refused      bigint NOT NULL,
            last_used    timestamptz NOT NULL,
            user_agent   text,
            PRIMARY KEY (workspace_id, day, key_id, endpoint, version)
        )
        """
    )
    op.execute("CREATE INDEX deprecated_use_age ON deprecated_use (day)")
    op.execute(
        """
        CREATE TABLE version_one (
            workspace_id uuid PRIMARY KEY,
            mode         text CHECK (mode IN ('on', 'warn', 'brownout', 'off')),
            brownouts    text,
            updated_at   timestamptz NOT NULL,
            updated_by   text NOT NULL
        )
        """
    )
    isolate("deprecated_use", "version_one")
    # One statement for the uses of every workspace: a process writes down every few seconds what it has counted.
    door(
        "count_deprecated_uses(counted jsonb)",
        "void",
        """
        INSERT INTO deprecated_use AS d
            (workspace_id, day, key_id, endpoint, version, key_name, uses, refused, last_used, user_agent)
        SELECT * FROM jsonb_to_recordset(counted) AS c(workspace_id uuid, day date, key_id uuid, endpoint text,
            version integer, key_name text, uses bigint, refused bigint, last_used timestamptz, user_agent text)
        ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (workspace_id, day, key_id, endpoint, version) DO UPDATE SET
            key_name = excluded.key_name, uses = d.uses + excluded.uses, refused = d.refused + excluded.refused,
            last_used = greatest(d.last_used, excluded.last_used),
            user_agent = CASE WHEN excluded.last_used >= d.last_used THEN excluded.user_agent ELSE d.user_agent END
        """,
        changes=True,
    )
    door(
        "deprecated_counts()",
        "TABLE (endpoint text, version integer, uses numeric, refused numeric)",
        "SELECT endpoint, version, sum(uses), sum(refused) FROM deprecated_use GROUP BY endpoint, version",
    )
    door(
        "forget_deprecated_uses(older_than date)",
        "void",
        "DELETE FROM deprecated_use WHERE day < older_than",
        changes=True,
    )
