"""The kinds of data that are kept for a time: what is usual, and what a workspace may say itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from passerelle.accounts.service import REFRESH_LIFETIME
from passerelle.app.settings import PREFIX, Settings
from passerelle.end_user.session.service import DRAFTS_KEPT
from passerelle.events.service import RETENTION as EVENTS
from passerelle.kit.http.claims import KEPT_FOR as ANSWERS
from passerelle.links.service import FORGET_AFTER as LINKS
from passerelle.records.models import KEPT_DELETED
from passerelle.v1.deprecations.service import KEPT_DAYS
from passerelle.workflows.migrations.service import DRY_RUNS_KEPT
from passerelle.workflows.operations.service import KEPT as OPERATIONS_KEPT

EditableKind = Literal["executions", "events", "deliveries", "drafts", "audit"]

ArchivedKind = Literal["executions", "events", "deliveries"]
ARCHIVED: Final[Sequence[ArchivedKind]] = ("executions", "events", "deliveries")
"""What can be written to the store before it is removed; the audit has an export of its own."""

LEAST: Final[Mapping[EditableKind, timedelta]] = {
    "executions": timedelta(days=1),
    "events": timedelta(days=7),
    "deliveries": timedelta(days=7),
    "drafts": timedelta(days=1),
    "audit": timedelta(days=30),
}
"""What a workspace may decide, and the shortest that it may say. Deliveries are tried for three days, so that what
they need is there for twice as long; the database itself refuses to take younger parts of the audit."""
MOST: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of data. `lasts`: None for good; `setting`: what decides it, if a setting does.

    usual    what holds where the workspace says nothing
    own      whether the workspace says it
    archive  whether it is written to the store before it is removed
    """

    kind: str
    lasts: timedelta | None
    since: str
    setting: str | None = None
    usual: timedelta | None = None
    own: bool = False
    archive: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What a workspace says of a kind. `keep`: None for good; `archive`: write it to the store before it is removed."""

    keep: timedelta | None
    archive: bool = False


FIXED: Final[Sequence[Kept]] = (
    Kept("records", None, "they are erased when somebody says so"),
    Kept("deletedRecords", KEPT_DELETED, "they were deleted"),
    Kept("consents", None, "they go with their executions"),
    Kept("links", LINKS, "they ended"),
    Kept("dryRuns", DRY_RUNS_KEPT, "they were made"),
    Kept("operations", OPERATIONS_KEPT, "they were asked for"),
    Kept("deprecatedUses", KEPT_DAYS, "they were counted"),
    Kept("repeatedAnswers", ANSWERS, "the first request"),
    Kept("refreshTokens", REFRESH_LIFETIME, "they were given"),
)


def kept(settings: Settings, rules: Mapping[str, Rule]) -> list[Kept]:
    """Every kind of data, those first that a workspace decides. `rules`: what it says."""
    return [
        *(_own(one, rules) for one in usual(settings)),
        Kept("sessions", settings.session_lifetime, "somebody signed in", f"{PREFIX}SESSION_LIFETIME"),
        Kept("idleSessions", settings.session_idle, "they were last used", f"{PREFIX}SESSION_IDLE"),
        *(replace(one, lasts=_executions(settings, rules)) if one.kind == "consents" else one for one in FIXED),
    ]


def usual(settings: Settings) -> list[Kept]:
    """What a workspace decides, as it is where it says nothing."""
    return [
        Kept("executions", None, "they ended"),
        Kept("events", EVENTS, "they happened"),
        Kept("deliveries", EVENTS, "they were made"),
        Kept("drafts", DRAFTS_KEPT, "they were last typed in"),
        Kept("audit", settings.audit_keep, "it was written", f"{PREFIX}AUDIT_KEEP"),
    ]


def _executions(settings: Settings, rules: Mapping[str, Rule]) -> timedelta | None:
    return next(_own(one, rules).lasts for one in usual(settings) if one.kind == "executions")


def _own(one: Kept, rules: Mapping[str, Rule]) -> Kept:
    rule = rules.get(one.kind)
    if rule is None:
        return replace(one, usual=one.lasts)
    return Kept(one.kind, rule.keep, one.since, None, one.lasts, own=True, archive=rule.archive)
