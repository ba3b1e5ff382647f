"""Definitions and their revisions in PostgreSQL."""

from __future__ import annotations

from uuid import UUID

from passerelle.definitions.revisions.models import RevisionEntry, StoredRevision
from passerelle.definitions.revisions.rule import PUBLISHED_MEANWHILE, PUBLISHING_NEEDS_ANOTHER, Approval, rule_of
from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import NewId
from passerelle.kit.observer import note_object

_COLUMNS = """
    SELECT r.id, r.definition_id, d.name, r.number, r.text,
           d.published_revision IS NOT DISTINCT FROM r.id AS published
    FROM definition d JOIN revision r ON r.workspace_id = d.workspace_id AND r.definition_id = d.id
"""
_SHOWN = """r.id = coalesce(
    d.published_revision,
    (SELECT n.id FROM revision n WHERE n.workspace_id = d.workspace_id AND n.definition_id = d.id
     ORDER BY n.number DESC LIMIT 1)
)"""


class RevisionRepository:
    """Every query names the workspace; row-level security names it again.

    `second_person`: whether publishing needs one where the workspace does not say it.
    """

    def __init__(self, database: Database, new_id: NewId, *, second_person: bool = False) -> None:
        self._database = database
        self._new_id = new_id
        self._second_person = second_person

    async def push(
        self, workspace_id: UUID, name: str, text: str, *, publish: bool, by: str, approval: Approval | None = None
    ) -> tuple[StoredRevision, bool]:
        """Store `text` as the newest revision of `name`. The second value tells whether it is a new one.

        Raises PUBLISHING_NEEDS_ANOTHER where it is to be published without an approval, and needs one.
        """
        async with self._database.transaction(workspace_id) as connection:
            definition_id = await self._definition(connection, workspace_id, name)
            note_object(definition_id)
            newest = await connection.fetchrow(
                _COLUMNS + "WHERE d.workspace_id = $1 AND d.id = $2 ORDER BY r.number DESC LIMIT 1",
                workspace_id,
                definition_id,
            )
            if newest is None or newest["text"] != text:
                created, published, number = True, False, 1 if newest is None else newest["number"] + 1
                revision_id = await self._add(connection, workspace_id, definition_id, number, text, by)
            else:
                created, published, number, revision_id = False, newest["published"], newest["number"], newest["id"]
            if publish and not published:
                await self._publish(connection, workspace_id, definition_id, revision_id, by, approval=approval)
        stored = StoredRevision(revision_id, definition_id, name, number, text, publish or published)
        return stored, created

    async def publish(
        self,
        workspace_id: UUID,
        definition_id: UUID,
        number: int,
        by: str,
        note: str | None = None,
        approval: Approval | None = None,
        instead_of: int | None = None,
    ) -> StoredRevision | None:
        """Make revision `number` the published one. None if there is no such revision.

        instead_of   the number of the one that whoever publishes saw as published; None: whichever it is
        Raises PUBLISHED_MEANWHILE, PUBLISHING_NEEDS_ANOTHER without an approval where it needs one, and whatever
        `approval` raises.
        """
        async with self._database.transaction(workspace_id) as connection:
            row = await connection.fetchrow(
                _COLUMNS + "WHERE d.workspace_id = $1 AND d.id = $2 AND r.number = $3 FOR UPDATE OF d",
                workspace_id,
                definition_id,
                number,
            )
            if row is None:
                return None
            if not row["published"]:
                await _require_published(connection, workspace_id, definition_id, instead_of)
                await self._publish(connection, workspace_id, definition_id, row["id"], by, note, approval)
            elif approval is not None:
                await approval(connection)
        return StoredRevision(**{**row, "published": True})

    async def published(self, workspace_id: UUID, definition_id: UUID) -> StoredRevision | None:
        """The published revision of a definition, if it has one."""
        return await self._one(
            workspace_id, "WHERE d.workspace_id = $1 AND d.id = $2 AND d.published_revision = r.id", definition_id
        )

    async def id_of(self, workspace_id: UUID, name: str) -> UUID | None:
        """The definition of that name, published or not."""
        async with self._database.workspace(workspace_id) as connection:
            found: UUID | None = await connection.fetchval(
                "SELECT id FROM definition WHERE workspace_id = $1 AND name = $2", workspace_id, name
            )
        return found

    async def names(self, workspace_id: UUID) -> dict[UUID, str]:
        """Every definition's name by its id."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch("SELECT id, name FROM definition WHERE workspace_id = $1", workspace_id)
        return {row["id"]: row["name"] for row in rows}

    async def named(self, workspace_id: UUID, name: str) -> StoredRevision | None:
        """The published revision of the definition of that name, if it has one."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                _COLUMNS + "WHERE d.workspace_id = $1 AND d.name = $2 AND d.published_revision = r.id",
                workspace_id,
                name,
            )
        return StoredRevision(**row) if row is not None else None

    async def published_names(self, workspace_id: UUID) -> frozenset[str]:
        """The names of the definitions that have a published revision."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                "SELECT name FROM definition WHERE workspace_id = $1 AND published_revision IS NOT NULL", workspace_id
            )
        return frozenset(row["name"] for row in rows)

    async def numbered(self, workspace_id: UUID, definition_id: UUID, number: int) -> StoredRevision | None:
        """A definition's revision by its number."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                _COLUMNS + "WHERE d.workspace_id = $1 AND d.id = $2 AND r.number = $3",
                workspace_id,
                definition_id,
                number,
            )
        return StoredRevision(**row) if row is not None else None

    async def was_published(self, workspace_id: UUID, revision_id: UUID) -> bool:
        """Whether a revision is or was the published one."""
        async with self._database.workspace(workspace_id) as connection:
            found: bool = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM publication WHERE workspace_id = $1 AND revision_id = $2)",
                workspace_id,
                revision_id,
            )
        return found

    async def revision(self, workspace_id: UUID, revision_id: UUID) -> StoredRevision | None:
        """A revision by its own id."""
        return await self._one(workspace_id, "WHERE d.workspace_id = $1 AND r.id = $2", revision_id)

    async def shown(self, workspace_id: UUID, definition_id: UUID) -> StoredRevision | None:
        """The published revision, or the newest where none is published yet."""
        return await self._one(workspace_id, f"WHERE d.workspace_id = $1 AND d.id = $2 AND {_SHOWN}", definition_id)

    async def listed(self, workspace_id: UUID, after: str | None, limit: int) -> list[StoredRevision]:
        """Every definition by name, each in its shown revision; `after` is the name before."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                _COLUMNS + f"WHERE d.workspace_id = $1 AND d.name > $2 AND {_SHOWN} ORDER BY d.name LIMIT $3",
                workspace_id,
                after or "",
                limit,
            )
        return [StoredRevision(**row) for row in rows]

    async def having(self, workspace_id: UUID, text: str, limit: int) -> list[StoredRevision]:
        """The published and the newest revision of each definition whose text has `text` in it, by name."""
        async with self._database.reading(workspace_id) as connection:
            rows = await connection.fetch(
                _COLUMNS + "WHERE d.workspace_id = $1 AND position($2 IN r.text) > 0 AND (r.id = d.published_revision "
                "OR r.number = (SELECT max(n.number) FROM revision n WHERE n.workspace_id = d.workspace_id "
                "AND n.definition_id = d.id)) ORDER BY d.name, r.number DESC LIMIT $3",
                workspace_id,
                text,
                limit,
            )
        return [StoredRevision(**row) for row in rows]

    async def history(self, workspace_id: UUID, definition_id: UUID) -> list[RevisionEntry]:
        """Every revision, newest first, with its latest publication."""
        async with self._database.workspace(workspace_id) as connection:
            rows = await connection.fetch(
                """
                SELECT r.number, r.created_at, r.created_by, p.published_at, p.published_by, p.note, p.approved_by,
                       d.published_revision IS NOT DISTINCT FROM r.id AS current
                FROM definition d JOIN revision r ON r.workspace_id = d.workspace_id AND r.definition_id = d.id
                LEFT JOIN LATERAL (
                    SELECT published_at, published_by, note, approved_by FROM publication
                    WHERE workspace_id = r.workspace_id AND revision_id = r.id
                    ORDER BY published_at DESC LIMIT 1
                ) p ON true
                WHERE d.workspace_id = $1 AND d.id = $2 ORDER BY r.number DESC
                """,
                workspace_id,
                definition_id,
            )
        return [RevisionEntry(**row) for row in rows]

    async def _one(self, workspace_id: UUID, condition: str, wanted: UUID) -> StoredRevision | None:
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_COLUMNS + condition, workspace_id, wanted)
        return StoredRevision(**row) if row is not None else None

    async def _definition(self, connection: Connection, workspace_id: UUID, name: str) -> UUID:
        """The definition's id, made if it is new; the row stays locked, so that pushes of one name take turns."""
        definition_id: UUID = await connection.fetchval(
            """
            INSERT INTO definition (workspace_id, id, name) VALUES ($1, $2, $3)
            ON CONFLICT (workspace_id, name) DO UPDATE SET name = excluded.name
            RETURNING id
            """,
            workspace_id,
            self._new_id(),
            name,
        )
        return definition_id

    async def _add(
        self, connection: Connection, workspace_id: UUID, definition_id: UUID, number: int, text: str, by: str
    ) -> UUID:
        revision_id = self._new_id()
        await connection.execute(
            "INSERT INTO revision (workspace_id, id, definition_id, number, text, created_by) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            workspace_id,
            revision_id,
            definition_id,
            number,
            text,
            by,
        )
        return revision_id

    async def _publish(
        self,
        connection: Connection,
        workspace_id: UUID,
        definition_id: UUID,
        revision_id: UUID,
        by: str,
        note: str | None = None,
        approval: Approval | None = None,
    ) -> None:
        if approval is None and (await rule_of(connection, workspace_id, self._second_person, lock=True)).second_person:
            raise PUBLISHING_NEEDS_ANOTHER.error(
                "here publishing needs a second person: propose the revision with "
                f"POST /definitions/{definition_id}/proposals, and let somebody else approve it"
            )
        approved_by = None if approval is None else await approval(connection)
        await connection.execute(
            "UPDATE definition SET published_revision = $3 WHERE workspace_id = $1 AND id = $2",
            workspace_id,
            definition_id,
            revision_id,
        )
        await connection.execute(
            "INSERT INTO publication (workspace_id, id, definition_id, revision_id, published_by, note, "
            "approved_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            workspace_id,
            self._new_id(),
            definition_id,
            revision_id,
            by,
            note,
            approved_by,
        )


async def _require_published(
    connection: Connection, workspace_id: UUID, definition_id: UUID, number: int | None
) -> None:
    if number is None:
        return
    row = await connection.fetchrow(
        "SELECT r.number, p.published_by FROM definition d JOIN revision r ON r.workspace_id = d.workspace_id "
        "AND r.id = d.published_revision JOIN publication p ON p.workspace_id = r.workspace_id "
        "AND p.revision_id = r.id WHERE d.workspace_id = $1 AND d.id = $2 ORDER BY p.published_at DESC LIMIT 1",
        workspace_id,
        definition_id,
    )
    if row is not None and row["number"] != number:
        raise PUBLISHED_MEANWHILE.error(
            f"{row['published_by']} has published revision {row['number']} meanwhile: look at it, and send "
            f"`insteadOf: {row['number']}` to replace that one",
            "/insteadOf",
        )
