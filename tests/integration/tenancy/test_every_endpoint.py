"""Every endpoint of the API's document is asked for what another workspace has, and finds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from passerelle.people.models import NewUser
from tests.integration.people.browsing import PASSWORD, Tab
from tests.integration.secrets.product import BASE_URL, Product, joined, opened
from tests.integration.tenancy.conftest import Way

PUBLIC = ("/auth/", "/.well-known/", "/files/", "/health/", "/metrics", "/schemas/", "/docs", "/me")
"""What needs no credentials, or tells nothing of any workspace."""
DEFINITION = """
name: waiting
steps:
  - id: decide
    review: {title: Decide, outcomes: [approve, reject]}
"""
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/comments"): {"json": {"text": "x"}},
    ("post", "/import"): {"content": b"name\nx\n", "headers": {"Content-Type": "text/csv"}},
    ("post", "/attachments"): {"files": {"file": ("a.pdf", b"%PDF-1.7\n")}},
    ("post", "/changes"): {"json": {"changes": [{"values": {"name": "x"}}]}},
    ("post", "/duplicates"): {"json": {"fields": [{"field": "name"}]}},
    ("post", "/merge"): {"json": {"from": str(uuid4())}},
    ("post", "/publish"): {"json": {"revision": 1}},
    ("post", "/proposals"): {"json": {"revision": 1}},
    ("post", "/migrations"): {"json": {"from": 1, "to": 2, "dryRun": True}},
    ("post", "/reviews/{step}"): {"json": {"outcome": "approve"}},
    ("put", "/assignment"): {"json": {"userId": None}},
    ("post", "/test"): {"json": {"scenarios": "scenarios: []"}},
    ("post", "/ask"): {"json": {"step": "details", "note": "x"}},
    ("put", "/scenarios"): {"json": {"scenarios": "", "version": 0}},
    ("put", "/role"): {"json": {"roleId": "member"}},
    ("post", "/memberships"): {"json": {"userId": str(uuid4()), "roleId": "viewer"}},
    ("post", "/roles"): {"json": {"name": "clerk", "permissions": []}},
    ("put", "/roles/{name}"): {"json": {"permissions": []}},
    ("put", "/workspaces/{workspaceId}/name"): {"json": {"name": "x"}},
    ("put", "/identity-providers/{providerId}"): {
        "json": {"name": "x", "issuer": "https://id.example.com", "clientId": "x", "clientSecret": "x"}
    },
    ("post", "/recover"): {"json": {"since": "2026-01-01T00:00:00Z"}},
}
"""What a request needs to be right but for the ids; an empty object where nothing is named."""
BY_NAME = {
    ("put", "/lists/{name}"),
    ("put", "/secrets/{name}"),
    ("get", "/lists/{name}/uses"),
    ("get", "/secrets/{name}/uses"),
}
"""What is made, or asked of the caller's own definitions, under a name of their own: there is nothing to find."""


@pytest.fixture
async def product(server_url: str, template: str, way: Way) -> AsyncIterator[Product]:
    # What waits for a review is answered at once.
    opening = opened(server_url, template, way, run_wait=timedelta())
    async with opening as (services, url), joined(services, url) as joining:
        yield joining


async def made(product: Product, path: str, body: Any) -> Any:
    answer = await product.api.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.text}"
    return answer.json()


async def filled(product: Product) -> dict[str, str]:
    """Something of everything in the first workspace, by the names that addresses have for it."""
    fields = [{"name": "name", "type": "text"}, {"name": "number", "type": "text", "unique": True, "indexed": True}]
    table = await made(product, "/tables", {"name": "customers", "fields": fields})
    record = await made(product, "/tables/customers/records", {"name": "hidden", "number": "1"})
    path = f"/tables/customers/records/{record['id']}"
    await made(product, f"{path}/comments", {"text": "hidden"})
    attached = await product.api.post(f"{path}/attachments", files={"file": ("hidden.pdf", b"%PDF-1.7\n")})
    run = await product.run(DEFINITION)
    users = product.services.people.users
    user = await users.make(
        await users.organization_of(product.workspace_id), NewUser("hidden@example.com", "member", "hidden")
    )
    enrollment = {"email": "hidden-too@example.com", "roleId": "member"}
    invited = await made(product, "/organizations/enrollments", enrollment)
    endpoint = await made(product, "/webhooks/endpoints", {"url": "https://127.0.0.1/hook"})
    (await product.api.put("/secrets/KEY", json={"value": "hidden"})).raise_for_status()
    definitions = (await product.api.get("/definitions")).json()["data"]
    draft = DEFINITION.replace("title: Decide", "title: hidden")
    pushed = await product.api.post(
        "/definitions?publish=false", content=draft, headers={"Content-Type": "application/yaml"}
    )
    proposing = {"revision": pushed.json()["revision"], "note": "hidden"}
    scenarios = {"scenarios": "# hidden", "version": 0}
    kept = await product.api.put(f"/definitions/{definitions[0]['id']}/scenarios", json=scenarios)
    assert kept.is_success, kept.text
    proposal = await made(product, f"/definitions/{definitions[0]['id']}/proposals", proposing)
    view = await made(product, "/views", {"page": "/records/customers", "name": "hidden", "shared": True})
    draft_of = {"name": "hidden", "text": "hidden", "definitionId": definitions[0]["id"], "shared": True}
    kept = await made(product, "/drafts", draft_of)
    group = await made(product, "/scim/v2/Groups", {"schemas": [GROUP], "displayName": "hidden"})
    key = await made(product, "/keys", {"name": "hidden", "permissions": ["can_run"]})
    hold = await made(product, "/holds", {"kind": "record", "id": record["id"], "reason": "hidden"})
    operation = {"action": "cancel", "dryRun": True, "reason": "hidden", "workflowIds": [run["id"]]}
    operated = await made(product, "/workflows/operations", operation)
    return {
        "keyId": key["id"], "viewId": view["id"], "providerId": str(uuid4()), "groupId": group["id"], "tableId": table["id"], "recordId": record["id"], "attachmentId": attached.json()["id"],
        "resourceId": attached.json()["id"], "field": "number", "value": "1", "workflowId": run["id"],
        "step": "decide", "definitionId": definitions[0]["id"], "endpointId": endpoint["id"], "caseId": record["id"],
        "operationId": operated["id"], "userId": str(user.id), "enrollmentId": invited["enrollmentId"], "workspaceId": str(product.workspace_id),
        "linkId": str(uuid4()), "migrationId": str(uuid4()), "deliveryId": str(uuid4()), "proposalId": proposal["id"], "holdId": hold["id"], "version": "1", "revision": "1",
        "draftId": kept["id"],
    }  # fmt: skip


