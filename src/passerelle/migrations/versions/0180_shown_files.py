"""What is kept beside a file so that it can be shown, and what a file of an end user was sent as."""

from __future__ import annotations

from alembic import op

revision = "0180_shown_files"
down_revision = "0171_provisioning"


def upgrade() -> None:
    op.execute("ALTER TABLE resource ADD COLUMN renditions jsonb NOT NULL DEFAULT '{}'")
    op.execute("COMMENT ON COLUMN resource.renditions IS 'bytes of each picture that is kept beside the file'")
    op.execute("ALTER TABLE visitor_file ADD COLUMN document text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE visitor_file ADD COLUMN sent_name text")
    op.execute("COMMENT ON COLUMN visitor_file.document IS 'which document of the step it is'")
    op.execute("COMMENT ON COLUMN visitor_file.sent_name IS 'its name at the end user, where it was mended'")
