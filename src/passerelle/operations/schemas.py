"""What the calls of this feature take and answer."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.version import VERSION
from passerelle.operations.mailing import MailState, Tried
from passerelle.operations.presence import ProcessKind
from passerelle.operations.standing import Standing


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
    """Executions of all workspaces that have not ended well."""

    running: int
    """How many run or wait for others."""
    awaiting: int
    """How many wait for a person."""
    failed: int
    """How many have failed and can be retried."""
    stranded: int = Field(description="How many a job should stand for and none does; a sweep takes them up.")


class WebhookCounts(Answer):
    """Webhooks of all workspaces."""

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


class MailAnswer(Answer):
    """How e-mails are sent."""

    server: str | None = Field(description="Host and port; null where there is none.")
    tls: Literal["tls", "starttls", "none"] = Field(
        description="Whether the connection begins with TLS, is upgraded where the server offers it, or there is none."
    )
    signs_in: bool = Field(description="Whether there is a user and a password.")
    sender: str = Field(description="Whom e-mails come from, where a workspace says nothing else.")
    domains: list[str] = Field(description="The domains that workspaces may send from.")
    refusal: str | None = Field(
        description="Why the mail server did not take the process that answers, when it last tried; null where it did."
    )


class OperationsAnswer(Answer):
    """How the installation stands."""

    version: str
    """The release of the process that answers."""
    database: DatabaseAnswer
    """How the database stands."""
    clock_off_seconds: float = Field(description="By how much this machine's clock is ahead of the database's.")
    processes: list[ProcessAnswer]
    """Those that are alive first; then those that fell silent within a day."""
    workers: int = Field(description="How many processes run jobs now.")
    jobs: list[JobsAnswer]
    """The queue, by kind."""
    executions: ExecutionCounts
    """Executions."""
    webhooks: WebhookCounts
    """Webhooks."""
    storage: StorageAnswer
    """How the store of files stands."""
    mail: MailAnswer
    """The mail server and the sender."""


class MailTestBody(Body):
    """Where a test e-mail goes."""

    to: str | None = Field(default=None, max_length=320, description="Without it, to your own address.")


class MailTestAnswer(Answer):
    """What became of a test e-mail."""

    taken: bool
    """Whether the mail server took it; whether it arrives is said by the mailbox alone."""
    to: str
    """Whom it was for."""
    server: str | None
    """The mail server; null where there is none."""
    milliseconds: float
    """How long that took."""
    reply: str | None = Field(description="What the mail server answered.", examples=["250 2.0.0 Ok: queued as 4F1"])
    message: str | None = Field(description="What went wrong, and what to do.")
    message_id: str | None = Field(description="How the e-mail is found in the mail server's log.")


def operations_answer(standing: Standing, mail: MailState, refusal: str | None) -> OperationsAnswer:
    """How the installation stands."""
    found = standing.database
    executions, webhooks = standing.executions, standing.webhooks
    return OperationsAnswer(
        version=VERSION,
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
        workers=sum(one.alive and one.kind != "serve" for one in standing.processes),
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
        executions=ExecutionCounts(
            running=executions.get("RUNNING", 0),
            awaiting=executions.get("AWAITING", 0),
            failed=executions.get("FAILED", 0),
            stranded=standing.stranded,
        ),
        webhooks=WebhookCounts(
            pending=webhooks["pending"],
            overdue_seconds=webhooks["overdue_seconds"],
            failing=webhooks["failing"],
            disabled=webhooks["disabled"],
        ),
        storage=StorageAnswer(kind=standing.files.kind, refusal=standing.files.refusal, free=standing.files.free),
        mail=MailAnswer(
            server=mail.server,
            tls=mail.tls,
            signs_in=mail.signs_in,
            sender=mail.sender,
            domains=list(mail.domains),
            refusal=refusal,
        ),
    )


def mail_test_answer(tried: Tried) -> MailTestAnswer:
    """What became of a test e-mail."""
    return MailTestAnswer(
        taken=tried.taken,
        to=tried.to,
        server=tried.server,
        milliseconds=round(tried.milliseconds, 1),
        reply=tried.reply,
        message=tried.message,
        message_id=tried.message_id,
    )
