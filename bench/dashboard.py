"""What the dashboard asks for among 1,000,000 records and 1,000,000 executions, one filter after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import httpx

from bench.harness import Passerelle, database, percentile, running
from bench.records import TABLE, fill, parts_of

MANY = 1_000_000
TIMES = 100
DAYS = 365
SHARES: Mapping[str, float] = {
    "FAILED": 0.04,
    "AWAITING": 0.02,
    "RUNNING": 0.0005,
    "CANCELLED": 0.00002,
    "EXPIRED": 0.00001,
}
"""How many of all executions are not completed. The rare ones are what a list without an index looks for longest."""
DEFINITION = """
name: bench-seen
parameters: {{way: {{type: string}}}}
steps:
  - id: wrong
    when: parameters.way == "fail"
    fail: {{code: REFUSED, message: The register refused it}}
  - id: paid
    when: parameters.way == "wait"
    event: {{name: paid}}
  - id: done
    set: {{revision: {revision}}}
"""
NARROWED = {
    "nothing": {},
    **{f"status {status}": {"status": status} for status in ("COMPLETED", *SHARES)},
    "definition": {"workflowDefinitionId": "of"},
    "definition and status": {"workflowDefinitionId": "of", "status": "FAILED"},
    "a rare definition": {"workflowDefinitionId": "rare"},
    "a rare definition and status": {"workflowDefinitionId": "rare", "status": "COMPLETED"},
    "a rare definition, completed, from a day on": {
        "workflowDefinitionId": "rare", "status": "COMPLETED", "createdFrom": "first",
    },
    "revision": {"workflowDefinitionId": "of", "revision": "1"},
    "a revision without executions": {"workflowDefinitionId": "of", "revision": "2"},
    "error": {"errorCode": "REFUSED"},
    "error and status": {"status": "FAILED", "errorCode": "REFUSED"},
    "a rare error": {"errorCode": "RARE"},
    "a rare error and status": {"status": "FAILED", "errorCode": "RARE"},
    "an error that nobody had": {"errorCode": "NONE"},
    "waiting for an event": {"waitingFor": "event"},
    "at a step": {"step": "paid"},
    "at a step where nobody is": {"step": "done"},
    "waiting for a form": {"waitingFor": "form"},
    "waiting for an event, failed": {"waitingFor": "event", "status": "FAILED"},
    "from a day on": {"createdFrom": "first"},
    "until a day": {"createdBefore": "first"},
    "a day and a rare status": {"createdFrom": "first", "createdBefore": "last", "status": "EXPIRED"},
    "those that nobody has begun, too": {"unused": "true"},
    "a record": {"recordId": "record"},
}  # fmt: skip
COUNTED = ("nothing", "definition", "a rare definition", "error", "a rare error", "waiting for a form", "from a day on")
SEARCHES: Mapping[str, Any] = {
    "nothing": {},
    "a word": {"text": "company"},
    "a rare word": {"text": "123456789"},
    "indexed, equal": {"filter": {"field": "status", "op": "eq", "value": "s7"}},
    "indexed, unequal": {"filter": {"field": "status", "op": "ne", "value": "s7"}},
    "indexed, empty": {"filter": {"field": "status", "op": "isEmpty", "value": True}},
    "indexed, from": {"filter": {"field": "score", "op": "gte", "value": 50_000}},
    "indexed, few": {"filter": {"field": "score", "op": "eq", "value": 77}},
    "sorted by an index": {"sort": ["score"]},
    "sorted by an index, downwards": {"sort": ["-score"]},
    "sorted by when it was made": {"sort": ["createdAt"]},
    "sorted by when it was changed": {"sort": ["-updatedAt"]},
    "sorted without an index": {"sort": ["employees"]},
    "indexed, sorted by another index": {"filter": {"field": "status", "op": "eq", "value": "s7"}, "sort": ["score"]},
    "a word, sorted by an index": {"text": "company", "sort": ["score"]},
    "without an index, common": {"filter": {"field": "country", "op": "eq", "value": "PL"}},
    "without an index, rare": {"filter": {"field": "employees", "op": "eq", "value": 77}},
    "contains": {"filter": {"field": "name", "op": "contains", "value": "999"}},
    "begins with": {"filter": {"field": "name", "op": "startsWith", "value": "Company 99"}},
    "indexed, and a word": {"filter": {"field": "status", "op": "eq", "value": "s7"}, "text": "company"},
    "200 from the middle": {"skip": 500_000, "limit": 200},
    "200 from the middle, by an index": {"skip": 500_000, "limit": 200, "sort": ["score"]},
}


_COPY = """
    INSERT INTO execution (id, status, created_at, updated_at, completed_at, record_id, error, untold, {columns})
    SELECT uuidv7(made.at - now()), $3, made.at, made.at, CASE WHEN e.completed_at IS NOT NULL THEN made.at END,
           CASE WHEN random() < 0.01 THEN ($4::uuid[])[1 + floor(random() * array_length($4::uuid[], 1))::int] END,
           CASE WHEN $3 = 'FAILED' AND random() < 0.0001 THEN jsonb_set(error, '{{code}}', '"RARE"') ELSE error END,
           false, {same}
    FROM execution e,
         (SELECT now() - random() * $5 * interval '1 day' AS at FROM generate_series(1, $2::int)) made
    WHERE e.id = $1
