"""What the calls of this feature take and answer."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.version import VERSION
from passerelle.operations.mailing import MailState, Tried
from passerelle.operations.presence import ProcessKind
from passerelle.operations.standing import Standing, Work


class DatabaseAnswer(Answer):
    """The database."""

    version: str = Field(description="PostgreSQL's own.", examples=["17.2"])
    milliseconds: float = Field(description="How long a small question took.")
    size: int | None = Field(description="Bytes; null where the application may not ask.")
    pooled: bool = Field(description="Whether a pooler stands in front.")
    replica: bool | None = Field(description="Whether the replica is there; null where there is to be none.")


class ProcessAnswer(Answer):
    """A process of Passerelle."""

    id: UUID
    """The process's id, of this run."""
    kind: ProcessKind = Field(description="`serve` answers HTTP, `worker` runs jobs, `dev` does both.")
    host: str
    """The machine or container that it runs on."""
    pid: int
    """Its number there."""
    version: str
    """The release that it runs."""
    started_at: Moment
    """When it started."""
    seen_at: Moment
    """When it last said that it is there."""
    alive: bool = Field(description="Whether it has said so within 20 seconds.")


class JobsAnswer(Answer):
    """The jobs of one kind."""

    kind: str = Field(examples=["execution.continue"])
    """What they do."""
    due: int = Field(description="How many wait for a worker.")
    under_way: int
    """How many a worker has."""
    later: int = Field(description="How many fall due later, such as timers and retries.")
    tried_again: int = Field(description="How many of all have failed before.")
    oldest_due_seconds: float | None = Field(description="How long the first that is due has waited; null for none.")


class ExecutionCounts(Answer):
    """Executions that have not ended well."""

    running: int
    """How many run or wait for others."""
    awaiting: int
    """How many wait for a person."""
    failed: int
    """How many have failed and can be retried."""
    stranded: int = Field(description="How many a job should stand for and none does; a sweep takes them up.")


class WebhookCounts(Answer):
    """Webhooks."""

    pending: int
    """How many deliveries are on their way."""
    overdue_seconds: float = Field(description="How long the oldest that is due has waited.")
    failing: int
    """How many active endpoints fail."""
    disabled: int
    """How many endpoints were disabled."""


class StorageAnswer(Answer):
    """Where files are kept."""

    kind: str = Field(description="`folder`, `s3`, `gcs`, `azure` or `memory`.")
    refusal: str | None = Field(description="Why it cannot be used; null where it can.")
    free: int | None = Field(description="Bytes that are free, for a folder.")


class MailServerAnswer(Answer):
    """How e-mails are sent."""

    server: str | None = Field(description="Host and port; null where there is none.")
    tls: Literal["tls", "starttls", "none"] = Field(
        description="Whether the connection begins with TLS, is upgraded where the server offers it, or there is none."
    )
    signs_in: bool = Field(description="Whether there is a user and a password.")
    domains: list[str] = Field(description="The domains that workspaces may send from.")
    refusal: str | None = Field(
        description="Why the mail server did not take the process that answers, when it last tried; null where it did."
    )


class InstallationAnswer(Answer):
    """The whole installation, all workspaces together."""

    database: DatabaseAnswer
    """How the database stands."""
    clock_off_seconds: float = Field(description="By how much this machine's clock is ahead of the database's.")
    processes: list[ProcessAnswer]
    """Those that are alive first; then those that fell silent within a day."""
    jobs: list[JobsAnswer]
    """The queue, by kind."""
    executions: ExecutionCounts
    """Executions of all workspaces."""
    webhooks: WebhookCounts
    """Webhooks of all workspaces."""
    storage: StorageAnswer
    """How the store of files stands."""
    mail: MailServerAnswer
    """The mail server."""


class MailAnswer(Answer):
    """Whether e-mails are sent."""

    sends: bool = Field(description="Whether there is a mail server that takes e-mails.")
    sender: str = Field(description="Whom e-mails come from, where a workspace says nothing else.")


