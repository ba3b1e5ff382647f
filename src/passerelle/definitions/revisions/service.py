"""Pushing, publishing and finding definitions; compiled ones are kept in memory, since a revision never changes.

Which revision is published may change in any process. It is remembered for a moment: the statement that starts an
execution compares it, and a refusal on its ground is told only after another look (`judged`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from passerelle.definitions.calls import Callee, callee_of, calls_in
from passerelle.definitions.compiler import CheckedText, Compiled, check_definition, compile_definition
from passerelle.definitions.facts import KnownFacts, WorkspaceFacts
from passerelle.definitions.kinds import KindRegistry
from passerelle.definitions.model import Definition
from passerelle.definitions.revisions.models import Pushed, RevisionEntry, StoredRevision
from passerelle.definitions.revisions.repository import RevisionRepository
from passerelle.definitions.revisions.rule import Approval
from passerelle.kit.errors import Code, PasserelleError, Problem
from passerelle.kit.grants import VIEW, acting, is_within
from passerelle.kit.http.fields import pointer
from passerelle.kit.http.permissions import denied, require_reached
from passerelle.kit.memory import Memory, Remembered
from passerelle.kit.workshop import WorkKilledError

DEFINITION_INVALID: Final = Code(
    "DEFINITION_INVALID", 400, "The definition does not compile. One entry for each problem, with line and path."
)
DEFINITION_TOO_HEAVY: Final = Code(
    "DEFINITION_TOO_HEAVY", 400, "Checking the definition takes longer, or more memory, than any may. Make it smaller."
)
DEFINITION_NOT_FOUND: Final = Code(
    "WORKFLOW_DEFINITION_NOT_FOUND", 404, "This workspace has no published definition with that id."
)
REVISION_NOT_FOUND: Final = Code("REVISION_NOT_FOUND", 404, "The definition has no revision with that number.")

KEPT_COMPILED: Final = 512
"""Compiled revisions in memory; a typical one takes some 50 KB."""
_PUBLISHED_KEPT: Final = 2_048

MANAGE: Final = "can_manage_definitions"
PUBLISH: Final = "can_publish_definitions"

Judged = TypeVar("Judged")
Worked = TypeVar("Worked")

Facts = Callable[[UUID], Awaitable[WorkspaceFacts]]
"""What a workspace has that definitions may name: asked when one is pushed or published."""


Zones = Callable[[UUID], Awaitable[tzinfo | None]]
"""A workspace's time zone: whose day it is where a definition does not say."""


Compile = Callable[[UUID, str, WorkspaceFacts | None, bool], Awaitable[Compiled]]
"""Compiles a text of a workspace; raises `WorkKilledError` where that takes too long."""


Check = Callable[[UUID, str, WorkspaceFacts], Awaitable[CheckedText]]
"""Checks a text of a workspace; raises as `Compile`."""
Calls = Callable[[UUID, str], Awaitable[frozenset[str]]]
"""The names of the definitions that a text runs; raises as `Compile`."""


async def _calls_at_once(workspace_id: UUID, text: str) -> frozenset[str]:
    return calls_in(text)


async def no_facts(workspace_id: UUID) -> WorkspaceFacts:
    """Nothing is known, so nothing is checked against the workspace."""
    return KnownFacts()


async def no_zone(workspace_id: UUID) -> None:
    """UTC."""


@dataclass(frozen=True, slots=True)
class Published:
    """A definition that executions can be started of."""

    definition_id: UUID
    revision_id: UUID
    number: int
    definition: Definition


