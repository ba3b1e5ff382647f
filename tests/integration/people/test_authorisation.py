"""Random grants and random calls: an answer is what a model of the permissions, written apart, says.

`PASSERELLE_CALLS` says how many; `make crash` makes a hundred thousand.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from passerelle.accounts.grant_schemas import GrantBody
from passerelle.accounts.models import KeyTerms
from tests.integration.secrets.product import BASE_URL, Product, joined, opened

CALLS = int(os.environ.get("PASSERELLE_CALLS", "2000"))
ACTORS = max(24, CALLS // 400)

FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "label", "type": "text"},
    {"name": "country", "type": "singleSelect", "options": [{"value": "PL"}, {"value": "DE"}], "indexed": True},
    {"name": "amount", "type": "number", "indexed": True},
    {"name": "email", "type": "email", "pii": "contact"},
)
NAMES = tuple(str(one["name"]) for one in FIELDS)
TABLES = ("customers", "orders")
DEFINITIONS = ("first", "second")
REVIEWERS = ("compliance", "sales")
MASK = "•••"

Record = dict[str, Any]
Where = tuple[str, Callable[[Record], bool]]
WHERES: tuple[Where, ...] = (
    ('record.country == "PL"', lambda one: one["country"] == "PL"),
    ('!(record.country == "PL")', lambda one: one["country"] != "PL"),
    ("record.amount > 50 && record.amount <= 500", lambda one: one["amount"] is not None and 50 < one["amount"] <= 500),
    ('record.country in ["DE"] || record.amount == null', lambda one: one["country"] == "DE" or one["amount"] is None),
    ('record.label.startsWith("a")', lambda one: (one["label"] or "").startswith("a")),
)
ON_TABLE = ("can_read_data", "can_edit_data", "can_comment", "can_read_attachments", "can_read_personal_data")
ON_DEFINITION = ("can_run", "can_view_executions", "can_operate_executions", "can_manage_definitions")
WITH_FIELDS = ("can_read_data", "can_edit_data", "can_read_personal_data")
VIEW = "can_view_workspace"


@dataclass
class Reach:
    """How far a permission goes on a table."""

    fields: frozenset[str] | None = None
    where: Callable[[Record], bool] | None = None

    def has(self, record: Record) -> bool:
        """Whether it goes as far as a record."""
        return self.where is None or self.where(record)

    def names(self, name: str) -> bool:
        """Whether it goes as far as a field."""
        return self.fields is None or name in self.fields


EVERYTHING = Reach()


@dataclass
class Actor:
    """Somebody with permissions, as the model knows them."""

    client: httpx.AsyncClient
    permissions: frozenset[str]
    tables: Mapping[tuple[str, str | None], Reach]
    definitions: frozenset[tuple[str, str | None]]
    reviews: frozenset[str | None] | None
    """Whose reviews; None for nobody's."""

    def any(self, permission: str) -> bool:
        """Whether the permission is there at all, for tables."""
        return permission in self.permissions or any(one[0] == permission for one in self.tables)

    def on(self, permission: str, table: str) -> Reach | None:
        """The permission on a table: what names the table counts before what names all."""
        if permission in self.permissions:
            return EVERYTHING
        return self.tables.get((permission, table)) or self.tables.get((permission, None))

    def on_definition(self, permission: str, name: str) -> bool:
        """The permission on a definition."""
        return permission in self.permissions or bool({(permission, name), (permission, None)} & self.definitions)

    def any_definition(self, permission: str) -> bool:
        """Whether the permission is there at all, for definitions."""
        return permission in self.permissions or any(one[0] == permission for one in self.definitions)

    def sees_table(self, table: str) -> bool:
        """Whether the table is there."""
        if self.permissions & {*ON_TABLE, "can_edit_attachments", VIEW} or not self.tables:
            return True
        return any(one[1] in (table, None) for one in self.tables)

    def sees_definition(self, name: str) -> bool:
        """Whether the definition is there."""
        return VIEW in self.permissions or any(one[1] in (name, None) for one in self.definitions)


