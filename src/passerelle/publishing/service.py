"""Proposing revisions, approving, declining and withdrawing them; and the rule that asks for it.

Persons are counted, not credentials: a key counts as the user who made it. One of which nobody knows who made it may
propose (a build does that), and cannot decide.
"""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from passerelle.definitions.revisions.rule import PublishingRule, rule_of
from passerelle.definitions.revisions.service import PUBLISH, Revisions
from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database, take_turn
from passerelle.kit.errors import PasserelleError
from passerelle.kit.grants import VIEW, is_within
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.permissions import require_fresh, require_reached
from passerelle.kit.ids import NewId
from passerelle.kit.observer import note_object
from passerelle.people.emails import queue_email
from passerelle.people.users import Users
from passerelle.publishing import repository
from passerelle.publishing.errors import (
    PROPOSAL_CLOSED,
    PROPOSAL_NEEDS_ANOTHER,
    PROPOSAL_NEEDS_PERSON,
    PROPOSAL_NOT_FOUND,
    PROPOSAL_OF_ANOTHER,
    PROPOSAL_POINTLESS,
    PROPOSAL_STALE,
    PUBLISHING_LOOSENED_BY_PERSON,
)
from passerelle.publishing.models import NewProposal, Proposal, ProposalStatus

MOST_TOLD: Final = 200
"""How many get a message about a proposal: those whose addresses come first."""


