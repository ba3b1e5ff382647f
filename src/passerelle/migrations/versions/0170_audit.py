"""Who did what: a trail that is only added to, a chain for each workspace and each organization."""

from __future__ import annotations

from alembic import op

from passerelle.kit.connections import APP_ROLE
from passerelle.migrations.tenancy import WORKSPACE

revision = "0170_audit"
down_revision = "0160_grants"

ORGANIZATION = "nullif(current_setting('passerelle.organization', true), '')::uuid"


def upgrade() -> None:
    # `content` is what is hashed, byte for byte; the other columns repeat of it what is looked for.
    op.execute(
        """
        CREATE TABLE audit_entry (
            chain       uuid NOT NULL,
            id          uuid NOT NULL,
            transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
            at          timestamptz NOT NULL,
            action      text NOT NULL,
            outcome     text NOT NULL,
            actor_id    text,
            object_kind text,
            object_id   text,
            content     text NOT NULL,
            number      bigint,
            hash        text,
            PRIMARY KEY (chain, id),
            CHECK ((number IS NULL) = (hash IS NULL))
        )
        """
    )
    op.execute("COMMENT ON COLUMN audit_entry.chain IS 'the workspace, or the organization for what is in none'")
    op.execute("COMMENT ON COLUMN audit_entry.number IS 'its place in the chain, once it is sealed'")
    op.execute("CREATE UNIQUE INDEX audit_entry_number ON audit_entry (chain, number) WHERE number IS NOT NULL")
    op.execute("CREATE INDEX audit_entry_open ON audit_entry (chain, transaction, id) WHERE number IS NULL")
    op.execute("CREATE INDEX audit_entry_actor ON audit_entry (chain, actor_id, id)")
    op.execute("CREATE INDEX audit_entry_object ON audit_entry (chain, object_id, id)")
    op.execute("CREATE INDEX audit_entry_action ON audit_entry (chain, action, id)")
    op.execute(
        "CREATE TABLE audit_chain (chain uuid PRIMARY KEY, number bigint NOT NULL, hash text NOT NULL, "
        "sealed_at timestamptz NOT NULL)"
    )
    op.execute("COMMENT ON TABLE audit_chain IS 'the last sealed entry of each chain'")
    for table, rights in (("audit_entry", "SELECT, INSERT"), ("audit_chain", "SELECT")):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_workspace ON {table} USING (chain IN ({WORKSPACE}, {ORGANIZATION})) "
            f"WITH CHECK (chain IN ({WORKSPACE}, {ORGANIZATION}))"
        )
        op.execute(f"GRANT {rights} ON {table} TO {APP_ROLE}")
