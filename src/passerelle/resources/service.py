"""Keeping files and handing them out."""

from __future__ import annotations

import base64
import binascii
import hmac
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Final
from uuid import UUID

import orjson

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.secrets import SecretBox
from passerelle.quotas.service import WorkspaceQuotas
from passerelle.resources.errors import FILE_LINK_ENDED, RESOURCE_NOT_FOUND
from passerelle.resources.files import FileGoneError, Files
from passerelle.resources.opening import Opener, Rendition
from passerelle.resources.uploads import Upload

LINK_LIFETIME: Final = timedelta(minutes=15)

_TAG: Final = 32
_COLUMNS: Final = "workspace_id, id, name, type, size, sha256, created_at, created_by, renditions"
_ONE: Final = f"SELECT {_COLUMNS} FROM resource WHERE workspace_id = $1 AND id = $2"  # noqa: S608 - constant


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes in the store: a file, or a rendition of one."""

    name: str
    type: str
    size: int
    path: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A file that is kept. `renditions`: how large those are that are kept beside it."""

    workspace_id: UUID
    id: UUID
    name: str
    type: str
    size: int
    sha256: bytes
    created_at: datetime
    created_by: str
    renditions: Mapping[str, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it is in the store (contract, section 5)."""
        return f"resources/{self.workspace_id}/{self.id}/{self.name}"

    def stored(self, rendition: Rendition | None = None) -> StoredFile:
        """What is handed out; the file itself where it has no such rendition."""
        if rendition is None or rendition not in self.renditions:
            return StoredFile(self.name, self.type, self.size, self.path)
        name = PurePath(self.name).with_suffix(".jpg").name
        return StoredFile(name, "image/jpeg", self.renditions[rendition], self.path_of(rendition))

    def path_of(self, rendition: str) -> str:
        """Where a rendition is in the store: beside the file, where no name can be in its way."""
        return f"resources/{self.workspace_id}/{self.id}.{rendition}.jpg"


class Resources:
    """The files of every workspace."""

    def __init__(
        self,
        database: Database,
        files: Files,
        box: SecretBox,
        clock: Clock,
        quotas: WorkspaceQuotas | None = None,
        opener: Opener | None = None,
    ) -> None:
        self._quotas = quotas
        self._database = database
        self._files = files
        self._opener = opener
        self._keys = box.derive_all("file link")
        self._clock = clock

    async def keep(self, workspace_id: UUID, resource_id: UUID, upload: Upload, by: str) -> Resource:
        """Keep a file; the same id again answers with what was kept.

        Raises FILES_UNAVAILABLE, STORAGE_QUOTA_REACHED.
        """
        # The file first: a row always has its file. Without the row, nobody finds the file.
        renditions: Mapping[Rendition, bytes] = {}
        if self._opener is not None:
            renditions = await self._opener.renditions(workspace_id, upload.type, upload.file)
        resource = await self.put(workspace_id, resource_id, upload, by, renditions)
        async with self._database.workspace(workspace_id) as connection:
            await self.note(connection, resource)
        return resource

    async def require_opened(
        self, workspace_id: UUID, upload: Upload, *, positions: bool = True
    ) -> Mapping[Rendition, bytes]:
        """What is kept beside a file that people are to work with. `positions` as of `Opener.required`.

        Raises FILE_LOCKED, FILE_BROKEN, FILE_ACTIVE, FILE_TOO_MANY_PIXELS where they could not, FILE_POSITION.
        """
        if self._opener is None:
            return {}
        return await self._opener.required(workspace_id, upload.name, upload.type, upload.file, positions=positions)

    async def put(
        self,
        workspace_id: UUID,
        resource_id: UUID,
        upload: Upload,
        by: str,
        renditions: Mapping[Rendition, bytes],
    ) -> Resource:
        """Store a file's bytes, which `note` makes known and `drop` takes back.

        Raises FILES_UNAVAILABLE, STORAGE_QUOTA_REACHED.
        """
        if self._quotas is not None:
            await self._quotas.require(workspace_id, "storage", upload.size)
        sizes = {str(rendition): len(content) for rendition, content in renditions.items()}
        resource = Resource(
            workspace_id, resource_id, upload.name, upload.type, upload.size, upload.sha256, self._clock(), by, sizes
        )
        for rendition, content in renditions.items():
            await self._files.put(resource.path_of(rendition), io.BytesIO(content))
        await self._files.put(resource.path, upload.file)
        return resource

    async def note(self, connection: Connection, resource: Resource) -> None:
        """Make a stored file known, in the caller's transaction."""
        await connection.execute(
            f"INSERT INTO resource ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",  # noqa: S608 - constant
            resource.workspace_id, resource.id, resource.name, resource.type, resource.size, resource.sha256,
            resource.created_at, resource.created_by, dict(resource.renditions),
        )  # fmt: skip

    async def drop(self, resource: Resource) -> None:
        """Delete the bytes of a file that was not made known after all. Raises FILES_UNAVAILABLE."""
        for rendition in resource.renditions:
            await self._files.delete(resource.path_of(rendition))
        await self._files.delete(resource.path)

    async def find(self, workspace_id: UUID, resource_id: UUID, connection: Connection | None = None) -> Resource:
        """In a transaction of `connection`, nobody deletes it until that ends. Raises RESOURCE_NOT_FOUND."""
        query = _ONE if connection is None else _ONE + " FOR KEY SHARE"
        async with self._database.joined(connection, workspace_id) as held:
            row = await held.fetchrow(query, workspace_id, resource_id)
        if row is None:
            raise _not_found(resource_id)
        return Resource(*row)

    async def find_many(
        self, connection: Connection, workspace_id: UUID, resource_ids: Sequence[UUID]
    ) -> dict[UUID, Resource]:
        """Those that there are; nobody deletes them until the transaction ends."""
        if not resource_ids:
            return {}
        query = f"SELECT {_COLUMNS} FROM resource WHERE workspace_id = $1 AND id = ANY($2) FOR KEY SHARE"  # noqa: S608
        return {row["id"]: Resource(*row) for row in await connection.fetch(query, workspace_id, resource_ids)}

    async def read(
        self, workspace_id: UUID, resource_id: UUID, rendition: Rendition | None = None
    ) -> tuple[StoredFile, AsyncIterator[bytes]]:
        """A file with its bytes, or a rendition where it has that one. Raises RESOURCE_NOT_FOUND, FILES_UNAVAILABLE."""
        found = (await self.find(workspace_id, resource_id)).stored(rendition)
        try:
            return found, await self._files.read(found.path)
        except FileGoneError:
            raise _not_found(resource_id) from None

    async def delete(self, workspace_id: UUID, resource_id: UUID) -> None:
        """Delete a file and its row, unless a record has it; one that is gone is left so.

        Whoever gives it to a record at the same moment waits, and then finds that it is not there.
        Raises FILES_UNAVAILABLE; then the row is still there.
        """
        async with self._database.transaction(workspace_id) as connection:
            row = await connection.fetchrow(_ONE + " FOR UPDATE", workspace_id, resource_id)
            # A statement of its own: it sees what those who were waited for have written.
            if row is None or await connection.fetchval("SELECT is_attached($1, $2)", workspace_id, resource_id):
                return
            await self.drop(Resource(*row))
            await connection.execute(
                "DELETE FROM resource WHERE workspace_id = $1 AND id = $2", workspace_id, resource_id
            )

    def link_path(self, workspace_id: UUID, resource_id: UUID, rendition: Rendition | None = None) -> str:
        """The path of an address that hands out the file without credentials, for a quarter of an hour."""
        ends = int((self._clock() + LINK_LIFETIME).timestamp())
        payload = orjson.dumps([str(workspace_id), str(resource_id), ends, *([rendition] if rendition else [])])
        token = hmac.digest(self._keys[0], payload, "sha256") + payload
        return f"/files/{base64.urlsafe_b64encode(token).rstrip(b'=').decode()}"

    async def read_link(self, token: str) -> tuple[StoredFile, AsyncIterator[bytes]]:
        """What a link hands out. Raises FILE_LINK_ENDED for one that has ended, was altered, or whose file is gone."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise _ended() from None
        tag, payload = raw[:_TAG], raw[_TAG:]
        if not any(hmac.compare_digest(tag, hmac.digest(key, payload, "sha256")) for key in self._keys):
            raise _ended()
        workspace_id, resource_id, ends, *more = orjson.loads(payload)
        if datetime.fromtimestamp(ends, UTC) < self._clock():
            raise _ended()
        try:
            return await self.read(UUID(workspace_id), UUID(resource_id), Rendition(more[0]) if more else None)
        except PasserelleError as error:
            raise (_ended() if error.status == RESOURCE_NOT_FOUND.status else error) from None


def _not_found(resource_id: UUID) -> PasserelleError:
    return RESOURCE_NOT_FOUND.error(f"this workspace has no file {resource_id}")


def _ended() -> PasserelleError:
    return FILE_LINK_ENDED.error("this link has ended or was altered: ask for a new one")
