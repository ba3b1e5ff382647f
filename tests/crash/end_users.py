"""People with browsers, who try again when a server is gone."""

from __future__ import annotations

import asyncio
import random
import re
import time
from html import unescape
from typing import Any

import httpx

_AGAIN = 0.2
"""Seconds until somebody presses the button again."""


async def persistent(
    client: httpx.AsyncClient, urls: list[str], method: str, path: str, *, within: float, **request: Any
) -> httpx.Response:
    """The answer to a request that is sent, here or there, until a server has answered it for good."""
    deadline = time.monotonic() + within
    for attempt in range(100_000):
        try:
            answer = await client.request(method, urls[attempt % len(urls)] + path, **request)
        except httpx.HTTPError:
            answer = None
        if answer is not None and answer.status_code < 500 and "IDEMPOTENCY_KEY_IN_USE" not in answer.text:
            return answer
        said = "nothing answers" if answer is None else answer.text[:300]
        assert time.monotonic() < deadline, f"{method} {path}: {said} for {within} s"
        await asyncio.sleep(_AGAIN)
    raise AssertionError


class Person:
    """Somebody with a phone, who got a link."""

    def __init__(self, urls: list[str], random_: random.Random) -> None:
        self._urls = urls
        self._random = random_
        self._client = httpx.AsyncClient(timeout=10)
        self.screen = ""

    async def __aenter__(self) -> Person:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def start(self, path: str) -> None:
        """Open the link and press the button, with the page's script."""
        assert (await self._ask("GET", path)).status_code == 200
        challenge = await self._ask("POST", f"{path}/challenge")
        started = await self._ask("POST", f"{path}/start", data=challenge.json())
        assert started.status_code == 303, started.text
        self.here = started.headers["location"]

    async def look(self) -> str:
        """Load the page; what it shows."""
        answer = await self._ask("GET", self.here)
        assert answer.status_code == 200, answer.text
        self.screen = answer.text
        return self.screen

    async def see(self, field: str, within: float) -> None:
        """Load the page until it asks for a field."""
        await self.wait_for(lambda page: f'name="/{field}"' in page, within)

    async def wait_for(self, shown: Any, within: float) -> None:
        """Load the page until it shows something."""
        deadline = time.monotonic() + within
        while not shown(await self.look()):
            assert time.monotonic() < deadline, self.screen
            await asyncio.sleep(_AGAIN)

    def typed(self, field: str) -> str:
        """What stands in a field."""
        (value,) = re.findall(rf'name="/{field}" value="([^"]*)"', self.screen)
        return unescape(str(value))

    async def type(self, **fields: str) -> None:
        """Type into fields; the page's script keeps it."""
        kept = await self._ask("POST", f"{self._step}/draft", data=self._data(fields))
        assert kept.status_code == 200, kept.text

    async def submit(self, **fields: str) -> httpx.Response:
        """Press the button that goes on, now and then twice."""
        step, data = self._step, self._data(fields)
        answer = await self._ask("POST", step, data=data)
        if self._random.random() < 0.3:
            await self._ask("POST", step, data=data)
        return answer

    @property
    def _step(self) -> str:
        (action,) = set(re.findall(r'action="(/x/[^"]+/\d+)"', self.screen))
        return str(action)

    def _data(self, fields: dict[str, str]) -> dict[str, str]:
        token = re.findall(r'name="_token" value="([^"]+)"', self.screen)[0]
        return {"_token": token, **{f"/{name}": value for name, value in fields.items()}}

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        urls = self._random.sample(self._urls, len(self._urls))
        return await persistent(self._client, urls, method, path, within=60, **request)
