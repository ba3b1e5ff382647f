"""A company with cases of every kind, and the table that they are to move to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console

from passerelle.kit.json import loads
from passerelle.v1.cases import migrate_command
from passerelle.v1.cases.command_database import Where
from passerelle.v1.cases.migrate_command import Said
from tests.integration.v1.both import PERSON, Both

CUSTOMERS: dict[str, Any] = {
    "name": "customers",
    "fields": [
        {"name": "surname", "title": "Last name", "type": "text", "indexed": True, "pii": "identity"},
        {"name": "firstName", "type": "text", "pii": "identity"},
        {"name": "email", "type": "email", "unique": True, "pii": "contact"},
        {"name": "phone", "type": "phone", "pii": "contact"},
        {"name": "pesel", "type": "text"},
        {"name": "company", "type": "text"},
        {"name": "companyNumber", "type": "integer"},
        {"name": "origin", "type": "singleSelect", "options": ["old-shop", "web"], "required": True},
    ],
}
MAP = """
fields:
  firstName: firstName
  lastName: surname
  personalNumber: pesel
  email: email
  phone: phone
  companyName: company
  companyNumber: companyNumber
  companyAddress:
  partyId:
set: {origin: old-shop}
"""
TABLES = ("record", "record_key", "record_unique", "record_change", "record_comment", "attachment", "record_moved")


@dataclass
class Company:
    """The workspace, and the commands on it."""

    both: Both
    folder: Path

    @property
    def place(self) -> Where:
        return Where(self.both.product.database_url, self.both.product.workspace_id, str(self.folder / "files"))

    async def move(self, text: str = MAP, *, to: str = "customers", dry_run: bool = False) -> Said:
        file = self.folder / "map.yaml"
        file.write_text(text)
        return await migrate_command.migrate(self.place, to, file, _silent(), dry_run=dry_run)

    async def undo(self) -> Said:
        return await migrate_command.undo(self.place, _silent())

    async def verify(self) -> Said:
        return await migrate_command.verify(self.place, _silent())

    async def table(self, body: dict[str, Any] = CUSTOMERS) -> Any:
        return await self.both.new.call("POST", "/tables", body, 201)

    async def people(self, count: int) -> list[str]:
        """Cases with history, a file, a comment and an execution each; their ids."""
        ids = []
        for number in range(count):
            made = await self.both.case(**PERSON | {"email": f"anna{number}@example.com", "lastName": f"Nowak{number}"})
            case_id = made["caseId"]
            file = await self.both.file(f"extract{number}.txt")
            await self.both.old.call("PATCH", f"/cases/{case_id}", {"firstName": "Ewa", "documents": [file]})
            await self.both.new.call("POST", f"/tables/cases/records/{case_id}/comments", {"text": "called back"}, 201)
            await self.both.run(case_id)
            ids.append(case_id)
        return ids

    async def rows(self) -> dict[str, list[Any]]:
        """Everything that the workspace's records consist of."""
        connection = await asyncpg.connect(self.both.product.database_url)
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=loads)
        try:
            return {
                name: [
                    dict(row)
                    for row in await connection.fetch(
                        f"SELECT * FROM {name} t WHERE workspace_id = $1 ORDER BY t::text",
                        self.both.product.workspace_id,
                    )
                ]
                for name in TABLES
            }
        finally:
            await connection.close()


def _silent() -> Console:
    return Console(quiet=True)
