"""Keeping files and handing them out."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import orjson

from passerelle.errors import PasserelleError
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.secrets import SecretBox
from passerelle.resources.errors import FILE_LINK_ENDED, RESOURCE_NOT_FOUND
from passerelle.resources.files import FileGoneError, Files
from passerelle.resources.uploads import Upload

LINK_LIFETIME: Final = timedelta(minutes=15)

_TAG: Final = 32
_COLUMNS: Final = "workspace_id, id, name, type, size, sha256, created_at, created_by"


@dataclass(frozen=True, slots=True)
class Resource:
    """A file that is kept."""

    workspace_id: UUID
    id: UUID
    name: str
    type: str
    size: int
    sha256: bytes
    created_at: datetime
    created_by: str

    @property
    def path(self) -> str:
        """Where it is in the store (contract, section 5)."""
        return f"resources/{self.workspace_id}/{self.id}/{self.name}"


class Resources:
    """The files of every workspace."""

    def __init__(self, database: Database, files: Files, box: SecretBox, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._keys = box.derive_all("file link")
        self._clock = clock

    async def keep(self, workspace_id: UUID, resource_id: UUID, upload: Upload, by: str) -> Resource:
        """Keep a file; the same id again answers with what was kept. Raises FILES_UNAVAILABLE."""
        # The file first: a row always has its file. Without the row, nobody finds the file.
        resource = await self.put(workspace_id, resource_id, upload, by)
        async with self._database.workspace(workspace_id) as connection:
            await self.note(connection, resource)
        return resource

    async def put(self, workspace_id: UUID, resource_id: UUID, upload: Upload, by: str) -> Resource:
        """Store a file's bytes, which `note` makes known and `drop` takes back. Raises FILES_UNAVAILABLE."""
        resource = Resource(
            workspace_id, resource_id, upload.name, upload.type, upload.size, upload.sha256, self._clock(), by
        )
        await self._files.put(resource.path, upload.file)
        return resource

    async def note(self, connection: Connection, resource: Resource) -> None:
        """Make a stored file known, in the caller's transaction."""
        await connection.execute(
            f"INSERT INTO resource ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",  # noqa: S608 - constant
            resource.workspace_id, resource.id, resource.name, resource.type, resource.size, resource.sha256,
            resource.created_at, resource.created_by,
        )  # fmt: skip

    async def drop(self, resource: Resource) -> None:
        """Delete the bytes of a file that was not made known after all. Raises FILES_UNAVAILABLE."""
        await self._files.delete(resource.path)

    async def find(self, workspace_id: UUID, resource_id: UUID, connection: Connection | None = None) -> Resource:
        """Raises RESOURCE_NOT_FOUND."""
        query = f"SELECT {_COLUMNS} FROM resource WHERE workspace_id = $1 AND id = $2"  # noqa: S608 - constant
        if connection is None:
            async with self._database.workspace(workspace_id) as own:
                row = await own.fetchrow(query, workspace_id, resource_id)
        else:
            row = await connection.fetchrow(query, workspace_id, resource_id)
        if row is None:
            raise _not_found(resource_id)
        return Resource(*row)

    async def find_many(
        self, connection: Connection, workspace_id: UUID, resource_ids: Sequence[UUID]
    ) -> dict[UUID, Resource]:
        """Those that there are."""
        if not resource_ids:
            return {}
        query = f"SELECT {_COLUMNS} FROM resource WHERE workspace_id = $1 AND id = ANY($2)"  # noqa: S608 - constant
        return {row["id"]: Resource(*row) for row in await connection.fetch(query, workspace_id, resource_ids)}

    async def read(self, workspace_id: UUID, resource_id: UUID) -> tuple[Resource, AsyncIterator[bytes]]:
        """A file with its bytes. Raises RESOURCE_NOT_FOUND, FILES_UNAVAILABLE."""
        resource = await self.find(workspace_id, resource_id)
        try:
            return resource, await self._files.read(resource.path)
        except FileGoneError:
            raise _not_found(resource_id) from None

    async def delete(self, resource: Resource) -> None:
        """Delete a file and its row. Raises FILES_UNAVAILABLE; then both are still there."""
        await self._files.delete(resource.path)
        async with self._database.workspace(resource.workspace_id) as connection:
            await connection.execute(
                "DELETE FROM resource WHERE workspace_id = $1 AND id = $2", resource.workspace_id, resource.id
            )

    def link_path(self, workspace_id: UUID, resource_id: UUID) -> str:
        """The path of an address that hands out the file without credentials, for a quarter of an hour."""
        ends = int((self._clock() + LINK_LIFETIME).timestamp())
        payload = orjson.dumps([str(workspace_id), str(resource_id), ends])
        token = hmac.digest(self._keys[0], payload, "sha256") + payload
        return f"/files/{base64.urlsafe_b64encode(token).rstrip(b'=').decode()}"

    async def read_link(self, token: str) -> tuple[Resource, AsyncIterator[bytes]]:
        """What a link hands out. Raises FILE_LINK_ENDED for one that has ended, was altered, or whose file is gone."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise _ended() from None
        tag, payload = raw[:_TAG], raw[_TAG:]
        if not any(hmac.compare_digest(tag, hmac.digest(key, payload, "sha256")) for key in self._keys):
            raise _ended()
        workspace_id, resource_id, ends = orjson.loads(payload)
        if datetime.fromtimestamp(ends, UTC) < self._clock():
            raise _ended()
        try:
            return await self.read(UUID(workspace_id), UUID(resource_id))
        except PasserelleError as error:
            raise (_ended() if error.status == RESOURCE_NOT_FOUND.status else error) from None


def _not_found(resource_id: UUID) -> PasserelleError:
    return RESOURCE_NOT_FOUND.error(f"this workspace has no file {resource_id}")


def _ended() -> PasserelleError:
    return FILE_LINK_ENDED.error("this link has ended or was altered: ask for a new one")