"""


async def dashboard(report: Any) -> None:
    """Lists, counts and searches, each `TIMES` times, one after the other."""
    with running() as passerelle:
        await filled(passerelle)
        answers(report, passerelle)


async def filled(passerelle: Passerelle, records: int = MANY, executions: int = MANY) -> None:
    """The table and the executions."""
    httpx.post(f"{passerelle.url}/tables", json=TABLE, headers=passerelle.headers).raise_for_status()
    async with parts_of(passerelle) as (parts, workspace_id):
        table = await parts.tables.find(workspace_id, "companies")
    ids = await fill(passerelle, table, records)
    of = passerelle.push(DEFINITION.format(revision=1))
    seeds = {way: _seed(passerelle, of, way) for way in ("fail", "wait", "done")}
    passerelle.push(DEFINITION.format(revision=2))
    rare = passerelle.push(DEFINITION.format(revision=1).replace("bench-seen", "bench-rare"))
    _seed(passerelle, rare, "done")
    await _copies(passerelle, seeds, ids[:1000], executions)


def answers(report: Any, passerelle: Passerelle) -> None:
    """Ask for everything."""
    with httpx.Client(base_url=passerelle.url, headers=passerelle.headers, timeout=60) as client:
        for name, query in queries(client):
            _asked(report, f"executions: {name}", partial(client.get, "/workflows", params={"limit": 50, **query}))
            if name in COUNTED:
                _asked(report, "  counted", partial(client.get, "/workflows/counts", params=query))
        _asked(report, "failures, grouped", partial(client.get, "/workflows/failures"))
        _asked(report, "reviews", partial(client.get, "/reviews", params={"mine": True}))
        records = "/tables/companies/records"
        for name, body in SEARCHES.items():
            _asked(report, f"records: {name}", partial(client.post, f"{records}/search", json={"limit": 200, **body}))
            if set(body) <= {"filter", "text"}:
                _asked(report, "  counted", partial(client.post, f"{records}/count", json=body))


def queries(client: httpx.Client) -> Iterator[tuple[str, dict[str, str]]]:
    definitions = {one["name"]: one["id"] for one in client.get("/definitions", params={"limit": 100}).json()["data"]}
    record = client.get("/tables/companies/records", params={"sort": "createdAt", "limit": 1}).json()["data"][0]["id"]
    known = {"of": definitions["bench-seen"], "rare": definitions["bench-rare"], "record": record}
    now = time.time()
    known |= {name: _iso(now - 86_400 * days) for name, days in (("first", 200), ("last", 199))}
    for name, query in NARROWED.items():
        yield name, {key: known.get(value, value) for key, value in query.items()}


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _asked(report: Any, name: str, ask: Callable[[], httpx.Response]) -> None:
    took: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = ask()
        took.append((time.perf_counter() - began) * 1000)
        if took[-1] > 1500:
            break
    outcome = answer.json()["errors"][0]["code"] if answer.is_error else "found"
    report.line(name, p50_ms=round(percentile(took, 0.5), 1), p99_ms=round(percentile(took, 0.99), 1), outcome=outcome)


def _seed(passerelle: Passerelle, definition: str, way: str) -> UUID:
    body = {"workflowDefinitionId": definition, "parameters": {"way": way}}
    answer = httpx.post(f"{passerelle.url}/workflows/run", json=body, headers=passerelle.headers)
    return UUID(answer.raise_for_status().json()["id"])


async def _copies(passerelle: Passerelle, seeds: Mapping[str, UUID], records: list[UUID], many: int) -> None:
    """So many executions, made over a year, each like one of the seeds but for its status."""
    ways = {"FAILED": "fail", "AWAITING": "wait", "RUNNING": "wait"}
    counts = {status: round(many * share) for status, share in SHARES.items()}
    counts["COMPLETED"] = many - sum(counts.values())
    async with database(passerelle.data_dir) as connection:
        columns = [
            row["attname"]
            for row in await connection.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'execution'::regclass AND attnum > 0 "
                "AND NOT attisdropped AND attname NOT IN "
                "('id', 'status', 'created_at', 'updated_at', 'completed_at', 'record_id', 'error', 'untold', "
                "'wake_at')"
            )
        ]
        for status, count in counts.items():
            await connection.execute(
                _COPY.format(columns=", ".join(columns), same=", ".join(f"e.{name}" for name in columns)),
                seeds[ways.get(status, "done")],
                count,
                status,
                records,
                DAYS,
            )
        await connection.execute("VACUUM ANALYZE execution")
