"""Row-level security, the same for every table that belongs to workspaces."""

from __future__ import annotations

from alembic import op

APP_ROLE = "passerelle_app"
"""The role that the application works under. It owns nothing, so that row-level security binds it."""

WORKSPACE = "nullif(current_setting('passerelle.workspace', true), '')::uuid"
"""The workspace that the connection serves; NULL, which equals nothing, where none is named."""


def create_app_role() -> None:
    """Roles belong to the whole cluster: another database may have made it already, even at this moment."""
    op.execute(
        f"""
        DO $$
        BEGIN
            CREATE ROLE {APP_ROLE} NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END $$
        """
    )
    op.execute(f"DO $$ BEGIN EXECUTE format('GRANT {APP_ROLE} TO %I', current_user); END $$")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")


def isolate(*tables: str) -> None:
    """Let the application see only the rows of the workspace that its connection serves."""
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_workspace ON {table} "
            f"USING (workspace_id = {WORKSPACE}) WITH CHECK (workspace_id = {WORKSPACE})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")


def door(signature: str, returns: str, body: str, *, changes: bool = False) -> None:
    """A narrow way across workspaces: a function that runs with the owner's rights.

    Whoever has to find out which workspace a credential belongs to cannot name one beforehand.
    `changes`: whether it writes, as what clears away old rows does.
    """
    volatility = "VOLATILE" if changes else "STABLE"
    op.execute(
        f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql {volatility} SECURITY DEFINER "
        f"SET search_path = public, pg_temp AS $$ {body} $$"
    )
    name = signature.split("(", maxsplit=1)[0]
    op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP_ROLE}")
