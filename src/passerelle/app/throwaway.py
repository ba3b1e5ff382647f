"""A workspace that is there for a test of the installation, and of which nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Final
from uuid import UUID

import asyncpg

from passerelle.app.services import Services
from passerelle.kit.connections import PlainConnection, connect
from passerelle.kit.errors import CommandError
from passerelle.resources.files import Files

NAME: Final = "passerelle selftest"
SETTLES: Final = 2.0
"""Seconds in which other processes write down what they have gathered."""
TIMES: Final = 10
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


@dataclass(frozen=True, slots=True)
class Throwaway:
    """A workspace of an organization of its own, and a token that may do everything in it."""

    workspace_id: UUID
    organization_id: UUID
    token: str


@asynccontextmanager
async def throwaway(services: Services, owner_url: str) -> AsyncIterator[Throwaway]:
    """One of them while the block runs; then everything of it is removed, whatever happened.

    owner_url   the address of the database for the user that the tables belong to
    """
    made = await services.accounts.create_workspace(NAME)
    organization_id = await services.people.users.organization_of(made.id)
    try:
        token = (await services.accounts.create_token(made.id, NAME, 2)).secret
        yield Throwaway(made.id, organization_id, token)
    finally:
        await services.shared.trail.write()
        await services.shared.trail.seal()
        await _remove(owner_url, Files.at(services.shared.settings.files_url), made.id, organization_id)


async def _remove(url: str, files: Files, workspace_id: UUID, organization_id: UUID) -> None:
    connection = await connect(url, NAME)
    try:
        await _delete_all(connection, workspace_id, organization_id)
    except asyncpg.InsufficientPrivilegeError as error:
        raise CommandError(
            f"the workspace {workspace_id} could not be removed ({error}): PASSERELLE_DATABASE_URL, or "
            "PASSERELLE_DATABASE_DIRECT_URL, has to name the user that the tables belong to"
        ) from None
    finally:
        await connection.close()
    await files.delete_below(f"resources/{workspace_id}")


async def _delete_all(connection: PlainConnection, workspace_id: UUID, organization_id: UUID) -> None:
    """Again, while other processes still write down what they know of it: who did what, when a key was last used."""
    for _ in range(TIMES):
        await asyncio.sleep(SETTLES)
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