@dataclass
class World:
    """A workspace whose every record and execution the model knows."""

    product: Product
    dice: random.Random
    records: dict[str, dict[str, Record]] = field(default_factory=dict)
    executions: dict[str, str] = field(default_factory=dict)
    """Definitions by execution."""
    definitions: dict[str, str] = field(default_factory=dict)


async def filled(product: Product, dice: random.Random) -> World:
    world = World(product, dice)
    for table in TABLES:
        made = await product.api.post("/tables", json={"name": table, "fields": FIELDS})
        assert made.status_code == 201, made.text
        world.records[table] = {}
        for number in range(24):
            values = {
                "label": dice.choice(("alpha", "beta", "gamma")),
                "country": dice.choice(("PL", "DE", None)),
                "amount": dice.choice((7, 60, 700, None)),
                "email": f"{table}{number}@example.com",
            }
            answer = await product.api.post(f"/tables/{table}/records", json=values)
            world.records[table][answer.json()["id"]] = values
    for name, reviewer in zip(DEFINITIONS, REVIEWERS, strict=True):
        text = f"name: {name}\nsteps:\n  - id: decide\n    review: {{title: Decide, outcomes: [yes, no], assignTo: {reviewer}}}\n"
        for _ in range(3):
            world.executions[(await product.run(text))["id"]] = name
    listed = (await product.api.get("/definitions")).json()["data"]
    world.definitions = {one["name"]: one["id"] for one in listed}
    return world


async def actor(world: World, stack: AsyncExitStack) -> Actor:
    """Somebody with random permissions and grants."""
    dice, services = world.dice, world.product.services
    plain = frozenset(one for one in (*ON_TABLE, *ON_DEFINITION, VIEW, "can_review") if dice.random() < 0.15)
    grants: list[dict[str, Any]] = []
    tables: dict[tuple[str, str | None], Reach] = {}
    for permission in ON_TABLE:
        for table in (*TABLES, None):
            if permission in plain or dice.random() < 0.6:
                continue
            grant: dict[str, Any] = {"permissions": [permission], "table": table or "*"}
            reach = Reach()
            if table is not None and permission != "can_read_personal_data" and dice.random() < 0.6:
                grant["where"], reach.where = dice.choice(WHERES)
            if table is not None and permission in WITH_FIELDS and dice.random() < 0.4:
                chosen = dice.sample(NAMES, dice.randint(1, 3))
                grant["fields"], reach.fields = chosen, frozenset(chosen)
            grants.append(grant)
            tables[permission, table] = reach
    definitions = {
        (permission, name)
        for permission in ON_DEFINITION
        for name in (*DEFINITIONS, None)
        if permission not in plain and dice.random() < 0.25
    }
    grants += [{"permissions": [one], "definition": name or "*"} for one, name in sorted(definitions, key=str)]
    reviews = None if "can_review" in plain else {one for one in (*REVIEWERS, None) if dice.random() < 0.25} or None
    grants += [{"permissions": ["can_review"], "review": one or "*"} for one in reviews or ()]
    bodies = [GrantBody.model_validate(one) for one in grants]
    granted = await services.granting.resolved(world.product.workspace_id, bodies, plain)
    terms = KeyTerms(permissions=plain, granted=granted)
    token = (await services.accounts.create_token(world.product.workspace_id, "fuzz", 2, (), terms)).secret
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(world.product.app),
        base_url=BASE_URL,
        headers={"Authorization": f"Bearer {token}"},
    )
    await stack.enter_async_context(client)
    return Actor(client, plain, tables, frozenset(definitions), frozenset(reviews) if reviews else None)


def shown(who: Actor, table: str, record: Record) -> Record:
    """A record as the model says that they see it."""
    reading, personal = who.on("can_read_data", table), who.on("can_read_personal_data", table)
    if reading is None:
        return {}
    open_ = personal is not None and personal.names("email")
    return {
        name: MASK if name == "email" and not open_ and value is not None else value
        for name, value in record.items()
        if reading.names(name)
    }


def fields_of(answered: Record) -> Record:
    return {name: value for name, value in answered.items() if name in NAMES}


