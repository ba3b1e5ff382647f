"""The composition root: which services there are, and how they hold together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from passerelle.accounts.service import Accounts
from passerelle.app.foundation import Foundation, beside, open_foundation
from passerelle.app.metrics import Metrics
from passerelle.app.settings import Settings
from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.revisions.repository import RevisionRepository
from passerelle.definitions.revisions.service import Revisions
from passerelle.definitions.revisions.uses import DefinitionUses
from passerelle.drafts.letters import Letters
from passerelle.drafts.repository import DraftRepository
from passerelle.drafts.service import Drafts
from passerelle.drafts.trying import HttpTries
from passerelle.end_user.session.consent_copies import AgreedTexts
from passerelle.end_user.session.repository import rename_steps
from passerelle.end_user.session.service import EndUserSessions
from passerelle.end_user.session.services import end_user_sessions
from passerelle.engine.heavy_transitions import DefinitionCompiler
from passerelle.engine.registry import load_kinds
from passerelle.engine.runner import Runner
from passerelle.engine.store import Store
from passerelle.events.repository import EventRepository
from passerelle.events.service import Events
from passerelle.holds.service import Holds
from passerelle.kit.connections import LEAVING
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.loop_watch import LoopWatch
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.secrets import SecretBox
from passerelle.links.erasing import erase_addresses
from passerelle.links.services import LinkServices, link_services
from passerelle.lists.repository import ListRepository
from passerelle.lists.service import ListService
from passerelle.operations.figures import Counting
from passerelle.operations.mailing import MailTrial, MailWatch
from passerelle.operations.parts import OperationsParts
from passerelle.operations.presence import Presence
from passerelle.operations.sent import SentJournal
from passerelle.operations.standing import Overview
from passerelle.people.services import PeopleServices, people_services
from passerelle.publishing.service import Publishing
from passerelle.records.granting import Granting
from passerelle.records.parts import RecordServices, record_parts
from passerelle.resources.files import Files
from passerelle.retention.archives import erase_archives
from passerelle.retention.service import Retention
from passerelle.reviews.notices import Notices
from passerelle.reviews.repository import ReviewRepository
from passerelle.reviews.service import Reviews
from passerelle.scenarios.keeping import ScenarioKeeping
from passerelle.secrets.repository import SecretRepository
from passerelle.secrets.service import Secrets
from passerelle.v1.cases.service import CaseRecords
from passerelle.v1.deprecations.guide import GUIDE
from passerelle.v1.deprecations.models import Mode
from passerelle.v1.deprecations.repository import DeprecationRepository
from passerelle.v1.deprecations.service import Deprecations
from passerelle.views.repository import ViewRepository
from passerelle.views.service import Views
from passerelle.webhooks.addresses import Addresses
from passerelle.webhooks.erasing import erase_answers
from passerelle.webhooks.queue import DeliveryQueue
from passerelle.webhooks.service import Webhooks
from passerelle.workflows.comments import Comments
from passerelle.workflows.erasing import concerned, erase_executions
from passerelle.workflows.event_visibility import Heard
from passerelle.workflows.migrations.repository import MoveRepository
from passerelle.workflows.migrations.service import Moves
from passerelle.workflows.operations.repository import OperationRepository
from passerelle.workflows.operations.service import Operations
from passerelle.workflows.repository import ExecutionRepository
from passerelle.workflows.service import Executions

log = structlog.get_logger("passerelle.services")


@dataclass(frozen=True, eq=False)
class Services:
    """Every service that an entry point may need."""

    shared: Foundation
    accounts: Accounts
    granting: Granting
    people: PeopleServices
    secrets: Secrets
    records: RecordServices
    revisions: Revisions
    publishing: Publishing
    runner: Runner
    executions: Executions
    comments: Comments
    moves: Moves
    execution_operations: Operations
    links: LinkServices
    end_users: EndUserSessions
    agreed: AgreedTexts
    reviews: Reviews
    notices: Notices
    events: Events
    deliveries: DeliveryQueue
    webhooks: Webhooks
    lists: ListService
    views: Views
    drafts: Drafts
    scenarios: ScenarioKeeping
    tries: HttpTries
    letters: Letters
    cases: CaseRecords
    deprecations: Deprecations
    uses: DefinitionUses
    operations: OperationsParts
    holds: Holds
    retention: Retention
    watch: LoopWatch
    metrics: Metrics


@asynccontextmanager
async def open_services(
    settings: Settings, database_url: str, box: SecretBox, *, plain_http: bool = False
) -> AsyncIterator[Services]:
    """Connect everything; close it at the end. `plain_http`: webhooks may be sent without TLS."""
    async with open_foundation(settings, database_url, box, plain_http=plain_http) as shared:
        services = _build(shared)
        deprecations, trail, sent = services.deprecations, shared.trail, services.operations.sent
        writing = (deprecations.keep_writing(), trail.keep_writing(), sent.keep_writing())
        try:
            async with beside(services.watch.run(), *writing):
                try:
                    yield services
                finally:
                    await services.executions.close()
        finally:
            await _written_at_last(trail.write, deprecations.write, sent.write, trail.seal)


async def _written_at_last(*writing: Callable[[], Awaitable[None]]) -> None:
    """What was gathered goes out, as far as that is possible within a moment; what fails holds up no other."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVING):
            for write in writing:
                try:
                    await write()
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PasserelleError) as error:
                    log.warning("services.unwritten", what=write.__qualname__, error=repr(error))