class OperationsAnswer(Answer):
    """How the workspace stands."""

    version: str
    """The release of the process that answers."""
    workers: int = Field(description="How many processes run jobs now; with none, nothing goes on.")
    executions: ExecutionCounts
    """Executions of the workspace."""
    webhooks: WebhookCounts
    """Webhooks of the workspace."""
    mail: MailAnswer
    """E-mails."""
    installation: InstallationAnswer | None = Field(
        description="The whole installation; null for organizations that do not run it (`PASSERELLE_OPERATED_BY`)."
    )


class MailTestBody(Body):
    """Where a test e-mail goes."""

    to: str | None = Field(default=None, max_length=320, description="Without it, to your own address.")


class MailTestAnswer(Answer):
    """What became of a test e-mail."""

    taken: bool
    """Whether the mail server took it; whether it arrives is said by the mailbox alone."""
    to: str
    """Whom it was for."""
    server: str | None = Field(description="The mail server; null where there is none, and for who does not run it.")
    milliseconds: float
    """How long that took."""
    reply: str | None = Field(
        description="What the mail server answered; null for who does not run it.",
        examples=["250 2.0.0 Ok: queued as 4F1"],
    )
    message: str | None = Field(description="What went wrong, and what to do.")
    message_id: str | None = Field(description="How the e-mail is found in the mail server's log.")


def operations_answer(
    work: Work, workers: int, mail: MailState, refusal: str | None, standing: Standing | None
) -> OperationsAnswer:
    """How the workspace stands, and the installation where the caller may see it."""
    return OperationsAnswer(
        version=VERSION,
        workers=workers,
        executions=_executions(work),
        webhooks=_webhooks(work),
        mail=MailAnswer(sends=mail.server is not None and refusal is None, sender=mail.sender),
        installation=None if standing is None else _installation(standing, mail, refusal),
    )


def _executions(work: Work) -> ExecutionCounts:
    found = work.executions
    return ExecutionCounts(
        running=found.get("RUNNING", 0),
        awaiting=found.get("AWAITING", 0),
        failed=found.get("FAILED", 0),
        stranded=work.stranded,
    )


def _webhooks(work: Work) -> WebhookCounts:
    found = work.webhooks
    return WebhookCounts(
        pending=found["pending"],
        overdue_seconds=found["overdue_seconds"],
        failing=found["failing"],
        disabled=found["disabled"],
    )


def _installation(standing: Standing, mail: MailState, refusal: str | None) -> InstallationAnswer:
    found = standing.database
    return InstallationAnswer(
        database=DatabaseAnswer(
            version=found.version,
            milliseconds=round(found.milliseconds, 2),
            size=found.size,
            pooled=found.pooled,
            replica=found.replica,
        ),
        clock_off_seconds=round(standing.clock_off, 3),
        processes=[
            ProcessAnswer(
                id=one.id,
                kind=one.kind,
                host=one.host,
                pid=one.pid,
                version=one.version,
                started_at=one.started_at,
                seen_at=one.seen_at,
                alive=one.alive,
            )
            for one in standing.processes
        ],
        jobs=[
            JobsAnswer(
                kind=one.entrypoint,
                due=one.due,
                under_way=one.under_way,
                later=one.later,
                tried_again=one.tried_again,
                oldest_due_seconds=one.oldest_due,
            )
            for one in standing.jobs
        ],
        executions=_executions(standing.work),
        webhooks=_webhooks(standing.work),
        storage=StorageAnswer(kind=standing.files.kind, refusal=standing.files.refusal, free=standing.files.free),
        mail=MailServerAnswer(
            server=mail.server, tls=mail.tls, signs_in=mail.signs_in, domains=list(mail.domains), refusal=refusal
        ),
    )


_NOT_TAKEN: Final = "the mail server did not take it: ask whoever runs this installation"


def mail_test_answer(tried: Tried, *, by_operator: bool) -> MailTestAnswer:
    """What became of a test e-mail. The mail server's name and words are for whoever runs the installation."""
    return MailTestAnswer(
        taken=tried.taken,
        to=tried.to,
        server=tried.server if by_operator else None,
        milliseconds=round(tried.milliseconds, 1),
        reply=tried.reply if by_operator else None,
        message=tried.message if by_operator or tried.message is None else _NOT_TAKEN,
        message_id=tried.message_id,
    )
