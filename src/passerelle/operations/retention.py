"""How long each kind of data is kept: as the code has it, and as the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from passerelle.accounts.service import REFRESH_LIFETIME
from passerelle.app.settings import PREFIX, Settings
from passerelle.end_user.session.service import DRAFTS_KEPT
from passerelle.events.service import RETENTION as EVENTS
from passerelle.kit.http.claims import KEPT_FOR as ANSWERS
from passerelle.links.service import FORGET_AFTER as LINKS
from passerelle.records.models import KEPT_DELETED
from passerelle.v1.deprecations.service import KEPT_DAYS
from passerelle.workflows.migrations.service import DRY_RUNS_KEPT


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of data. `lasts`: None for good; `setting`: what decides it, if a setting does."""

    kind: str
    lasts: timedelta | None
    since: str
    setting: str | None = None


FIXED: Final[Sequence[Kept]] = (
    Kept("records", None, "they are erased when somebody says so"),
    Kept("deletedRecords", KEPT_DELETED, "they were deleted"),
    Kept("executions", None, "personal values go with the erasure of the person"),
    Kept("consents", None, "they prove what was agreed to"),
    Kept("drafts", DRAFTS_KEPT, "they were last typed in"),
    Kept("links", LINKS, "they ended"),
    Kept("events", EVENTS, "they happened"),
    Kept("deliveries", EVENTS, "they were made"),
    Kept("dryRuns", DRY_RUNS_KEPT, "they were made"),
    Kept("deprecatedUses", KEPT_DAYS, "they were counted"),
    Kept("repeatedAnswers", ANSWERS, "the first request"),
    Kept("refreshTokens", REFRESH_LIFETIME, "they were given"),
)


def kept(settings: Settings) -> list[Kept]:
    """Every kind of data, those that a setting decides first."""
    return [
        Kept("audit", settings.audit_keep, "it was written", f"{PREFIX}AUDIT_KEEP"),
        Kept("sessions", settings.session_lifetime, "somebody signed in", f"{PREFIX}SESSION_LIFETIME"),
        Kept("idleSessions", settings.session_idle, "they were last used", f"{PREFIX}SESSION_IDLE"),
        *FIXED,
    ]
