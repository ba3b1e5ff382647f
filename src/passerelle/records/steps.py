"""Records as the engine works on them: `passerelle.engine.recording.WorkspaceRecords` on the database."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.engine.kinds import RecordWork, StepFailure
from passerelle.engine.model import Identity
from passerelle.engine.recording import Performed
from passerelle.engine.redaction import Redaction
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import parse_id
from passerelle.kit.json import JsonObject
from passerelle.records import errors
from passerelle.records.finding import RecordSearch
from passerelle.records.models import Author, Record
from passerelle.records.service import Records
from passerelle.records.sight import sight_of
from passerelle.records.upserting import Upserts
from passerelle.tables.errors import TABLE_BUSY, TABLE_NOT_FOUND
from passerelle.tables.models import Table

_REASONS: Final = {
    errors.RECORD_BUSY.name: "conflict",
    TABLE_BUSY.name: "conflict",
    errors.SEARCH_TOO_SLOW.name: "timeout",
}
"""What `retry.on` is compared with; other problems are the same the next time."""
_MISSING: Final = frozenset({errors.RECORD_NOT_FOUND.name, TABLE_NOT_FOUND.name})


class StepRecords:
    """What steps and expressions do with the records of every workspace."""

    def __init__(self, database: Database, records: Records, upserts: Upserts, finding: RecordSearch) -> None:
        self._database = database
        self._records = records
        self._upserts = upserts
        self._finding = finding

    async def require(self, workspace_id: UUID, table: str, record_id: UUID) -> UUID:
        """The record, or the one that it was merged into. Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND."""
        _, record = await self._records.read(workspace_id, table, record_id)
        return record.id

    async def read(
        self, workspace_id: UUID, table: str, record_id: UUID, connection: Connection | None = None
    ) -> JsonObject | None:
        """A record by field name; None where the table or the record is not there.

        connection   a step is about to write what it computes from the record: nobody else may change it meanwhile
        """
        try:
            if connection is None:
                found, record = await self._records.read(workspace_id, table, record_id)
            else:
                found, record = await self._records.read_locked(workspace_id, table, record_id, connection)
        except PasserelleError as error:
            if {problem.code for problem in error.problems} <= _MISSING:
                return None
            raise
        return sight_of(found).json(record)

    async def perform(
        self, connection: Connection, definition: Definition, by: Identity, work: RecordWork
    ) -> Performed:
        """Do it, in the transaction of `connection`. Raises `StepFailure`."""
        author = Author(f"workflow {definition.name}", by.id)
        try:
            if work.action == "find":
                table, found = await self._finding.find(
                    by.workspace_id, work.table, work.fields, work.limit, connection
                )
                return Performed({"records": [sight_of(table).json(record) for record in found]})
            table, record = await self._write(connection, by.workspace_id, author, work)
        except PasserelleError as error:
            raise await self._failure(connection, by.workspace_id, work, error) from None
        return Performed(sight_of(table).json(record), record.id)

    async def _write(
        self, connection: Connection, workspace_id: UUID, author: Author, work: RecordWork
    ) -> tuple[Table, Record]:
        if work.action == "update":
            record_id = parse_id(work.id) if isinstance(work.id, str) else None
            if record_id is None:
                raise errors.RECORD_NOT_FOUND.error("the `id` of the step is no id of a record (a UUID)")
            return await self._records.merge_values(
                workspace_id, work.table, record_id, work.fields, author, connection=connection
            )
        if work.action == "create":
            return await self._records.create(workspace_id, work.table, work.fields, author, connection=connection)
        field = str(work.by)
        table, written = await self._upserts.write(
            connection, workspace_id, work.table, field, work.fields.get(field), work.fields, author
        )
        return table, written.record

    async def _failure(
        self, connection: Connection, workspace_id: UUID, work: RecordWork, error: PasserelleError
    ) -> StepFailure:
        """Every problem of the fields as the step's failure, personal values masked."""
        redaction = await self._redaction(connection, workspace_id, work)
        problems = [
            {"code": problem.code, "message": redaction.text(problem.message), "pointer": problem.pointer}
            for problem in error.problems
        ]
        codes = {problem.code for problem in error.problems}
        code = codes.pop() if len(codes) == 1 else "RECORD_INVALID"
        message = "; ".join(str(problem["message"]) for problem in problems)
        return StepFailure(code, message, reason=_REASONS.get(code), details={"problems": problems})

    async def _redaction(self, connection: Connection, workspace_id: UUID, work: RecordWork) -> Redaction:
        try:
            table = await self._records.table(workspace_id, work.table, connection)
        except PasserelleError:
            return Redaction(())
        personal = [work.fields.get(field.name) for field in table.fields if field.pii]
        return Redaction(str(value) for value in personal if value is not None)