def _build(shared: Foundation) -> Services:
    database, clock = shared.database, shared.clock
    secrets = Secrets(SecretRepository(database), shared.box, clock, memory=shared.memory)
    records = _records(shared)
    second_person = shared.settings.publishing_second_person
    kept_revisions = RevisionRepository(database, new_id, second_person=second_person)
    revisions = _revisions(shared, kept_revisions, records, secrets)
    store = Store(database, new_id)
    lists = ListService(ListRepository(database), clock)
    runner = _runner(shared, store, revisions, secrets, records, lists)
    executions = _executions(shared, runner, revisions, records)
    accounts = Accounts(database, shared.box, clock, memory=shared.memory, trail=shared.trail, rates=shared.rates)
    granting = Granting(records.tables, kept_revisions)
    people = _people(shared, granting)
    links = _links(shared, executions, revisions, accounts)
    end_users = _end_users(shared, executions, records)
    reviews = ReviewRepository(database)
    events = Events(EventRepository(database), clock, Heard(records.tables))
    deliveries = DeliveryQueue(database, new_id)
    operations = _operations(shared)
    publishing = Publishing(database, revisions, people.users, clock, new_id, second_person=second_person)
    return Services(
        shared=shared,
        accounts=accounts,
        granting=granting,
        people=people,
        secrets=secrets,
        records=records,
        revisions=revisions,
        publishing=publishing,
        runner=runner,
        executions=executions,
        comments=Comments(database, executions, people.users, clock),
        moves=_moves(shared, store, revisions),
        execution_operations=Operations(OperationRepository(database), executions, clock, shared.settings.run_wait),
        links=links,
        end_users=end_users,
        agreed=AgreedTexts(end_users, shared.themes, shared.languages, shared.workshop),
        reviews=Reviews(executions, reviews, people.users, links.links, clock),
        notices=Notices(runner, reviews, shared.mail, clock, new_id, shared.settings.public_url or ""),
        events=events,
        deliveries=deliveries,
        webhooks=_webhooks(shared, deliveries, events, accounts),
        lists=lists,
        views=Views(ViewRepository(database), clock),
        drafts=Drafts(DraftRepository(database), revisions, clock, new_id),
        scenarios=ScenarioKeeping(database, revisions, clock),
        tries=HttpTries(revisions, secrets, shared.outgoing, publishing, shared.rates, clock, new_id),
        letters=Letters(revisions, shared.themes, MailAddress.parse(shared.settings.mail_from)),
        cases=CaseRecords(database, records, executions),
        deprecations=_deprecations(shared),
        uses=DefinitionUses(kept_revisions),
        operations=operations,
        holds=Holds(database, clock, new_id),
        retention=Retention(database, shared.settings, Files.at(shared.settings.files_url), clock, new_id),
        watch=LoopWatch(),
        metrics=Metrics(database, clock, shared.quotas, operations.counting, operations.mail_watch),
    )


