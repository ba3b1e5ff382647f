"""Nothing that somebody typed is lost and nothing runs twice, whoever dies between two screens."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.crash.end_users import Person
from tests.crash.harness import Client, cluster
from tests.crash.servers import Postgres

PEOPLE = 6
WITHIN = 60.0

SEEDS = [pytest.param(0), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 30)]]


def onboarding(register: str) -> str:
    """Two forms with an effect on the outside between them."""
    return f"""
name: onboarding
title: Onboarding
steps:
  - id: company
    form:
      title: Company
      schema:
        type: object
        required: [name]
        properties: {{name: {{type: string, title: Name}}, city: {{type: string, title: City}}}}
  - id: registry
    http: {{url: "{register}/first"}}
  - id: owner
    form:
      title: Owner
      schema: {{type: object, required: [owner], properties: {{owner: {{type: string, title: Owner}}}}}}
  - id: over
    message: {{title: All is done, text: Thank you.}}
result:
  name: "${{steps.company.name}}"
  city: "${{steps.company.city}}"
  owner: "${{steps.owner.owner}}"
  key: "${{steps.registry.body.key}}"
"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", SEEDS)
async def test_what_was_typed_is_there_and_nothing_runs_twice_whoever_dies(postgres: Postgres, seed: int) -> None:
    random_ = random.Random(seed)
    with cluster(postgres.url, delay=0.2) as system:
        doomed_api, doomed_url = system.serve()
        _, url = system.serve()
        doomed_worker = system.worker()
        system.worker()
        client = Client(system)
        client.push(url, onboarding(system.register.url))
        deaths: list[Callable[[], None]] = [
            lambda: doomed_api.send_signal(signal.SIGKILL),
            lambda: doomed_worker.send_signal(signal.SIGKILL),
            postgres.stop_immediately,
        ]
        random_.shuffle(deaths)
        # Each person does six things; somebody's thing is the last one before a death.
        at = dict(zip(sorted(random_.sample(range(4, PEOPLE * 6 - 6), 3)), deaths, strict=True))
        done = 0

        def did() -> None:
            nonlocal done
            done += 1
            at.pop(done, lambda: None)()

        paths = [_link(client, url) for _ in range(PEOPLE)]
        urls = [doomed_url, url]
        await asyncio.gather(*[_onboard(Person(urls, random_), path, number, did) for number, path in enumerate(paths)])
        assert at == {}, "nobody died"
        results = await _results(postgres.url)
        assert sorted(result["name"] for result in results) == sorted(f"Company {n}" for n in range(PEOPLE))
        for result in results:
            number = result["name"].rpartition(" ")[2]
            assert (result["city"], result["owner"]) == (f"City {number}", f"Owner {number}")
        # Asked again after a crash, the register hears the same key.
        assert set(system.register.asked) == {result["key"] for result in results}


def _link(client: Client, url: str) -> str:
    answer = httpx.post(f"{url}/link", json={"workflowDefinitionId": client.definition_id}, headers=client.headers)
    assert answer.status_code == 201, answer.text
    return httpx.URL(answer.json()["link"]).path


async def _onboard(person: Person, path: str, number: int, did: Callable[[], None]) -> None:
    """From the link to the end page, looking after each thing that was typed."""
    async with person:
        await person.start(path)
        await person.see("name", WITHIN)
        did()
        await person.type(name=f"Company {number}")
        did()
        await person.type(city=f"City {number}")
        did()
        await person.look()
        assert (person.typed("name"), person.typed("city")) == (f"Company {number}", f"City {number}")
        await person.submit(name=f"Company {number}", city=f"City {number}")
        did()
        await person.see("owner", WITHIN)
        await person.type(owner=f"Owner {number}")
        did()
        await person.look()
        await person.submit(owner=person.typed("owner"))
        did()
        await person.wait_for(lambda page: "All is done" in page, WITHIN)


async def _results(database_url: str) -> list[dict[str, Any]]:
    """What every execution came to. Each step was recorded once."""
    connection = await asyncpg.connect(database_url)
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=_loads)
    rows = await connection.fetch("SELECT status, result FROM execution")
    assert Counter(row["status"] for row in rows) == {"COMPLETED": PEOPLE}
    steps = await connection.fetch("SELECT step, count(*) FROM step_run WHERE status = 'COMPLETED' GROUP BY step")
    assert {row["step"]: row["count"] for row in steps} == dict.fromkeys(
        ("company", "registry", "owner", "over"), PEOPLE
    )
    assert await connection.fetchval("SELECT count(*) FROM visitor_draft") == 0
    await connection.close()
    return [row["result"] for row in rows]


def _loads(text: str) -> Any:
    import json

    return json.loads(text)