class Revisions:
    """The definitions of every workspace."""

    def __init__(
        self,
        repository: RevisionRepository,
        kinds: KindRegistry,
        facts: Facts = no_facts,
        memory: Memory | None = None,
        compiling: Compile | None = None,
        calling: Calls | None = None,
        zones: Zones = no_zone,
        checking: Check | None = None,
    ) -> None:
        self._repository = repository
        self._kinds = kinds
        self._facts = facts
        self._compile = compiling or self._at_once
        self._calls = calling or _calls_at_once
        self._checking = checking or self._checked_at_once
        self._zones = zones
        self._compiled: OrderedDict[UUID, Definition] = OrderedDict()
        self._in_zone: OrderedDict[tuple[UUID, tzinfo], Definition] = OrderedDict()
        self._published: Remembered[tuple[UUID, UUID], Published] = (memory or Memory()).of(
            ("definition",), lambda key, _: key[0], size=_PUBLISHED_KEPT
        )

    async def push(
        self, workspace_id: UUID, text: str, *, publish: bool, by: str, approval: Approval | None = None
    ) -> Pushed:
        """Check and store a definition.

        Raises DEFINITION_INVALID with everything that is wrong, DEFINITION_TOO_HEAVY, PUBLISHING_NEEDS_ANOTHER.
        """
        definition, warnings = await self._check(workspace_id, text, await self._known(workspace_id, text))
        await self._require_pushable(workspace_id, definition.name, publish=publish)
        stored, created = await self._repository.push(
            workspace_id, definition.name, text, publish=publish, by=by, approval=approval
        )
        self._published.forget(workspace_id)
        return Pushed(stored, created, warnings)

    async def id_of(self, workspace_id: UUID, name: str) -> UUID | None:
        """The definition of that name, published or not, if whoever asks may know of it."""
        found = await self._repository.id_of(workspace_id, name)
        return found if found is not None and is_within("definition", found) else None

    async def tried(self, workspace_id: UUID, text: str) -> Compiled:
        """A text of which nothing is kept, compiled against what the workspace has: whatever is wrong is listed.

        Raises DEFINITION_TOO_HEAVY.
        """
        return await _bounded(self._compile(workspace_id, text, await self._known(workspace_id, text), False))

    async def looked_over(self, workspace_id: UUID, text: str) -> CheckedText:
        """What is wrong with a text of which nothing is kept, as `tried` has it. Raises DEFINITION_TOO_HEAVY."""
        return await _bounded(self._checking(workspace_id, text, await self._known(workspace_id, text)))

    async def _at_once(self, workspace_id: UUID, text: str, facts: WorkspaceFacts | None, stored: bool) -> Compiled:
        return compile_definition(text, self._kinds, workspace=facts, stored=stored)

    async def _checked_at_once(self, workspace_id: UUID, text: str, facts: WorkspaceFacts) -> CheckedText:
        return check_definition(text, self._kinds, facts)

    async def _check(
        self, workspace_id: UUID, text: str, facts: WorkspaceFacts | None = None, *, stored: bool = False
    ) -> tuple[Definition, list[str]]:
        """Compile a text, against a workspace's facts if they are given; with what may fail in its runs.

        Raises DEFINITION_INVALID with everything that is wrong, DEFINITION_TOO_HEAVY.
        """
        compiled = await _bounded(self._compile(workspace_id, text, facts, stored))
        if compiled.definition is None or compiled.problems:
            raise PasserelleError(DEFINITION_INVALID.status, _problems(compiled))
        return compiled.definition, [str(warning) for warning in compiled.warnings]

    async def numbered(self, workspace_id: UUID, definition_id: UUID, number: int) -> StoredRevision:
        """A definition's revision by its number. Raises REVISION_NOT_FOUND."""
        _require_reached(definition_id)
        stored = await self._repository.numbered(workspace_id, definition_id, number)
        if stored is None:
            raise _no_revision(definition_id, number)
        return stored

    async def checked(self, workspace_id: UUID, stored: StoredRevision) -> Definition:
        """A stored revision, compiled against what the workspace has now. Raises DEFINITION_INVALID."""
        definition, _ = await self._check(workspace_id, stored.text, await self._known(workspace_id, stored.text))
        return definition

    async def was_published(self, workspace_id: UUID, stored: StoredRevision) -> bool:
        """Whether executions could ever start on it."""
        return await self._repository.was_published(workspace_id, stored.id)

    async def publish(
        self,
        workspace_id: UUID,
        definition_id: UUID,
        number: int,
        by: str,
        note: str | None = None,
        approval: Approval | None = None,
        instead_of: int | None = None,
    ) -> StoredRevision:
        """Make an older or newer revision the published one. Running executions stay on theirs.

        Raises DEFINITION_NOT_FOUND, REVISION_NOT_FOUND, DEFINITION_INVALID if the workspace lacks by now what the
        revision names, PUBLISHED_MEANWHILE, and PUBLISHING_NEEDS_ANOTHER, or whatever `approval` raises.
        """
        await self.shown(workspace_id, definition_id)
        await self.checked(workspace_id, await self.numbered(workspace_id, definition_id, number))
        stored = await self._repository.publish(workspace_id, definition_id, number, by, note, approval, instead_of)
        if stored is None:
            raise _no_revision(definition_id, number)
        self._published.forget(workspace_id)
        return stored

    async def published(self, workspace_id: UUID, definition_id: UUID) -> Published:
        """The published revision, possibly as it was a moment ago: whoever starts one has the database compare.

        Raises DEFINITION_NOT_FOUND.
        """
        _require_reached(definition_id)
        found = await self._published.get(
            (workspace_id, definition_id), lambda: self._look(workspace_id, definition_id)
        )
        return await self._here(workspace_id, found)

    async def published_now(self, workspace_id: UUID, definition_id: UUID) -> Published:
        """As `published`, read anew."""
        _require_reached(definition_id)
        found = await self._published.read(
            (workspace_id, definition_id), lambda: self._look(workspace_id, definition_id)
        )
        return await self._here(workspace_id, found)

    async def judged(
        self, workspace_id: UUID, definition_id: UUID, judge: Callable[[Published], Awaitable[Judged]]
    ) -> Judged:
        """What `judge` says of the published revision; where it refuses an old one, what it says of the new one.

        Raises DEFINITION_NOT_FOUND, and whatever `judge` raises.
        """
        published = await self.published(workspace_id, definition_id)
        try:
            return await judge(published)
        except PasserelleError:
            now = await self.published_now(workspace_id, definition_id)
            if now.revision_id == published.revision_id:
                raise
        return await judge(now)

    async def named(self, workspace_id: UUID, name: str) -> Published | None:
        """The published revision of the definition of that name, as it is now."""
        stored = await self._repository.named(workspace_id, name)
        if stored is None:
            return None
        definition = await self.compile_stored(workspace_id, stored)
        return await self._here(workspace_id, Published(stored.definition_id, stored.id, stored.number, definition))

    async def compiled(self, workspace_id: UUID, revision_id: UUID) -> Definition:
        """A revision, compiled. It exists: executions name only revisions that do."""
        known = self._compiled.get(revision_id)
        if known is not None:
            self._compiled.move_to_end(revision_id)
        else:
            stored = await self._repository.revision(workspace_id, revision_id)
            if stored is None:
                raise LookupError(f"revision {revision_id} is not there")
            known = await self._keep(workspace_id, stored)
        return await self._zoned(workspace_id, revision_id, known)

    async def _here(self, workspace_id: UUID, published: Published) -> Published:
        definition = await self._zoned(workspace_id, published.revision_id, published.definition)
        return published if definition is published.definition else replace(published, definition=definition)

    async def _zoned(self, workspace_id: UUID, revision_id: UUID, definition: Definition) -> Definition:
        """A revision whose days are those of the workspace, where it does not say whose they are."""
        zone = await self._zones(workspace_id) if definition.time_zone is None else None
        if zone is None:
            return definition
        key = (revision_id, zone)
        if key not in self._in_zone:
            self._in_zone[key] = replace(definition, time_zone=zone)
            _shorten(self._in_zone)
        self._in_zone.move_to_end(key)
        return self._in_zone[key]

    async def shown(self, workspace_id: UUID, definition_id: UUID) -> StoredRevision:
        """What is shown of a definition: its published revision, else the newest. Raises DEFINITION_NOT_FOUND."""
        _require_reached(definition_id)
        stored = await self._repository.shown(workspace_id, definition_id)
        if stored is None:
            raise _not_found(definition_id)
        return stored

    async def listed(self, workspace_id: UUID, after: str | None, limit: int) -> list[StoredRevision]:
        """Definitions by name, after the name `after`: those that whoever asks may know of."""
        found: list[StoredRevision] = []
        while len(found) < limit and (batch := await self._repository.listed(workspace_id, after, limit)):
            found += [stored for stored in batch if is_within("definition", stored.definition_id)]
            after = batch[-1].name
        return found[:limit]

    async def history(self, workspace_id: UUID, definition_id: UUID) -> list[RevisionEntry]:
        """Every revision, newest first. Raises DEFINITION_NOT_FOUND."""
        _require_reached(definition_id)
        entries = await self._repository.history(workspace_id, definition_id)
        if not entries:
            raise _not_found(definition_id)
        return entries

    async def _require_pushable(self, workspace_id: UUID, name: str, *, publish: bool) -> None:
        """Who may push single definitions only makes no new ones. Raises PERMISSION_DENIED."""
        now = acting()
        wanted = {MANAGE, PUBLISH} if publish else {MANAGE}
        if now is None or wanted <= now.caller.permissions:
            return
        there = await self._repository.id_of(workspace_id, name)
        for permission in sorted(wanted - now.caller.permissions):
            if there is None or now.caller.reach(permission, "definition", str(there)) is None:
                raise denied(permission, "you have it on other definitions")

    async def _look(self, workspace_id: UUID, definition_id: UUID) -> Published:
        stored = await self._repository.published(workspace_id, definition_id)
        if stored is None:
            raise _not_found(definition_id)
        return Published(definition_id, stored.id, stored.number, await self.compile_stored(workspace_id, stored))

    async def _known(self, workspace_id: UUID, text: str) -> WorkspaceFacts:
        """What the workspace has, with the definitions that the text runs, and those that they run."""
        facts = await self._facts(workspace_id)
        if "workflow" not in text:
            return facts
        pending = sorted(await _bounded(self._calls(workspace_id, text)))
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
        return KnownFacts(
            facts.tables,
            facts.secrets,
            definitions=names,
            callees=callees,
            values=facts.values,
            languages=facts.languages,
        )

    async def compile_stored(self, workspace_id: UUID, stored: StoredRevision) -> Definition:
        """A stored revision, compiled."""
        return self._compiled.get(stored.id) or await self._keep(workspace_id, stored)

    async def _keep(self, workspace_id: UUID, stored: StoredRevision) -> Definition:
        definition, _ = await self._check(workspace_id, stored.text, stored=True)
        self._compiled[stored.id] = definition
        _shorten(self._compiled)
        return definition


