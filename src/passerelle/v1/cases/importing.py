"""`passerelle cases import`: cases as JSON lines, in the shape that `GET /cases/{caseId}` gives.

A case keeps its id, the time it was made, and its party. Lines that are wrong are reported, the rest is taken; a
file that is read twice changes nothing the second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.bodies import Body, validate
from passerelle.kit.json import Json
from passerelle.records.errors import ValueTakenError
from passerelle.records.models import Author, Record
from passerelle.records.parts import RecordServices
from passerelle.records.rows import LONGEST_LINE
from passerelle.resources.uploads import LARGEST, spooled
from passerelle.tables.models import Table
from passerelle.tables.values import check_new
from passerelle.v1.cases.models import BUSINESS, PARTY_ID, PERSONAL, PHONE, merged_phone
from passerelle.v1.cases.schemas import Digits, DocumentBody, PhoneBody, Text

AUTHOR: Final = Author("passerelle cases import")
_CHUNK: Final = 1 << 20

Progress = Callable[[int], None]
"""Told how many more bytes were read."""


class PersonalBody(Body):
    """A person."""

    first_name: Text
    last_name: Text
    personal_number: Digits
    email: Text
    phone: PhoneBody | None = None


class BusinessBody(Body):
    """A company."""

    company_number: Digits
    company_name: Text
    company_address: Text


class PartyBody(Body):
    """Whom a case is about."""

    personal: PersonalBody | None = None
    business: BusinessBody | None = None
    documents: list[DocumentBody] | None = None


class CaseLine(Body):
    """One line."""

    case_id: UUID
    created_date: datetime
    party_id: Text
    party_details: PartyBody | None = None
    workflows: list[Any] | None = None
    more_workflows: str | None = None

    def values(self) -> dict[str, Json]:
        """By the names of the table's fields."""
        party = self.party_details
        personal = party.personal.model_dump(by_alias=True) if party and party.personal else {}
        business = party.business.model_dump(by_alias=True) if party and party.business else {}
        return {
            **{name: personal.get(name) for name in PERSONAL},
            **{name: business.get(name) for name in BUSINESS},
            PHONE: merged_phone(None, personal.get(PHONE)),
            PARTY_ID: self.party_id,
        }

    @property
    def documents(self) -> list[DocumentBody]:
        """Its files."""
        return (self.party_details.documents if self.party_details is not None else None) or []


@dataclass
class CaseImportReport:
    """What an import came to."""

    made: int = 0
    unchanged: int = 0
    files: int = 0
    executions: int = 0
    """Executions that the lines name; they stay with the service that ran them."""
    problems: list[str] = field(default_factory=list)
    """A line each, with the line's number; every line of the file that has one was not taken, or not whole."""


