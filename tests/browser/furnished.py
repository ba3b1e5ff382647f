"""A workspace in which every page of the dashboard has something to show, and the addresses of all its pages.

`furnish` writes one text wherever a colleague, a client of the API or an end user can write one: a name for pictures
and tests of accessibility, a script for the test that none runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import httpx
from playwright.async_api import Page, expect

from tests.acceptance.running import Dev, pushed, until
from tests.photos import photo

PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "/": ("",),
    "/definitions": ("/definitions",),
    "/definitions/$definitionId": (
        "/definitions/{definition}",
        "/definitions/{definition}?tab=changes&from=1&revision=2",
        "/definitions/{definition}?tab=scenarios",
        "/definitions/{definition}?tab=move",
    ),
    "/definitions/import": ("/definitions/import",),
    "/definitions/templates": ("/definitions/templates", "/definitions/templates?use=tenant"),
    "/definitions/$definitionId/edit": ("/definitions/{definition}/edit",),
    "/definitions/new": ("/definitions/new",),
    "/drafts/$draftId": ("/drafts/{draft}",),
    "/executions": ("/executions", "/executions?status=FAILED&error={code}", "/executions?error=NOBODY_HAD_IT"),
    "/executions/$executionId": ("/executions/{awaiting}", "/executions/{failed}?step=refuse", "/executions/{awaiting}?step=greet"),
    "/executions/compare": ("/executions/compare?left={awaiting}&right={failed}",),
    "/links": ("/links", "/links?tab=website", "/links?tab=theme"),
    "/new-table": ("/new-table",),
    "/records": ("/records",),
    "/records/$table": ("/records/{table}", "/records/{table}?kind=board&by=state", "/records/{table}?kind=gallery", "/records/{table}?text=nowhere"),
    "/records/$table/$recordId": ("/records/{table}/{record}",),
    "/records/$table/duplicates": ("/records/{table}/duplicates",),
    "/records/$table/import": ("/records/{table}/import",),
    "/records/$table/new": ("/records/{table}/new",),
    "/records/$table/settings": ("/records/{table}/settings",),
    "/reviews": ("/reviews", "/reviews?whose=all", "/reviews?whose=taken"),
    "/reviews/$workflowId/$step": ("/reviews/{reviewed}/decide", "/reviews/{awaiting}/gone"),
    "/settings": (),
    "/settings/": (),
    "/settings/access": ("/settings/access", "/settings/access?role=viewer", "/settings/access?search=nobody"),
    "/settings/account": ("/settings/account",),
    "/settings/audit": ("/settings/audit", "/settings/audit?of=organization", "/settings/audit?action=nothing"),
    "/settings/api": ("/settings/api", "/settings/api?call=createRecord", "/settings/api?search=nothing"),
    "/settings/erasure": ("/settings/erasure", "/settings/erasure?search=Anna", "/settings/erasure?search=nowhere"),
    "/settings/health": ("/settings/health",),
    "/settings/invitations": ("/settings/invitations", "/settings/invitations?invitations=CANCELLED"),
    "/settings/keys": ("/settings/keys",),
    "/settings/limits": ("/settings/limits",),
    "/settings/lists": ("/settings/lists", "/settings/lists?list={role}"),
    "/settings/mail": ("/settings/mail",),
    "/settings/members": ("/settings/members", "/settings/members?search=nobody&status=TERMINATED"),
    "/settings/publishing": ("/settings/publishing",),
    "/settings/retention": ("/settings/retention",),
    "/settings/roles": ("/settings/roles",),
    "/settings/roles/$name": ("/settings/roles/{role}", "/settings/roles/nowhere"),
    "/settings/roles/new": ("/settings/roles/new",),
    "/settings/secrets": ("/settings/secrets",),
    "/settings/single-sign-on": ("/settings/single-sign-on",),
    "/settings/workspace": ("/settings/workspace",),
    "/signed-in": ("/signed-in",),
    "/webhooks": (
        "/webhooks",
        "/webhooks?tab=deliveries",
        "/webhooks?tab=events",
        "/webhooks?tab=signature",
        "/webhooks?tab=version1",
    ),
}  # fmt: skip
"""Each route of the router with addresses that show its page, its tabs and its empty state.

