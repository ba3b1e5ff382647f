"""Who did what is written where it is done, by whatever way; it cannot be changed, and shows if it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from passerelle.audit import repository
from passerelle.audit.models import Actor, AuditChain
from passerelle.audit.repository import AuditFilters
from passerelle.audit.trail import MOST_NAMED, AuditedAction, AuditTrail, write_down
from passerelle.audit.verifying import Report, verify_export
from passerelle.kit.clock import MovedClock, iso, system_clock
from passerelle.kit.database import Database
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import new_id
from tests.integration.people.conftest import Home, home
from tests.integration.secrets.product import BASE_URL, Product

__all__ = ["home"]

DEED = AuditedAction("writeThing", Actor("key", "k", "shop"), object_kind="thing", object_id="1")


@pytest.fixture
def product(home: Home) -> Product:
    return home.product


async def entries(client: httpx.AsyncClient, **params: str) -> list[dict[str, Any]]:
    answer = await client.get("/audit", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


# What is written.


async def test_a_change_says_who_what_where_from_before_and_after(product: Product) -> None:
    headers = {"User-Agent": "shop/1.0", "X-Request-Id": "req-1"}
    body = {"url": "https://127.0.0.1/hook", "description": "old"}
    made = (await product.api.post("/webhooks/endpoints", json=body)).json()
    changed = await product.api.patch(f"/webhooks/endpoints/{made['id']}", json={"description": "new"}, headers=headers)
    assert changed.status_code == 200, changed.text
    second, first = (await entries(product.api, kind="endpoint"))[:2]
    assert (first["action"], first["object"], first["before"]) == (
        "createWebhookEndpoint",
        {"kind": "endpoint", "id": made["id"]},
        None,
    )
    assert first["after"]["url"] == "https://127.0.0.1/hook"
    assert made["secret"] not in json.dumps(first)
    assert (second["action"], second["outcome"], second["code"]) == ("changeWebhookEndpoint", "done", None)
    assert (second["before"], second["after"]) == ({"description": "old"}, {"description": "new"})
    assert (second["by"]["type"], second["by"]["name"]) == ("key", "ops")
    assert (second["address"], second["userAgent"], second["requestId"]) == ("127.0.0.1", "shop/1.0", "req-1")


async def test_personal_values_and_secrets_are_not_in_it(product: Product) -> None:
    fields = [{"name": "status", "type": "text"}, {"name": "phone", "type": "text", "pii": "contact"}]
    assert (await product.api.post("/tables", json={"name": "people", "fields": fields})).status_code == 201
    record = (await product.api.post("/tables/people/records", json={"status": "new", "phone": "600100200"})).json()
    await product.api.patch(f"/tables/people/records/{record['id']}", json={"status": "old", "phone": "600100300"})
    await product.api.put("/secrets/KEY", json={"value": "hidden-value"})
    found = await entries(product.api, limit="100")
    assert "6001003" not in json.dumps(found)
    assert "6001002" not in json.dumps(found)
    assert "hidden-value" not in json.dumps(found)
    changed = next(one for one in found if one["action"] == "changeRecord")
    # The audit cannot be erased: what a record said, whatever its class, is in the record's history alone.
    assert changed["before"] == {"status": "•••", "phone": "•••"}
    assert changed["after"] == {"status": "•••", "phone": "•••"}
    assert changed["within"] == {"tableId": "people"}
    assert next(one for one in found if one["action"] == "writeSecret")["object"] == {"kind": "secret", "id": "KEY"}


async def test_what_is_refused_or_repeated_changes_nothing_and_says_so(product: Product) -> None:
    key = (await product.api.post("/keys", json={"name": "shop", "permissions": ["can_view_workspace"]})).json()
    signed_in = await product.api.post("/auth/authorize", json={"key": key["key"], "secret": key["secret"]})
    shop = {"Authorization": f"Bearer {signed_in.json()['accessToken']}"}
    for _ in range(3):
        assert (await product.api.put("/secrets/KEY", json={"value": "x"}, headers=shop)).status_code == 403
    assert (await product.api.get("/audit", headers=shop)).status_code == 403
    wrong = await product.api.post("/auth/authorize", json={"key": key["key"], "secret": "psk_wrong"})
    assert wrong.status_code == 401
    found = await entries(product.api, actor=key["id"])
    told = {(one["action"], one["outcome"], one["code"]) for one in found}
    assert told >= {
        ("signIn", "done", None),
        ("signIn", "refused", "INVALID_CREDENTIALS"),
        ("writeSecret", "refused", "PERMISSION_DENIED"),
        ("listAudit", "refused", "PERMISSION_DENIED"),
    }
    assert sum(one["times"] for one in found if one["action"] == "writeSecret") == 3
    again = {"Idempotency-Key": "once"}
    for _ in range(2):
        answer = await product.api.post("/webhooks/endpoints", json={"url": "https://127.0.0.1/h"}, headers=again)
        assert answer.status_code == 201
    assert len(await entries(product.api, action="createWebhookEndpoint")) == 1
    assert (await product.api.post("/webhooks/endpoints", json={"url": "no address"})).status_code == 400
    assert len(await entries(product.api, action="createWebhookEndpoint")) == 1


async def test_reads_of_personal_data_and_exports_are_in_it(product: Product) -> None:
    fields = [{"name": "phone", "type": "text", "pii": "contact"}]
    await product.api.post("/tables", json={"name": "people", "fields": fields})
    record = (await product.api.post("/tables/people/records", json={"phone": "600100200"})).json()
    await product.api.get(f"/tables/people/records/{record['id']}")
    await product.api.get("/tables/people/export")
    await product.api.get("/audit/export")
    await product.api.get("/tables/people")
    found = await entries(product.api, limit="100")
    reads = [one for one in found if one["category"] == "read"]
    assert {"readRecord", "exportRecords", "exportAudit"} <= {one["action"] for one in reads}
    assert next(one for one in reads if one["action"] == "readRecord")["object"]["id"] == record["id"]
    assert "readTable" not in {one["action"] for one in reads}


async def test_what_shows_no_personal_values_is_no_read_of_personal_data(product: Product) -> None:
    """Else nobody would find those that are one."""
    await product.api.post("/tables", json={"name": "things", "fields": [{"name": "colour", "type": "text"}]})
    record = (await product.api.post("/tables/things/records", json={"colour": "red"})).json()
    await product.api.get(f"/tables/things/records/{record['id']}")
    await product.api.get("/tables/things/records")
    await product.api.get("/reviews")
    await product.api.get("/reviews/count")
    assert [one["action"] for one in await entries(product.api, limit="100") if one["category"] == "read"] == []


async def test_who_started_executions_is_in_it_an_entry_for_many(product: Product) -> None:
    pushed = await product.push("name: quick\nsteps:\n  - id: a\n    set: {x: 1}\n")
    definition = pushed.json()["id"]
    body = {"workflowDefinitionId": definition}
    ids = [(await product.api.post("/workflows/run", json=body)).json()["id"] for _ in range(2)]
    started = (await product.api.post("/workflows", json=body)).json()
    assert {**started["startedBy"], "id": ""} == {"type": "key", "id": "", "name": "ops"}
    found = await entries(product.api, action="startWorkflow")
    assert {(one["object"]["kind"], one["object"]["id"]) for one in found} == {("definition", definition)}
    assert sorted(named for one in found for named in one["after"]["workflowIds"]) == sorted([*ids, started["id"]])
    assert sum(one["times"] for one in found) == 3
    assert {one["by"]["id"] for one in found} == {started["startedBy"]["id"]}
    assert len(await entries(product.api, text=ids[0], actor=started["startedBy"]["id"])) == 1


async def test_one_entry_names_no_more_executions_than_can_be_read(database: Database, workspace_id: UUID) -> None:
    trail, caller = AuditTrail(database, MovedClock(), new_id), Principal(workspace_id, new_id(), "shop")
    definition_id = new_id()
    for _ in range(MOST_NAMED + 1):
        await trail.gather_execution(workspace_id, "startWorkflow", caller, definition_id, new_id())
    await trail.write()
    found = (await trail.reading.page(AuditChain(workspace_id), AuditFilters(), None, 10)).entries
    assert [len(one.to_json()["after"]["workflowIds"]) for one in found] == [1, MOST_NAMED]


async def test_what_is_written_a_moment_later_has_the_time_at_which_it_happened(
    database: Database, workspace_id: UUID
) -> None:
    """Else a key would seem to have been used after it was revoked."""
    clock = MovedClock()
    trail = AuditTrail(database, clock, new_id)
    happened = AuditedAction("listRecords", Actor("key", "k", "service"), "read")
    began = clock()
    await trail.gather(workspace_id, happened, organization=False)
    clock.move(timedelta(milliseconds=200))
    await trail.gather(workspace_id, happened, organization=False)
    clock.move(timedelta(seconds=5))
    await trail.write()
    [entry] = (await trail.reading.page(AuditChain(workspace_id), AuditFilters(), None, 10)).entries
    shown = entry.to_json()
    assert (shown["at"], shown["times"]) == (iso(began), 2)


async def test_a_page_that_reads_the_same_again_and_again_fills_two_lines_in_ten_minutes(
    database: Database, workspace_id: UUID
) -> None:
    """What was read first is written at once, nothing of the rest is lost, and exports are never put together."""
    clock = MovedClock()
    trail = AuditTrail(database, clock, new_id)
    reads, exports = (
        AuditedAction(name, Actor("user", "u", "Ewa"), "read") for name in ("listReviews", "exportRecords")
    )

    async def written(happened: AuditedAction) -> list[int]:
        filters = AuditFilters(action=happened.action)
        found = await trail.reading.page(AuditChain(workspace_id), filters, None, 100)
        return [one.to_json()["times"] for one in found.entries]

    for _ in range(10):
        for happened in (reads, exports):
            await trail.gather(workspace_id, happened, organization=False)
        await trail.write_due()
        clock.move(timedelta(seconds=50))
    assert (await written(reads), await written(exports)) == ([1], [1] * 10)
    clock.move(timedelta(minutes=2))
    await trail.write_due()
    assert await written(reads) == [9, 1]
    await trail.gather(workspace_id, reads, organization=False)
    await trail.gather(workspace_id, reads, organization=False)
    await trail.write()
    assert sum(await written(reads)) == 12


async def test_people_are_in_their_organizations_chain(home: Home) -> None:
    assert (await home.tab().sign_in("anna@example.com", "not the password")).status_code == 401
    assert (await home.tab().sign_in("nobody@example.com", "not the password")).status_code == 401
    tab = await home.signed_in()
    await tab.api("POST", "/organizations/enrollments", json={"email": "new@example.com", "roleId": "member"})
    await tab.api("PATCH", "/me", json={"firstName": "Hanna"})
    answer = await tab.api("GET", "/audit", params={"of": "organization"})
    found = answer.json()["data"]
    assert answer.status_code == 200, answer.text
    told = [(one["action"], one["outcome"], one["object"]["id"] == str(home.owner.id)) for one in found]
    assert ("signIn", "refused", True) in told
    assert ("signIn", "done", True) in told
    assert ("changeMe", "done", True) in told
    assert ("createEnrollment", "done", False) in told
    changed = next(one for one in found if one["action"] == "changeMe")
    assert (changed["before"], changed["after"]) == ({"firstName": "Anna"}, {"firstName": "Hanna"})
    signed_in = next(one for one in found if one["action"] == "signIn" and one["outcome"] == "done")
    assert changed["by"]["session"] == signed_in["by"]["session"] is not None
    assert len([one for one in found if one["outcome"] == "refused"]) == 1
    assert (await tab.submit("/sign-out")).status_code == 303
    later = await home.signed_in()
    found = (await later.api("GET", "/audit", params={"of": "organization", "action": "signOut"})).json()["data"]
    assert [one["object"]["id"] for one in found] == [str(home.owner.id)]


async def test_who_may_read_it_and_whose_it_is(product: Product) -> None:
    await product.api.put("/secrets/KEY", json={"value": "x"})
    assert await entries(product.stranger, action="writeSecret") == []
    key = (await product.api.post("/keys", json={"name": "auditor", "permissions": ["can_view_audit"]})).json()
    signed_in = await product.api.post("/auth/authorize", json={"key": key["key"], "secret": key["secret"]})
    auditor = {"Authorization": f"Bearer {signed_in.json()['accessToken']}"}
    assert (await product.api.get("/audit", headers=auditor)).status_code == 200
    refused = await product.api.get("/audit", headers=auditor, params={"of": "organization"})
    assert (refused.status_code, "can_manage_users" in refused.text) == (403, True)


async def test_it_is_searched_by_who_what_when_and_any_text(product: Product) -> None:
    for name in ("ONE", "TWO", "THREE"):
        await product.api.put(f"/secrets/{name}", json={"value": "x"})
    assert [one["object"]["id"] for one in await entries(product.api, text="two")] == ["TWO"]
    assert [one["object"]["id"] for one in await entries(product.api, object="ONE")] == ["ONE"]
    first = await product.api.get("/audit", params={"action": "writeSecret", "limit": "2"})
    rest = await product.api.get(
        "/audit", params={"action": "writeSecret", "limit": "2", "after": first.json()["next"]}
    )
    pages = [*first.json()["data"], *rest.json()["data"]]
    assert [one["object"]["id"] for one in pages] == ["THREE", "TWO", "ONE"]
    at = pages[1]["at"]
    assert "ONE" not in {one["object"]["id"] for one in await entries(product.api, action="writeSecret", since=at)}
    assert (await product.api.get("/audit", params={"of": "organization", "until": "x"})).status_code == 400


async def test_a_change_and_its_entry_are_there_together_or_not_at_all(database: Database, workspace_id: UUID) -> None:
    trail = AuditTrail(database, system_clock, new_id)

    async def deed(fail: bool) -> None:
        async with trail.as_operator("write", None), database.workspace(workspace_id) as connection:
            await connection.execute(
                "INSERT INTO stored_parameters (workspace_id, id, parameters) VALUES ($1, $2, '{}')",
                workspace_id,
                new_id(),
            )
            if fail:
                raise RuntimeError("the process dies here")

    await deed(fail=False)
    with pytest.raises(RuntimeError):
        await deed(fail=True)
    async with trail.as_operator("look", None), database.workspace(workspace_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM stored_parameters") == 1
        assert await connection.fetchval("SELECT count(*) FROM audit_entry") == 1


# That it is only added to.


async def test_the_application_may_only_add(database: Database, workspace_id: UUID, database_url: str) -> None:
    async with database.transaction(workspace_id) as connection:
        await write_down(connection, workspace_id, DEED, system_clock())
    for statement in (
        "UPDATE audit_entry SET action = 'other'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_chain SET number = 0",
        "INSERT INTO audit_chain (chain, number, hash, sealed_at) VALUES (gen_random_uuid(), 1, '', now())",
    ):
        async with database.workspace(workspace_id) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    owner = await asyncpg.connect(database_url)
    for statement in (
        "UPDATE audit_entry SET action = 'other'",
        "UPDATE audit_entry SET content = '{}', number = 1, hash = ''",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
    ):
        with pytest.raises(asyncpg.RaiseError, match="only added to"):
            await owner.execute(statement)
    await owner.close()


async def test_a_chain_that_is_not_served_cannot_be_written(database: Database, workspace_id: UUID) -> None:
    async with database.workspace(new_id()) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await write_down(connection, workspace_id, DEED, system_clock())
        with pytest.raises(asyncpg.RaiseError, match="does not serve"):
            await connection.fetchval("SELECT remove_audit($1, 100)", workspace_id)


# That it shows.


@pytest.fixture
async def written(database: Database, workspace_id: UUID) -> AuditTrail:
    """A chain of six."""
    trail = AuditTrail(database, system_clock, new_id)
    for _ in range(6):
        async with database.transaction(workspace_id) as connection:
            await write_down(connection, workspace_id, DEED, system_clock())
    await trail.seal()
    return trail


async def looked(trail: AuditTrail, chain: UUID) -> Report:
    return await trail.reading.verify(AuditChain(chain))


@pytest.fixture
async def intruder(database_url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Whoever owns the database, and has switched the fences off."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
    yield connection
    await connection.close()


async def test_what_nobody_touched_is_intact(written: AuditTrail, workspace_id: UUID) -> None:
    found = await looked(written, workspace_id)
    assert (found.problem, found.entries, found.first, found.waiting) == (None, 6, 1, 0)


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE audit_entry SET content = replace(content, 'shop', 'sh0p') WHERE number = 3", 3),
        ("DELETE FROM audit_entry WHERE number = 4", 4),
        ("DELETE FROM audit_entry WHERE number <= 2", 1),
        ("DELETE FROM audit_entry WHERE number = 6", 6),
        ("DELETE FROM audit_entry", 1),
        ("UPDATE audit_entry SET actor_id = 'other' WHERE number = 2", 2),
        ("UPDATE audit_entry SET at = at - interval '1 day' WHERE number = 5", 5),
        ("UPDATE audit_entry SET object_id = NULL WHERE number = 5", 5),
        ("UPDATE audit_entry SET number = number + 10 WHERE number = 6", 6),
        (
            "UPDATE audit_entry e SET content = o.content FROM audit_entry o "
            "WHERE (e.number, o.number) IN ((2, 3), (3, 2))",
            2,
        ),
        (
            "UPDATE audit_entry SET content = replace(content, 'shop', 'sh0p'), "
            "hash = encode(sha256(convert_to(repeat('0', 64) || E'\\n' || replace(content, 'shop', 'sh0p'), 'UTF8')), "
            "'hex') WHERE number = 1",
            2,
        ),
        (
            "INSERT INTO audit_entry (chain, id, at, action, outcome, content, number, hash) "
            "SELECT chain, gen_random_uuid(), at, action, outcome, content, 7, hash FROM audit_entry WHERE number = 6",
            None,
        ),
    ],
)
async def test_tampering_shows_at_its_place(
    written: AuditTrail, workspace_id: UUID, intruder: asyncpg.Connection[Any], tampering: str, broken: int | None
) -> None:
    await intruder.execute(tampering)
    found = await looked(written, workspace_id)
    assert found.broken == broken
    assert (found.problem is None) == (broken is None)


async def test_a_hash_that_was_written_down_is_missed(
    written: AuditTrail, workspace_id: UUID, intruder: asyncpg.Connection[Any]
) -> None:
    """Whoever owns the database can write the whole chain anew: that shows only against what is kept elsewhere."""
    reading = written.reading
    head = (await looked(written, workspace_id)).head
    assert head is not None
    assert await reading.has(AuditChain(workspace_id), head)
    await intruder.execute("UPDATE audit_entry SET number = NULL, hash = NULL, content = replace(content, 's', 'z')")
    await intruder.execute("DELETE FROM audit_chain")
    await written.seal()
    assert not await reading.has(AuditChain(workspace_id), head)


async def test_an_export_is_checked_without_the_server(product: Product) -> None:
    for name in ("ONE", "TWO", "THREE"):
        await product.api.put(f"/secrets/{name}", json={"value": "x"})
    answer = await product.api.get("/audit/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = answer.text.splitlines()
    whole = verify_export(lines)
    assert (whole.problem, whole.entries, whole.gaps, whole.first) == (None, len(lines), 0, 1)
    changed = [line.replace('"TWO"', '"TWENTY"') for line in lines]
    place = next(index for index, line in enumerate(lines, 1) if '"TWO"' in line)
    assert verify_export(changed).broken == place
    cut = (await product.api.get("/audit/export", params={"object": "TWO"})).text.splitlines()
    assert verify_export(cut).problem is None
    with pytest.raises(ValueError, match="no entries"):
        verify_export([])
    with pytest.raises(ValueError, match="no line of an export"):
        verify_export(["{}"])


# While others write.


async def test_whoever_writes_and_seals_at_once_the_chain_holds(
    database: Database, database_url: str, workspace_id: UUID
) -> None:
    """Writers that commit late, or not at all, while several processes seal: no entry is lost, none comes twice."""
    trail = AuditTrail(database, system_clock, new_id)
    committed: list[str] = []

    class UndoneError(Exception):
        pass

    async def writer(turn: int) -> None:
        try:
            async with database.transaction(workspace_id) as connection:
                await write_down(connection, workspace_id, replace(DEED, object_id=str(turn)), system_clock())
                for _ in range(turn % 4):
                    await connection.execute("SELECT 1")
                if turn % 7 == 0:
                    raise UndoneError
        except UndoneError:
            return
        committed.append(str(turn))

    async def sealer() -> None:
        for _ in range(20):
            await trail.seal()
            await asyncio.sleep(0)

    await asyncio.gather(*(writer(turn) for turn in range(120)), *(sealer() for _ in range(3)))
    await trail.seal()
    async with database.workspace(workspace_id) as connection:
        rows = await repository.sealed(connection, workspace_id, 0, 10_000, 10_000)
    assert [row.number for row in rows] == list(range(1, len(committed) + 1))
    assert sorted(row.to_json()["object"]["id"] for row in rows) == sorted(committed)
    following = await looked(trail, workspace_id)
    assert (following.problem, following.waiting) == (None, 0)


async def test_a_sealer_that_dies_leaves_a_chain_that_goes_on(
    database: Database, database_url: str, workspace_id: UUID
) -> None:
    trail = AuditTrail(database, system_clock, new_id)
    for _ in range(5):
        async with database.transaction(workspace_id) as connection:
            await write_down(connection, workspace_id, DEED, system_clock())
    dying = await asyncpg.connect(database_url)
    transaction = dying.transaction()
    await transaction.start()
    assert await dying.fetchval("SELECT seal_audit(1000)") == 5
    await trail.seal()
    dying.terminate()
    while (await looked(trail, workspace_id)).waiting:
        await trail.seal()
    found = await looked(trail, workspace_id)
    assert (found.problem, found.entries) == (None, 5)


# Retention.


async def test_retention_shortens_the_chain_and_what_is_left_hangs_together(
    database: Database, workspace_id: UUID
) -> None:
    clock = MovedClock()
    trail = AuditTrail(database, clock, new_id, keep=timedelta(days=60))
    clock.move(timedelta(days=-100))
    for _ in range(4):
        async with database.transaction(workspace_id) as connection:
            await write_down(connection, workspace_id, DEED, clock())
    clock.move(timedelta(days=100))
    for _ in range(3):
        async with database.transaction(workspace_id) as connection:
            await write_down(connection, workspace_id, DEED, clock())
    await trail.seal()
    assert await trail.forget_old() == 4
    found = await looked(trail, workspace_id)
    assert (found.problem, found.first, found.entries) == (None, 5, 4)
    reading = trail.reading
    lines = b"".join([part async for part in reading.lines(AuditChain(workspace_id), repository.AuditFilters())])
    assert verify_export(lines.decode().splitlines()).problem is None
    kept = json.loads(lines.splitlines()[-1])
    assert (kept["action"], kept["by"]["type"], kept["after"]["through"], kept["after"]["entries"]) == (
        "shortenAudit",
        "system",
        4,
        4,
    )
    assert await trail.forget_old() == 0


async def test_nobody_shortens_what_is_young(database: Database, workspace_id: UUID, written: AuditTrail) -> None:
    async with database.transaction(workspace_id) as connection:
        assert await connection.fetchval("SELECT remove_audit($1, 100)", workspace_id) == 0
    assert (await looked(written, workspace_id)).entries == 6


async def test_endpoints_of_webhooks_get_it_only_where_they_name_it(product: Product) -> None:
    body = {"url": "https://127.0.0.1/audit", "events": ["audit.*"]}
    auditing = await product.api.post("/webhooks/endpoints", json=body)
    assert auditing.status_code == 201, auditing.text
    assert (await product.api.post("/webhooks/endpoints", json={"url": "https://127.0.0.1/all"})).status_code == 201
    await product.api.put("/secrets/KEY", json={"value": "x"})
    await product.services.shared.trail.seal()
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        told = await connection.fetch("SELECT data FROM event WHERE type = 'audit.written'")
    written = next(one["data"] for one in told if one["data"]["action"] == "writeSecret")
    assert written["number"] > 0
    assert len(written["hash"]) == 64
    async with product.services.shared.database.shared() as connection:
        await connection.fetch("SELECT * FROM dispatch_events($1, 1000)", system_clock())
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        to = await connection.fetch(
            "SELECT DISTINCT endpoint_id FROM webhook_delivery WHERE event_type = 'audit.written'"
        )
    assert [str(row["endpoint_id"]) for row in to] == [auditing.json()["id"]]
    shown = (await product.api.get("/events", params={"limit": "500"})).json()["data"]
    assert "audit.written" not in {one["type"] for one in shown}


async def test_only_who_may_read_the_audit_streams_it(product: Product) -> None:
    permissions = ["can_manage_webhooks", "can_view_webhooks", "can_view_executions"]
    key = (await product.api.post("/keys", json={"name": "hooks", "permissions": permissions})).json()
    signed_in = await product.api.post("/auth/authorize", json={"key": key["key"], "secret": key["secret"]})
    hooks = {"Authorization": f"Bearer {signed_in.json()['accessToken']}"}
    body = {"url": "https://127.0.0.1/audit", "events": ["audit.written"]}
    assert (await product.api.post("/webhooks/endpoints", json=body, headers=hooks)).status_code == 403
    assert (await product.api.get("/events", params={"types": "audit.*"}, headers=hooks)).status_code == 403


async def test_the_address_is_the_clients_own(product: Product) -> None:
    transport = httpx.ASGITransport(product.app, client=("203.0.113.7", 1))
    headers = {"Authorization": product.api.headers["Authorization"]}
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        await client.put("/secrets/KEY", json={"value": "x"})
    assert (await entries(product.api, action="writeSecret"))[0]["address"] == "203.0.113.7"
