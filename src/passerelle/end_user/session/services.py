"""What the end user's part consists of, as the composition root makes it."""

from __future__ import annotations

from passerelle.audit.trail import AuditTrail
from passerelle.end_user.session.changes import Changes
from passerelle.end_user.session.evidence import Evidence
from passerelle.end_user.session.files import EndUserFiles
from passerelle.end_user.session.repository import EndUserRepository
from passerelle.end_user.session.service import EndUserSessions
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.kit.listening import Listener
from passerelle.kit.rates import Rates
from passerelle.kit.secrets import SecretBox
from passerelle.records.parts import RecordServices
from passerelle.resources.scanning import EicarOnly, Scanner
from passerelle.workflows.service import Executions


def end_user_sessions(
    database: Database,
    listener: Listener,
    executions: Executions,
    records: RecordServices,
    clock: Clock,
    new_id: NewId,
    box: SecretBox,
    rates: Rates | None = None,
    trail: AuditTrail | None = None,
    scanner: Scanner | None = None,
) -> EndUserSessions:
    """The end user's part on a database. Without a scanner, only the scanners' test file is found."""
    repository = EndUserRepository(database)
    files = EndUserFiles(
        database, repository, records.resources, records.attachments, scanner or EicarOnly(), clock, new_id
    )
    evidence = Evidence(executions, repository, box, clock, trail)
    changes = Changes(listener, repository)
    return EndUserSessions(executions, repository, files, changes, clock, rates or Rates(clock), evidence)
