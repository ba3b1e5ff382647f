"""Every link that was acknowledged is sent and opens, whoever dies: real processes and a real SMTP conversation."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import asyncpg
import httpx
import pytest

from tests.crash.end_users import Person, persistent
from tests.crash.harness import Client, cluster
from tests.crash.servers import Postgres
from tests.integration.kit.mail.smtp_server import Server, serving

LINKS = 40
WITHIN = 150.0
"""Seconds: a job of a dead process is taken over after some ten, a refused message tried again after ten more, later
each time; and the machine may be busy."""

SEEDS = [pytest.param(0), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 30)]]

FORM = """
name: sign-up
title: Sign up
steps:
  - id: company
    form: {title: Company, schema: {type: object, properties: {name: {type: string, title: Name}}}}
"""


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", SEEDS)
async def test_every_acknowledged_link_is_sent_and_opens_whoever_dies(postgres: Postgres, seed: int) -> None:
    random_ = random.Random(seed)
    async with serving(Server(answers={"RCPT": ["450 4.2.1 busy"] * 3})) as server:
        with cluster(postgres.url) as system:
            system.environment["PASSERELLE_SMTP_URL"] = f"smtp://127.0.0.1:{server.port}"
            # Several processes have one address: links lead there, whichever of them answered.
            system.environment["PASSERELLE_PUBLIC_URL"] = "http://passerelle.test"
            doomed_api, doomed_url = system.serve()
            _, url = system.serve()
            doomed_worker = system.worker()
            system.worker()
            client = Client(system)
            client.push(url, FORM)
            deaths: list[Callable[[], None]] = [
                lambda: doomed_api.send_signal(signal.SIGKILL),
                lambda: doomed_worker.send_signal(signal.SIGKILL),
                postgres.stop_immediately,
            ]
            random_.shuffle(deaths)
            at = dict(zip(sorted(random_.sample(range(5, LINKS - 5), 3)), deaths, strict=True))
            aging = asyncio.create_task(_claims_age(postgres.url))
            links = await _sent(client, [doomed_url, url], at)
            aging.cancel()
            await _all_told(postgres.url)
            emails = _emails(server)
            assert set(emails) == set(links), "somebody got no message"
            for address, found in emails.items():
                assert {link for link, _ in found} == {links[address]}, "a message with another link than the answer's"
                assert len({key for _, key in found}) == 1, "sent twice, told as one message"
            await _each_opens(client, url, links, random_)
            assert await _sent(client, [url], {}) == links, "the same key, another link"


async def _sent(client: Client, urls: list[str], deaths: dict[int, Callable[[], None]]) -> dict[str, str]:
    """Have a link sent to each address, asking again with the same key until the answer comes; link by address."""
    links: dict[str, str] = {}
    numbers = iter(range(LINKS))

    async def one_after_another(http: httpx.AsyncClient, first: int) -> None:
        for number in numbers:
            address = f"person{number}@example.com"
            body = {"workflowDefinitionId": client.definition_id, "email": address}
            headers = {**client.headers, "Idempotency-Key": address}
            turned = urls[first % len(urls) :] + urls[: first % len(urls)]
            answer = await persistent(http, turned, "POST", "/link/send", within=WITHIN, json=body, headers=headers)
            assert answer.status_code == 201, answer.text
            links[address] = answer.json()["link"]
            deaths.pop(len(links), lambda: None)()

    async with httpx.AsyncClient(timeout=10) as http:
        await asyncio.gather(*[one_after_another(http, first) for first in range(8)])
    return links


async def _claims_age(database_url: str) -> None:
    """Let the claims of requests that died count as old after five seconds instead of thirty."""
    while True:
        await asyncio.sleep(1)
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(database_url)
            await connection.execute(
                "UPDATE idempotency_key SET locked_until = now() "
                "WHERE status IS NULL AND locked_until BETWEEN now() AND now() + interval '25 seconds'"
            )
            await connection.close()


async def _all_told(database_url: str) -> None:
    """Every link is told once as made and once as sent, and nothing as failed."""
    once = {"link.created": LINKS, "link.sent": LINKS, "email.sent": LINKS}
    deadline = time.monotonic() + WITHIN
    told: Counter[str] = Counter()
    while told != once:
        assert time.monotonic() < deadline, f"after {WITHIN} s: {dict(told)}"
        await asyncio.sleep(0.2)
        try:
            connection = await asyncpg.connect(database_url)
        except (OSError, asyncpg.PostgresError):
            continue
        rows = await connection.fetch("SELECT type FROM event WHERE type ~ '^(link|email)'")
        told = Counter(row["type"] for row in rows)
        executions = await connection.fetchval("SELECT count(*) FROM execution")
        await connection.close()
    assert executions == LINKS


def _emails(server: Server) -> dict[str, list[tuple[str, str]]]:
    """Link and `Message-ID` of every message, by address."""
    found = defaultdict(list)
    for taken in server.taken:
        assert isinstance(taken.content, bytes)
        email = message_from_bytes(taken.content, _class=EmailMessage, policy=default)
        plain = email.get_body(("plain",))
        assert plain is not None
        (link,) = set(re.findall(r"http\S+/l/\S+", plain.get_content()))
        found[str(email["To"])].append((link, str(email["Message-ID"])))
    return found


async def _each_opens(client: Client, url: str, links: dict[str, str], random_: random.Random) -> None:
    async with httpx.AsyncClient(timeout=10) as http:
        for link in links.values():
            assert (await http.get(url + httpx.URL(link).path)).status_code == 200
    async with Person([url], random_) as person:
        await person.start(httpx.URL(random_.choice(list(links.values()))).path)
        await person.see("name", within=10)
