"""Files of records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.holds.service import require_free
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.fields import FIELD_REQUIRED
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json, JsonObject
from passerelle.records.erasing import delete_files_later
from passerelle.records.errors import ATTACHMENT_NOT_FOUND, TAGS_INVALID
from passerelle.records.models import Author, Next, Record
from passerelle.records.service import Records
from passerelle.resources.service import Resource, Resources
from passerelle.resources.uploads import Upload
from passerelle.tables.models import Table

MOST_TAGS: Final = 20
LONGEST_TAG: Final = 50

_COLUMNS: Final = (
    "SELECT a.id, a.record_id, a.resource_id, a.tags, a.created_at, f.name, f.type, f.size FROM attachment a "
    "JOIN resource f ON f.workspace_id = a.workspace_id AND f.id = a.resource_id "
    "WHERE a.workspace_id = $1 AND a.record_id = $2 "
)
_FILES: Final = (
    "SELECT f.workspace_id, f.id, f.name, f.type, f.size, f.sha256, f.created_at, f.created_by, f.renditions "
    "FROM attachment a "
    "JOIN resource f ON f.workspace_id = a.workspace_id AND f.id = a.resource_id "
    "WHERE a.workspace_id = $1 AND a.record_id = $2 ORDER BY a.created_at, a.id"
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a record."""

    id: UUID
    record_id: UUID
    resource_id: UUID
    tags: list[str]
    created_at: datetime
    name: str
    type: str
    size: int


