"""Permissions on some tables, fields, records, definitions and reviews only; and personal values for few."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from passerelle.kit.ids import new_id
from passerelle.people.models import NewUser
from passerelle.records import searching
from tests.integration.people.browsing import PASSWORD, Tab
from tests.integration.secrets.product import BASE_URL, Product, joined, opened

CUSTOMERS: list[dict[str, Any]] = [
    {"name": "name", "type": "text"},
    {"name": "country", "type": "singleSelect", "options": [{"value": "PL"}, {"value": "DE"}], "indexed": True},
    {"name": "owner", "type": "assignee"},
    {"name": "limit", "type": "number"},
    {"name": "email", "type": "email", "pii": "contact", "unique": True},
    {"name": "phone", "type": "text", "pii": "contact"},
]
POLISH = 'record.country == "PL"'
RECORDS = "/tables/customers/records"
STEPS = """
name: {name}
parameters:
  ssn: {{type: string, pii: identity}}
steps:
  - id: keep
    set: {{told: "${{parameters.ssn}}"}}
  - id: decide
    review: {{title: "Is ${{parameters.ssn}} right?", outcomes: [approve, reject], assignTo: {to}}}
"""


@dataclass
class Home:
    """A product with customers of two countries."""

    product: Product
    anna: dict[str, Any] = field(default_factory=dict)
    """In Poland."""
    hans: dict[str, Any] = field(default_factory=dict)
    """In Germany."""

    @asynccontextmanager
    async def service(self, *permissions: str, grants: list[dict[str, Any]] | None = None) -> AsyncIterator[Any]:
        """The client of a service with a key."""
        body = {"name": "service", "permissions": list(permissions), "grants": grants or []}
        made = await self.product.api.post("/keys", json=body)
        assert made.status_code == 201, made.text
        transport = httpx.ASGITransport(self.product.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            answer = await client.post("/auth/authorize", json={key: made.json()[key] for key in ("key", "secret")})
            client.headers["Authorization"] = f"Bearer {answer.json()['accessToken']}"
            yield client


@pytest.fixture
async def home(server_url: str, template: str) -> AsyncIterator[Home]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        made = await product.api.post("/tables", json={"name": "customers", "fields": CUSTOMERS})
        assert made.status_code == 201, made.text
        home = Home(product)
        home.anna = await created(product, "Anna Nowak", "PL", "anna@example.com", 5000)
        home.hans = await created(product, "Hans Meier", "DE", "hans@example.com", 70)
        yield home


async def created(product: Product, name: str, country: str, email: str, limit: int) -> dict[str, Any]:
    values = {"name": name, "country": country, "email": email, "limit": limit, "phone": f"tel {name}"}
    answer = await product.api.post(RECORDS, json=values)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["errors"][0]["code"]
    return code


def on(*permissions: str, **limits: Any) -> dict[str, Any]:
    """A grant on the customers."""
    return {"permissions": list(permissions), "table": "customers", **limits}


async def names(client: httpx.AsyncClient, **body: Any) -> list[str]:
    answer = await client.post(f"{RECORDS}/search", json=body)
    assert answer.status_code == 200, answer.text
    return [record["name"] for record in answer.json()["data"]]


async def test_what_a_grant_does_not_reach_is_not_there(home: Home) -> None:
    hans, anna = f"{RECORDS}/{home.hans['id']}", f"{RECORDS}/{home.anna['id']}"
    await home.product.api.post(f"{hans}/comments", json={"text": "hidden"})
    await home.product.api.post("/tables", json={"name": "secrets", "fields": [{"name": "x", "type": "text"}]})
    everything = ["can_read_data", "can_edit_data", "can_comment", "can_read_attachments", "can_edit_attachments"]
    async with home.service(grants=[on(*everything, where=POLISH)]) as clerk:
        assert (await clerk.get(anna)).json()["name"] == "Anna Nowak"
        for method, path, body in (
            ("GET", hans, None), ("PATCH", hans, {"name": "x"}), ("PUT", hans, {"name": "x"}), ("DELETE", hans, None),
            ("GET", f"{hans}/history", None), ("GET", f"{hans}/comments", None), ("GET", f"{hans}/attachments", None),
            ("POST", f"{hans}/comments", {"text": "x"}), ("POST", f"{anna}/merge", {"from": home.hans["id"]}),
            ("POST", f"{hans}/merge", {"from": home.anna["id"]}), ("GET", "/tables/secrets", None),
            ("GET", "/tables/secrets/records", None), ("POST", "/tables/secrets/records", {"x": "1"}),
        ):  # fmt: skip
            answer = await clerk.request(method, path, json=body) if body else await clerk.request(method, path)
            assert answer.status_code == 404, f"{method} {path}: {answer.text}"
        assert await names(clerk) == ["Anna Nowak"]
        assert await names(clerk, text="hans") == []
        assert await names(clerk, filter={"field": "limit", "op": "gt", "value": 10}) == ["Anna Nowak"]
        assert await names(clerk, filter={"not": {"field": "country", "op": "eq", "value": "PL"}}) == []
        exported = (await clerk.get("/tables/customers/export")).text
        assert "Anna" in exported
        assert "Hans" not in exported
        assert [one["name"] for one in (await clerk.get("/tables")).json()["data"]] == ["customers"]
        refused = await clerk.get("/webhooks/endpoints")
        assert (refused.status_code, code_of(refused)) == (403, "PERMISSION_DENIED")
        document = (await clerk.get("/openapi.json")).json()
        assert "/tables/customers/records" in document["paths"]
        assert "/tables/secrets/records" not in document["paths"]


async def test_what_may_be_seen_but_not_done_is_refused_by_the_permissions_name(home: Home) -> None:
    hans = f"{RECORDS}/{home.hans['id']}"
    async with home.service("can_read_data", grants=[on("can_edit_data", where=POLISH)]) as clerk:
        assert (await clerk.get(hans)).status_code == 200
        for answer in (
            await clerk.patch(hans, json={"name": "x"}),
            await clerk.delete(hans),
            await clerk.post(RECORDS, json={"name": "x", "country": "DE"}),
            await clerk.patch(f"{RECORDS}/{home.anna['id']}", json={"country": "DE"}),
        ):
            assert (answer.status_code, code_of(answer)) == (403, "PERMISSION_DENIED"), answer.text
            assert "`can_edit_data`" in answer.text
        assert (await clerk.post(RECORDS, json={"name": "x", "country": "PL"})).status_code == 201
        assert (await clerk.patch(f"{RECORDS}/{home.anna['id']}", json={"name": "Ania"})).json()["name"] == "Ania"
        report = (
            await clerk.post(
                "/tables/customers/import", content="name,country\na,PL\nb,DE\n", headers={"Content-Type": "text/csv"}
            )
        ).json()
        assert (report["created"], report["failed"]) == (1, 1)
        assert report["errors"][0]["code"] == "PERMISSION_DENIED"


async def test_fields_that_are_not_granted_are_not_there(home: Home) -> None:
    anna = f"{RECORDS}/{home.anna['id']}"
    grants = [on("can_read_data", fields=["name", "country"]), on("can_edit_data", fields=["name"])]
    async with home.service(grants=grants) as clerk:
        shown = (await clerk.get(anna)).json()
        assert shown.keys() == {"id", "version", "createdAt", "updatedAt", "name", "country"}
        assert "limit" not in (await clerk.get("/tables/customers/export")).text
        assert "limit" not in (await clerk.get("/tables/customers")).text
        for wrong in (
            {"filter": {"field": "limit", "op": "eq", "value": 1}},
            {"sort": ["limit"]},
            {"fields": ["limit"]},
        ):
            answer = await clerk.post(f"{RECORDS}/search", json=wrong)
            assert (answer.status_code, code_of(answer)) == (400, "FILTER_INVALID"), wrong
            assert "`owner`" not in answer.text
        assert (await names(clerk, text="anna@example.com"), await names(clerk, text="nowak")) == ([], ["Anna Nowak"])
        unknown = await clerk.patch(anna, json={"limit": 1})
        assert (unknown.status_code, code_of(unknown)) == (400, "FIELD_UNKNOWN")
        refused = await clerk.patch(anna, json={"country": "DE"})
        assert (refused.status_code, code_of(refused)) == (403, "PERMISSION_DENIED")
        replaced = await clerk.put(anna, json={"name": "Ania"})
        assert replaced.json()["name"] == "Ania", replaced.text
        history = (await clerk.get(f"{anna}/history")).json()["data"]
        assert {one["field"] for change in history for one in change["changes"]} == {"name", "country"}
    kept = (await home.product.api.get(anna)).json()
    assert (kept["limit"], kept["country"], kept["email"]) == (5000, "PL", "anna@example.com")


async def test_without_the_permission_personal_values_are_masked_and_cannot_be_guessed(home: Home) -> None:
    anna = f"{RECORDS}/{home.anna['id']}"
    await home.product.api.post(f"{anna}/comments", json={"text": "write to anna@example.com"})
    await home.product.api.patch(anna, json={"phone": "tel 2"})
    permissions = ("can_read_data", "can_edit_data", "can_comment", "can_view_workspace", "can_view_executions")
    async with home.service(*permissions) as clerk:
        for path in (
            anna, RECORDS, "/tables/customers/export", "/tables/customers/export?format=jsonl", f"{anna}/history",
            f"{anna}/comments", "/events",
        ):  # fmt: skip
            answer = await clerk.get(path)
            assert answer.status_code == 200, f"{path}: {answer.text}"
            assert "anna@" not in answer.text, path
            assert "tel " not in answer.text, path
        assert (await clerk.get(anna)).json()["email"] == "•••"
        guess = {"field": "email", "op": "startsWith", "value": "anna"}
        for method, path, body in (
            ("POST", f"{RECORDS}/search", {"filter": guess}),
            ("POST", f"{RECORDS}/search", {"filter": {"not": {"or": [guess]}}}),
            ("POST", f"{RECORDS}/search", {"sort": ["email"]}),
            ("POST", "/tables/customers/duplicates", {"fields": [{"field": "email"}]}),
            ("POST", "/tables/customers/duplicates", {"fields": [{"field": "name"}], "filter": guess}),
            ("PUT", f"{RECORDS}/by/email/anna@example.com", {"name": "x"}),
            ("POST", RECORDS, {"email": "anna@example.com"}),
            ("PATCH", f"{RECORDS}/{home.hans['id']}", {"email": "anna@example.com"}),
            ("PATCH", anna, {"phone": "tel 2"}),
        ):
            answer = await clerk.request(method, path, json=body)
            assert (answer.status_code, code_of(answer)) == (403, "PERMISSION_DENIED"), f"{path} {body}: {answer.text}"
            assert "`can_read_personal_data`" in answer.text
        for text in ("anna@example.com", "example", "tel"):
            assert await names(clerk, text=text) == [], text
        assert await names(clerk, text="anna") == ["Anna Nowak"]
        rows = {"content": "email,name\nanna@example.com,x\n", "headers": {"Content-Type": "text/csv"}}
        for query in ("", "?mode=upsert&by=email", "?dryRun=true"):
            answer = await clerk.post(f"/tables/customers/import{query}", **rows)
            assert "PERMISSION_DENIED" in answer.text, query
            assert "VALUE_TAKEN" not in answer.text, query
        # What was read masked is written back as it is.
        shown = (await clerk.get(anna)).json()
        sent = {name: shown[name] for name in ("name", "country", "limit", "email", "phone")} | {"limit": 6}
        assert (await clerk.put(anna, json=sent)).json()["email"] == "•••"
    kept = (await home.product.api.get(anna)).json()
    assert (kept["email"], kept["phone"], kept["limit"]) == ("anna@example.com", "tel 2", 6)


async def test_executions_show_no_personal_values_without_the_permission(home: Home) -> None:
    ssn = "44051401359"
    started = await home.product.run(STEPS.format(name="asking", to="compliance"), ssn=ssn)
    done = "name: told\nparameters:\n  ssn: {type: string, pii: identity}\nsteps:\n  - id: keep\n    set: {told: '${parameters.ssn}'}\n"
    ended = await home.product.run(done, ssn=ssn)
    permissions = ("can_view_executions", "can_operate_executions", "can_review")
    async with home.service(*permissions) as clerk, home.service(*permissions, "can_read_personal_data") as officer:
        for path in (
            "/workflows", f"/workflows/{started['id']}", f"/workflows/{started['id']}/timeline", "/reviews",
            f"/workflows/{ended['id']}/result",
        ):  # fmt: skip
            assert ssn not in (await clerk.get(path)).text, path
        assert ssn in (await officer.get(f"/workflows/{ended['id']}/result")).text
        assert ssn in (await officer.get("/workflows")).text
        refused = await clerk.get(f"/workflows/{started['id']}/timeline?personal=true")
        assert (refused.status_code, code_of(refused)) == (403, "PERMISSION_DENIED")
        assert ssn not in (await clerk.post(f"/workflows/{started['id']}/cancel")).text


async def test_grants_on_definitions_and_reviews(home: Home) -> None:
    one = await home.product.run(STEPS.format(name="one", to="compliance"), ssn="1")
    other = await home.product.run(STEPS.format(name="other", to="sales"), ssn="2")
    ids = {one["name"]: one["id"] for one in (await home.product.api.get("/definitions")).json()["data"]}
    grants = [
        {"permissions": ["can_run", "can_view_executions"], "definition": "one"},
        {"permissions": ["can_manage_definitions"], "definition": "other"},
        {"permissions": ["can_review"], "review": "Compliance"},
    ]
    async with home.service(grants=grants) as clerk:
        assert [one["id"] for one in (await clerk.get("/workflows")).json()["data"]] == [one["id"]]
        assert (await clerk.get("/workflows/counts")).json()["counts"]["AWAITING"] == 1
        for path in ("", "/timeline", "/graph", "/result"):
            assert (await clerk.get(f"/workflows/{other['id']}{path}")).status_code == 404, path
        body = {"parameters": {"ssn": "3"}}
        assert (
            await clerk.post("/workflows/run", json={"workflowDefinitionId": ids["one"], **body})
        ).status_code == 200
        refused = await clerk.post("/workflows/run", json={"workflowDefinitionId": ids["other"], **body})
        assert (refused.status_code, code_of(refused)) == (403, "PERMISSION_DENIED"), refused.text
        assert {one["name"] for one in (await clerk.get("/definitions")).json()["data"]} == {"one", "other"}
        yaml = {"Content-Type": "application/yaml"}
        pushed = [
            await clerk.post("/definitions?publish=false", content=STEPS.format(name=name, to="x"), headers=yaml)
            for name in ("other", "one", "new")
        ]
        assert [answer.status_code for answer in pushed] == [201, 403, 403]
        assert (
            await clerk.post("/definitions", content=STEPS.format(name="other", to="y"), headers=yaml)
        ).status_code == 403
        events = (await clerk.get("/events")).json()["data"]
        assert {one["data"].get("workflowDefinitionId") for one in events} == {ids["one"]}
        assert {one["assignTo"] for one in (await clerk.get("/reviews")).json()["data"]} == {"compliance"}
        hidden = await clerk.post(f"/workflows/{other['id']}/reviews/decide", json={"outcome": "approve"})
        assert hidden.status_code == 404
        decided = await clerk.post(f"/workflows/{one['id']}/reviews/decide", json={"outcome": "approve"})
        assert decided.status_code == 200, decided.text


async def test_events_of_records_are_those_of_records_that_are_seen(home: Home) -> None:
    grants = [on("can_read_data", where=POLISH, fields=["name"])]
    async with home.service("can_view_executions", grants=grants) as clerk:
        events = (await clerk.get("/events?types=record.*")).json()["data"]
        assert [one["data"]["recordId"] for one in events] == [home.anna["id"]]
        assert events[0]["data"]["changed"] == ["name"]


async def test_related_records_come_along_only_where_they_are_seen(home: Home) -> None:
    fields = [{"name": "title", "type": "text"}, {"name": "customer", "type": "relation", "table": "customers"}]
    await home.product.api.post("/tables", json={"name": "orders", "fields": fields})
    for title, customer in (("one", home.anna), ("two", home.hans)):
        await home.product.api.post("/tables/orders/records", json={"title": title, "customer": customer["id"]})
    grants = [on("can_read_data", where=POLISH), {"permissions": ["can_read_data", "can_edit_data"], "table": "orders"}]
    async with home.service(grants=grants) as clerk:
        found = (await clerk.get("/tables/orders/records?include=customer&sort=title")).json()["data"]
        assert [one["included"]["customer"] and one["included"]["customer"]["name"] for one in found] == [
            "Anna Nowak",
            None,
        ]
        answer = await clerk.post("/tables/orders/records", json={"title": "x", "customer": home.hans["id"]})
        assert (answer.status_code, code_of(answer)) == (400, "RELATED_UNKNOWN")


async def test_a_grant_that_cannot_be_says_all_that_is_wrong(home: Home) -> None:
    body = {
        "name": "clerk",
        "permissions": ["can_read_data"],
        "grants": [
            {"permissions": ["can_read_data"], "table": "customer"},
            {"permissions": ["can_run"], "table": "customers"},
            {"permissions": ["can_comment"], "table": "customers", "fields": ["name"]},
            {"permissions": ["can_comment"], "table": "customers", "where": "record.nam == 1"},
            {"permissions": ["can_edit_data"], "table": "*", "where": "true"},
            {"permissions": ["can_edit_data"], "table": "customers", "review": "x"},
            {"permissions": ["can_read_data"], "table": "customers"},
        ],
    }
    answer = await home.product.api.post(f"/workspaces/{home.product.workspace_id}/roles", json=body)
    assert answer.status_code == 400, answer.text
    assert {one["code"] for one in answer.json()["errors"]} == {"GRANT_INVALID"}
    pointers = {one["pointer"] for one in answer.json()["errors"]}
    assert pointers == {
        "/grants/0/table", "/grants/0/permissions", "/grants/1/permissions", "/grants/2/fields", "/grants/3/permissions", "/grants/3/where",
        "/grants/4/table", "/grants/5", "/grants/6/permissions",
    }  # fmt: skip


async def test_a_member_with_a_role_of_grants_sees_own_records_and_reads_why(home: Home) -> None:
    people = home.product.services.people
    organization_id = await people.users.organization_of(home.product.workspace_id)
    user = await people.users.make(organization_id, NewUser("ewa@example.com", "member", "Ewa"), PASSWORD)
    await home.product.api.patch(f"{RECORDS}/{home.hans['id']}", json={"owner": str(user.id)})
    path = f"/workspaces/{home.product.workspace_id}/roles"
    grant = on("can_read_data", where="record.owner == user.id", fields=["name", "owner"])
    made = await home.product.api.post(path, json={"name": "agent", "permissions": [], "grants": [grant]})
    assert made.json()["grants"] == [{**grant, "definition": None, "review": None, "problem": None}], made.text
    changed = await home.product.api.put(f"{path}/agent", json={"description": "x", "permissions": []})
    assert len(changed.json()["grants"]) == 1
    await people.users.put_member(organization_id, home.product.workspace_id, user.id, "agent")
    transport = httpx.ASGITransport(home.product.app)
    tab = Tab(httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers={"X-Passerelle-Client": "test"}))
    assert (await tab.sign_in("ewa@example.com", PASSWORD)).status_code == 303
    assert await names(tab.client) == ["Hans Meier"]
    (place,) = (await tab.client.get("/me/permissions")).json()["workspaces"]
    reading = next(one for one in place["permissions"] if one["permission"] == "can_read_data")
    assert not reading["allowed"]
    assert "some tables only" in reading["reason"]
    assert reading["only"][0]["where"] == "record.owner == user.id"
    # A field that is gone makes the grant useless, and it says so; nothing more is shown.
    fields = [one for one in CUSTOMERS if one["name"] != "owner"]
    dropped = await home.product.api.patch("/tables/customers?loseData=true", json={"fields": fields})
    assert dropped.status_code == 200, dropped.text
    people.authenticator.forget()
    assert await names(tab.client) == []
    assert (await home.product.api.get(f"{path}/agent")).json()["grants"][0]["problem"]


async def test_what_is_sent_again_for_a_record_that_is_no_longer_seen_is_refused_at_once(home: Home) -> None:
    record_id = str(new_id())
    values = {"name": "X", "country": "PL", "email": "x@example.com"}
    body = {"changes": [{"do": "create", "id": record_id, "values": values}]}
    grants = [on("can_read_data", "can_edit_data", where=POLISH), on("can_read_personal_data")]
    async with home.service(grants=grants) as clerk:
        made = await clerk.post(f"{RECORDS}/changes", json=body)
        assert made.status_code == 200, made.text
        moved = await home.product.api.patch(f"{RECORDS}/{record_id}", json={"country": "DE"})
        assert moved.status_code == 200
        again = await clerk.post(f"{RECORDS}/changes", json=body)
    assert "another record has this id already" in again.text


async def test_a_change_that_the_database_refuses_takes_no_other_along(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request is one transaction with its entry in the audit. Here a list of words has an empty one."""
    whole = searching.search_text
    monkeypatch.setattr(
        "passerelle.records.repository.search_text",
        lambda table, values: "a  b" if "bad" in str(values) else whole(table, values),
    )
    api = home.product.api
    changes = [
        {"do": "update", "id": home.anna["id"], "values": {"phone": "bad"}},
        {"do": "update", "id": home.hans["id"], "values": {"phone": "good"}},
    ]
    answer = await api.post(f"{RECORDS}/changes", json={"changes": changes})
    assert answer.status_code == 200, answer.text
    assert "RECORD_NOT_STORABLE" in answer.text
    phones = [(await api.get(f"{RECORDS}/{one['id']}")).json()["phone"] for one in (home.anna, home.hans)]
    assert phones == ["tel Anna Nowak", "good"]
    for path in ("by/email/anna@example.com", "by/email/new@example.com"):
        refused = await api.put(f"{RECORDS}/{path}", json={"phone": "bad"})
        assert (refused.status_code, code_of(refused)) == (400, "RECORD_NOT_STORABLE")
    lines = '{"email": "anna@example.com", "phone": "bad"}\n{"email": "hans@example.com", "phone": "better"}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    report = (await api.post(f"{RECORDS[:-8]}/import?mode=upsert&by=email", content=lines, headers=headers)).json()
    assert (report["updated"], [one["code"] for one in report["errors"]]) == (1, ["RECORD_NOT_STORABLE"])
