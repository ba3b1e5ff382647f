"""Lists of names, in versions."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import APP_ROLE, isolate

revision = "0005"
down_revision = before(revision)


def upgrade() -> None:
    # `content` is the file as it was loaded, compressed by gzip: a second compression would be in vain.
    op.execute(
        """
        CREATE TABLE name_list_version (
            workspace_id uuid NOT NULL REFERENCES workspace,
            name         text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
            version      integer NOT NULL,
            sha256       text NOT NULL,
            entries      integer NOT NULL,
            content      bytea NOT NULL,
            loaded_at    timestamptz NOT NULL,
            loaded_by    text NOT NULL,
            PRIMARY KEY (workspace_id, name, version)
        )
        """
    )
    op.execute("ALTER TABLE name_list_version ALTER COLUMN content SET STORAGE EXTERNAL")
    isolate("name_list_version")
    # A version never changes: old results name it.
    op.execute(f"REVOKE UPDATE, DELETE ON name_list_version FROM {APP_ROLE}")