class Publishing:
    """The feature's service. `second_person`: whether publishing needs one where a workspace does not say."""

    def __init__(
        self,
        database: Database,
        revisions: Revisions,
        users: Users,
        clock: Clock,
        new_id: NewId,
        *,
        second_person: bool,
    ) -> None:
        self._database = database
        self._revisions = revisions
        self._users = users
        self._clock = clock
        self._new_id = new_id
        self._second_person = second_person

    async def rule(self, workspace_id: UUID) -> PublishingRule:
        """Whether publishing needs a second person in a workspace."""
        async with self._database.workspace(workspace_id) as connection:
            return await rule_of(connection, workspace_id, self._second_person)

    async def change_rule(self, workspace_id: UUID, own: bool | None, by: Principal | None = None) -> PublishingRule:
        """Say it for a workspace; None: as the installation says. `by` None: the operator.

        To loosen it takes a person who has just proved who they are.
        Raises PUBLISHING_LOOSENED_BY_PERSON, STEP_UP_REQUIRED.
        """
        after = PublishingRule(self._second_person if own is None else own, own)
        async with self._database.transaction(workspace_id) as connection:
            await take_turn(connection, f"publishing {workspace_id}")
            before = await rule_of(connection, workspace_id, self._second_person)
            if by is not None and before.second_person and not after.second_person:
                if by.kind != "user":
                    raise PUBLISHING_LOOSENED_BY_PERSON.error(
                        "a key cannot let one person publish alone again: sign in, or ask whoever runs this server"
                    )
                require_fresh(by)
            await repository.write_rule(connection, workspace_id, own, self._clock())
        return after

    async def propose(
        self, by: Principal, proposal_id: UUID, definition_id: UUID, number: int, note: str | None
    ) -> tuple[Proposal, bool]:
        """Propose to publish a revision. The second value: whether that is new, or open already.

        Another open proposal of the definition gives way. Those who may approve get a message.
        Raises WORKFLOW_DEFINITION_NOT_FOUND, REVISION_NOT_FOUND, DEFINITION_INVALID, PROPOSAL_POINTLESS.
        """
        workspace_id = by.workspace_id
        stored = await self._revisions.numbered(workspace_id, definition_id, number)
        await self._revisions.checked(workspace_id, stored)
        told = await self._who_may_approve(by, definition_id)
        async with self._database.transaction(workspace_id) as connection:
            await repository.hold_definition(connection, workspace_id, definition_id)
            if (before := await repository.find(connection, workspace_id, proposal_id)) is not None:
                return before, False  # the same request again
            known = await repository.open_of(connection, workspace_id, definition_id)
            if known is not None and known.status == "open" and known.revision == number:
                return known, False
            new = NewProposal(proposal_id, definition_id, number, note, by.name, by.id, by.person, self._clock())
            note_object(proposal_id)
            await repository.insert(connection, workspace_id, new)
            made = await self._required(connection, workspace_id, proposal_id)
            if made.published == number:
                raise PROPOSAL_POINTLESS.error(f"revision {number} is published already")
            await self._tell(connection, by, made, "created")
            for user_id in told:
                await _write_to(connection, by, user_id, made)
        return made, True

    async def propose_pushed(self, by: Principal, definition_id: UUID, number: int) -> UUID:
        """As `propose`, of what was just pushed; the proposal's id."""
        made, _ = await self.propose(by, self._new_id(), definition_id, number, None)
        return made.id

    async def get(self, workspace_id: UUID, proposal_id: UUID) -> Proposal:
        """A proposal. Raises PROPOSAL_NOT_FOUND."""
        async with self._database.workspace(workspace_id) as connection:
            return await self._required(connection, workspace_id, proposal_id)

    async def page(
        self,
        workspace_id: UUID,
        definition_id: UUID | None,
        status: ProposalStatus | None,
        before: UUID | None,
        limit: int,
    ) -> list[Proposal]:
        """Proposals older than `before`, the newest first: those about definitions that whoever asks sees."""
        found: list[Proposal] = []
        async with self._database.workspace(workspace_id) as connection:
            while len(found) < limit and (
                batch := await repository.page(connection, workspace_id, definition_id, status, before, limit)
            ):
                found += [one for one in batch if is_within("definition", one.definition_id)]
                before = batch[-1].id
        return found[:limit]

    async def approve(self, by: Principal, proposal_id: UUID, comment: str | None) -> Proposal:
        """Publish what was proposed, as the second person.

        Raises PROPOSAL_NOT_FOUND, PROPOSAL_CLOSED, PROPOSAL_STALE, PROPOSAL_NEEDS_ANOTHER, PROPOSAL_NEEDS_PERSON, and
        DEFINITION_INVALID if the workspace lacks by now what the revision names.
        """
        workspace_id = by.workspace_id
        proposal = await self.get(workspace_id, proposal_id)
        await self._require_second(by, proposal)

        async def approval(connection: Connection) -> str:
            # Whoever publishes holds the definition, so nothing lands between this look and the publication.
            standing = await self._required(connection, workspace_id, proposal_id)
            _require_open(standing)
            if standing.status == "stale" or not await repository.is_as_proposed(connection, workspace_id, proposal_id):
                raise PROPOSAL_STALE.error(
                    "another revision was pushed or published since this one was proposed: look at it again, and "
                    "propose it anew"
                )
            await self._close(connection, by, standing, "approved", comment)
            return by.name

        await self._revisions.publish(
            workspace_id, proposal.definition_id, proposal.revision, proposal.proposed_by, proposal.note, approval
        )
        return await self.get(workspace_id, proposal_id)

    async def decline(self, by: Principal, proposal_id: UUID, comment: str | None) -> Proposal:
        """Say no. Raises as `approve`, except about what is stale."""
        await self._require_second(by, await self.get(by.workspace_id, proposal_id))
        return await self._end(by, proposal_id, "declined", comment)

    async def withdraw(self, by: Principal, proposal_id: UUID) -> Proposal:
        """Take one's own proposal back. Raises PROPOSAL_NOT_FOUND, PROPOSAL_CLOSED, PROPOSAL_OF_ANOTHER."""
        proposal = await self.get(by.workspace_id, proposal_id)
        if not _is_proposer(by, proposal):
            raise PROPOSAL_OF_ANOTHER.error(f"{proposal.proposed_by} proposed this: decline it, if you may publish")
        return await self._end(by, proposal_id, "withdrawn", None)

    async def _end(self, by: Principal, proposal_id: UUID, status: ProposalStatus, comment: str | None) -> Proposal:
        async with self._database.transaction(by.workspace_id) as connection:
            proposal = await self._required(connection, by.workspace_id, proposal_id)
            await repository.hold_definition(connection, by.workspace_id, proposal.definition_id)
            proposal = await self._required(connection, by.workspace_id, proposal_id)
            _require_open(proposal)
            await self._close(connection, by, proposal, status, comment)
            return await self._required(connection, by.workspace_id, proposal_id)

    async def _close(
        self, connection: Connection, by: Principal, proposal: Proposal, status: ProposalStatus, comment: str | None
    ) -> None:
        await repository.close(
            connection, by.workspace_id, proposal.id, status, (by.name, by.id), comment, self._clock()
        )
        closed = await self._required(connection, by.workspace_id, proposal.id)
        await self._tell(connection, by, closed, status)

    async def _require_second(self, by: Principal, proposal: Proposal) -> None:
        _require_open(proposal)
        if _is_proposer(by, proposal):
            raise PROPOSAL_NEEDS_ANOTHER.error(
                "you proposed this, in person or with a key that you made: somebody else has to decide it"
            )
        if by.person is None:
            raise PROPOSAL_NEEDS_PERSON.error(
                f"nobody knows who made the key `{by.name}`, so it counts as no person: sign in, or use a key that "
                "somebody made who may publish"
            )
        if by.kind == "key" and by.organization_id is not None:
            maker = await self._users.get(by.organization_id, by.person)
            if maker.state != "active":
                raise PROPOSAL_NEEDS_PERSON.error(f"{maker.name}, who made the key `{by.name}`, is deactivated")

    async def _required(self, connection: Connection, workspace_id: UUID, proposal_id: UUID) -> Proposal:
        proposal = await repository.find(connection, workspace_id, proposal_id)
        if proposal is None:
            raise _not_found(proposal_id)
        require_reached("definition", proposal.definition_id, VIEW, partial(_not_found, proposal_id))
        return proposal

    async def _who_may_approve(self, by: Principal, definition_id: UUID) -> list[UUID]:
        assert by.organization_id is not None, "every principal belongs to an organization"
        found = await self._users.who_may(
            by.organization_id, by.workspace_id, PUBLISH, ("definition", definition_id), MOST_TOLD
        )
        return [one for one in found if one != by.person]

    async def _tell(self, connection: Connection, by: Principal, proposal: Proposal, what: str) -> None:
        data = {
            "proposalId": str(proposal.id),
            "workflowDefinitionId": str(proposal.definition_id),
            "name": proposal.name,
            "revision": proposal.revision,
            "sha256": proposal.sha256,
            "status": proposal.status,
            "byId": str(by.id),
        }
        event = Event(by.workspace_id, self._new_id(), f"proposal.{what}", data, self._clock())
        await append_event(connection, event)


