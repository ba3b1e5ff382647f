"""Two `serve` on one database: whatever is changed through one is what the other goes by."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio
from joserfc import jws

from passerelle.accounts.service import Accounts
from passerelle.kit.database import Database
from passerelle.kit.memory import AGE
from passerelle.kit.secrets import SecretBox
from tests.crash.harness import SECRET_KEY, Cluster, cluster
from tests.databases import scratch

SOON = AGE / 2
"""Seconds within which a change is seen: sooner than by age, so by word alone."""


@dataclass
class Two:
    """Two processes: what is changed through `one` is asked of `other`."""

    one: httpx.Client
    other: httpx.Client
    cluster: Cluster
    accounts: Accounts
    workspace_id: UUID

    def push(self, text: str) -> str:
        """Push and publish through the first process; the definition's id."""
        answer = self.one.post(
            "/definitions?publish=true", content=text.encode(), headers={"Content-Type": "application/yaml"}
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def run(self, through: httpx.Client, definition_id: str, **parameters: Any) -> httpx.Response:
        """Run a definition."""
        return through.post("/workflows/run", json={"workflowDefinitionId": definition_id, "parameters": parameters})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(server_url: str, template: str) -> AsyncIterator[tuple[Cluster, Accounts, list[str]]]:
    """Two processes for all of these tests: each has a workspace of its own."""
    async with scratch(server_url, template) as url:
        database = await Database.open(url)
        with cluster(url, delay=0) as processes:
            accounts = Accounts(database, SecretBox.from_setting(SECRET_KEY))
            yield processes, accounts, [processes.serve()[1] for _ in range(2)]
        await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def two(pair: tuple[Cluster, Accounts, list[str]]) -> AsyncIterator[Two]:
    processes, accounts, addresses = pair
    workspace = await accounts.create_workspace("test")
    token = (await accounts.create_token(workspace.id, "test")).secret
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json;version=2"}
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(httpx.Client(base_url=address, headers=headers, timeout=30)) for address in addresses
        )
        yield Two(one, other, processes, accounts, workspace.id)


def seen(ask: Callable[[], Any], wanted: Any) -> None:
    """The answer turns into `wanted`, soon."""
    deadline = time.monotonic() + SOON
    while (answer := ask()) != wanted:
        assert time.monotonic() < deadline, f"still {answer}, not {wanted}"
        time.sleep(0.02)


DOUBLING = """
name: doubling
parameters:
  number: {type: number, required: true}
%s
steps:
  - id: double
    set: {value: "${parameters.number * %d}"}
result: {value: "${steps.double.value}"}
"""
ASKING = """
name: asking
steps:
  - id: company
    form:
      title: Company
      schema: {type: object, properties: {number: {type: string}}}
"""
SILENT = "name: asking\nsteps:\n  - id: one\n    set: {value: 1}\n"


def test_a_new_revision_holds_at_once_for_what_it_takes_and_what_it_does(two: Two) -> None:
    """No moment between: who has been told that a revision is published is never refused by the one before."""
    definition_id = two.push(DOUBLING % ("", 2))
    assert two.run(two.other, definition_id, number=3).json()["status"] == "COMPLETED"
    for round_ in range(3, 8):
        two.push(DOUBLING % (f"  of{round_}: {{type: string, required: true}}", round_))
        answer = two.run(two.other, definition_id, number=3, **{f"of{round_}": "x"})
        assert answer.status_code == 200, answer.text
        result = two.other.get(f"/workflows/{answer.json()['id']}/result").json()
        assert result["result"] == {"value": 3 * round_}
        refused = two.run(two.one, definition_id, number=3, **{f"of{round_ - 1}": "x"})
        assert {one["code"] for one in refused.json()["errors"]} == {"PARAMETER_UNKNOWN", "PARAMETER_REQUIRED"}


def test_an_older_revision_that_is_published_again_holds_at_once(two: Two) -> None:
    definition_id = two.push(DOUBLING % ("", 2))
    two.push(DOUBLING % ("  more: {type: string, required: true}", 2))
    assert two.run(two.other, definition_id, number=3, more="x").status_code == 200
    assert two.one.post(f"/definitions/{definition_id}/publish", json={"revision": 1}).is_success
    assert two.run(two.other, definition_id, number=3).status_code == 200


def test_a_definition_that_turns_to_end_users_and_back_is_told_so_at_once(two: Two) -> None:
    definition_id = two.push(SILENT)
    link = {"workflowDefinitionId": definition_id, "email": "a@example.com"}
    assert two.run(two.other, definition_id).status_code == 200
    assert two.other.post("/link", json=link).status_code == 409
    two.push(ASKING)
    assert two.other.post("/link", json=link).status_code == 201
    assert two.run(two.other, definition_id).status_code == 409
    two.push(SILENT)
    assert two.run(two.other, definition_id).status_code == 200


def test_parameters_that_are_stored_are_checked_by_the_newest_revision(two: Two) -> None:
    definition_id = two.push(DOUBLING % ("", 2))
    stored = {"workflowDefinitionId": definition_id, "parameters": {"number": 3, "more": "x"}}
    assert two.other.post("/parameters", json=stored).status_code == 400
    two.push(DOUBLING % ("  more: {type: string}", 2))
    assert two.other.post("/parameters", json=stored).status_code == 201


