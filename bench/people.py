"""What permissions cost: the check of a request, lists in a workspace with 10,000 users and 200 roles, signing in."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from bench.harness import Passerelle, database, percentile, running
from passerelle.accounts.permissions import WORKSPACE_ROLES, looked_up
from passerelle.kit.grants import Granted, act_for, by_itself
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.permissions import require
from passerelle.kit.ids import new_id
from passerelle.people.passwords import Passwords
from passerelle.records.sight import sight_of
from passerelle.tables.models import Field, Table

USERS = 10_000
ROLES = 200
CHECKS = 20_000
CALLS = 200
HASHES = 20
READ = "can_read_data"
LISTS = (
    "/tables/cases/records",
    "/workspaces/{id}/memberships",
    "/organizations/workspaces/{id}/memberships",
    "/organizations/users",
)


async def checks_and_lists(report: Any) -> None:
    """Processor time of a check; the times of lists with few users and with many."""
    for name, who, table in _callers():
        report.line(f"permission check, {name}", us=round(_check(who, table), 2))
    with running() as few, running() as many:
        async with database(many.data_dir) as connection:
            await _fill(connection)
        times = await _lists(few, many)
        for path, (of_few, of_many) in times.items():
            report.line(
                f"GET {path}", p50_few=_ms(of_few, 0.5), p50_many=_ms(of_many, 0.5), p99_many=_ms(of_many, 0.99)
            )
        await _sign_in(report, many)


def _callers() -> list[tuple[str, Principal, Table]]:
    now = datetime.now(UTC)
    fields = tuple(Field(str(at), new_id(), f"f{at}", "text", pii="x" if at == 3 else None) for at in range(1, 21))
    table = Table(new_id(), new_id(), "customers", None, fields, False, 1, now, now)
    role = WORKSPACE_ROLES["operator"]
    where = 'record.f1 == "x" && record.f2 == user.id'
    granted = [Granted("table", str(new_id()), (READ,)) for _ in range(99)]
    granted.append(Granted("table", str(table.id), (READ,), ("f1", "f2"), where))
    return [
        ("a built-in role", _principal(permissions=role.permissions), table),
        ("a role of 100 grants", _principal(grants=looked_up(granted), kind="user"), table),
    ]


def _principal(**more: Any) -> Principal:
    return Principal(new_id(), new_id(), "somebody", **more)


def _check(who: Principal, table: Table) -> float:
    """Microseconds of processor time: may it be called, and what of the table is seen."""
    began = time.process_time()
    for _ in range(CHECKS):
        with by_itself():
            require(who, READ, "table")
            act_for(who, READ, "table")
            sight_of(table)
    return (time.process_time() - began) / CHECKS * 1e6


async def _fill(connection: asyncpg.Connection[Any]) -> None:
    first = await connection.fetchrow("SELECT organization_id, workspace_id FROM workspace LIMIT 1")
    assert first is not None
    organization, workspace = first
    ids: list[UUID] = [new_id() for _ in range(USERS)]
    await connection.execute(
        "INSERT INTO app_user (organization_id, id, email, email_key, first_name, last_name, language, time_zone, "
        "role, state, created_at, updated_at) SELECT $1, id, id || '@example.com', id || '@example.com', '', '', 'en', "
        "'UTC', 'member', 'active', now(), now() FROM unnest($2::uuid[]) AS id",
        organization,
        ids,
    )
    await connection.execute(
        "INSERT INTO workspace_role (workspace_id, organization_id, name, description, permissions, created_at, "
        "updated_at) SELECT $1, $2, 'role' || n, '', ARRAY['can_view_workspace', 'can_read_data'], now(), now() "
        "FROM generate_series(1, $3) AS n",
        workspace,
        organization,
        ROLES,
    )
    await connection.execute(
        "INSERT INTO membership (workspace_id, organization_id, user_id, role, created_at) "
        "SELECT $1, $2, id, 'role' || (1 + n % $4::bigint), now() FROM unnest($3::uuid[]) WITH ORDINALITY AS u(id, n)",
        workspace,
        organization,
        ids,
        ROLES,
    )
    await connection.execute("ANALYZE")


async def _lists(*servers: Passerelle) -> dict[str, list[list[float]]]:
    """The times of each list, one after the other at each server, so that what else the machine does meets both."""
    times: dict[str, list[list[float]]] = {}
    async with AsyncExitStack() as stack:
        clients = []
        for one in servers:
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=one.url, headers=one.headers))
            clients.append((client, (await client.get("/me")).json()["workspace"]["id"]))
        for path in LISTS:
            taken: list[list[float]] = [[] for _ in clients]
            for _ in range(CALLS):
                for (client, workspace), spent in zip(clients, taken, strict=True):
                    began = time.perf_counter()
                    (await client.get(path.format(id=workspace))).raise_for_status()
                    spent.append(time.perf_counter() - began)
            times[path] = taken
    return times


async def _sign_in(report: Any, server: Passerelle) -> None:
    """From the password's arrival to the session's cookie, one after the other; beside it the hash by itself."""
    user, passwords = server.demo["user"], Passwords()
    kept = await passwords.hash(user["password"])
    hashing = [await _timed(passwords.matches(kept, user["password"])) for _ in range(HASHES)]
    taken = []
    for _ in range(CALLS):
        async with httpx.AsyncClient(base_url=server.url) as client:
            page = await client.get("/sign-in")
            found = re.search(r'name="_token" value="([^"]+)"', page.text)
            assert found is not None
            form = {"_token": found[1], "email": user["email"], "password": user["password"]}
            began = time.perf_counter()
            answer = await client.post("/sign-in", data=form)
            taken.append(time.perf_counter() - began)
            assert answer.status_code == 303, answer.text
    hash_ms = _ms(hashing, 0.5)
    report.line(
        "sign in",
        p50=_ms(taken, 0.5),
        p99=_ms(taken, 0.99),
        hash_p50=hash_ms,
        p99_apart_from_hash=round(_ms(taken, 0.99) - hash_ms, 1),
    )


async def _timed(done: Awaitable[Any]) -> float:
    began = time.perf_counter()
    await done
    return time.perf_counter() - began


def _ms(times: list[float], share: float) -> float:
    return round(percentile(times, share) * 1000, 1)
