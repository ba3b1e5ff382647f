"""Which jobs and schedules there are, and what does them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from uuid import UUID

import structlog

from passerelle.app.services import Services
from passerelle.engine.runner import Runner
from passerelle.engine.statements import ABANDONED, CHILD_ENDED, ENTRYPOINT, NOTICE
from passerelle.kit.http.idempotency import forget_old
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import Handler, JobRunning, Worker
from passerelle.operations import figures
from passerelle.retention.archives import DELETE_STRAY, ERASE_ARCHIVES
from passerelle.webhooks.attempts import DeliverySender
from passerelle.webhooks.dispatcher import Dispatcher
from passerelle.webhooks.owner_mail import OwnerMail

log = structlog.get_logger("passerelle.worker")


def worker_of(services: Services) -> Worker:
    """A worker for everything that is done in the background."""
    shared = services.shared
    purging, removal = services.records.purging, services.retention.removal

    return Worker(
        shared.database.target,
        {
            **_execution_jobs(services.runner),
            NOTICE: services.notices.run,
            **services.moves.jobs(),
            **services.execution_operations.jobs(),
            **OwnerMail(shared.database, shared.mail, shared.clock, new_id).jobs(),
            **services.links.jobs(),
            **services.end_users.jobs(),
            **services.people.jobs(),
            **services.records.jobs(),
            ERASE_ARCHIVES: services.retention.archives.erase,
            DELETE_STRAY: services.retention.archives.delete_stray,
        },
        {
            ("execution.sweep", "* * * * *"): services.runner.sweep,
            ("webhook.sweep", "* * * * *"): services.webhooks.sweep,
            ("link.sweep", "* * * * *"): services.links.links.sweep,
            ("audit.seal", "* * * * *"): shared.trail.seal,
            figures.SCHEDULE: services.operations.counting.count,
            ("forget", "17 * * * *"): partial(forget_what_is_over, services),
            purging.SCHEDULE: purging.purge_deleted,
            removal.SCHEDULE: removal.run,
        },
        listener=shared.listener,
        beside=[_dispatcher(services)],
        ceiling=shared.settings.jobs_per_workspace,
        outside=shared.waiting,
    )


def _dispatcher(services: Services) -> Dispatcher:
    shared = services.shared
    keys = services.accounts.signing_keys
    sender = DeliverySender(
        shared.to_webhooks, keys, services.records.shown, shared.box, shared.clock, traces=services.runner
    )
    return Dispatcher(services.deliveries, sender, services.webhooks.gone, shared.clock)


def _execution_jobs(runner: Runner) -> Mapping[str, Handler]:
    async def go_on(job: JobRunning) -> None:
        await runner.resume(*_ids(job), job.id, lost=job.lost)

    async def tell_parent(job: JobRunning) -> None:
        await runner.children.tell(*_ids(job))

    async def end_child(job: JobRunning) -> None:
        await runner.children.end(*_ids(job))

    return {ENTRYPOINT: go_on, CHILD_ENDED: tell_parent, ABANDONED: end_child}


def _ids(job: JobRunning) -> tuple[UUID, UUID]:
    return UUID(job.payload["workspaceId"]), UUID(job.payload["executionId"])


async def forget_what_is_over(services: Services) -> None:
    """Delete whatever is kept for a time only and whose time is over. What fails is tried again in an hour."""
    shared = services.shared
    of_each: Mapping[str, Callable[[], Awaitable[object]]] = {
        "idempotency keys": partial(forget_old, shared.database, shared.clock),
        "accounts": services.accounts.forget_old,
        "people": services.people.forget_old,
        "webhooks": services.webhooks.forget_old,
        "events": services.events.forget_old,
        "links": services.links.links.forget_old,
        "end users": services.end_users.forget_old,
        "deprecations": services.deprecations.forget_old,
        "moves": services.moves.forget_old,
        "operations": services.execution_operations.forget_old,
        "audit": shared.trail.forget_old,
        "processes": services.operations.presence.forget_old,
        "what was sent": services.operations.sent.forget_old,
    }
    for what, forget in of_each.items():
        try:
            await forget()
        except Exception as error:  # holds up none of the others
            log.error("forget.failed", what=what, exc_info=error)
