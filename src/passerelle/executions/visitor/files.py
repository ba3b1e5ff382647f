"""Files that end users send: looked at, kept, counted, taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.engine.model import Identity
from passerelle.engine.steps.upload import UploadConfig
from passerelle.errors import PasserelleError
from passerelle.executions.visitor import errors
from passerelle.executions.visitor.repository import VisitorRepository
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.kit.json import JsonObject
from passerelle.records.attachments import Attachments
from passerelle.records.models import Author
from passerelle.resources.errors import RESOURCE_NOT_FOUND
from passerelle.resources.scanning import Scanner
from passerelle.resources.service import Resource, Resources
from passerelle.resources.uploads import Upload, spooled

END_USER = "end user"
_SETTLED_AT_ONCE: Final = 5_000
"""Files looked at in an hour; what is more waits for the next."""


class VisitorFiles:
    """The files of every `upload` step."""

    def __init__(
        self,
        database: Database,
        repository: VisitorRepository,
        resources: Resources,
        attachments: Attachments,
        scanner: Scanner,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._repository = repository
        self._resources = resources
        self._attachments = attachments
        self._scanner = scanner
        self._clock = clock
        self._new_id = new_id

    async def add(
        self, identity: Identity, step: str, visit: int, config: UploadConfig, name: str, stream: AsyncIterator[bytes]
    ) -> JsonObject:
        """Keep a file. The same file again, as after a broken answer, is the one that is there.

        Raises FILE_TOO_LARGE, FILE_EMPTY, FILE_NAME_INVALID, FILE_TYPE_MISMATCH, FILE_TYPE_NOT_ACCEPTED, FILE_HARMFUL,
        TOO_MANY_FILES, STEP_NOT_CURRENT, FILES_UNAVAILABLE.
        """
        async with spooled(name, stream, largest=config.max_size) as upload:
            await self._require_harmless(config, upload)
            resource = await self._resources.put(identity.workspace_id, self._new_id(), upload, END_USER)
        try:
            kept = await self._count(identity, step, visit, config, resource)
        except BaseException:
            await self._resources.drop(resource)
            raise
        if kept["resourceId"] != str(resource.id):
            await self._resources.drop(resource)
        return kept

    async def remove(self, identity: Identity, step: str, visit: int, resource_id: UUID) -> None:
        """Take a file back. Raises STEP_NOT_CURRENT, RESOURCE_NOT_FOUND, FILES_UNAVAILABLE."""
        async with self._database.transaction(identity.workspace_id) as connection:
            await self._repository.hold(connection, identity.id, step)
            if not await self._repository.is_current(connection, identity.workspace_id, identity.id, step, visit):
                raise not_current(step)
            if not await self._repository.remove_file(
                connection, identity.workspace_id, identity.id, step, resource_id
            ):
                raise RESOURCE_NOT_FOUND.error(f"the step {step} has no file {resource_id}")
        await self._attachments.detach(identity.workspace_id, resource_id)
        await self._resources.delete(await self._resources.find(identity.workspace_id, resource_id))

    async def attach(self, definition: Definition, identity: Identity, files: Iterable[JsonObject]) -> None:
        """Make files attachments of the execution's record, where it has one; once each."""
        if definition.record is None or identity.record_id is None:
            return
        author = Author(END_USER, identity.id)
        async with self._database.transaction(identity.workspace_id) as connection:
            for file in files:
                await self._attachments.attach_once(
                    identity.workspace_id,
                    definition.record.table,
                    identity.record_id,
                    UUID(str(file["resourceId"])),
                    author,
                    connection,
                )

    async def forget_abandoned(self) -> None:
        """Delete files that were sent but never submitted, of executions that are over. Raises FILES_UNAVAILABLE."""
        for workspace_id, resource_id in await self._repository.abandoned(_SETTLED_AT_ONCE):
            await self._attachments.detach(workspace_id, resource_id)
            await self._resources.delete(await self._resources.find(workspace_id, resource_id))

    async def _require_harmless(self, config: UploadConfig, upload: Upload) -> None:
        if not config.accepts(upload.type):
            raise errors.FILE_TYPE_NOT_ACCEPTED.error(
                f"the file {upload.name} is of the type {upload.type}: send {', '.join(config.accept)}", "/file"
            )
        if (found := await self._scanner.scan(upload.file)) is not None:
            raise errors.FILE_HARMFUL.error(f"the file {upload.name} is refused: it holds {found}", "/file")

    async def _count(
        self, identity: Identity, step: str, visit: int, config: UploadConfig, resource: Resource
    ) -> JsonObject:
        """Make the file one of the step's, or find that it is one already."""
        async with self._database.transaction(identity.workspace_id) as connection:
            await self._repository.hold(connection, identity.id, step)
            if not await self._repository.is_current(connection, identity.workspace_id, identity.id, step, visit):
                raise not_current(step)
            files = await self._repository.files(connection, identity.workspace_id, identity.id, step)
            same = (resource.name, resource.sha256.hex())
            for file in files:
                if (file["resourceName"], file["sha256"]) == same:
                    return file
            if len(files) >= config.most:
                raise errors.TOO_MANY_FILES.error(
                    f"the step takes {config.most} files: remove one before you send another", "/file"
                )
            await self._resources.note(connection, resource)
            await self._repository.add_file(
                connection, identity.workspace_id, identity.id, step, resource.id, self._clock()
            )
        return described(resource)


def described(resource: Resource) -> dict[str, Any]:
    """A file as the step's output names it."""
    return {
        "resourceId": str(resource.id),
        "resourceName": resource.name,
        "resourcePath": resource.path,
        "type": resource.type,
        "size": resource.size,
        "sha256": resource.sha256.hex(),
    }


def not_current(step: str) -> PasserelleError:
    """What is said to somebody who is late."""
    return errors.STEP_NOT_CURRENT.error(f"the step {step} is over, or has not begun: look at the page again")