async def test_no_endpoint_finds_what_another_workspace_has(product: Product) -> None:
    """A path with a part that is not known here fails: whoever adds one says what it names."""
    assert await found_by(product.stranger, await filled(product), PUBLIC) == []


async def test_a_person_in_two_workspaces_finds_in_one_nothing_of_the_other(product: Product) -> None:
    """Ids of the one in the addresses of the other, by whoever may do everything in both."""
    ids = await filled(product)
    people = product.services.people
    organization_id = await people.users.organization_of(product.workspace_id)
    await people.users.make(organization_id, NewUser("anna@example.com", "owner", "Anna"), PASSWORD)
    second = (await product.services.accounts.create_workspace("second", organization_id)).id
    transport = httpx.ASGITransport(product.app)
    headers = {"X-Passerelle-Client": "test", "X-Workspace": str(second)}
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        assert (await Tab(client).sign_in("anna@example.com", PASSWORD)).status_code == 303
        # Not of a workspace: what the organization has, and which workspaces.
        elsewhere = (*PUBLIC, "/organizations", "/workspaces", "/scim")
        assert await found_by(client, ids, elsewhere) == []
        first = await client.get(f"/workflows/{ids['workflowId']}", headers={"X-Workspace": str(product.workspace_id)})
        assert first.status_code == 200, first.text


async def found_by(client: httpx.AsyncClient, ids: Mapping[str, str], beside: tuple[str, ...]) -> list[str]:
    """The endpoints that find something under these ids, but those that begin with `beside`."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert "/tables/customers/records" not in paths
    wrong = []
    for path, item in paths.items():
        for method in item:
            if "{" not in path or path.startswith(beside) or (method, path) in BY_NAME:
                continue
            name = "KEY" if path.startswith("/secrets") else "name"
            address = path.format(**ids, name=name)
            bodies = (body for (verb, end), body in BODIES.items() if verb == method and path.endswith(end))
            more: dict[str, Any] = next(bodies, {} if method in ("get", "delete") else {"json": {}})
            answer = await client.request(method, address, **more)
            if answer.status_code != 404 or "hidden" in answer.text:
                wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
    return wrong


async def test_no_list_shows_what_another_workspace_has(product: Product) -> None:
    ids = await filled(product)
    paths = (await product.stranger.get("/openapi.json")).json()["paths"]
    lists = [path for path in paths if "get" in paths[path] and "{" not in path and not path.startswith(PUBLIC)]
    assert len(lists) > 5
    for path in lists:
        answer = await product.stranger.get(path)
        assert "hidden" not in answer.text, path
        assert not any(one in answer.text for name, one in ids.items() if name.endswith("Id")), path


async def test_no_table_of_the_database_shows_a_row_of_another_workspace(product: Product) -> None:
    await filled(product)
    connection = await asyncpg.connect(product.database_url)
    rows = await connection.fetch(
        "SELECT attrelid::regclass::text AS name FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE attname = 'workspace_id' AND relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    await connection.close()
    seen = 0
    for row in rows:
        query = f"SELECT count(*) FROM {row['name']} WHERE workspace_id = $1"
        async with product.services.shared.database.workspace(product.workspace_id) as own:
            seen += bool(await own.fetchval(query, product.workspace_id))
        for stranger in (uuid4(), uuid4()):
            async with product.services.shared.database.workspace(stranger) as other:
                assert await other.fetchval(f"SELECT count(*) FROM {row['name']}") == 0, row["name"]
                assert await other.fetchval(query, product.workspace_id) == 0, row["name"]
    # Otherwise it would prove nothing.
    assert seen >= 12