`/settings` and `/settings/` only lead on. `tests/browser/test_dashboard_walk.py` compares them with the router's own.
"""

SHOWN: Final = [place for place, addresses in PLACES.items() if addresses]

DEFINITION: Final = """
name: %(name)s
title: {en: %(text)s, pl: %(text)s}
parameters:
  way: {type: string}
  note: {type: string}
  number: {type: string, pii: identity}
steps:
  - id: greet
    title: {en: %(text)s, pl: %(text)s}
    set: {hello: "${parameters.note}", long: [1, 2, 3]}
  - id: account
    check: {name: iban, with: {value: "${parameters.note}"}}
  - id: refuse
    when: parameters.way == "fail"
    fail: {code: %(code)s, message: %(text)s}
  - id: decide
    when: parameters.way == "review"
    review: {title: {en: %(text)s, pl: %(text)s}, outcomes: [approve, reject], within: 2d}
  - id: rest
    event: {name: paid}
  - id: last
    set: {revision: %(revision)s}
"""
ASKING: Final = """
name: %(name)s-asking
title: {en: %(text)s, pl: %(text)s}
steps:
  - id: details
    form:
      title: %(text)s
      schema: {type: object, properties: {name: {type: string, title: %(text)s, description: %(text)s}}}
  - id: last
    set: {done: true}