def _shorten(kept: OrderedDict[Any, Definition]) -> None:
    while len(kept) > KEPT_COMPILED:
        kept.popitem(last=False)


async def _bounded(work: Awaitable[Worked]) -> Worked:
    """What comes of work on a text. Raises DEFINITION_TOO_HEAVY."""
    try:
        return await work
    except WorkKilledError as error:
        raise DEFINITION_TOO_HEAVY.error(f"checking the definition {error}: make it smaller") from None


def _problems(compiled: Compiled) -> list[Problem]:
    return [DEFINITION_INVALID.problem(str(problem), pointer(problem.path)) for problem in compiled.problems]


def _no_revision(definition_id: UUID, number: int) -> PasserelleError:
    return REVISION_NOT_FOUND.error(
        f"there is no revision {number}: see GET /definitions/{definition_id}/revisions", "/revision"
    )


def _require_reached(definition_id: UUID) -> None:
    """Raises DEFINITION_NOT_FOUND for who does not see the definition, PERMISSION_DENIED for who may only see it."""
    require_reached("definition", definition_id, VIEW, partial(_not_found, definition_id))


def _not_found(definition_id: UUID) -> PasserelleError:
    return DEFINITION_NOT_FOUND.error(
        f"this workspace has no published definition {definition_id}: GET /definitions lists those that it has",
        "/workflowDefinitionId",
    )
