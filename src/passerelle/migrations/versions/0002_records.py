"""Tables, records with their keys, history, comments and attachments; files."""

from __future__ import annotations

from alembic import op

from passerelle.migrations.order import before
from passerelle.migrations.tenancy import WORKSPACE, door, isolate

revision = "0002"
down_revision = before(revision)


def upgrade() -> None:
    _tables()
    _records()
    _keys()
    _around_records()
    _resources()
    isolate(
        "record_table", "record", "record_key", "record_unique", "record_change", "record_comment", "attachment",
        "resource",
    )  # fmt: skip
    _doors()


def _tables() -> None:
    # `version` is the fence of every write to a record: it names the version that its values were checked against.
    # `changed_in` is the last change's transaction: an index is filled once every older one has ended.
    op.execute(
        """
        CREATE TABLE record_table (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            name         text NOT NULL,
            title        jsonb,
            fields       jsonb NOT NULL,
            built_in     boolean NOT NULL DEFAULT false,
            version      integer NOT NULL DEFAULT 1,
            changed_in   xid8 NOT NULL DEFAULT pg_current_xact_id(),
            created_at   timestamptz NOT NULL,
            updated_at   timestamptz NOT NULL,
            PRIMARY KEY (workspace_id, id),
            UNIQUE (workspace_id, name)
        )
        """
    )


def _records() -> None:
    # No foreign key to `record_table`: its check would lock one row from every insert into a table.
    op.execute(
        """
        CREATE TABLE record (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            table_id     uuid NOT NULL,
            version      integer NOT NULL,
            values       jsonb NOT NULL,
            search       tsvector,
            created_at   timestamptz NOT NULL,
            updated_at   timestamptz NOT NULL,
            deleted_at   timestamptz,
            merged_into  uuid,
            PRIMARY KEY (workspace_id, table_id, id)
        )
        """
    )
    op.execute("CREATE INDEX record_search ON record USING gin (search) WHERE deleted_at IS NULL")
    op.execute("CREATE INDEX record_deleted ON record (deleted_at) WHERE deleted_at IS NOT NULL")


def _keys() -> None:
    """The values of indexed and of unique fields, as bytes that sort as the values do.

    Bytes, because under row-level security PostgreSQL uses an index only for comparisons that it knows to leak
    nothing: those of `bytea` are among them, those of `jsonb` and `numeric` are not.
    """
    op.execute(
        """
        CREATE TABLE record_key (
            workspace_id uuid NOT NULL,
            field_id     uuid NOT NULL,
            key          bytea NOT NULL,
            record_id    uuid NOT NULL,
            PRIMARY KEY (workspace_id, field_id, key, record_id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE record_unique (
            workspace_id uuid NOT NULL,
            field_id     uuid NOT NULL,
            key          bytea NOT NULL,
            record_id    uuid NOT NULL,
            PRIMARY KEY (workspace_id, field_id, key)
        )
        """
    )


def _around_records() -> None:
    op.execute(
        """
        CREATE TABLE record_change (
            workspace_id uuid NOT NULL,
            record_id    uuid NOT NULL,
            version      integer NOT NULL,
            action       text NOT NULL CHECK (action IN
                         ('created', 'updated', 'deleted', 'restored', 'merged', 'erased')),
            changes      jsonb NOT NULL,
            at           timestamptz NOT NULL,
            by           text NOT NULL,
            execution_id uuid,
            PRIMARY KEY (workspace_id, record_id, version)
        )
        """
    )
    op.execute(
        "CREATE INDEX record_change_by_execution ON record_change (workspace_id, execution_id, at) "
        "WHERE execution_id IS NOT NULL"
    )
    op.execute(
        """
        CREATE TABLE record_comment (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            record_id    uuid NOT NULL,
            text         text NOT NULL,
            at           timestamptz NOT NULL,
            by           text NOT NULL,
            PRIMARY KEY (workspace_id, record_id, id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE attachment (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            record_id    uuid NOT NULL,
            resource_id  uuid NOT NULL,
            tags         text[] NOT NULL,
            created_at   timestamptz NOT NULL,
            created_by   text NOT NULL,
            PRIMARY KEY (workspace_id, record_id, id)
        )
        """
    )
    op.execute("CREATE INDEX attachment_of_resource ON attachment (workspace_id, resource_id)")


def _resources() -> None:
    op.execute(
        """
        CREATE TABLE resource (
            workspace_id uuid NOT NULL,
            id           uuid NOT NULL,
            name         text NOT NULL,
            type         text NOT NULL,
            size         bigint NOT NULL,
            sha256       bytea NOT NULL,
            created_at   timestamptz NOT NULL,
            created_by   text NOT NULL,
            PRIMARY KEY (workspace_id, id)
        )
        """
    )


def _doors() -> None:
    # Under row-level security the index on `search` would not be used either: this looks with the owner's rights,
    # in the connection's own workspace. Every vector holds its table's id as a word, so that the index narrows by it.
    door(
        "find_by_text(wanted_table uuid, query tsquery)",
        "SETOF uuid",
        f"""
        SELECT id FROM record
        WHERE search @@ (('''' || wanted_table || '''')::tsquery && query)
          AND workspace_id = {WORKSPACE} AND table_id = wanted_table AND deleted_at IS NULL
        """,
    )
    door(
        "records_deleted_before(moment timestamptz, at_most integer)",
        "TABLE (workspace_id uuid, id uuid)",
        "SELECT workspace_id, id FROM record WHERE deleted_at < moment ORDER BY deleted_at LIMIT at_most",
    )
