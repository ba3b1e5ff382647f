"""End users who fill in forms: from pressing the button until the next page is there, and keeping what they type."""

from __future__ import annotations

import asyncio
import re
import ssl
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from bench.harness import Passerelle, running

PEOPLE: Final = 200
NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For all clients: each would load the certificates of the world anew, and take more than the server."""
AT_ONCE: Final = 16
"""People who do something at the same moment: as many as some thousands who read and type in between."""

PAGES = """
name: five-pages
title: Five pages
steps:
""" + "".join(
    f"""  - id: page{number}
    form:
      title: Page {number}
      schema:
        type: object
        required: [name, email]
        properties:
          name: {{type: string, title: Name, maxLength: 100}}
          email: {{type: string, format: email, title: E-mail}}
          founded: {{type: string, format: date, title: Founded}}
          note: {{type: string, title: Note}}
"""
    for number in range(1, 6)
)
FILLED = {"/name": "Anna Nowak", "/email": "anna@example.com", "/note": "x" * 500}


@dataclass
class Times:
    """Seconds that answers took, by what was done."""

    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def post(self, what: str, client: httpx.AsyncClient, url: str, data: Any) -> httpx.Response:
        began = time.perf_counter()
        answer = await client.post(url, data=data, headers={"X-Passerelle-Fragment": "1"})
        self.taken[what].append(time.perf_counter() - began)
        answer.raise_for_status()
        return answer


async def submissions(report: Any) -> None:
    """Five forms each, one after another."""
    with running() as passerelle:
        definition_id = passerelle.push(PAGES)
        times = Times()
        places = asyncio.Semaphore(AT_ONCE)
        began = time.perf_counter()
        await asyncio.gather(*[_onboard(passerelle, definition_id, times, places) for _ in range(PEOPLE)])
        took = time.perf_counter() - began
    for what, taken in times.taken.items():
        cuts = statistics.quantiles(taken, n=100)
        report.line(what, p50_ms=round(cuts[49] * 1000, 1), p99_ms=round(cuts[98] * 1000, 1), of=len(taken))
    report.line("  all of it", people_per_second=round(PEOPLE / took, 1), at_once=AT_ONCE)


async def _onboard(passerelle: Passerelle, definition_id: str, times: Times, places: asyncio.Semaphore) -> None:
    async with places, httpx.AsyncClient(base_url=passerelle.url, timeout=30, verify=NO_TLS) as client:
        made = await client.post("/link", json={"workflowDefinitionId": definition_id}, headers=passerelle.headers)
        path = httpx.URL(made.raise_for_status().json()["link"]).path
        challenge = await client.post(f"{path}/challenge")
        started = await client.post(f"{path}/start", data=challenge.json())
        page = (await client.get(started.headers["location"])).text
        for _ in range(5):
            (action,) = set(re.findall(r'action="(/x/[^"]+/\d+)"', page))
            token = re.findall(r'name="_token" value="([^"]+)"', page)[0]
            data = {"_token": token, **FILLED}
            await times.post("what is typed, kept", client, f"{action}/draft", data)
            page = (await times.post("form, submit to next page", client, action, data)).text