def may_decide(by: Principal, proposal: Proposal) -> bool:
    """Whether somebody may be the second person for a proposal."""
    return (
        proposal.status in ("open", "stale")
        and by.person is not None
        and not _is_proposer(by, proposal)
        and by.reach(PUBLISH, "definition", str(proposal.definition_id)) is not None
    )


def is_own(by: Principal, proposal: Proposal) -> bool:
    """Whether somebody may withdraw it."""
    return proposal.status in ("open", "stale") and _is_proposer(by, proposal)


def _is_proposer(by: Principal, proposal: Proposal) -> bool:
    return by.id == proposal.proposer_id or (by.person is not None and by.person == proposal.proposer_person)


def _require_open(proposal: Proposal) -> None:
    if proposal.status not in ("open", "stale"):
        raise PROPOSAL_CLOSED.error(f"the proposal is {proposal.status} already")


async def _write_to(connection: Connection, by: Principal, user_id: UUID, proposal: Proposal) -> None:
    await queue_email(
        connection,
        "proposal",
        organizationId=str(by.organization_id),
        userId=str(user_id),
        by=by.name,
        about=f"{proposal.name} ({proposal.revision})",
        path=f"/app/definitions/{proposal.definition_id}?proposal={proposal.id}",
    )


def _not_found(proposal_id: UUID) -> PasserelleError:
    return PROPOSAL_NOT_FOUND.error(f"the workspace has no proposal {proposal_id}: GET /proposals lists all")
