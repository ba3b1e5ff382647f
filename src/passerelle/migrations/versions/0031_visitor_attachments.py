"""Files that were sent before the execution had a record become attachments of the record that it makes."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before

revision = "0031"
down_revision = before(revision)


def upgrade() -> None:
    # In the transaction that binds the record, so that no crash can part the two.
    op.execute(
        """
        CREATE FUNCTION attach_visitor_files() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO attachment (workspace_id, id, record_id, resource_id, tags, created_at, created_by)
            SELECT v.workspace_id, v.resource_id, NEW.record_id, v.resource_id, '{}', NEW.updated_at, 'end user'
            FROM visitor_file v
            WHERE v.workspace_id = NEW.workspace_id AND v.execution_id = NEW.id
              AND EXISTS (SELECT FROM step_run r
                          WHERE r.workspace_id = v.workspace_id AND r.execution_id = v.execution_id
                          AND r.step = v.step AND r.status = 'COMPLETED')
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER attach_visitor_files AFTER UPDATE OF record_id ON execution FOR EACH ROW
        WHEN (OLD.record_id IS NULL AND NEW.record_id IS NOT NULL AND NEW.execution_type = 'INTERACTIVE')
        EXECUTE FUNCTION attach_visitor_files()
        """
    )