def test_a_table_is_written_and_read_by_the_fields_that_it_has_now(two: Two) -> None:
    fields: list[dict[str, Any]] = [{"name": "name", "type": "text"}]
    assert two.one.post("/tables", json={"name": "customers", "fields": fields}).status_code == 201
    made = two.other.post("/tables/customers/records", json={"name": "Acme"})
    assert made.status_code == 201
    path = f"/tables/customers/records/{made.json()['id']}"
    fields += [{"name": "city", "type": "text"}]
    assert two.one.patch("/tables/customers", json={"fields": fields}).is_success
    assert two.other.post("/tables/customers/records", json={"name": "B", "city": "Lublin"}).status_code == 201
    fields += [{"name": "street", "type": "text"}]
    assert two.one.patch("/tables/customers", json={"fields": fields}).is_success
    assert two.other.patch(path, json={"street": "Main"}).json()["street"] == "Main"
    assert two.one.patch("/tables/customers?loseData=true", json={"fields": fields[:2]}).is_success
    seen(lambda: two.other.patch(path, json={"street": "High"}).status_code, 400)
    search = {"filter": {"field": "city", "value": "Lublin"}}
    assert two.other.post("/tables/customers/records/search", json=search).status_code == 200
    assert two.one.patch("/tables/customers", json={"name": "clients"}).is_success
    seen(lambda: two.other.get("/tables/customers/records").status_code, 404)
    assert two.other.get("/tables/clients/records").status_code == 200
    assert two.one.delete("/tables/clients?loseData=true").status_code == 204
    seen(lambda: two.other.get("/tables/clients/records").status_code, 404)


def test_a_secret_that_is_changed_and_deleted(two: Two) -> None:
    two.one.put("/secrets/KEY", json={"value": "first"}).raise_for_status()
    url = two.cluster.register.url
    definition_id = two.push(
        f'name: s\nsteps:\n  - id: ask\n    http: {{url: "{url}", headers: {{X-Key: "${{secrets.KEY}}"}}}}\n'
    )

    def used() -> str | None:
        two.run(two.other, definition_id)
        return two.cluster.register.keys[-1]

    seen(used, "first")
    two.one.put("/secrets/KEY", json={"value": "second"}).raise_for_status()
    seen(used, "second")
    assert two.one.delete("/secrets/KEY").status_code == 204
    seen(lambda: two.run(two.other, definition_id).json()["status"], "FAILED")


def test_a_theme(two: Two) -> None:
    assert two.other.get("/theme").json()["name"] == "test"
    for name in ("Acme", "Beta"):
        assert two.one.put("/theme", json={"name": name}).is_success
        seen(lambda: two.other.get("/theme").json()["name"], name)


async def test_a_key_that_is_revoked_and_a_family_of_tokens_that_ends(two: Two) -> None:
    key = await two.accounts.create_key(two.workspace_id, "shop")
    credentials = {"key": key.key, "secret": key.secret}
    tokens = two.one.post("/auth/authorize", json=credentials).json()
    mine = {"Authorization": f"Bearer {tokens['accessToken']}"}
    assert two.other.get("/theme", headers=mine).status_code == 200
    refresh = {"refreshToken": tokens["refreshToken"]}
    following = two.other.post("/auth/refresh", json=refresh).json()["refreshToken"]
    assert two.one.post("/auth/refresh", json={"refreshToken": following}).status_code == 200
    assert two.one.post("/auth/refresh", json=refresh).status_code == 401, "its successor was used: the family ends"
    seen(lambda: two.other.get("/theme", headers=mine).status_code, 401)

    again = two.other.post("/auth/authorize", json=credentials).json()
    mine = {"Authorization": f"Bearer {again['accessToken']}"}
    assert two.other.get("/theme", headers=mine).status_code == 200
    assert await two.accounts.revoke_key(two.workspace_id, key.id)
    seen(lambda: two.other.get("/theme", headers=mine).status_code, 401)


def test_how_version_one_is_treated(two: Two) -> None:
    first = {"Accept": "application/json;version=1"}
    assert two.other.post("/cases", json={}, headers=first).status_code == 201
    assert two.one.put("/deprecations/mode", json={"mode": "off"}).is_success
    seen(lambda: two.other.post("/cases", json={}, headers=first).status_code, 410)
    assert two.one.put("/deprecations/mode", json={"mode": None}).is_success
    seen(lambda: two.other.post("/cases", json={}, headers=first).status_code, 201)


async def test_the_key_that_signs(two: Two) -> None:
    definition_id = two.push(ASKING)

    def signs() -> str:
        token = two.other.post("/token", json={"workflowDefinitionId": definition_id}).json()["token"]
        return str(jws.extract_compact(token.encode()).headers()["kid"])

    before = signs()
    made, _ = await two.accounts.signing_keys.rotate(two.workspace_id, timedelta(0))
    seen(signs, str(made))
    assert before != str(made)


SCREENING = """
name: screening
parameters: {name: {type: string, required: true}}
steps:
  - id: look
    check: {name: sanctions, with: {name: "${parameters.name}"}}
result: {status: "${steps.look.status}"}
"""
COLUMNS = "id,schema,name,aliases,birth_date,countries,identifiers,sanctions,dataset\n"


def test_a_list_of_names(two: Two) -> None:
    definition_id = two.push(SCREENING)

    def load(name: str) -> None:
        content = f"{COLUMNS}1,Person,{name},,,,,,EU\n".encode()
        two.one.put("/lists/own", content=content, headers={"Content-Type": "text/csv"}).raise_for_status()

    def found(name: str) -> str:
        run = two.run(two.other, definition_id, name=name).json()
        return str(two.other.get(f"/workflows/{run['id']}/result").json()["result"]["status"])

    load("Jane Fiction")
    assert found("Jane Fiction") == "invalid"
    load("John Invented")
    assert (found("Jane Fiction"), found("John Invented")) == ("valid", "invalid")
