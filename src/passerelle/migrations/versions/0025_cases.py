"""The built-in table `cases`, which every workspace has from its first moment."""

from __future__ import annotations

import json
from typing import Any, Final

from alembic import op

from passerelle.migrations.order import before

revision = "0025"
down_revision = before(revision)

_FIELDS: Final[list[dict[str, Any]]] = [
    {"name": "firstName", "type": "text", "title": "First name", "pii": "identity"},
    {"name": "lastName", "type": "text", "title": "Last name", "pii": "identity"},
    {"name": "personalNumber", "type": "text", "title": "Personal number", "pii": "identity"},
    {"name": "email", "type": "text", "title": "E-mail", "pii": "contact"},
    {"name": "phone", "type": "json", "title": "Phone: countryCode and number", "pii": "contact"},
    {"name": "companyName", "type": "text", "title": "Company"},
    {"name": "companyNumber", "type": "text", "title": "Company number"},
    {"name": "companyAddress", "type": "text", "title": "Company address"},
    {"name": "partyId", "type": "text", "title": "Party, where the case came with one"},
]
"""As `passerelle.tables.models.Field.to_json` writes them; each workspace's fields get ids of their own."""


def upgrade() -> None:
    _refuse_tables_of_that_name()
    fields = json.dumps([{"key": str(number), **field} for number, field in enumerate(_FIELDS, 1)])
    op.execute(
        f"""
        CREATE FUNCTION make_cases_table(of_workspace uuid, moment timestamptz) RETURNS void LANGUAGE sql AS $$
            INSERT INTO record_table (workspace_id, id, name, title, fields, built_in, created_at, updated_at)
            SELECT of_workspace, gen_random_uuid(), 'cases', to_jsonb('Cases'::text),
                   jsonb_agg(f.field || jsonb_build_object('id', gen_random_uuid()) ORDER BY f.number),
                   true, moment, moment
            FROM jsonb_array_elements('{fields}'::jsonb) WITH ORDINALITY AS f(field, number)
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION furnish_workspace() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM make_cases_table(NEW.workspace_id, NEW.created_at);
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER furnish_workspace AFTER INSERT ON workspace FOR EACH ROW EXECUTE FUNCTION furnish_workspace()"
    )
    op.execute("SELECT make_cases_table(workspace_id, created_at) FROM workspace")


def _refuse_tables_of_that_name() -> None:
    """A workspace may have a table of its own named so: only its owner can say what becomes of it."""
    op.execute(
        """
        DO $$
        DECLARE owner uuid;
        BEGIN
            SELECT workspace_id INTO owner FROM record_table WHERE name = 'cases' LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'the workspace % has a table of its own named cases, which is a built-in one from now '
                    'on: rename it with PATCH /tables/cases, then migrate again', owner;
            END IF;
        END $$
        """
    )