def verdict(who: Actor, permission: str, table: str, record: Record | None) -> int:
    """The status of something with one record."""
    if not who.any(permission):
        return 403
    if not who.sees_table(table) or record is None:
        return 404
    doing, reading = who.on(permission, table), who.on("can_read_data", table)
    if doing is not None and doing.has(record):
        return 200
    return 403 if reading is not None and reading.has(record) else 404


class Calls:
    """Random calls; each returns what is wrong with the answer, or None."""

    def __init__(self, world: World, who: Actor) -> None:
        self.world, self.who, self.dice = world, who, world.dice
        self.table = self.dice.choice(TABLES)
        self.records = world.records[self.table]
        self.id = self.dice.choice(list(self.records))
        self.record = self.records[self.id]
        self.base = f"/tables/{self.table}"

    async def read(self) -> str | None:
        answer = await self.who.client.get(f"{self.base}/records/{self.id}")
        expected = verdict(self.who, "can_read_data", self.table, self.record)
        wanted = shown(self.who, self.table, self.record) if expected == 200 else None
        return self._compare(answer, expected, wanted and [wanted], lambda body: [fields_of(body)])

    async def history(self) -> str | None:
        answer = await self.who.client.get(f"{self.base}/records/{self.id}/history")
        expected = verdict(self.who, "can_read_data", self.table, self.record)
        wanted = sorted(shown(self.who, self.table, self.record)) if expected == 200 else None
        # Of fields that were never filled there is no change.
        names = {name for name in wanted or () if self.record[name] is not None}
        return self._compare(
            answer,
            expected,
            names,
            lambda body: {one["field"] for item in body["data"] for one in item["changes"]} & names,
        )

    async def comment(self) -> str | None:
        answer = await self.who.client.get(f"{self.base}/records/{self.id}/comments")
        return self._compare(answer, verdict(self.who, "can_read_data", self.table, self.record))

    async def attachments(self) -> str | None:
        answer = await self.who.client.get(f"{self.base}/records/{self.id}/attachments")
        return self._compare(answer, verdict(self.who, "can_read_attachments", self.table, self.record))

    async def search(self) -> str | None:
        name = self.dice.choice(NAMES)
        value = {"label": "beta", "country": "DE", "amount": 60, "email": f"{self.table}3@example.com"}[name]
        negated = self.dice.random() < 0.5
        condition: Any = {"field": name, "op": "eq", "value": value}
        body = {"filter": {"not": condition} if negated else condition, "limit": 100}
        expected, reading = self._listing()
        if expected == 200 and reading is not None:
            personal = self.who.on("can_read_personal_data", self.table)
            if not reading.names(name):
                expected = 400
            elif name == "email" and not (personal is not None and personal.names("email")):
                expected = 403
        found = [one for one in self.records.values() if (one[name] == value) != negated]
        counted = self.dice.random() < 0.3
        if counted:
            answer = await self.who.client.post(f"{self.base}/records/count", json={"filter": body["filter"]})
            return self._compare(
                answer, expected, sum(1 for one in found if reading and reading.has(one)), lambda body: body["count"]
            )
        answer = await self.who.client.post(f"{self.base}/records/search", json=body)
        return self._compare(answer, expected, self._seen(reading, found), self._listed)

    async def words(self) -> str | None:
        text = self.dice.choice(("beta", "alp", "customers3", "example"))
        answer = await self.who.client.post(f"{self.base}/records/search", json={"text": text, "limit": 100})
        expected, reading = self._listing()
        personal = self.who.on("can_read_personal_data", self.table)
        names = [
            name for name in ("label", "country", "email")
            if reading and reading.names(name) and (name != "email" or (personal and personal.names("email")))
        ]  # fmt: skip
        words = {"email": lambda one: one["email"].replace("@", " ").replace(".", " ").split()}
        found = [
            one for one in self.records.values()
            if any(
                word.startswith(text)
                for name in names
                if one[name] is not None
                for word in words.get(name, lambda one, name=name: [one[name].lower()])(one)
            )
        ]  # fmt: skip
        return self._compare(answer, expected, self._seen(reading, found), self._listed)

    async def export(self) -> str | None:
        answer = await self.who.client.get(f"{self.base}/export?format=jsonl")
        expected, reading = self._listing()
        wanted = self._seen(reading, list(self.records.values()))
        if answer.status_code != expected:
            return self._compare(answer, expected)
        found = [fields_of(json.loads(line)) for line in answer.text.splitlines()] if expected == 200 else None
        return None if expected != 200 or same(found, wanted) else f"exported {found}, not {wanted}"

    async def change(self) -> str | None:
        name = self.dice.choice(NAMES)
        # What is there already: the records stay as the model knows them.
        answer = await self.who.client.patch(f"{self.base}/records/{self.id}", json={name: self.record[name]})
        expected = verdict(self.who, "can_edit_data", self.table, self.record)
        editing, reading = self.who.on("can_edit_data", self.table), self.who.on("can_read_data", self.table)
        personal = self.who.on("can_read_personal_data", self.table)
        if expected != 404 and self.who.any("can_edit_data") and editing is not None:
            if not editing.names(name):
                expected = 403 if reading is not None and reading.names(name) else 400
            elif name == "email" and not (personal is not None and personal.names("email")):
                expected = 403
        wanted = [shown(self.who, self.table, self.record)] if expected == 200 else None
        return self._compare(answer, expected, wanted, lambda body: [fields_of(body)])

    async def executions(self) -> str | None:
        answer = await self.who.client.get("/workflows?limit=100")
        expected = 200 if self.who.any_definition("can_view_executions") else 403
        wanted = {
            one for one, name in self.world.executions.items() if self.who.on_definition("can_view_executions", name)
        }
        return self._compare(answer, expected, wanted, lambda body: {one["id"] for one in body["data"]})

    async def execution(self) -> str | None:
        execution = self.dice.choice(list(self.world.executions))
        end = self.dice.choice(("", "/timeline", "/graph"))
        answer = await self.who.client.get(f"/workflows/{execution}{end}")
        name = self.world.executions[execution]
        seen = 200 if self.who.on_definition("can_view_executions", name) else 404
        return self._compare(answer, seen if self.who.any_definition("can_view_executions") else 403)

    async def retry(self) -> str | None:
        execution = self.dice.choice(list(self.world.executions))
        answer = await self.who.client.post(f"/workflows/{execution}/retry")
        name = self.world.executions[execution]
        expected = 409
        if not self.who.any_definition("can_operate_executions"):
            expected = 403
        elif not self.who.on_definition("can_operate_executions", name):
            expected = 403 if self.who.on_definition("can_view_executions", name) else 404
        return self._compare(answer, expected)

    async def start(self) -> str | None:
        name = self.dice.choice(DEFINITIONS)
        # A parameter that is unknown: it is refused, and nothing begins.
        body = {"workflowDefinitionId": self.world.definitions[name], "parameters": {"unknown": 1}}
        answer = await self.who.client.post("/workflows", json=body)
        expected = 400
        if not self.who.any_definition("can_run"):
            expected = 403
        elif not self.who.on_definition("can_run", name):
            expected = 403 if self.who.sees_definition(name) else 404
        return self._compare(answer, expected)

    async def push(self) -> str | None:
        name = self.dice.choice((*DEFINITIONS, "third"))
        reviewer = dict(zip(DEFINITIONS, REVIEWERS, strict=True)).get(name, "x")
        text = f"name: {name}\nsteps:\n  - id: decide\n    review: {{title: Decide, outcomes: [yes, no], assignTo: {reviewer}}}\n"
        headers = {"Content-Type": "application/yaml"}
        if name == "third" and "can_manage_definitions" in self.who.permissions:
            return None
        answer = await self.who.client.post("/definitions?publish=false", content=text, headers=headers)
        known = name in self.world.definitions
        allowed = known and self.who.on_definition("can_manage_definitions", name)
        return self._compare(answer, 200 if allowed else 403)

    async def tables(self) -> str | None:
        answer = await self.who.client.get("/tables")
        expected = 200 if VIEW in self.who.permissions or self.who.tables else 403
        wanted = {one for one in TABLES if self.who.sees_table(one)}
        return self._compare(answer, expected, wanted, lambda body: {one["name"] for one in body["data"]} & set(TABLES))

    async def reviews(self) -> str | None:
        answer = await self.who.client.get("/reviews?limit=100")
        everybody = "can_review" in self.who.permissions or None in (self.who.reviews or ())
        expected = 200 if everybody or self.who.reviews else 403
        wanted = set(REVIEWERS) if everybody else set(self.who.reviews or ())
        return self._compare(answer, expected, wanted, lambda body: {one["assignTo"] for one in body["data"]})

    async def events(self) -> str | None:
        answer = await self.who.client.get("/events?types=record.created&limit=500")
        if not self.who.any_definition("can_view_executions"):
            return self._compare(answer, 403)
        whole = "can_view_executions" in self.who.permissions and not self._is_limited()
        wanted = {
            one
            for table in TABLES
            for one, record in self.world.records[table].items()
            if whole or ((reading := self.who.on("can_read_data", table)) is not None and reading.has(record))
        }
        return self._compare(answer, 200, wanted, lambda body: {one["data"]["recordId"] for one in body["data"]})

    def _is_limited(self) -> bool:
        return bool(self.who.tables) and not self.who.permissions & {*ON_TABLE, "can_edit_attachments"}

    def _listing(self) -> tuple[int, Reach | None]:
        if not self.who.any("can_read_data"):
            return 403, None
        if not self.who.sees_table(self.table):
            return 404, None
        reading = self.who.on("can_read_data", self.table)
        return (200, reading) if reading is not None else (403, None)

    def _seen(self, reading: Reach | None, records: list[Record]) -> list[Record] | None:
        if reading is None:
            return None
        return [shown(self.who, self.table, one) for one in records if reading.has(one)]

    @staticmethod
    def _listed(body: Any) -> list[Record]:
        return [fields_of(one) for one in body["data"]]

    def _compare(
        self, answer: httpx.Response, expected: int, wanted: Any = None, found: Callable[[Any], Any] | None = None
    ) -> str | None:
        if answer.status_code != expected:
            return f"answered {answer.status_code}, not {expected}: {answer.text[:300]}"
        if expected == 403 and "PERMISSION_DENIED" not in answer.text:
            return f"is refused with {answer.text[:300]}"
        if expected == 200 and found is not None and not same(found(answer.json()), wanted):
            return f"shows {found(answer.json())}, not {wanted}"
        return None


