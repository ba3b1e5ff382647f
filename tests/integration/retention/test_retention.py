"""Retention: what is over goes with all that is its own, in batches; what runs, can be retried or is held stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from passerelle.kit.clock import system_clock
from passerelle.retention import removing
from passerelle.retention.removing import Removal
from tests.integration.secrets.product import Product, joined, opened

QUICK = "name: quick\nsteps:\n  - id: keep\n    set: {said: done}\n"
WAITING = "name: waiting\nsteps:\n  - id: decide\n    review: {title: Decide, outcomes: [approve, reject]}\n"
FAILING = "name: failing\nsteps:\n  - id: stop\n    fail: {code: NO, message: never}\n"
OF_RECORD = """
name: of-record
record: {table: customers}
steps:
  - id: keep
    set: {said: done}
"""
USUAL: dict[str, timedelta | None] = {
    "executions": None,
    "events": timedelta(days=30),
    "deliveries": timedelta(days=30),
    "drafts": timedelta(days=90),
}
OF_EXECUTIONS = (
    "step_run", "received_event", "visitor_draft", "visitor_file", "execution_comment", "link", "visit", "widget_token",
)  # fmt: skip


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        yield product


async def sql(product: Product, query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(product.database_url)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
        return rows
    finally:
        await connection.close()


async def keep(product: Product, **rules: str) -> list[dict[str, Any]]:
    answer = await product.api.put("/retention", json=rules)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def hold(product: Product, kind: str, object_id: object = None) -> str:
    body = {"kind": kind, "reason": "case 7", **({} if object_id is None else {"id": str(object_id)})}
    answer = await product.api.post("/holds", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def later(product: Product, days: float) -> dict[str, int]:
    """The hourly work, as if so many days had gone by. Returns what is gone, by kind."""
    removal = Removal(
        product.services.shared.database, product.services.retention.archives, moved(days), USUAL, no_pause
    )
    return {kind: count for kind, count in (await removal.run()).items() if count}


async def no_pause(_: float) -> None:
    """Nobody else is there to be let through."""


async def ids(product: Product) -> set[str]:
    return {str(row["id"]) for row in await sql(product, "SELECT id FROM execution")}


# The rules.


async def test_a_workspace_says_how_long_it_keeps_what(product: Product) -> None:
    before = {one["kind"]: one for one in (await product.api.get("/retention")).json()["data"]}
    assert (before["executions"]["lasts"], before["executions"]["own"]) == (None, False)
    assert (before["links"]["least"], before["events"]["least"]) == (None, "7d")
    after = {one["kind"]: one for one in await keep(product, executions="400d", events="ever")}
    assert (after["executions"]["lasts"], after["executions"]["own"]) == ("400d", True)
    assert (after["events"]["lasts"], after["events"]["own"], after["events"]["usual"]) == (None, True, "30d")
    strangers = {one["kind"]: one["lasts"] for one in (await product.stranger.get("/retention")).json()["data"]}
    assert (strangers["executions"], strangers["events"]) == (None, "30d")
    again = {one["kind"]: one for one in await keep(product, executions="1d")}
    assert (again["events"]["lasts"], again["events"]["own"]) == ("30d", False)
    entries = await sql(product, "SELECT content FROM audit_entry WHERE action = 'changeRetention' ORDER BY id")
    assert [("400 days" in row["content"], "ever" in row["content"]) for row in entries] == [(True, True)] * 2


@pytest.mark.parametrize(
    ("rules", "pointers"),
    [
        ({"executions": "soon", "events": "1d"}, ["/executions", "/events"]),
        ({"audit": "29d", "deliveries": "6d"}, ["/deliveries", "/audit"]),
        ({"executions": "0d"}, ["/executions"]),
        ({"executions": "-1d"}, ["/executions"]),
        ({"executions": "99999d"}, ["/executions"]),
        ({"executions": "1h"}, ["/executions"]),
    ],
)
async def test_all_that_is_wrong_with_rules_is_told_at_once(
    product: Product, rules: dict[str, str], pointers: list[str]
) -> None:
    for method, path in (("PUT", "/retention"), ("POST", "/retention/preview")):
        answer = await product.api.request(method, path, json=rules)
        assert answer.status_code == 400
        assert [(one["code"], one["pointer"]) for one in answer.json()["errors"]] == [
            ("RETENTION_INVALID", pointer) for pointer in pointers
        ]
    assert not any(one["own"] for one in (await product.api.get("/retention")).json()["data"])


async def test_kinds_that_a_workspace_does_not_decide_are_refused_by_name(product: Product) -> None:
    answer = await product.api.put("/retention", json={"records": "30d"})
    assert (answer.status_code, "records" in answer.text) == (400, True)


async def test_nobody_changes_it_without_the_permission(product: Product) -> None:
    key = (await product.api.post("/keys", json={"name": "less", "permissions": ["can_view_workspace"]})).json()
    taken = await product.api.post("/auth/authorize", json={"key": key["key"], "secret": key["secret"]})
    headers = {"Authorization": f"Bearer {taken.json()['accessToken']}"}
    assert (await product.api.get("/retention", headers=headers)).status_code == 200
    for method, path in (("PUT", "/retention"), ("POST", "/retention/preview"), ("GET", "/holds"), ("POST", "/holds")):
        answer = await product.api.request(method, path, headers=headers, json={} if method != "GET" else None)
        assert answer.status_code == 403, path


async def test_a_preview_counts_what_would_go_and_what_is_held_and_changes_nothing(product: Product) -> None:
    runs = [await product.run(QUICK) for _ in range(3)]
    await sql(product, "UPDATE execution SET completed_at = completed_at - interval '2 days'")
    await age_ids(product, timedelta(days=2))
    held = next(iter(await ids(product)))
    await hold(product, "execution", held)
    answer = await product.api.post("/retention/preview", json={"executions": "1d"})
    found = {one["kind"]: one for one in answer.json()["data"]}
    assert (found["executions"]["removed"], found["executions"]["held"], found["executions"]["more"]) == (2, 1, False)
    assert found["audit"] == {"kind": "audit", "lasts": None, "removed": 0, "held": 0, "more": False}
    assert len(await ids(product)) == len(runs)


async def age_ids(product: Product, by: timedelta) -> None:
    """Executions as if they had been made so much earlier: their ids tell the time."""
    for row in await sql(product, "SELECT id FROM execution"):
        old = row["id"]
        new = UUID(int=old.int - (int(by.total_seconds() * 1000) << 80))
        for table, column in (("execution", "id"), ("step_run", "execution_id"), ("event", "execution_id")):
            await sql(product, f"UPDATE {table} SET {column} = $2 WHERE {column} = $1", old, new)


# Executions.


async def test_executions_go_with_all_that_is_theirs_and_nobody_elses(product: Product) -> None:
    await product.run(QUICK)
    stranger = await product.stranger.post(
        "/definitions", content=QUICK.encode(), headers={"Content-Type": "text/yaml"}
    )
    body = {"workflowDefinitionId": stranger.json()["id"]}
    others = (await product.stranger.post("/workflows/run", json=body)).json()["id"]
    await keep(product, executions="30d")
    assert await later(product, 29) == {}
    assert (await later(product, 31))["executions"] == 1
    assert await ids(product) == {others}
    for table in OF_EXECUTIONS:
        rows = await sql(product, f"SELECT count(*) AS n FROM {table} WHERE workspace_id = $1", product.workspace_id)
        assert rows[0]["n"] == 0, table


async def test_what_runs_waits_or_can_be_retried_stays(product: Product) -> None:
    waiting, failing = await product.run(WAITING), await product.run(FAILING)
    assert (waiting["status"], failing["status"]) == ("AWAITING", "FAILED")
    await product.run(QUICK)
    await keep(product, executions="1d")
    assert (await later(product, 400))["executions"] == 1
    assert await ids(product) == {waiting["id"], failing["id"]}
    assert (await product.api.post(f"/workflows/{failing['id']}/cancel")).status_code == 200
    assert (await later(product, 400))["executions"] == 1


async def test_a_child_goes_with_its_parent_and_not_before(product: Product) -> None:
    parent, child = (await product.run(QUICK))["id"], (await product.run(QUICK))["id"]
    await sql(
        product, "UPDATE execution SET parent_id = $1, parent_step = 'keep' WHERE id = $2", UUID(parent), UUID(child)
    )
    await sql(product, "UPDATE execution SET completed_at = now() + interval '10 days' WHERE id = $1", UUID(parent))
    await keep(product, executions="1d")
    assert await later(product, 5) == {}
    assert (await later(product, 12))["executions"] == 2
    assert await ids(product) == set()


async def test_without_a_rule_everything_stays(product: Product) -> None:
    await product.run(QUICK)
    assert await later(product, 3000) == {}
    assert len(await ids(product)) == 1


async def test_a_run_goes_through_everything_in_batches(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "AT_ONCE", 3)
    for _ in range(8):
        await product.run(QUICK)
    stays = await product.run(WAITING)
    pauses: list[float] = []

    async def noted(seconds: float) -> None:
        pauses.append(seconds)

    await keep(product, executions="1d", events="7d")
    database, archives = product.services.shared.database, product.services.retention.archives
    removal = Removal(database, archives, moved(60), USUAL, noted)
    gone = await removal.run()
    assert gone["executions"] == 8
    assert await ids(product) == {stays["id"]}
    assert len(pauses) >= 4
    assert max(pauses) <= removing.LONGEST_PAUSE


def moved(days: float) -> Any:
    def clock() -> datetime:
        return system_clock() + timedelta(days=days)

    return clock


# Events, deliveries, drafts.


async def test_events_go_by_the_workspaces_own_time_and_readers_are_told(product: Product) -> None:
    await product.run(QUICK)
    first = (await product.api.get("/events")).json()
    await product.run(QUICK)
    await keep(product, events="7d")
    assert await later(product, 6) == {}
    assert (await later(product, 8))["events"] >= 2
    assert (await product.api.get("/events")).json()["data"] == []
    gone = await product.api.get("/events", params={"after": first["next"]})
    assert (gone.status_code, gone.json()["errors"][0]["code"]) == (410, "EVENTS_EXPIRED")
    assert await product.services.events.forget_old() == 0


async def test_the_usual_work_leaves_workspaces_with_a_rule_alone(product: Product) -> None:
    await product.run(QUICK)
    await keep(product, events="ever")
    database = product.services.shared.database
    async with database.shared() as connection:
        assert await connection.fetchval("SELECT forget_events(now() + interval '1 day', 100)") == 0
    assert await later(product, 3000) == {}
    await keep(product)
    async with database.shared() as connection:
        assert await connection.fetchval("SELECT forget_events(now() + interval '1 day', 100)") > 0


async def test_deliveries_that_are_under_way_stay(product: Product) -> None:
    made = await product.api.post("/webhooks/endpoints", json={"url": "https://127.0.0.1/hook"})
    for status in ("PENDING", "DELIVERED"):
        await sql(
            product,
            "INSERT INTO webhook_delivery (workspace_id, id, endpoint_id, transaction, event_id, event_type, status, "
            "next_attempt_at, created_at) VALUES ($1, $2, $3, '1', $4, 'workflow.completed', $5, now(), now())",
            product.workspace_id, uuid4(), UUID(made.json()["id"]), uuid4(), status,
        )  # fmt: skip
    await keep(product, deliveries="7d")
    assert (await later(product, 8))["deliveries"] == 1
    left = await sql(product, "SELECT status FROM webhook_delivery")
    assert [row["status"] for row in left] == ["PENDING"]


async def test_drafts_go_by_the_workspaces_own_time(product: Product) -> None:
    run = await product.run(WAITING)
    await draft(product, run["id"])
    await keep(product, drafts="1d")
    assert await later(product, 0.5) == {}
    assert await later(product, 2) == {"drafts": 1}


async def draft(product: Product, execution_id: str) -> None:
    await sql(
        product,
        "INSERT INTO visitor_draft (workspace_id, execution_id, step, visit, fields) VALUES ($1, $2, 'details', 1, '{}')",
        product.workspace_id,
        UUID(execution_id),
    )


# Legal holds.


@pytest.fixture
async def record(product: Product) -> str:
    """A record that two executions concern, with a comment."""
    fields = [{"name": "name", "type": "text", "pii": "identity"}]
    await product.api.post("/tables", json={"name": "customers", "fields": fields})
    made = (await product.api.post("/tables/customers/records", json={"name": "Anna"})).json()["id"]
    await product.api.post(f"/tables/customers/records/{made}/comments", json={"text": "kept"})
    pushed = (await product.push(OF_RECORD)).json()["id"]
    for _ in range(2):
        await product.api.post("/workflows/run", json={"workflowDefinitionId": pushed, "recordId": made})
    return str(made)


async def counted(product: Product) -> dict[str, int]:
    tables = ("execution", "step_run", "event", "visitor_draft", "record", "record_change", "record_comment")
    query = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in tables)
    return {row["name"]: row["n"] for row in await sql(product, query)}


async def test_a_hold_on_a_record_keeps_it_its_executions_and_what_happened(product: Product, record: str) -> None:
    for run in sorted(await ids(product)):
        await draft(product, run)
    await product.run(QUICK)
    held = await hold(product, "record", record)
    assert (await product.api.delete(f"/tables/customers/records/{record}")).status_code == 204
    before = await counted(product)
    await keep(product, executions="1d", events="7d", drafts="1d", deliveries="7d")
    gone = await later(product, 400)
    assert gone["executions"] == 1
    after = await counted(product)
    assert {name: before[name] - after[name] for name in before if name not in ("event", "step_run", "execution")} == {
        "visitor_draft": 0,
        "record": 0,
        "record_change": 0,
        "record_comment": 0,
    }
    about = await sql(product, "SELECT count(*) AS n FROM event WHERE data ->> 'recordId' = $1", record)
    assert about[0]["n"] == after["event"] > 0
    await sql(product, "UPDATE record SET deleted_at = now() - interval '60 days'")
    assert await product.services.records.purging.purge_deleted() == 0
    assert (await product.api.post(f"/holds/{held}/release")).json()["releasedBy"] == "ops"
    assert (await later(product, 400))["executions"] == 2
    assert await product.services.records.purging.purge_deleted() == 1
    assert (await counted(product)) | {"event": 0} == dict.fromkeys(before, 0)


async def test_what_is_held_is_neither_erased_nor_deleted_with_its_table(product: Product, record: str) -> None:
    path = f"/tables/customers/records/{record}"
    attached = await product.api.post(f"{path}/attachments", files={"file": ("a.pdf", b"%PDF-1.7\n")})
    await hold(product, "record", record)
    for method, address in (
        ("DELETE", f"{path}?erase=true"),
        ("POST", f"{path}/erasure"),
        ("DELETE", f"{path}/attachments/{attached.json()['id']}"),
        ("DELETE", "/tables/customers?loseData=true"),
    ):
        answer = await product.api.request(method, address)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "UNDER_LEGAL_HOLD"), address
    assert (await product.api.get(path)).json()["name"] == "Anna"


async def test_a_hold_on_a_record_keeps_those_that_it_was_merged_with(product: Product, record: str) -> None:
    other = (await product.api.post("/tables/customers/records", json={"name": "Ania"})).json()["id"]
    await hold(product, "record", record)
    merged = await product.api.post(f"/tables/customers/records/{other}/merge", json={"from": record})
    assert merged.status_code == 200, merged.text
    assert (await product.api.delete(f"/tables/customers/records/{other}")).status_code == 204
    await sql(product, "UPDATE record SET deleted_at = now() - interval '60 days'")
    assert await product.services.records.purging.purge_deleted() == 0


async def test_a_hold_on_an_execution_keeps_its_children_and_its_parents_stay_for_them(product: Product) -> None:
    parent, child, _ = [UUID((await product.run(QUICK))["id"]) for _ in range(3)]
    await sql(product, "UPDATE execution SET parent_id = $1, parent_step = 'keep' WHERE id = $2", parent, child)
    await keep(product, executions="1d")
    for held in (parent, child):
        hold_id = await hold(product, "execution", held)
        await later(product, 400)
        assert await ids(product) == {str(parent), str(child)}, held
        await product.api.post(f"/holds/{hold_id}/release")
    await later(product, 400)
    assert await ids(product) == set()


async def test_a_hold_on_the_workspace_keeps_everything_of_it(product: Product, record: str) -> None:
    run = await product.run(WAITING)
    await draft(product, run["id"])
    await hold(product, "workspace")
    before = await counted(product)
    await keep(product, executions="1d", events="7d", drafts="1d", deliveries="7d", audit="30d")
    assert await later(product, 400) == {}
    assert await counted(product) == before
    assert (await product.api.delete(f"/tables/customers/records/{record}?erase=true")).status_code == 409


async def test_the_audit_is_not_shortened_while_anything_is_held(product: Product) -> None:
    trail = product.services.shared.trail
    await keep(product, audit="30d")
    held = await hold(product, "workspace")
    await trail.seal()
    await sql(product, "ALTER TABLE audit_entry DISABLE TRIGGER keep_audit")
    await sql(product, "UPDATE audit_entry SET at = at - interval '100 days'")
    await sql(product, "ALTER TABLE audit_entry ENABLE TRIGGER keep_audit")
    assert await trail.forget_old() == 0
    await product.api.post(f"/holds/{held}/release")
    await trail.seal()
    assert await trail.forget_old() > 0


async def test_the_database_itself_keeps_what_is_held(product: Product) -> None:
    run = await product.run(QUICK)
    await hold(product, "execution", run["id"])
    with pytest.raises(asyncpg.PostgresError, match="under legal hold"):
        await sql(product, "DELETE FROM execution WHERE id = $1", UUID(run["id"]))


async def test_holds_are_refused_with_what_is_wrong(product: Product) -> None:
    run = await product.run(QUICK)
    await hold(product, "execution", run["id"])
    for body, status, code in (
        ({"kind": "execution", "id": run["id"], "reason": "x"}, 409, "ALREADY_HELD"),
        ({"kind": "execution", "id": str(uuid4()), "reason": "x"}, 404, "HOLD_SUBJECT_UNKNOWN"),
        ({"kind": "record", "id": run["id"], "reason": "x"}, 404, "HOLD_SUBJECT_UNKNOWN"),
        ({"kind": "record", "reason": "x"}, 400, "HOLD_SUBJECT_INVALID"),
        ({"kind": "workspace", "id": run["id"], "reason": "x"}, 400, "HOLD_SUBJECT_INVALID"),
    ):
        answer = await product.api.post("/holds", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code), body
    assert (await product.stranger.get("/holds")).json()["data"] == []
    assert (
        await product.stranger.post("/holds", json={"kind": "execution", "id": run["id"], "reason": "x"})
    ).status_code == 404
    assert (await product.api.post(f"/holds/{uuid4()}/release")).status_code == 404


async def test_released_holds_are_listed_where_they_are_asked_for(product: Product) -> None:
    runs = [(await product.run(QUICK))["id"] for _ in range(3)]
    holds = [await hold(product, "execution", run) for run in runs]
    await product.api.post(f"/holds/{holds[0]}/release")
    assert [one["id"] for one in (await product.api.get("/holds")).json()["data"]] == holds[:0:-1]
    page = (await product.api.get("/holds", params={"released": "true", "limit": 2})).json()
    following = (await product.api.get("/holds", params={"released": "true", "limit": 2, "after": page["next"]})).json()
    assert [one["id"] for one in page["data"] + following["data"]] == holds[::-1]
