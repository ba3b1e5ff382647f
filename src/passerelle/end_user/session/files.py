"""Files that end users send: looked at, kept, counted, taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.end_user.session import errors
from passerelle.end_user.session.repository import EndUserRepository
from passerelle.engine.model import Identity
from passerelle.engine.steps.upload import ANY, DocumentConfig
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import JobRunning, enqueue
from passerelle.kit.json import JsonObject
from passerelle.records.attachments import Attachments
from passerelle.records.models import Author
from passerelle.resources.errors import RESOURCE_NOT_FOUND
from passerelle.resources.opening import Rendition
from passerelle.resources.scanning import Scanner
from passerelle.resources.service import Resource, Resources, StoredFile
from passerelle.resources.uploads import Upload, read_again, shown_name, spooled

END_USER = "end user"
FORGET_JOB: Final = "end_user.forget_file"
_UNDER_WAY: Final = timedelta(seconds=30)
"""A submission that has looked up its files before one of them was taken back is over by then."""
_SETTLED_AT_ONCE: Final = 5_000
"""Files looked at in an hour; what is more waits for the next."""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where a file belongs: a visit of a step, and one of its documents. `replaces`: the file whose place it takes."""

    identity: Identity
    step: str
    visit: int
    document: DocumentConfig
    replaces: UUID | None = None


class EndUserFiles:
    """The files of every `upload` step."""

    def __init__(
        self,
        database: Database,
        repository: EndUserRepository,
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

    async def add(self, place: FilePlace, name: str, stream: AsyncIterator[bytes]) -> JsonObject:
        """Keep a file that can be opened. The same file again, as after a broken answer, is the one that is there.

        Raises FILE_TOO_LARGE, FILE_EMPTY, FILE_TYPE_MISMATCH, FILE_TYPE_NOT_ACCEPTED, FILE_HARMFUL, FILE_LOCKED,
        FILE_BROKEN, FILE_ACTIVE, FILE_TOO_MANY_PIXELS, FILE_POSITION, TOO_MANY_FILES, STEP_NOT_CURRENT,
        FILES_UNAVAILABLE.
        """
        workspace_id = place.identity.workspace_id
        async with spooled(name, stream, largest=place.document.max_size, mends=True) as upload:
            await self._require_harmless(place.document, upload)
            renditions = await self._resources.require_opened(
                workspace_id, upload, positions=place.document.keeps_location
            )
            kept_as = await read_again(upload)
            resource = await self._resources.put(workspace_id, self._new_id(), kept_as, END_USER, renditions)
        try:
            sent_name = shown_name(name)
            kept = await self._count(place, resource, sent_name if sent_name not in ("", resource.name) else None)
        except BaseException:
            await self._resources.drop(resource)
            raise
        if kept["resourceId"] != str(resource.id):
            await self._resources.drop(resource)
        return kept

    async def read(
        self, workspace_id: UUID, resource_id: UUID, rendition: Rendition
    ) -> tuple[StoredFile, AsyncIterator[bytes]]:
        """A rendition of a file. Raises RESOURCE_NOT_FOUND, FILES_UNAVAILABLE."""
        return await self._resources.read(workspace_id, resource_id, rendition)

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
            await _forget_later(connection, identity, step, visit, resource_id)

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
                    tags=[str(file["document"])] if "document" in file else (),
                )

    async def forget_abandoned(self) -> None:
        """Delete files that were sent but never submitted, of executions that are over. Raises FILES_UNAVAILABLE."""
        for workspace_id, resource_id in await self._repository.abandoned(_SETTLED_AT_ONCE):
            await self._forget(workspace_id, resource_id)

    async def forget(self, job: JobRunning) -> None:
        """What the job does: delete a file that was taken back, unless the step was submitted with it at that moment.

        Raises FILES_UNAVAILABLE; then it is tried again.
        """
        facts = job.payload
        workspace_id, resource_id = UUID(facts["workspaceId"]), UUID(facts["resourceId"])
        place = (workspace_id, UUID(facts["executionId"]), str(facts["step"]), int(facts["visit"]))
        if not await self._repository.is_submitted(*place, resource_id):
            await self._forget(workspace_id, resource_id)

    async def _forget(self, workspace_id: UUID, resource_id: UUID) -> None:
        await self._attachments.detach(workspace_id, resource_id)
        await self._resources.delete(workspace_id, resource_id)

    async def _require_harmless(self, document: DocumentConfig, upload: Upload) -> None:
        if not document.accepts(upload.type):
            raise errors.FILE_TYPE_NOT_ACCEPTED.error(
                f"the file {upload.name} is of the type {upload.type}: send {', '.join(document.accept)}", "/file"
            )
        if (found := await self._scanner.scan(upload.file)) is not None:
            raise errors.FILE_HARMFUL.error(f"the file {upload.name} is refused: it holds {found}", "/file")

    async def _count(self, place: FilePlace, resource: Resource, sent_name: str | None) -> JsonObject:
        """Make the file one of the step's, or find that it is one already."""
        workspace_id, execution_id = place.identity.workspace_id, place.identity.id
        document, at = place.document, (workspace_id, execution_id, place.step)
        async with self._database.transaction(workspace_id) as connection:
            await self._repository.hold(connection, execution_id, place.step)
            if not await self._repository.is_current(connection, *at, place.visit):
                raise not_current(place.step)
            files = await self._repository.files(connection, *at)
            files = [file for file in files if file.get("document", ANY) == document.id]
            same = (resource.name, resource.sha256.hex())
            for file in files:
                if (file["resourceName"], file["sha256"]) == same:
                    return file
            replaced = next((file for file in files if file["resourceId"] == str(place.replaces)), None)
            if len(files) - (replaced is not None) >= document.most:
                raise errors.TOO_MANY_FILES.error(
                    f"the step takes {document.most} files: remove one before you send another", "/file"
                )
            if replaced is not None:
                await self._repository.remove_file(connection, *at, UUID(replaced["resourceId"]))
                replaced_id = UUID(replaced["resourceId"])
                await _forget_later(connection, place.identity, place.step, place.visit, replaced_id)
            await self._resources.note(connection, resource)
            await self._repository.add_file(connection, *at, resource.id, self._clock(), document.id, sent_name)
        return described(resource, document.id, sent_name)


async def _forget_later(connection: Connection, identity: Identity, step: str, visit: int, resource_id: UUID) -> None:
    facts: JsonObject = {
        "workspaceId": str(identity.workspace_id),
        "executionId": str(identity.id),
        "step": step,
        "visit": visit,
        "resourceId": str(resource_id),
    }
    await enqueue(connection, FORGET_JOB, facts, after=_UNDER_WAY)


def described(resource: Resource, document: str, sent_name: str | None) -> dict[str, Any]:
    """A file as the end user's pages know it."""
    more = {"document": document, "sentName": sent_name, "preview": Rendition.PREVIEW in resource.renditions}
    return {
        "resourceId": str(resource.id),
        "resourceName": resource.name,
        "resourcePath": resource.path,
        "type": resource.type,
        "size": resource.size,
        "sha256": resource.sha256.hex(),
        **{name: value for name, value in more.items() if value},
    }


def submitted(file: JsonObject) -> JsonObject:
    """A file as the step's output names it."""
    return {name: value for name, value in file.items() if name != "preview"}


def not_current(step: str) -> PasserelleError:
    """What is said to somebody who is late."""
    return errors.STEP_NOT_CURRENT.error(f"the step {step} is over, or has not begun: look at the page again")