class Attachments:
    """The files of every record."""

    def __init__(self, database: Database, records: Records, resources: Resources, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._records = records
        self._resources = resources
        self._clock = clock
        self._new_id = new_id

    async def upload(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        attachment_id: UUID,
        upload: Upload,
        author: Author,
    ) -> Attachment:
        """Keep a file and attach it; the same id again answers with what was attached.

        Raises RECORD_NOT_FOUND, TAGS_INVALID, FILES_UNAVAILABLE.
        """
        tags = tags_of(upload.parts)
        await self._records.read(workspace_id, table, record_id)
        kept = await self._resources.keep(workspace_id, attachment_id, upload, author.by)
        try:
            async with self._database.transaction(workspace_id) as connection:
                # It may have been merged, deleted or erased meanwhile.
                _, record = await self._records.read_locked(workspace_id, table, record_id, connection)
                return await self._attach(connection, record.id, attachment_id, kept, tags, author)
        except PasserelleError:
            await self._resources.delete(workspace_id, kept.id)
            raise

    async def attach(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        resource_id: UUID,
        tags: Sequence[str],
        author: Author,
        connection: Connection,
    ) -> Attachment:
        """Attach a file that is kept already, as steps of workflows do. Raises RECORD_NOT_FOUND, RESOURCE_NOT_FOUND."""
        _, record = await self._records.read(workspace_id, table, record_id, connection=connection)
        resource = await self._resources.find(workspace_id, resource_id, connection)
        return await self._attach(connection, record.id, self._new_id(), resource, tags, author)

    async def attach_once(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        resource_id: UUID,
        author: Author,
        connection: Connection,
        tags: Sequence[str] = (),
    ) -> None:
        """As `attach`, under the file's own id: a file that is attached already is left alone."""
        _, record = await self._records.read(workspace_id, table, record_id, connection=connection)
        resource = await self._resources.find(workspace_id, resource_id, connection)
        await self._attach(connection, record.id, resource_id, resource, tags, author)

    async def hold(
        self,
        connection: Connection,
        workspace_id: UUID,
        record_id: UUID,
        resource_ids: Sequence[UUID],
        author: Author,
    ) -> list[UUID]:
        """Let a record have exactly these files; those that it loses are kept as files.

        Returns the ids that are no files of the workspace: then nothing may be committed.
        """
        held = {one.id for one in await self.files_of(connection, workspace_id, record_id)}
        wanted = list(dict.fromkeys(resource_ids))
        new = await self._resources.find_many(connection, workspace_id, [one for one in wanted if one not in held])
        for one in wanted:
            if one in new:
                await self._attach(connection, record_id, self._new_id(), new[one], (), author)
        await connection.execute(
            "DELETE FROM attachment WHERE workspace_id = $1 AND record_id = $2 AND resource_id = ANY($3)",
            workspace_id,
            record_id,
            list(held - set(wanted)),
        )
        return [one for one in wanted if one not in held and one not in new]

    async def files_of(self, connection: Connection, workspace_id: UUID, record_id: UUID) -> list[Resource]:
        """The files that a record has, in the order in which they were attached; each once."""
        rows = await connection.fetch(_FILES, workspace_id, record_id)
        return list({row["id"]: Resource(*row) for row in rows}.values())

    async def detach(self, workspace_id: UUID, resource_id: UUID) -> None:
        """Detach a file from every record that has it; the file itself stays."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                "DELETE FROM attachment WHERE workspace_id = $1 AND resource_id = $2", workspace_id, resource_id
            )

    async def listed(
        self, workspace_id: UUID, table: str, record_id: UUID, before: UUID | None, limit: int
    ) -> list[Attachment]:
        """Attachments that are older than `before`, newest first. Raises RECORD_NOT_FOUND."""
        async with self._database.workspace(workspace_id) as connection:
            _, record = await self._records.read(workspace_id, table, record_id, connection=connection)
            rows = await connection.fetch(
                _COLUMNS + "AND ($3::uuid IS NULL OR a.id < $3) ORDER BY a.id DESC LIMIT $4",
                workspace_id,
                record.id,
                before,
                limit,
            )
        return [Attachment(*row) for row in rows]

    async def find(self, workspace_id: UUID, table: str, record_id: UUID, attachment_id: UUID) -> Attachment:
        """Raises RECORD_NOT_FOUND, ATTACHMENT_NOT_FOUND."""
        async with self._database.workspace(workspace_id) as connection:
            _, record = await self._records.read(workspace_id, table, record_id, connection=connection)
            row = await connection.fetchrow(_COLUMNS + "AND a.id = $3", workspace_id, record.id, attachment_id)
        if row is None:
            raise _not_found(record_id, attachment_id)
        return Attachment(*row)

    async def delete(
        self, workspace_id: UUID, table: str, record_id: UUID, attachment_id: UUID, author: Author
    ) -> None:
        """Detach a file, and take it out of the record's fields; one that nothing else holds is deleted.

        Raises RECORD_NOT_FOUND, ATTACHMENT_NOT_FOUND, UNDER_LEGAL_HOLD, and FIELD_REQUIRED where a field
        would be left without a file.
        """

        def without(table: Table, old: Record) -> Next:
            return Next(_without(table, old.values, str(attachment_id)))

        async with self._database.transaction(workspace_id) as connection:
            await require_free(connection, workspace_id, [record_id])
            _, record = await self._records.read_locked(workspace_id, table, record_id, connection)
            if await connection.fetchrow(_COLUMNS + "AND a.id = $3", workspace_id, record.id, attachment_id) is None:
                raise _not_found(record_id, attachment_id)
            await self._records.change(workspace_id, table, record_id, without, author, connection=connection)
            resource_id = await connection.fetchval(
                "DELETE FROM attachment WHERE workspace_id = $1 AND record_id = $2 AND id = $3 RETURNING resource_id",
                workspace_id,
                record.id,
                attachment_id,
            )
            await delete_files_later(connection, workspace_id, [resource_id], timedelta(minutes=1))
        with suppress(PasserelleError):  # the store is away: the job tries again
            await self._resources.delete(workspace_id, resource_id)

    async def move(self, connection: Connection, workspace_id: UUID, source: UUID, target: UUID) -> None:
        """Give the files of one record to another; what both have, the other keeps as it has it."""
        await connection.execute(
            "DELETE FROM attachment a USING attachment b WHERE a.workspace_id = $1 AND a.record_id = $2 "
            "AND b.workspace_id = $1 AND b.record_id = $3 AND b.id = a.id",
            workspace_id,
            source,
            target,
        )
        await connection.execute(
            "UPDATE attachment SET record_id = $3 WHERE workspace_id = $1 AND record_id = $2",
            workspace_id,
            source,
            target,
        )

    async def _attach(
        self,
        connection: Connection,
        record_id: UUID,
        attachment_id: UUID,
        resource: Resource,
        tags: Sequence[str],
        author: Author,
    ) -> Attachment:
        now = self._clock()
        await connection.execute(
            "INSERT INTO attachment (workspace_id, id, record_id, resource_id, tags, created_at, created_by) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            resource.workspace_id,
            attachment_id,
            record_id,
            resource.id,
            list(tags),
            now,
            author.by,
        )
        return Attachment(
            attachment_id, record_id, resource.id, list(tags), now, resource.name, resource.type, resource.size
        )


def _without(table: Table, values: JsonObject, attachment: str) -> dict[str, Json]:
    """A record's values without an attachment. Raises FIELD_REQUIRED for fields that must have one."""
    kept = dict(values)
    for field in table.attachments:
        left = [one for one in values.get(field.key, ()) if one != attachment]
        if not left and field.required and field.key in values:
            raise FIELD_REQUIRED.error(f"the file is the last of `{field.name}`, which is required: put another there")
        if left:
            kept[field.key] = left
        else:
            kept.pop(field.key, None)
    return kept


def tags_of(parts: Sequence[tuple[str, str]]) -> list[str]:
    """The tags of a multipart body: `tags`, repeated or with commas. Raises TAGS_INVALID."""
    unknown = sorted({name for name, _ in parts} - {"tags"})
    if unknown:
        raise TAGS_INVALID.error(f"the body has a part `{unknown[0]}`: besides `file`, only `tags` is read")
    tags = [tag.strip() for _, text in parts for tag in text.split(",") if tag.strip()]
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise TAGS_INVALID.error(f"a file has up to {MOST_TAGS} tags of up to {LONGEST_TAG} characters")
    return list(dict.fromkeys(tags))


def _not_found(record_id: UUID, attachment_id: UUID) -> PasserelleError:
    return ATTACHMENT_NOT_FOUND.error(f"the record {record_id} has no attachment {attachment_id}")
