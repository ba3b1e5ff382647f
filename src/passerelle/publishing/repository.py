"""Proposals, and the rule of a workspace, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection, DatabaseRow
from passerelle.publishing.models import NewProposal, Proposal, ProposalStatus

_STATUS: Final = """CASE WHEN p.status = 'open' AND (
        p.published_revision IS DISTINCT FROM d.published_revision
        OR p.newest <> (SELECT max(n.number) FROM revision n WHERE n.workspace_id = p.workspace_id
                        AND n.definition_id = p.definition_id)
    ) THEN 'stale' ELSE p.status END"""
_SELECT: Final = f"""
    SELECT p.id, p.definition_id, d.name, r.number AS revision, p.sha256, {_STATUS} AS status,
           (SELECT b.number FROM revision b WHERE b.workspace_id = p.workspace_id AND b.id = p.published_revision)
               AS published,
           p.note, p.proposed_at, p.proposed_by, p.proposer_id, p.proposer_person, p.decided_at, p.decided_by, p.comment
    FROM proposal p
    JOIN definition d ON d.workspace_id = p.workspace_id AND d.id = p.definition_id
    JOIN revision r ON r.workspace_id = p.workspace_id AND r.id = p.revision_id
    WHERE p.workspace_id = $1
"""
_INSERT: Final = """
    INSERT INTO proposal (workspace_id, id, definition_id, revision_id, sha256, published_revision, newest, status,
                          note, proposed_at, proposed_by, proposer_id, proposer_person)
    SELECT r.workspace_id, $2, r.definition_id, r.id, encode(sha256(convert_to(r.text, 'UTF8')), 'hex'),
           d.published_revision,
           (SELECT max(n.number) FROM revision n WHERE n.workspace_id = $1 AND n.definition_id = $3),
           'open', $5, $6, $7, $8, $9
    FROM revision r JOIN definition d ON d.workspace_id = r.workspace_id AND d.id = r.definition_id
    WHERE r.workspace_id = $1 AND r.definition_id = $3 AND r.number = $4
"""


async def write_rule(connection: Connection, workspace_id: UUID, second_person: bool | None, now: datetime) -> None:
    """Say whether publishing needs a second person in a workspace; None: as the installation says."""
    if second_person is None:
        await connection.execute("DELETE FROM publishing_rule WHERE workspace_id = $1", workspace_id)
        return
    await connection.execute(
        "INSERT INTO publishing_rule (workspace_id, second_person, updated_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (workspace_id) DO UPDATE SET second_person = excluded.second_person, "
        "updated_at = excluded.updated_at",
        workspace_id,
        second_person,
        now,
    )


async def hold_definition(connection: Connection, workspace_id: UUID, definition_id: UUID) -> None:
    """Until the transaction ends nobody else pushes, publishes or proposes a revision of it."""
    await connection.execute(
        "SELECT FROM definition WHERE workspace_id = $1 AND id = $2 FOR UPDATE", workspace_id, definition_id
    )


async def insert(connection: Connection, workspace_id: UUID, new: NewProposal) -> None:
    """A new proposal; one that is open gives way to it. The definition is held."""
    await connection.execute(
        "UPDATE proposal SET status = 'replaced', decided_at = $3 "
        "WHERE workspace_id = $1 AND definition_id = $2 AND status = 'open'",
        workspace_id,
        new.definition_id,
        new.at,
    )
    await connection.execute(
        _INSERT,
        workspace_id,
        new.id,
        new.definition_id,
        new.revision,
        new.note,
        new.at,
        new.by,
        new.by_id,
        new.person,
    )


async def find(connection: Connection, workspace_id: UUID, proposal_id: UUID) -> Proposal | None:
    """One proposal."""
    return _proposal(await connection.fetchrow(_SELECT + "AND p.id = $2", workspace_id, proposal_id))


async def open_of(connection: Connection, workspace_id: UUID, definition_id: UUID) -> Proposal | None:
    """The one that is open of a definition, or has become stale."""
    return _proposal(
        await connection.fetchrow(
            _SELECT + "AND p.definition_id = $2 AND p.status = 'open'", workspace_id, definition_id
        )
    )


async def page(
    connection: Connection,
    workspace_id: UUID,
    definition_id: UUID | None,
    status: ProposalStatus | None,
    before: UUID | None,
    limit: int,
) -> list[Proposal]:
    """Proposals older than `before`, the newest first."""
    rows = await connection.fetch(
        _SELECT + f"AND ($2::uuid IS NULL OR p.definition_id = $2) AND ($3::text IS NULL OR {_STATUS} = $3) "
        "AND ($4::uuid IS NULL OR p.id < $4) ORDER BY p.id DESC LIMIT $5",
        workspace_id,
        definition_id,
        status,
        before,
        limit,
    )
    return [Proposal(**row) for row in rows]


async def is_as_proposed(connection: Connection, workspace_id: UUID, proposal_id: UUID) -> bool:
    """Whether the revision's text still has the hash that was proposed."""
    same: bool = await connection.fetchval(
        "SELECT p.sha256 = encode(sha256(convert_to(r.text, 'UTF8')), 'hex') FROM proposal p "
        "JOIN revision r ON r.workspace_id = p.workspace_id AND r.id = p.revision_id "
        "WHERE p.workspace_id = $1 AND p.id = $2",
        workspace_id,
        proposal_id,
    )
    return same


async def close(
    connection: Connection,
    workspace_id: UUID,
    proposal_id: UUID,
    status: ProposalStatus,
    by: tuple[str, UUID],
    comment: str | None,
    now: datetime,
) -> None:
    """Write what became of an open proposal. The definition is held."""
    await connection.execute(
        "UPDATE proposal SET status = $3, decided_by = $4, decider_id = $5, comment = $6, decided_at = $7 "
        "WHERE workspace_id = $1 AND id = $2 AND status = 'open'",
        workspace_id,
        proposal_id,
        status,
        *by,
        comment,
        now,
    )


def _proposal(row: DatabaseRow | None) -> Proposal | None:
    return None if row is None else Proposal(**row)
