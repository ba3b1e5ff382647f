"""What the feature consists of, as the composition root makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import Handler
from passerelle.kit.memory import Memory
from passerelle.kit.secrets import SecretBox
from passerelle.quotas.service import WorkspaceQuotas
from passerelle.records.attachments import Attachments
from passerelle.records.changes import RecordChanges
from passerelle.records.described import OwnTables
from passerelle.records.duplicates import Duplicates
from passerelle.records.erasing import ERASE_JOB, Concerned, Eraser, Erasing, nobody
from passerelle.records.finding import RecordSearch
from passerelle.records.history import RecordHistory
from passerelle.records.importing import RecordImporter
from passerelle.records.indexing import Indexing
from passerelle.records.merging import REPOINT_JOB, Merging
from passerelle.records.personal import PersonalValues
from passerelle.records.purging import Purging
from passerelle.records.repository import RecordRepository
from passerelle.records.service import Records
from passerelle.records.shown import ShownFields
from passerelle.records.steps import StepRecords
from passerelle.records.upserting import Upserts
from passerelle.resources.files import Files
from passerelle.resources.opening import Opener
from passerelle.resources.service import Resources
from passerelle.tables.models import CLEAR_JOB, INDEX_JOB
from passerelle.tables.service import Tables


@dataclass(frozen=True)
class RecordServices:
    """Every service of records. Endpoints take one when they are called."""

    tables: Tables
    records: Records
    upserts: Upserts
    history: RecordHistory
    finding: RecordSearch
    changing: RecordChanges
    steps: StepRecords
    personal: PersonalValues
    erasing: Erasing
    importing: RecordImporter
    indexing: Indexing
    shown: ShownFields
    resources: Resources
    attachments: Attachments
    duplicates: Duplicates
    merging: Merging
    purging: Purging
    own_tables: OwnTables
    clock: Clock
    public_url: str | None
    """Where links to files point to; the address that was called where it is not set."""

    def jobs(self) -> Mapping[str, Handler]:
        """What the feature's jobs do."""
        return {
            INDEX_JOB: self.indexing.run,
            ERASE_JOB: self.erasing.delete_files,
            CLEAR_JOB: self.purging.clear_table,
            REPOINT_JOB: self.merging.repoint,
        }


def record_parts(
    database: Database,
    cursors: Cursors,
    clock: Clock,
    new_id: NewId,
    *,
    files: Files,
    box: SecretBox,
    public_url: str | None = None,
    concerned: Concerned = nobody,
    erasers: Sequence[Eraser] = (),
    memory: Memory | None = None,
    quotas: WorkspaceQuotas | None = None,
    opener: Opener | None = None,
) -> RecordServices:
    """The feature on a database.

    concerned   which executions concern records
    erasers     what else keeps values of people
    memory      where tables are remembered
    quotas      how much a workspace may have
    opener      opens files, so that pictures can be shown; without it they are kept as they are
    """
    tables = Tables(database, clock, new_id, memory)
    repository = RecordRepository(new_id, quotas)
    records = Records(database, tables, repository, clock, new_id)
    upserts = Upserts(database, tables, records, repository)
    finding = RecordSearch(database, tables, repository, cursors)
    personal = PersonalValues(database, tables)
    resources = Resources(database, files, box, clock, quotas, opener)
    attachments = Attachments(database, records, resources, clock, new_id)
    indexing = Indexing(database, tables, repository)
    return RecordServices(
        tables=tables,
        records=records,
        upserts=upserts,
        history=RecordHistory(database, records, repository, personal, clock),
        finding=finding,
        changing=RecordChanges(database, tables, records, repository),
        steps=StepRecords(database, records, upserts, finding),
        personal=personal,
        erasing=Erasing(
            database, tables, repository, personal, resources, clock, new_id, concerned=concerned, erasers=erasers
        ),
        importing=RecordImporter(database, tables, records, upserts, repository, clock, new_id),
        indexing=indexing,
        shown=ShownFields(database, tables),
        resources=resources,
        attachments=attachments,
        duplicates=Duplicates(database, tables, repository),
        merging=Merging(database, tables, records, repository, attachments, clock),
        purging=Purging(database, indexing, clock),
        own_tables=OwnTables(database, tables, repository, new_id),
        clock=clock,
        public_url=public_url,
    )
