"""What is done most costs few statements: each is a round trip, for one person as for a thousand."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from passerelle.app.services import Services
from passerelle.kit.connections import OwnConnection
from tests.integration.secrets.product import BASE_URL, Product, joined, opened

PAGES = "name: pages\nsteps:\n" + "".join(
    f"""  - id: {step}
    form:
      title: {step}
      schema: {{type: object, required: [name], properties: {{name: {{type: string, title: Name}}}}}}
"""
    for step in ("first", "second", "third", "fourth")
)


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str]) -> AsyncIterator[Product]:
    async with joined(*running) as joining:
        yield joining


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is sent to the database, whatever for, by whole statements."""
    sent: list[str] = []

    def counted(name: str) -> Any:
        plain = getattr(OwnConnection, name)

        async def send(self: OwnConnection, statement: str, *arguments: Any, **options: Any) -> Any:
            # Jobs and clocks go on beside the page, and may open a connection of their own.
            if not re.search("pgqueuer|clock_timestamp|seal_audit|idle_in_transaction_session_timeout", statement):
                sent.append(" ".join(statement.split()))
            return await plain(self, statement, *arguments, **options)

        return send

    for name in ("execute", "executemany", "fetch", "fetchrow", "fetchval"):
        monkeypatch.setattr(OwnConnection, name, counted(name))
    return sent


class Guest:
    """A browser at an execution."""

    def __init__(self, client: httpx.AsyncClient, page: str, address: str) -> None:
        self.client = client
        self.page = page
        self.address = address

    @classmethod
    async def come(cls, client: httpx.AsyncClient, link: str) -> Guest:
        """Open a link and press *Start*."""
        path = httpx.URL(link).path
        challenge = await client.post(f"{path}/challenge")
        started = await client.post(f"{path}/start", data=challenge.json())
        address = started.headers["location"]
        return cls(client, (await client.get(address)).text, address)

    async def send(self, name: str, *, draft: bool = False) -> None:
        """Fill in the form that is shown, and submit it or only type."""
        (action,) = set(re.findall(r'action="(/x/[^"]+/\d+)"', self.page))
        token = re.findall(r'name="_token" value="([^"]+)"', self.page)[0]
        data = {"_token": token, "/name": name}
        answer = await self.client.post(
            f"{action}/draft" if draft else action, data=data, headers={"X-Passerelle-Fragment": "1"}
        )
        assert answer.status_code == 200, answer.text
        if not draft:
            self.page = answer.text


async def test_a_submission_takes_four_statements_and_a_page_two(product: Product, statements: list[str]) -> None:
    pushed = await product.push(PAGES)
    made = await product.api.post("/link", json={"workflowDefinitionId": pushed.json()["id"]})
    transport = httpx.ASGITransport(product.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as browser:
        guest = await Guest.come(browser, made.json()["link"])
        await guest.send("Anna")

        async def read() -> None:
            shown = await browser.get(guest.address)
            assert 'name="/name"' in shown.text

        assert len(await _fewest(statements, lambda: guest.send("Ann", draft=True))) <= 3
        sent = await _fewest(statements, lambda: guest.send("Anna"), times=2)
        assert len(sent) <= 4, sent
        assert sum("FROM execution e" in one for one in sent) == 1, sent
        assert len(await _fewest(statements, read)) <= 2


async def _fewest(statements: list[str], act: Callable[[], Awaitable[None]], times: int = 3) -> list[str]:
    """The statements of the cheapest of some times: on a slow machine what is remembered for seconds runs out between."""
    seen = []
    for _ in range(times):
        statements.clear()
        await act()
        seen.append(list(statements))
    return min(seen, key=len)


async def test_a_change_of_a_record_takes_five_statements_with_its_audit(
    product: Product, statements: list[str]
) -> None:
    fields = [{"name": "code", "type": "text", "unique": True}, {"name": "score", "type": "integer", "indexed": True}]
    (await product.api.post("/tables", json={"name": "clients", "fields": fields})).raise_for_status()
    by_code = "/tables/clients/records/by/code"
    made = await product.api.put(f"{by_code}/one", json={"score": 1})
    record = f"/tables/clients/records/{made.json()['id']}"
    scores = itertools.count()
    for most, method, path in ((5, "PATCH", record), (6, "PUT", f"{by_code}/one"), (7, "PUT", f"{by_code}/{{}}")):

        async def change(method: str = method, path: str = path) -> None:
            score = next(scores)
            answer = await product.api.request(method, path.format(score), json={"score": score})
            assert answer.is_success, answer.text

        sent = await _fewest(statements, change)
        assert len(sent) <= most, sent
