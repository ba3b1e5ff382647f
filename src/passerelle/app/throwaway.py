"""A workspace that is there for a test of the installation, and of which nothing is left.

Its organization's name says until when the test may run: what is left of a test that was killed is known by it, is
removed by the next test after that moment, and is no organization to whoever counts them (`is_throwaway`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg

from passerelle.app.services import Services
from passerelle.kit.clock import iso, system_clock
from passerelle.kit.connections import PlainConnection, connect
from passerelle.kit.errors import CommandError
from passerelle.resources.files import Files

NAME: Final = "passerelle selftest"
SETTLES: Final = 2.0
"""Seconds in which other processes write down what they have gathered."""
TIMES: Final = 10
_UNTIL: Final = " until "
"""Between the two parts of a name: `is_throwaway` of the database knows it too."""
_NOT_OWNER: Final = (
    "the workspaces of a test can be removed only by the user that the tables belong to: PASSERELLE_DATABASE_URL, or "
    "PASSERELLE_DATABASE_DIRECT_URL, has to name that one"
)
_TABLES: Final = """
    SELECT c.relname AS name, a.attname AS owner
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND a.attname IN ('workspace_id', 'organization_id', 'chain', 'share') AND NOT a.attisdropped
"""
_NEEDS: Final = """
    SELECT c.conrelid::regclass::text AS name, c.confrelid::regclass::text AS needed
    FROM pg_constraint c
    WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace AND c.conrelid <> c.confrelid
"""
_LEFT: Final = """
    SELECT w.workspace_id, w.organization_id, o.name
    FROM organization o JOIN workspace w ON w.organization_id = o.organization_id WHERE is_throwaway(o.name)
"""


@dataclass(frozen=True, slots=True)
class Throwaway:
    """A workspace of an organization of its own, and a token that may do everything in it."""

    workspace_id: UUID
    organization_id: UUID
    token: str


@asynccontextmanager
async def throwaway(services: Services, owner_url: str, until: datetime) -> AsyncIterator[Throwaway]:
    """One of them while the block runs; then everything of it is removed, whatever happened.

    owner_url   the address of the database for the user that the tables belong to
    until       when nobody uses it any more: another test removes it then, if this one could not
    """
    made = await services.accounts.create_workspace(f"{NAME}{_UNTIL}{iso(until)}")
    organization_id = await services.people.users.organization_of(made.id)
    try:
        token = (await services.accounts.create_token(made.id, NAME, 2)).secret
        yield Throwaway(made.id, organization_id, token)
    finally:
        await services.shared.trail.write()
        await services.shared.trail.seal()
        await _remove(owner_url, Files.at(services.shared.settings.files_url), made.id, organization_id)


async def prepare(owner_url: str, files: Files) -> int:
    """See that all of a workspace can be removed, and remove what tests have left that were killed; how many.

    owner_url   the address of the database for the user that the tables belong to

    Raises `CommandError` where that user may not: nothing has been made then.
    """
    connection = await connect(owner_url, NAME)
    try:
        await _require_rights(connection)
        left = await _left(connection)
        for workspace_id, organization_id in left:
            await _delete_all(connection, workspace_id, organization_id, settles=0)
    finally:
        await connection.close()
    for workspace_id, _ in left:
        await files.delete_below(f"resources/{workspace_id}")
    return len(left)


async def _require_rights(connection: PlainConnection) -> None:
    """Deletes a workspace that there is none of: the database asks for each right all the same."""
    try:
        async with connection.within():
            await _delete_rows(connection, uuid4(), uuid4())
            # Whom row-level security binds deletes nothing, and is not told so.
            bound = await connection.fetchval("SELECT row_security_active('workspace')")
    except asyncpg.InsufficientPrivilegeError as error:
        raise CommandError(f"{_NOT_OWNER} ({error}): nothing was made") from None
    if bound:
        raise CommandError(f"{_NOT_OWNER} (row-level security binds this one): nothing was made")


async def _left(connection: PlainConnection) -> list[tuple[UUID, UUID]]:
    """The workspaces, each with its organization, whose tests are over for certain."""
    async with connection.within():
        rows = await connection.fetch(_LEFT)
    return [(row["workspace_id"], row["organization_id"]) for row in rows if _is_over(row["name"])]


def _is_over(name: str) -> bool:
    try:
        return datetime.fromisoformat(name.removeprefix(NAME + _UNTIL)) < system_clock()
    except (ValueError, TypeError):  # somebody's own name: without a moment, or without a zone
        return False


async def _remove(url: str, files: Files, workspace_id: UUID, organization_id: UUID) -> None:
    connection = await connect(url, NAME)
    try:
        await _delete_all(connection, workspace_id, organization_id)
    finally:
        await connection.close()
    await files.delete_below(f"resources/{workspace_id}")


async def _delete_all(
    connection: PlainConnection, workspace_id: UUID, organization_id: UUID, settles: float = SETTLES
) -> None:
    """Again, while other processes still write down what they know of it: who did what, when a key was last used.

    settles   seconds that they are given for it
    """
    for _ in range(TIMES):
        await asyncio.sleep(settles)
        try:
            async with connection.within():
                found = await _delete_rows(connection, workspace_id, organization_id)
        except (asyncpg.DeadlockDetectedError, asyncpg.ForeignKeyViolationError):
            continue
        if found == 0:
            return
    raise CommandError(f"the workspace {workspace_id}, made for the test, could not be removed: others still use it")


async def _delete_rows(connection: PlainConnection, workspace_id: UUID, organization_id: UUID) -> int:
    """Returns how many there were."""
    found = 0
    owners: dict[str, set[str]] = {}
    for row in await connection.fetch(_TABLES):
        owners.setdefault(row["name"], set()).add(row["owner"])
    needs = [(row["name"], row["needed"]) for row in await connection.fetch(_NEEDS)]
    for chain in (workspace_id, organization_id):
        # The audit is only added to, unless somebody says which chain goes.
        await connection.execute("SELECT set_config('passerelle.audit_removal', $1, true)", str(chain))
        found += _count(await connection.execute("DELETE FROM audit_entry WHERE chain = $1", chain))
    values = {"workspace_id": [workspace_id], "share": [workspace_id], "organization_id": [organization_id]}
    values["chain"] = [workspace_id, organization_id]
    for table in _in_order(owners, needs):
        for column in sorted(owners.get(table, ())):
            deletion = f'DELETE FROM "{table}" WHERE "{column}" = ANY ($1)'  # noqa: S608
            found += _count(await connection.execute(deletion, values[column]))
    found += _count(await connection.execute("DELETE FROM workspace WHERE workspace_id = $1", workspace_id))
    return found + _count(
        await connection.execute("DELETE FROM organization WHERE organization_id = $1", organization_id)
    )


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])


def _in_order(owners: Mapping[str, Any], needs: list[tuple[str, str]]) -> Iterator[str]:
    """Tables before those that they refer to; the two that everything refers to are left out."""
    order: TopologicalSorter[str] = TopologicalSorter({table: set() for table in owners})
    for table, needed in needs:
        order.add(needed, table)
    last = {"workspace", "organization"}
    return (table for table in order.static_order() if table not in last)
