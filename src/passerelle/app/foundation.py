"""What a process has once and all of its services share: connections, clocks, processes of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from passerelle.app.settings import Settings
from passerelle.audit.trail import AuditTrail
from passerelle.engine.checks import load_checks, warm_checks
from passerelle.kit.clock import SharedClock
from passerelle.kit.database import Database, Target
from passerelle.kit.database_clock import ask, keep_asking
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import Leases, WaitingJobs
from passerelle.kit.listening import Listener
from passerelle.kit.mail import Mail, NoMail
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.mail.smtp import SmtpMail
from passerelle.kit.memory import CHANNEL, Memory
from passerelle.kit.outgoing.client import OutgoingClient, trusted_roots
from passerelle.kit.outgoing.rules import EgressRules
from passerelle.kit.rates import Rates, shared_in
from passerelle.kit.secrets import SecretBox
from passerelle.kit.sent_journal import NotedMail, SentBuffer
from passerelle.kit.workshop import Workshop
from passerelle.languages.service import Languages
from passerelle.quotas.models import Quotas
from passerelle.quotas.service import WorkspaceQuotas
from passerelle.resources import opening
from passerelle.themes.brand import BrandedMail
from passerelle.themes.repository import ThemeRepository
from passerelle.themes.service import Themes

DEFAULT_PORT: Final = 8080


@dataclass(frozen=True)
class Foundation:
    """Made before any other service; its order is that of making."""

    settings: Settings
    box: SecretBox
    database: Database
    clock: SharedClock
    memory: Memory
    listener: Listener
    leases: Leases
    waiting: WaitingJobs
    """Which jobs of this process only wait for somebody else's answer."""
    rules: EgressRules
    sent: SentBuffer
    """What this process has sent to the outside, until it is written down."""
    outgoing: OutgoingClient
    to_webhooks: OutgoingClient
    """Of its own: receivers that hang must not take the connections that steps need."""
    plain_http: bool
    """Whether webhooks may be sent without TLS."""
    workshop: Workshop
    opener: opening.Opener
    rates: Rates
    cursors: Cursors
    quotas: WorkspaceQuotas
    trail: AuditTrail
    languages: Languages
    themes: Themes
    mail: Mail

    @property
    def public_url(self) -> str:
        """Where end users and operators find this installation."""
        return self.settings.public_url or f"http://localhost:{DEFAULT_PORT}"


@asynccontextmanager
async def open_foundation(
    settings: Settings, database_url: str, box: SecretBox, *, plain_http: bool
) -> AsyncIterator[Foundation]:
    """Connect to the database and start what goes on by itself; close all of it at the end."""
    database = await Database.open(_target(settings, database_url), size=settings.database_connections)
    clock = SharedClock()
    await ask(database, clock)
    rules = EgressRules.parse(settings.egress_allow)
    # Both take long enough to be felt by whoever comes first, and hold up all others meanwhile.
    roots, _ = await asyncio.gather(
        asyncio.to_thread(trusted_roots), asyncio.to_thread(warm_checks, load_checks().values())
    )
    memory = Memory()
    rates = Rates(clock, shared_in(database))
    sent = SentBuffer(clock)
    themes = Themes(ThemeRepository(database), clock, memory, settings.sender_domains)
    # Of their own: nobody who works on a definition waits behind photos.
    files = Workshop(seconds=opening.SECONDS, memory=opening.MEMORY)
    shared = Foundation(
        settings=settings,
        box=box,
        database=database,
        clock=clock,
        memory=memory,
        listener=Listener(database.listens_at),
        leases=Leases(database),
        waiting=WaitingJobs(),
        rules=rules,
        sent=sent,
        outgoing=OutgoingClient(rules, tls=roots, on_send=sent.note),
        to_webhooks=OutgoingClient(rules, tls=roots, on_send=sent.note),
        plain_http=plain_http,
        workshop=Workshop(),
        opener=opening.Opener(files),
        rates=rates,
        cursors=Cursors(box),
        quotas=WorkspaceQuotas(database, _quotas(settings), rates, memory),
        trail=AuditTrail(database, clock, new_id, settings.audit_keep),
        languages=Languages(settings.languages_folder),
        themes=themes,
        mail=BrandedMail(NotedMail(_mail(settings), sent.note), themes),
    )
    shared.listener.on(CHANNEL, memory.hear, memory.forget_all)
    try:
        async with beside(
            shared.leases.keep(),
            shared.listener.run(),
            database.keep_proving(),
            keep_asking(database, clock),
            rates.keep_sharing(),
        ):
            yield shared
    finally:
        await shared.outgoing.close()
        await shared.to_webhooks.close()
        await database.close()
        await asyncio.to_thread(shared.workshop.close)
        await asyncio.to_thread(files.close)


@asynccontextmanager
async def beside(*work: Coroutine[object, object, object]) -> AsyncIterator[None]:
    """Do endless work next to the body, and end it with the body."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def _target(settings: Settings, database_url: str) -> Target:
    return Target(
        database_url,
        pooled=settings.database_pooled,
        direct_url=settings.direct_address,
        role=settings.database_role,
        read_url=settings.read_address,
    )


def _quotas(settings: Settings) -> Quotas:
    return Quotas(settings.quota_executions, settings.quota_records, settings.quota_storage, settings.quota_requests)


def _mail(settings: Settings) -> Mail:
    if settings.smtp_url is None:
        return NoMail()
    return SmtpMail(SmtpServer.parse(settings.smtp_url.get_secret_value()), MailAddress.parse(settings.mail_from))