def _records(shared: Foundation) -> RecordServices:
    return record_parts(
        shared.database,
        shared.cursors,
        shared.clock,
        new_id,
        files=Files.at(shared.settings.files_url),
        box=shared.box,
        public_url=shared.settings.public_url,
        concerned=concerned,
        erasers=(erase_executions, erase_addresses, erase_answers, erase_archives),
        memory=shared.memory,
        quotas=shared.quotas,
        opener=shared.opener,
    )


def _revisions(
    shared: Foundation, repository: RevisionRepository, records: RecordServices, secrets: Secrets
) -> Revisions:
    async def facts(workspace_id: UUID) -> KnownFacts:
        return KnownFacts(
            tables=await records.tables.field_names(workspace_id),
            secrets=await secrets.names(workspace_id),
            values=await records.tables.field_values(workspace_id),
            languages=frozenset(shared.languages.known),
        )

    kinds = load_kinds()
    compiling = DefinitionCompiler(kinds, shared.workshop)
    return Revisions(
        repository, kinds, facts, shared.memory, compiling, compiling.calls, shared.themes.zone, compiling.check
    )


def _runner(
    shared: Foundation,
    store: Store,
    revisions: Revisions,
    secrets: Secrets,
    records: RecordServices,
    lists: ListService,
) -> Runner:
    return Runner(
        store,
        revisions,
        secrets,
        shared.outgoing,
        shared.leases,
        shared.clock,
        lists,
        mail=shared.mail,
        records=records.steps,
        workshop=shared.workshop,
        admission=shared.quotas,
        outside=shared.waiting,
    )


def _executions(shared: Foundation, runner: Runner, revisions: Revisions, records: RecordServices) -> Executions:
    repository = ExecutionRepository(shared.database, new_id)
    wait = shared.settings.run_wait
    return Executions(runner, revisions, repository, records, shared.clock, new_id, wait, shared.quotas, shared.trail)


def _moves(shared: Foundation, store: Store, revisions: Revisions) -> Moves:
    database = shared.database
    repository = MoveRepository(database)
    return Moves(database, repository, store, revisions, rename_steps, shared.clock, shared.settings.run_wait)


def _people(shared: Foundation, granting: Granting) -> PeopleServices:
    return people_services(
        shared.database,
        shared.box,
        shared.clock,
        new_id,
        mail=shared.mail,
        outgoing=shared.outgoing,
        things=granting,
        public_url=shared.public_url,
        idle=shared.settings.session_idle,
        lifetime=shared.settings.session_lifetime,
        trail=shared.trail,
    )


def _links(shared: Foundation, executions: Executions, revisions: Revisions, accounts: Accounts) -> LinkServices:
    return link_services(
        shared.database,
        executions,
        revisions,
        shared.themes,
        accounts.signing_keys,
        shared.box,
        shared.mail,
        shared.clock,
        new_id,
        public_url=shared.public_url,
        environment=shared.settings.environment,
        languages=shared.languages,
    )


def _end_users(shared: Foundation, executions: Executions, records: RecordServices) -> EndUserSessions:
    return end_user_sessions(
        shared.database,
        shared.listener,
        executions,
        records,
        shared.clock,
        new_id,
        shared.box,
        shared.rates,
        shared.trail,
    )


def _webhooks(shared: Foundation, deliveries: DeliveryQueue, events: Events, accounts: Accounts) -> Webhooks:
    addresses = Addresses(shared.rules, plain_http=shared.plain_http)
    keys = accounts.signing_keys
    return Webhooks(shared.database, deliveries, events, addresses, keys, shared.box, shared.clock, new_id)


def _operations(shared: Foundation) -> OperationsParts:
    database, settings = shared.database, shared.settings
    presence = Presence(database, new_id)
    files = Files.at(settings.files_url)
    overview = Overview(database, shared.clock, presence, files, settings.operated_by)
    sent = SentJournal(shared.sent, files, shared.clock, new_id, settings.sent_journal)
    trial = MailTrial(settings, shared.mail, shared.clock, new_id, shared.rates)
    return OperationsParts(overview, presence, trial, sent, MailWatch(settings), Counting(database))


def _deprecations(shared: Foundation) -> Deprecations:
    return Deprecations(
        DeprecationRepository(shared.database),
        shared.clock,
        default=Mode(shared.settings.v1),
        brownouts=shared.settings.v1_brownouts,
        guide=shared.public_url + GUIDE,
        memory=shared.memory,
    )
