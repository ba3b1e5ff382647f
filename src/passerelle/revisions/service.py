"""Pushing, publishing and finding definitions; compiled ones are kept in memory, since a revision never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from passerelle.definitions.calls import Callee, callee_of, calls_of
from passerelle.definitions.compiler import Compiled, compile_definition
from passerelle.definitions.facts import KnownFacts, WorkspaceFacts
from passerelle.definitions.kinds import KindRegistry
from passerelle.definitions.model import Definition
from passerelle.definitions.source import read_source
from passerelle.errors import Code, PasserelleError, Problem
from passerelle.kit.http.fields import pointer
from passerelle.revisions.repository import RevisionEntry, RevisionRepository, StoredRevision

DEFINITION_INVALID: Final = Code(
    "DEFINITION_INVALID", 400, "The definition does not compile. One entry for each problem, with line and path."
)
DEFINITION_NOT_FOUND: Final = Code(
    "WORKFLOW_DEFINITION_NOT_FOUND", 404, "This workspace has no published definition with that id."
)
REVISION_NOT_FOUND: Final = Code("REVISION_NOT_FOUND", 404, "The definition has no revision with that number.")

KEPT_COMPILED: Final = 512
"""Compiled revisions in memory; a typical one takes some 50 KB."""

Facts = Callable[[UUID], Awaitable[WorkspaceFacts]]
"""What a workspace has that definitions may name: asked when one is pushed or published."""


async def no_facts(workspace_id: UUID) -> WorkspaceFacts:
    """Nothing is known, so nothing is checked against the workspace."""
    return KnownFacts()


@dataclass(frozen=True, slots=True)
class Published:
    """A definition that executions can be started of."""

    definition_id: UUID
    revision_id: UUID
    number: int
    definition: Definition


class Revisions:
    """The definitions of every workspace."""

    def __init__(self, repository: RevisionRepository, kinds: KindRegistry, facts: Facts = no_facts) -> None:
        self._repository = repository
        self._kinds = kinds
        self._facts = facts
        self._compiled: OrderedDict[UUID, Definition] = OrderedDict()
        self._published: dict[tuple[UUID, UUID], Published] = {}

    async def push(self, workspace_id: UUID, text: str, *, publish: bool, by: str) -> tuple[StoredRevision, bool]:
        """Check and store a definition. The second value tells whether this made a new revision.

        Raises DEFINITION_INVALID with everything that is wrong.
        """
        definition = self.check(text, await self._known(workspace_id, text))
        stored, created = await self._repository.push(workspace_id, definition.name, text, publish=publish, by=by)
        self.forget(workspace_id, stored.definition_id)
        return stored, created

    def check(self, text: str, facts: WorkspaceFacts | None = None) -> Definition:
        """Compile a text, against a workspace's facts if they are given.

        Raises DEFINITION_INVALID with everything that is wrong.
        """
        compiled = compile_definition(text, self._kinds, workspace=facts)
        if compiled.definition is None or compiled.problems:
            raise PasserelleError(DEFINITION_INVALID.status, _problems(compiled))
        return compiled.definition

    async def numbered(self, workspace_id: UUID, definition_id: UUID, number: int) -> StoredRevision:
        """A definition's revision by its number. Raises REVISION_NOT_FOUND."""
        stored = await self._repository.numbered(workspace_id, definition_id, number)
        if stored is None:
            raise _no_revision(definition_id, number)
        return stored

    async def checked(self, workspace_id: UUID, stored: StoredRevision) -> Definition:
        """A stored revision, compiled against what the workspace has now. Raises DEFINITION_INVALID."""
        return self.check(stored.text, await self._known(workspace_id, stored.text))

    async def was_published(self, workspace_id: UUID, stored: StoredRevision) -> bool:
        """Whether executions could ever start on it."""
        return await self._repository.was_published(workspace_id, stored.id)

    async def publish(self, workspace_id: UUID, definition_id: UUID, number: int, by: str) -> StoredRevision:
        """Make an older or newer revision the published one. Running executions stay on theirs.

        Raises DEFINITION_NOT_FOUND, REVISION_NOT_FOUND, and DEFINITION_INVALID if the workspace lacks by now what
        the revision names.
        """
        await self.shown(workspace_id, definition_id)
        await self.checked(workspace_id, await self.numbered(workspace_id, definition_id, number))
        stored = await self._repository.publish(workspace_id, definition_id, number, by)
        if stored is None:
            raise _no_revision(definition_id, number)
        self.forget(workspace_id, definition_id)
        return stored

    async def published(self, workspace_id: UUID, definition_id: UUID) -> Published:
        """The published revision, possibly as it was a moment ago: whoever starts one has the database compare.

        Raises DEFINITION_NOT_FOUND.
        """
        known = self._published.get((workspace_id, definition_id))
        if known is not None:
            return known
        stored = await self._repository.published(workspace_id, definition_id)
        if stored is None:
            raise _not_found(definition_id)
        published = Published(definition_id, stored.id, stored.number, self._keep(stored))
        self._published[(workspace_id, definition_id)] = published
        return published

    async def named(self, workspace_id: UUID, name: str) -> Published | None:
        """The published revision of the definition of that name, as it is now."""
        stored = await self._repository.named(workspace_id, name)
        if stored is None:
            return None
        return Published(stored.definition_id, stored.id, stored.number, self.compile_stored(stored))

    def forget(self, workspace_id: UUID, definition_id: UUID) -> None:
        """Read the published revision again next time."""
        self._published.pop((workspace_id, definition_id), None)

    async def compiled(self, workspace_id: UUID, revision_id: UUID) -> Definition:
        """A revision, compiled. It exists: executions name only revisions that do."""
        known = self._compiled.get(revision_id)
        if known is not None:
            self._compiled.move_to_end(revision_id)
            return known
        stored = await self._repository.revision(workspace_id, revision_id)
        if stored is None:
            raise LookupError(f"revision {revision_id} is not there")
        return self._keep(stored)

    async def shown(self, workspace_id: UUID, definition_id: UUID) -> StoredRevision:
        """What is shown of a definition: its published revision, else the newest. Raises DEFINITION_NOT_FOUND."""
        stored = await self._repository.shown(workspace_id, definition_id)
        if stored is None:
            raise _not_found(definition_id)
        return stored

    async def listed(self, workspace_id: UUID, after: str | None, limit: int) -> list[StoredRevision]:
        """Definitions by name, after the name `after`."""
        return await self._repository.listed(workspace_id, after, limit)

    async def history(self, workspace_id: UUID, definition_id: UUID) -> list[RevisionEntry]:
        """Every revision, newest first. Raises DEFINITION_NOT_FOUND."""
        entries = await self._repository.history(workspace_id, definition_id)
        if not entries:
            raise _not_found(definition_id)
        return entries

    async def _known(self, workspace_id: UUID, text: str) -> WorkspaceFacts:
        """What the workspace has, with the definitions that the text runs, and those that they run."""
        facts = await self._facts(workspace_id)
        source = read_source(text)
        pending = sorted(calls_of(source.value)) if source.readable else []
        if not pending:
            return facts
        callees: dict[str, Callee] = {}
        while pending:
            name = pending.pop()
            named = await self.named(workspace_id, name) if name not in callees else None
            if named is not None:
                callees[name] = callee_of(named.definition)
                pending += callees[name].calls
        names = await self._repository.published_names(workspace_id)
        return KnownFacts(facts.tables, facts.secrets, definitions=names, callees=callees)

    def compile_stored(self, stored: StoredRevision) -> Definition:
        """A stored revision, compiled."""
        return self._compiled.get(stored.id) or self._keep(stored)

    def _keep(self, stored: StoredRevision) -> Definition:
        definition = self.check(stored.text)
        self._compiled[stored.id] = definition
        while len(self._compiled) > KEPT_COMPILED:
            self._compiled.popitem(last=False)
        return definition


def _problems(compiled: Compiled) -> list[Problem]:
    return [DEFINITION_INVALID.problem(str(problem), pointer(problem.path)) for problem in compiled.problems]


def _no_revision(definition_id: UUID, number: int) -> PasserelleError:
    return REVISION_NOT_FOUND.error(
        f"there is no revision {number}: see GET /definitions/{definition_id}/revisions", "/revision"
    )


def _not_found(definition_id: UUID) -> PasserelleError:
    return DEFINITION_NOT_FOUND.error(
        f"this workspace has no published definition {definition_id}: GET /definitions lists those that it has",
        "/workflowDefinitionId",
    )