def same(found: Any, wanted: Any) -> bool:
    """Whether two lists have the same records, in whatever order."""
    if isinstance(found, list) and isinstance(wanted, list):
        return sorted(map(repr, map(ordered, found))) == sorted(map(repr, map(ordered, wanted)))
    return bool(found == wanted)


def ordered(record: Record) -> list[tuple[str, Any]]:
    return sorted(record.items())


KINDS = (
    "read", "history", "comment", "attachments", "search", "search", "words", "export", "change", "executions",
    "execution", "retry", "start", "push", "tables", "reviews", "events",
)  # fmt: skip


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as joining:
        yield joining


@pytest.mark.timeout(60 + CALLS // 10)
async def test_what_is_answered_is_what_a_model_of_the_permissions_says(product: Product) -> None:
    seed = int(os.environ.get("PASSERELLE_SEED", "2026"))
    world = await filled(product, random.Random(seed))
    wrong: list[str] = []
    async with AsyncExitStack() as stack:
        for number in range(ACTORS):
            who = await actor(world, stack)
            for _ in range(CALLS // ACTORS):
                calls = Calls(world, who)
                kind = world.dice.choice(KINDS)
                trouble = await getattr(calls, kind)()
                if trouble is not None:
                    wrong.append(f"actor {number} {kind} of {calls.table}/{calls.record}: {trouble}\n  {who}")
    assert wrong == [], f"seed {seed}, {len(wrong)} of {CALLS}:\n" + "\n".join(wrong[:5])