"""


@dataclass(frozen=True)
class Furnished:
    """What was made: the words that `PLACES` name."""

    words: Mapping[str, str]

    def address(self, template: str) -> str:
        """Where a place is."""
        return "/app" + template.format_map(self.words)

    def addresses(self) -> list[str]:
        """Every place of the dashboard."""
        return [self.address(one) for templates in PLACES.values() for one in templates]


def furnish(dev: Dev, text: str, *, name: str | None = None) -> Furnished:
    """Make things that are called `text` wherever a text can be."""
    name = name or f"walked-{uuid4().hex[:8]}"
    with dev.api() as api:
        words = {"table": name.replace("-", "_"), "role": name, **_executions(api, name, text)}
        words |= _records(api, words["table"], text, words["awaiting"])
        _around(api, dev, name, text, words)
    return Furnished(words)


def _records(api: httpx.Client, table: str, text: str, execution: str) -> dict[str, str]:
    titled = {"en": text, "pl": text}
    fields: list[dict[str, Any]] = [
        {"name": "name", "type": "text", "title": titled, "indexed": True},
        {"name": "number", "type": "text", "title": "No."},
        {"name": "state", "type": "singleSelect", "title": titled, "indexed": True,
         "options": [{"value": "new", "title": titled}, {"value": "known", "title": "Known"}]},
        {"name": "score", "type": "integer"},
        {"name": "good", "type": "checkbox"},
        {"name": "more", "type": "json"},
        {"name": "papers", "type": "attachment"},
    ]  # fmt: skip
    _made(api.post("/tables", json={"name": table, "title": titled, "fields": fields}))
    made = [
        _made(api.post(f"/tables/{table}/records", json=values))["id"]
        for values in (
            {"name": text, "number": text, "state": "new", "score": 7, "good": True, "more": {text: text}},
            {"name": text, "number": "2", "state": "known", "score": 700},
            {"name": "Anna Nowak", "number": "3"},
        )
    ]
    path = f"/tables/{table}/records/{made[0]}"
    _made(api.post(f"{path}/comments", json={"text": text}))
    _made(api.patch(path, json={"score": 8}))
    file = (f"{text[:80]}.jpg".replace("/", "∕"), photo("JPEG", (640, 400)))
    attached = _made(api.post(f"{path}/attachments", files={"file": file}))
    _made(api.patch(path, json={"papers": [attached["id"]]}))
    return {"record": made[0]}


def _executions(api: httpx.Client, name: str, text: str) -> dict[str, str]:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    code = f"REFUSED_{uuid4().hex[:6].upper()}"
    filled = {"name": name, "text": quoted, "code": code}
    definition = pushed(api, DEFINITION % {**filled, "revision": 1})
    assert pushed(api, DEFINITION % {**filled, "revision": 2}) == definition
    asking = pushed(api, ASKING % filled)
    started = {}
    for word, way in (("awaiting", "wait"), ("failed", "fail"), ("reviewed", "review")):
        parameters = {"way": way, "note": text, "number": text}
        answer = _made(api.post("/workflows/run", json={"workflowDefinitionId": definition, "parameters": parameters}))
        started[word] = answer["id"]
        until(api, answer["id"], "FAILED" if way == "fail" else "AWAITING")
        _made(api.post(f"/workflows/{answer['id']}/comments", json={"text": text}))
    _made(api.post("/link/send", json={"workflowDefinitionId": asking, "email": "eve@example.com"}))
    _made(api.post("/link", json={"workflowDefinitionId": asking, "email": "bo@example.com"}))
    draft = {"name": text, "text": ASKING % {"name": name, "text": text}, "definitionId": asking, "baseRevision": 1}
    drafted = _made(api.post("/drafts", json={**draft, "shared": True}))
    return {"definition": definition, "asking": asking, "code": code, "draft": drafted["id"], **started}


def _around(api: httpx.Client, dev: Dev, name: str, text: str, words: Mapping[str, str]) -> None:
    for page, shared in ((f"/records/{words['table']}", True), ("/executions", False)):
        _made(api.post("/views", json={"page": page, "name": text, "shared": shared, "search": {}}))
    _made(api.post("/keys", json={"name": text, "permissions": ["can_view_workspace"]}))
    endpoint = {"url": f"http://localhost:9/{quote(text)}?{name}", "description": text}
    made = _made(api.post("/webhooks/endpoints", json=endpoint))
    _made(api.post(f"/webhooks/endpoints/{made['id']}/test"))
    grant = {"permissions": ["can_read_data"], "table": words["table"], "fields": ["name"]}
    role = {"name": name, "description": text, "permissions": ["can_view_workspace"], "grants": [grant]}
    _made(api.post(f"/workspaces/{dev.demo['workspaceId']}/roles", json=role))
    person = {"email": f"{name}@example.com", "roleId": "member", "firstName": text, "lastName": text, "title": text}
    _made(api.post("/organizations/enrollments", json=person))
    user = {"userName": f"user-{name}@example.com", "active": True, "name": {"givenName": text, "familyName": text}}
    _made(api.post("/scim/v2/Users", json={"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], **user}))
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": text, "members": []}
    _made(api.post("/scim/v2/Groups", json=group))
    _made(api.post("/holds", json={"kind": "execution", "id": words["failed"], "reason": text}))
    _made(api.put(f"/secrets/{words['table'].upper()}", json={"value": text}))
    columns = ("id", "schema", "name", "aliases", "birth_date", "countries", "identifiers", "sanctions", "dataset")
    entry = ",".join(columns) + "\n1,Person,Eve,,,pl,,,walked\n"
    _made(api.put(f"/lists/{name}", content=entry, headers={"Content-Type": "text/csv"}))
    with dev.api(version=1) as former:
        former.get("/cases")


def _made(answer: httpx.Response) -> Any:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.text}"
    return answer.json() if answer.content else None


async def settled(page: Page) -> None:
    """The page has its heading, and waits for nothing."""
    await expect(page.locator("h1")).to_have_count(1)
    await expect(page.locator("main [data-loading], main .mantine-Skeleton-root")).to_have_count(0)


async def visit(page: Page, address: str) -> None:
    """Open a page and wait until it shows what it has."""
    await page.goto(address)
    await settled(page)