class CaseImporter:
    """Imports into the table of cases of one workspace."""

    def __init__(
        self, database: Database, parts: RecordServices, table: Table, files: Path | None, clock: Clock
    ) -> None:
        self._database = database
        self._parts = parts
        self._table = table
        self._files = files
        self._clock = clock

    async def run(self, file: Path, progress: Progress) -> CaseImportReport:
        """Take every line that is right."""
        report = CaseImportReport()
        async for number, line in _lines(file):
            progress(len(line))
            if line.strip():
                try:
                    await self._take(line, number, report)
                except PasserelleError as error:
                    report.problems += [_said(number, problem.message, problem.pointer) for problem in error.problems]
        return report

    async def _take(self, line: bytes, number: int, report: CaseImportReport) -> None:
        if len(line) > LONGEST_LINE:
            report.problems.append(_said(number, f"the line is longer than {LONGEST_LINE:,} bytes"))
            return
        case = validate(line.removeprefix(b"\xef\xbb\xbf"), CaseLine)
        if case.created_date.tzinfo is None:
            report.problems.append(
                _said(number, "must be a time with its zone, such as 2026-01-05T09:00:00Z", "/createdDate")
            )
            return
        report.executions += len(case.workflows or ())
        made = await self._record(case, number, report)
        if made is None:
            return
        report.made += made
        report.unchanged += not made
        await self._documents(case, number, report)

    async def _record(self, case: CaseLine, number: int, report: CaseImportReport) -> bool | None:
        """Whether the case was made; None where another is in its place."""
        workspace_id = self._table.workspace_id
        values = check_new(self._table, case.values(), case.case_id).require()
        record = Record(case.case_id, 1, values, case.created_date, case.created_date)
        async with self._database.workspace(workspace_id) as connection:
            there = await self._there(connection, case.case_id)
            if there is None:
                try:
                    if await self._parts.records.insert(connection, self._table, [record], AUTHOR):
                        return True
                    report.problems.append(_said(number, "the table of cases has changed: start the command again"))
                except ValueTakenError:
                    report.problems.append(_said(number, "a unique value is taken", "/caseId"))
                except asyncpg.UniqueViolationError as error:
                    elsewhere = error.constraint_name == "record_change_pkey"
                    what = (
                        "a record of another table has this id" if elsewhere else "a case that was deleted has this id"
                    )
                    report.problems.append(_said(number, what, "/caseId"))
                return None
        different = [one.name for one in self._table.fields if there.values.get(one.key) != values.get(one.key)]
        if different:
            names = ", ".join(f"`{name}`" for name in different)
            report.problems.append(
                _said(
                    number,
                    f"the case {case.case_id} is there already, with other values in {names}: nothing was changed",
                )
            )
            return None
        return False

    async def _there(self, connection: Connection, case_id: UUID) -> Record | None:
        try:
            _, record = await self._parts.records.read_any(
                self._table.workspace_id, str(self._table.id), case_id, connection
            )
        except PasserelleError:
            return None
        return record

    async def _documents(self, case: CaseLine, number: int, report: CaseImportReport) -> None:
        if not case.documents:
            return
        workspace_id = self._table.workspace_id
        async with self._database.workspace(workspace_id) as connection:
            held = {one.id for one in await self._parts.attachments.files_of(connection, workspace_id, case.case_id)}
            wanted = [one for one in case.documents if one.resource_id not in held]
            there = await self._parts.resources.find_many(connection, workspace_id, [one.resource_id for one in wanted])
        for document in wanted:
            if document.resource_id not in there and not await self._keep(document, number, report):
                continue
            async with self._database.transaction(workspace_id) as connection:
                await self._parts.attachments.attach_once(
                    workspace_id, str(self._table.id), case.case_id, document.resource_id, AUTHOR, connection
                )
            report.files += 1

    async def _keep(self, document: DocumentBody, number: int, report: CaseImportReport) -> bool:
        """Store the file under its own id, from the folder of files."""
        path = self._found(document)
        if path is None:
            where = f"is not in {self._files}" if self._files is not None else "is not here: give the --files folder"
            report.problems.append(
                _said(number, f"the case is taken; its file {document.resource_name or document.resource_id} {where}")
            )
            return False
        name = document.resource_name or path.name
        async with spooled(name, _chunks(path), largest=LARGEST) as upload:
            await self._parts.resources.keep(self._table.workspace_id, document.resource_id, upload, AUTHOR.by)
        return True

    def _found(self, document: DocumentBody) -> Path | None:
        """The file as its path says, in a folder of its id, or by its name alone; nothing outside of the folder."""
        if self._files is None:
            return None
        folder = self._files.resolve()
        name = document.resource_name or ""
        for wanted in (document.resource_path, f"{document.resource_id}/{name}", name):
            path = (folder / wanted.lstrip("/")).resolve() if wanted else folder
            if path.is_file() and path.is_relative_to(folder):
                return path
        return None


async def _lines(file: Path) -> AsyncIterator[tuple[int, bytes]]:
    """Each line with its number; of one that is too long, only as much as tells so."""
    with file.open("rb") as opened:
        number, rest = 1, False
        while line := await asyncio.to_thread(opened.readline, LONGEST_LINE + 2):
            if not rest:
                yield number, line
            rest = not line.endswith(b"\n") and len(line) > LONGEST_LINE
            number += not rest


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    opened = await asyncio.to_thread(path.open, "rb")
    with opened:
        while chunk := await asyncio.to_thread(opened.read, _CHUNK):
            yield chunk


def _said(number: int, message: str, pointer: str | None = None) -> str:
    return f"line {number}: {f'{pointer}: ' if pointer else ''}{message}"
