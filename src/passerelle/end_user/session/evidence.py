"""What a consent proves: what the person read, when, from where, and who it was as far as it was proved.

The statement is one text; its hash stands readable beside it. The text itself is encrypted: it has the values of the
person, their address and their browser in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import orjson

from passerelle.audit.models import Actor, canonical
from passerelle.audit.trail import AuditedAction, AuditTrail, present_origin
from passerelle.end_user.session.repository import EndUserRepository
from passerelle.engine.model import State
from passerelle.kit.clock import Clock, iso
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.secrets import CannotDecryptError, SecretBox
from passerelle.workflows.service import Executions, Timeline

ERASED = "the statement was erased, or was encrypted with a key that is gone"


@dataclass(frozen=True, slots=True)
class Reading:
    """A page as it was read. `proof`: what the browser had when the execution was bound to it."""

    proof: str
    language: str
    title: str
    text: str
    label: str
    version: str


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent, and the statement behind it; None where that is not readable any more."""

    step: str
    visit: int
    at: str
    accepted: bool
    version: str
    language: str | None
    hash: str
    statement: str | None
    facts: JsonObject
    """The statement's values, personal ones masked unless they were asked for."""


class Evidence:
    """Makes statements, and reads them."""

    def __init__(
        self,
        executions: Executions,
        repository: EndUserRepository,
        box: SecretBox,
        clock: Clock,
        trail: AuditTrail | None,
    ) -> None:
        self._executions = executions
        self._repository = repository
        self._box = box
        self._clock = clock
        self._trail = trail

    async def of(self, state: State, step: str, visit: int, answer: Json, reading: Reading) -> JsonObject:
        """What the step keeps: the hash of the statement, and the statement sealed."""
        identity, origin = state.identity, present_origin()
        link = await self._repository.link(identity.workspace_id, identity.id) if reading.proof != "token" else None
        statement = canonical(
            {
                "workspaceId": str(identity.workspace_id),
                "workflowId": str(identity.id),
                "revisionId": str(state.revision_id),
                "step": step,
                "visit": visit,
                "at": iso(self._clock()),
                "accepted": bool(isinstance(answer, dict) and answer.get("accepted") is True),
                "language": reading.language,
                "title": reading.title,
                "text": reading.text,
                "label": reading.label,
                "version": reading.version,
                "address": origin.address,
                "userAgent": origin.user_agent,
                "by": {
                    "proof": reading.proof,
                    "linkId": None if link is None else str(link[0]),
                    "email": None if link is None else link[1],
                    "recordId": None if identity.record_id is None else str(identity.record_id),
                },
            }
        )
        return {
            "language": reading.language,
            "hash": hash_of(statement),
            "by": {"proof": reading.proof},
            "sealed": base64.b64encode(self._box.encrypt(statement.encode())).decode(),
        }

    async def told(self, workspace_id: UUID, execution_id: UUID, step: str, evidence: JsonObject) -> None:
        """Have the hash written into the audit: from then on nobody can write another statement unnoticed."""
        if self._trail is None:
            return
        within = (("hash", str(evidence["hash"])), ("step", step))
        happened = AuditedAction("giveConsent", Actor("end-user", None, "end user"), "change")
        happened = replace(happened, object_kind="workflow", object_id=str(execution_id), within=within)
        await self._trail.gather(workspace_id, replace(happened, origin=present_origin()), organization=False)

    async def read(self, workspace_id: UUID, execution_id: UUID, *, personal: bool) -> list[Consent]:
        """The consents of an execution, oldest first. Raises WORKFLOW_NOT_FOUND."""
        timeline = await self._executions.timeline(workspace_id, execution_id)
        return list(self._consents(timeline, personal=personal))

    def _consents(self, timeline: Timeline, *, personal: bool) -> Iterator[Consent]:
        mask = timeline.kept if personal else timeline.mask
        for run in timeline.runs:
            if run.kind != "consent" or not isinstance(run.input, dict) or "hash" not in run.input:
                continue
            statement = self._opened(run.input)
            facts = {} if statement is None else orjson.loads(statement)
            yield Consent(
                run.step,
                run.visit,
                facts.get("at") or iso(run.ended_at or run.started_at),
                bool(isinstance(run.output, dict) and run.output.get("accepted")),
                run.input["version"],
                run.input["language"],
                run.input["hash"],
                statement if personal else None,
                mask.value(facts) if personal else _hidden(mask.value(facts)),
            )

    def _opened(self, kept: JsonObject) -> str | None:
        if "sealed" not in kept:
            return None
        try:
            return self._box.decrypt(base64.b64decode(kept["sealed"])).decode()
        except (CannotDecryptError, ValueError):
            return None


def hash_of(statement: str) -> str:
    """What stands beside a statement, and in the audit."""
    return hashlib.sha256(statement.encode()).hexdigest()


def _hidden(facts: JsonObject) -> JsonObject:
    """Without what is personal whatever it says."""
    if not facts:
        return facts
    by = {**facts["by"], "email": "•••" if facts["by"]["email"] else None}
    return {**facts, "address": "•••", "userAgent": "•••", "by": by}
