"""The composition root: which parts there are, and how they hold together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from passerelle.accounts.service import Accounts
from passerelle.cases.service import CaseRecords
from passerelle.definitions.facts import KnownFacts
from passerelle.deprecations.guide import GUIDE
from passerelle.deprecations.models import Mode
from passerelle.deprecations.repository import DeprecationRepository
from passerelle.deprecations.service import Deprecations
from passerelle.engine.checks import load_checks, warm_checks
from passerelle.engine.registry import load_kinds
from passerelle.engine.runner import Runner
from passerelle.engine.store import ABANDONED, CHILD_ENDED, ENTRYPOINT, NOTICE, Store
from passerelle.events.repository import EventRepository
from passerelle.events.service import Events
from passerelle.executions.erasing import concerned, erase_executions
from passerelle.executions.moves.repository import JOB as MIGRATION_JOB
from passerelle.executions.moves.repository import MoveRepository
from passerelle.executions.moves.service import Moves
from passerelle.executions.repository import ExecutionRepository
from passerelle.executions.service import Executions
from passerelle.executions.visitor.parts import visitor_part
from passerelle.executions.visitor.repository import rename_steps
from passerelle.executions.visitor.service import Visitor
from passerelle.kit.clock import system_clock
from passerelle.kit.database import Database
from passerelle.kit.http.idempotency import forget_old
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import Handler, JobRunning, Leases, Worker
from passerelle.kit.mail import Mail, NoMail
from passerelle.kit.mail.addresses import Address
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.mail.smtp import SmtpMail
from passerelle.kit.outgoing.client import OutgoingClient, trusted_roots
from passerelle.kit.outgoing.rules import EgressRules
from passerelle.kit.secrets import SecretBox
from passerelle.links.erasing import erase_addresses
from passerelle.links.listing import LinkList
from passerelle.links.parts import LinkParts, link_parts
from passerelle.links.service import Links
from passerelle.lists.repository import ListRepository
from passerelle.lists.service import NameLists
from passerelle.records.parts import RecordParts, record_parts
from passerelle.resources.files import Files
from passerelle.reviews.notices import Notices
from passerelle.reviews.repository import ReviewRepository
from passerelle.reviews.service import Reviews
from passerelle.revisions.repository import RevisionRepository
from passerelle.revisions.service import Revisions
from passerelle.secrets.repository import SecretRepository
from passerelle.secrets.service import Secrets
from passerelle.settings import Settings
from passerelle.themes.repository import ThemeRepository
from passerelle.themes.service import Themes
from passerelle.webhooks.addresses import Addresses
from passerelle.webhooks.attempts import Attempts
from passerelle.webhooks.courier import Courier
from passerelle.webhooks.erasing import erase_answers
from passerelle.webhooks.owner_mail import OwnerMail
from passerelle.webhooks.queue import DeliveryQueue
from passerelle.webhooks.repository import OWNER_JOB
from passerelle.webhooks.service import Webhooks

DEFAULT_PORT: Final = 8080


@dataclass(frozen=True)
class Services:
    """Every part that an entry point may need."""

    settings: Settings
    box: SecretBox
    database: Database
    accounts: Accounts
    secrets: Secrets
    mail: Mail
    revisions: Revisions
    executions: Executions
    moves: Moves
    links: Links
    link_list: LinkList
    cases: CaseRecords
    deprecations: Deprecations
    visitor: Visitor
    reviews: Reviews
    records: RecordParts
    runner: Runner
    lists: NameLists
    events: Events
    themes: Themes
    webhooks: Webhooks
    cursors: Cursors
    worker: Worker


@asynccontextmanager
async def open_services(
    settings: Settings, database_url: str, box: SecretBox, *, plain_http: bool = False
) -> AsyncIterator[Services]:
    """Connect everything; close it at the end. `plain_http`: webhooks may be sent without TLS."""
    database = await Database.open(database_url, size=settings.database_connections)
    rules = EgressRules.parse(settings.egress_allow)
    # Both take long enough to be felt by whoever comes first, and hold up all others meanwhile.
    roots, _ = await asyncio.gather(
        asyncio.to_thread(trusted_roots), asyncio.to_thread(warm_checks, load_checks().values())
    )
    outgoing = OutgoingClient(rules, tls=roots)
    # Receivers that hang must not take the connections that steps need.
    to_webhooks = OutgoingClient(rules, tls=roots)
    leases = Leases(database)
    keeping = asyncio.create_task(leases.keep())
    services = _build(settings, database_url, box, database, outgoing, to_webhooks, leases, plain_http=plain_http)
    counting = asyncio.create_task(services.deprecations.keep_writing())
    try:
        yield services
    finally:
        await services.visitor.close()
        await services.executions.close()
        for task in (keeping, counting):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await services.deprecations.write()
        await outgoing.close()
        await to_webhooks.close()
        await database.close()


def _build(
    settings: Settings,
    database_url: str,
    box: SecretBox,
    database: Database,
    outgoing: OutgoingClient,
    to_webhooks: OutgoingClient,
    leases: Leases,
    *,
    plain_http: bool,
) -> Services:
    secrets = Secrets(SecretRepository(database), box)
    cursors = Cursors(box)
    records = record_parts(
        database,
        cursors,
        system_clock,
        new_id,
        files=Files.at(settings.files_url),
        box=box,
        public_url=settings.public_url,
        concerned=concerned,
        erasers=(erase_executions, erase_addresses, erase_answers),
    )

    async def facts(workspace_id: UUID) -> KnownFacts:
        return KnownFacts(
            tables=await records.tables.field_names(workspace_id), secrets=await secrets.names(workspace_id)
        )

    mail = _mail(settings)
    revisions = Revisions(RevisionRepository(database, new_id), load_kinds(), facts)
    lists = NameLists(ListRepository(database), system_clock)
    store = Store(database, new_id)
    runner = Runner(
        store,
        revisions,
        secrets,
        outgoing,
        leases,
        system_clock,
        lists,
        mail=mail,
        records=records.steps,
    )
    repository = ExecutionRepository(database, new_id)
    executions = Executions(runner, revisions, repository, records, system_clock, new_id, settings.run_wait)
    moves = Moves(database, MoveRepository(database), store, revisions, rename_steps, system_clock, settings.run_wait)
    visitor = visitor_part(database, database_url, executions, records, system_clock, new_id)
    review_repository = ReviewRepository(database)
    notices = Notices(runner, review_repository, mail, system_clock, new_id, settings.public_url or "")
    accounts = Accounts(database, box)
    events = Events(EventRepository(database), system_clock)
    queue = DeliveryQueue(database, new_id)
    addresses = Addresses(EgressRules.parse(settings.egress_allow), plain_http=plain_http)
    webhooks = Webhooks(database, queue, addresses, accounts.signing_keys, box, system_clock, new_id)
    jobs = {
        NOTICE: notices.run,
        MIGRATION_JOB: moves.run,
        OWNER_JOB: OwnerMail(database, mail, system_clock, new_id).run,
    }
    attempts = Attempts(to_webhooks, accounts.signing_keys, records.shown, box, system_clock)
    courier = Courier(queue, attempts, webhooks.gone, system_clock)
    themes = Themes(ThemeRepository(database))
    links = link_parts(
        database,
        executions,
        revisions,
        themes,
        accounts.signing_keys,
        box,
        mail,
        system_clock,
        new_id,
        public_url=settings.public_url or f"http://localhost:{DEFAULT_PORT}",
        environment=settings.environment,
    )
    deprecations = Deprecations(
        DeprecationRepository(database),
        system_clock,
        default=Mode(settings.v1),
        brownouts=settings.v1_brownouts,
        guide=(settings.public_url or f"http://localhost:{DEFAULT_PORT}") + GUIDE,
    )
    return Services(
        settings=settings,
        box=box,
        database=database,
        accounts=accounts,
        secrets=secrets,
        mail=mail,
        revisions=revisions,
        executions=executions,
        moves=moves,
        links=links.links,
        link_list=links.listing,
        cases=CaseRecords(database, records, executions),
        deprecations=deprecations,
        visitor=visitor,
        reviews=Reviews(executions, review_repository),
        records=records,
        runner=runner,
        lists=lists,
        events=events,
        themes=themes,
        webhooks=webhooks,
        cursors=cursors,
        worker=_worker(
            database_url,
            database,
            accounts,
            runner,
            visitor,
            records,
            links,
            events,
            webhooks,
            deprecations,
            courier,
            jobs,
            moves,
        ),
    )


def _mail(settings: Settings) -> Mail:
    if settings.smtp_url is None:
        return NoMail()
    return SmtpMail(SmtpServer.parse(settings.smtp_url.get_secret_value()), Address.parse(settings.mail_from))


def _worker(
    database_url: str,
    database: Database,
    accounts: Accounts,
    runner: Runner,
    visitor: Visitor,
    records: RecordParts,
    links: LinkParts,
    events: Events,
    webhooks: Webhooks,
    deprecations: Deprecations,
    courier: Courier,
    jobs: Mapping[str, Handler],
    moves: Moves,
) -> Worker:
    async def go_on(job: JobRunning) -> None:
        await runner.resume(UUID(job.payload["workspaceId"]), UUID(job.payload["executionId"]), job.id)

    async def tell_parent(job: JobRunning) -> None:
        await runner.children.tell(UUID(job.payload["workspaceId"]), UUID(job.payload["executionId"]))

    async def end_child(job: JobRunning) -> None:
        await runner.children.end(UUID(job.payload["workspaceId"]), UUID(job.payload["executionId"]))

    async def sweep() -> None:
        await runner.sweep()

    async def sweep_webhooks() -> None:
        await webhooks.sweep()

    async def sweep_links() -> None:
        await links.links.sweep()

    async def forget() -> None:
        await forget_old(database)
        await accounts.forget_old()
        await webhooks.forget_old()
        await events.forget_old()
        await links.links.forget_old()
        await visitor.forget_old()
        await deprecations.forget_old()
        await moves.forget_old()

    return Worker(
        database_url,
        {
            ENTRYPOINT: go_on,
            CHILD_ENDED: tell_parent,
            ABANDONED: end_child,
            **jobs,
            **links.jobs(),
            **records.jobs(),
        },
        {
            ("execution.sweep", "* * * * *"): sweep,
            ("webhook.sweep", "* * * * *"): sweep_webhooks,
            ("link.sweep", "* * * * *"): sweep_links,
            ("forget", "17 * * * *"): forget,
            records.purging.SCHEDULE: records.purging.purge_deleted,
        },
        beside=[courier],
    )
