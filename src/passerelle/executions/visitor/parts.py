"""What the end user's part consists of, as the composition root makes it."""

from __future__ import annotations

from passerelle.executions.service import Executions
from passerelle.executions.visitor.changes import Changes
from passerelle.executions.visitor.files import VisitorFiles
from passerelle.executions.visitor.repository import VisitorRepository
from passerelle.executions.visitor.service import Visitor
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.records.parts import RecordParts
from passerelle.resources.scanning import EicarOnly, Scanner


def visitor_part(
    database: Database,
    database_url: str,
    executions: Executions,
    records: RecordParts,
    clock: Clock,
    new_id: NewId,
    scanner: Scanner | None = None,
) -> Visitor:
    """The end user's part on a database. Without a scanner, only the scanners' test file is found."""
    repository = VisitorRepository(database)
    files = VisitorFiles(
        database, repository, records.resources, records.attachments, scanner or EicarOnly(), clock, new_id
    )
    return Visitor(executions, repository, files, Changes(database_url, repository), clock)
