"""Cases: what version 1 does with the records of the built-in table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from passerelle.definitions.facts import CASES
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.fields import pointer
from passerelle.records.errors import RECORD_NOT_FOUND
from passerelle.records.models import Author, Next, Record
from passerelle.records.parts import RecordServices
from passerelle.resources.errors import RESOURCE_NOT_FOUND
from passerelle.tables.models import Table
from passerelle.tables.values import check_merged
from passerelle.v1.cases.models import PHONE, CaseView, case_view, merged_phone
from passerelle.v1.cases.schemas import CaseBody
from passerelle.workflows.cases import Case, Party
from passerelle.workflows.errors import CASE_NOT_FOUND
from passerelle.workflows.models import ExecutionFilters, ExecutionView
from passerelle.workflows.service import Executions

MOST_WORKFLOWS: Final = 1_000
"""Executions that a case is shown with; the rest is in their own list."""


class CaseRecords:
    """The cases of every workspace. What is written here is a change of the record, with its history and event."""

    def __init__(self, database: Database, records: RecordServices, executions: Executions) -> None:
        self._database = database
        self._records = records
        self._executions = executions

    async def create(self, workspace_id: UUID, case_id: UUID, body: CaseBody, by: str) -> CaseView:
        """A new case; the same id again answers with what was made. Raises RESOURCE_NOT_FOUND."""
        author, values = Author(by), body.values()
        if PHONE in values:
            values[PHONE] = merged_phone(None, values[PHONE])
        async with self._database.transaction(workspace_id) as connection:
            table, record = await self._records.records.create(
                workspace_id, CASES, values, author, record_id=case_id, connection=connection
            )
            await self._document(connection, workspace_id, record, body.document_ids(), author)
            return await self._view(connection, table, record)

    async def change(self, workspace_id: UUID, case_id: UUID, body: CaseBody, by: str) -> CaseView:
        """Change what the body names; null empties it. Raises CASE_NOT_FOUND, RESOURCE_NOT_FOUND."""
        author, given = Author(by), body.values()

        def changed(table: Table, old: Record) -> Next:
            values = dict(given)
            if PHONE in values:
                values[PHONE] = merged_phone(table.named(old.values).get(PHONE), values[PHONE])
            return Next(check_merged(table, old.values, values).require())

        async with self._database.transaction(workspace_id) as connection:
            try:
                table, record = await self._records.records.change(
                    workspace_id, CASES, case_id, changed, author, connection=connection
                )
            except PasserelleError as error:
                raise _as_case(error, case_id) from None
            await self._document(connection, workspace_id, record, body.document_ids(), author)
            return await self._view(connection, table, record)

    async def find(self, workspace_id: UUID, case_id: UUID) -> CaseView:
        """A case. Raises CASE_NOT_FOUND."""
        async with self._database.workspace(workspace_id) as connection:
            try:
                table, record = await self._records.records.read(workspace_id, CASES, case_id, connection=connection)
            except PasserelleError as error:
                raise _as_case(error, case_id) from None
            return await self._view(connection, table, record)

    async def workflows(self, workspace_id: UUID, case_id: UUID) -> Sequence[ExecutionView]:
        """The case's executions, newest first: one more than are shown, if there are more."""
        return await self._executions.page(workspace_id, ExecutionFilters(record_id=case_id), None, MOST_WORKFLOWS + 1)

    # For executions and links (`passerelle.workflows.cases.Cases`).

    async def require(self, workspace_id: UUID, case_id: UUID) -> Case:
        """A case that is there. Raises CASE_NOT_FOUND at `/caseId`."""
        try:
            table, record = await self._records.records.read(workspace_id, CASES, case_id)
        except PasserelleError as error:
            raise _as_case(error, case_id, "/caseId") from None
        return Case(record.id, case_view(table, record).email)

    async def party(self, workspace_id: UUID, record_id: UUID | None) -> Party | None:
        """The party of the case that is the record, also if it was deleted; None for what is no case."""
        if record_id is None:
            return None
        async with self._database.workspace(workspace_id) as connection:
            try:
                table, record = await self._records.records.read_any(workspace_id, CASES, record_id, connection)
            except PasserelleError as error:
                if _is_unknown(error):
                    return None
                raise
            case = await self._view(connection, table, record)
        return Party(record_id, case.party_id, case.details())

    async def _view(self, connection: Connection, table: Table, record: Record) -> CaseView:
        files = await self._records.attachments.files_of(connection, table.workspace_id, record.id)
        return case_view(table, record, files)

    async def _document(
        self, connection: Connection, workspace_id: UUID, record: Record, wanted: Sequence[UUID] | None, author: Author
    ) -> None:
        """Let the case have these files and no others. Raises RESOURCE_NOT_FOUND for each that is not there."""
        if wanted is None:
            return
        # In turn: of two that say at once which files there are, one would else add to what the other has said.
        await self._records.records.read_locked(workspace_id, CASES, record.id, connection)
        missing = await self._records.attachments.hold(connection, workspace_id, record.id, wanted, author)
        if missing:
            raise PasserelleError(
                RESOURCE_NOT_FOUND.status,
                [
                    RESOURCE_NOT_FOUND.problem(
                        f"this workspace has no file {one}: store it with POST /resources",
                        pointer(["documents", wanted.index(one), "resourceId"]),
                    )
                    for one in missing
                ],
            )


def _is_unknown(error: PasserelleError) -> bool:
    return {problem.code for problem in error.problems} == {RECORD_NOT_FOUND.name}


def _as_case(error: PasserelleError, case_id: UUID, place: str | None = None) -> PasserelleError:
    """RECORD_NOT_FOUND in the words of cases; every other error as it is."""
    if not _is_unknown(error):
        return error
    return CASE_NOT_FOUND.error(f"this workspace has no case {case_id}", place)
