"""Answers of the audit's endpoints."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from passerelle.audit.models import KeptEntry
from passerelle.kit.http.answers import Answer, Moment

Outcome = Literal["done", "refused", "failed"]


class ActorAnswer(Answer):
    """Who did it."""

    type: Literal["user", "key", "operator", "end-user", "system"]
    """A person, a service's key, whoever has the command line, an end user, or Passerelle itself."""
    id: str | None
    """The user's or the key's id."""
    name: str
    """The user's or the key's name at that time."""
    session: str | None
    """The session that was used, if it was a person."""


class ObjectAnswer(Answer):
    """What it was done to."""

    kind: str
    """Such as `key`, `record` or `definition`."""
    id: str | None
    """Its id, or its name where it has no other."""


class AuditEntryAnswer(Answer):
    """Something that somebody did, or was refused."""

    chain: UUID
    """The workspace, or the organization for what is in none of its workspaces."""
    id: UUID
    """The entry's id."""
    at: Moment
    """When it was."""
    category: Literal["change", "read", "access"]
    """A change, a read of personal data or an export, or a sign-in, sign-out or refusal."""
    action: str = Field(description="The endpoint's `operationId`, such as `revokeKey`, or `signIn`, `signOut`.")
    outcome: Outcome
    """`refused`: nothing happened. `failed`: a part of it may have."""
    code: str | None
    """The error's code, where it was not done."""
    by: ActorAnswer
    """Whoever did it, or tried to."""
    address: str | None
    """From which address, as the trusted proxies tell it."""
    user_agent: str | None
    """What the browser or the program says of itself."""
    request_id: str | None
    """The `X-Request-Id` of the request, which the log has as well."""
    object: ObjectAnswer | None
    """What it was done to."""
    within: dict[str, str]
    """The other names in the request's path, such as the table of a record."""
    before: dict[str, Any] | None
    """What changed of the object, as it was; personal values are masked."""
    after: dict[str, Any] | None
    """The same, as it was afterwards."""
    times: int
    """How often, where the same came several times within a moment."""
    number: int | None
    """Its place in the chain; null until it is sealed, a moment later."""
    hash: str | None
    """The hash over the entry before it and this one."""


class AuditReportAnswer(Answer):
    """Whether the audit hangs together."""

    chain: UUID
    """The workspace or the organization."""
    intact: bool
    """Whether every entry follows from the one before it."""
    entries: int
    """How many were looked at."""
    first: int | None
    """The number of the first that was looked at: another than 1 where the audit was shortened."""
    head: str | None
    """The hash of the last sealed entry: write it down elsewhere, and nothing before it can be changed unnoticed."""
    waiting: int
    """Entries that have no place yet; they get one within a moment."""
    gaps: int
    """Always 0 here; an export has gaps where filters have cut it."""
    broken: int | None
    """The number of the first entry that was changed, or that is missing."""
    problem: str | None
    """What is wrong with it."""


def entry_answer(kept: KeptEntry) -> AuditEntryAnswer:
    """One entry."""
    return AuditEntryAnswer.model_validate(kept.to_json())
