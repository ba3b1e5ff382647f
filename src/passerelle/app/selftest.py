"""`passerelle selftest`: what Passerelle promises, tried on a running installation from outside.

It works as an integrator's program does: over HTTP, with an `Idempotency-Key`, and it repeats what was not answered. So
processes may be stopped, killed and upgraded while it runs, and what it counts at the end must be right all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from passerelle.app.throwaway import Throwaway

AT_ONCE: Final = 8
AGAIN_FOR: Final = 60.0
"""Seconds for which a request that was not answered is repeated."""
ENDS_WITHIN: Final = 120.0
"""Seconds for all that was acknowledged to end."""
RIVALS: Final = 20
_AGAIN: Final = frozenset({429, 502, 503, 504})
TABLE: Final = {"name": "selftest", "fields": [{"name": "number", "type": "text", "unique": True, "indexed": True}]}
DEFINITION: Final = """
name: selftest
parameters:
  number: {type: number, required: true}
steps:
  - {id: before, set: {double: "${parameters.number * 2}"}}
  - {id: pause, wait: {for: 1s}}
  - {id: after, set: {same: "${steps.before.double / 2}"}}
result:
  number: "${steps.after.same}"
"""
STEPS: Final = Counter({"before": 1, "pause": 1, "after": 1})


class NotKeptError(Exception):
    """A promise was not kept; the message says which."""


@dataclass(slots=True)
class Client:
    """An integrator's program."""

    http: httpx.AsyncClient
    repeated: int = 0
    """Requests that had to be repeated, because nobody answered or the answer was to try again."""

    async def ask(
        self, method: str, path: str, *, key: str | None = None, kind: str | None = None, **rest: Any
    ) -> httpx.Response:
        """The answer, as soon as there is one. Raises `NotKeptError` where none comes."""
        until = time.monotonic() + AGAIN_FOR
        given = {"Idempotency-Key": key, "Content-Type": kind}
        headers = {name: value for name, value in given.items() if value is not None}
        while True:
            said = "no answer"
            try:
                answer = await self.http.request(method, path, headers=headers, **rest)
                if "IDEMPOTENCY_KEY_IN_USE" in answer.text:
                    await asyncio.sleep(0.1)  # its twin is under way, as it should be
                    continue
                if answer.status_code not in _AGAIN:
                    return answer
                said = f"{answer.status_code} {answer.text[:200]}"
            except httpx.TransportError as error:
                said = str(error) or type(error).__name__
            if time.monotonic() > until:
                raise NotKeptError(f"{method} {path}: for {AGAIN_FOR:g} seconds: {said}")
            self.repeated += 1
            await asyncio.sleep(0.5)

    async def get(self, method: str, path: str, **rest: Any) -> Any:
        """What a request that must succeed is answered."""
        answer = await self.ask(method, path, **rest)
        if not answer.is_success:
            raise NotKeptError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None


@dataclass(slots=True)
class SelfTest:
    """One run. `tell`: hears of each promise that was kept."""

    client: Client
    stranger: Client
    """In another workspace."""
    seconds: float
    runs: int
    tell: Callable[[str], None]
    executions: dict[int, str] = field(default_factory=dict)
    """Those that were acknowledged, by their number."""

    async def run(self) -> None:
        """Everything. Raises `NotKeptError` with the first promise that was not kept."""
        await self._ready()
        await self.client.get("POST", "/tables", json=TABLE)
        await self._start_many()
        await self._unique_once()
        await self._file()
        await self._all_end()
        await self._steps_once()
        await self._told_once()
        await self._kept_apart()

    async def _ready(self) -> None:
        answer = await self.client.ask("GET", "/health/ready")
        _require(answer.status_code == 200, f"/health/ready answers {answer.status_code}: {answer.text[:200]}")
        self.tell("it is ready")

    async def _start_many(self) -> None:
        """Each request twice at once, with one key; for so long, and so many at least."""
        definition = await self._pushed()
        until, numbers = time.monotonic() + self.seconds, iter(range(1_000_000))

        async def start() -> None:
            for number in numbers:
                if number >= self.runs and time.monotonic() >= until:
                    return
                body = {"workflowDefinitionId": definition, "parameters": {"number": number}}
                key = secrets.token_hex(16)
                twice = await asyncio.gather(
                    *(self.client.get("POST", "/workflows", key=key, json=body) for _ in range(2))
                )
                ids = {one["id"] for one in twice}
                _require(len(ids) == 1, f"one Idempotency-Key began {len(ids)} executions")
                self.executions[number] = ids.pop()

        await asyncio.gather(*(start() for _ in range(AT_ONCE)))
        self.tell(f"{len(self.executions):,} requests, each sent twice, began {len(self.executions):,} executions")

    async def _pushed(self) -> str:
        pushed = await self.client.get(
            "POST", "/definitions", content=DEFINITION, params={"publish": "true"}, kind="application/yaml"
        )
        return str(pushed["id"])

    async def _unique_once(self) -> None:
        path = "/tables/selftest/records"
        answers = await asyncio.gather(
            *(self.client.ask("POST", path, key=secrets.token_hex(16), json={"number": "1"}) for _ in range(RIVALS))
        )
        taken = sum(answer.status_code == 201 for answer in answers)
        _require(taken == 1, f"{taken} of {RIVALS} records that came at once have the same unique value")
        self.tell(f"of {RIVALS} records with one unique value that came at once one was taken")

    async def _file(self) -> None:
        record = await self.client.get("POST", "/tables/selftest/records", json={"number": "2"})
        path, content = f"/tables/selftest/records/{record['id']}/attachments", secrets.token_hex(50_000).encode()
        files = {"file": ("selftest.txt", content, "text/plain")}
        made = await self.client.get("POST", path, key=secrets.token_hex(16), files=files)
        link = await self.client.get("GET", f"{path}/{made['id']}")
        found = await self.client.ask("GET", link["link"])
        same = hashlib.sha256(found.content).digest() == hashlib.sha256(content).digest()
        _require(same, "a file came back otherwise than it was sent")
        self.tell("a file came back as it was sent")

    async def _all_end(self) -> None:
        until = time.monotonic() + ENDS_WITHIN
        left = set(self.executions.values())
        while left:
            for one in list(left)[: AT_ONCE * 4]:
                found = await self.client.get("GET", f"/workflows/{one}")
                if found["status"] == "COMPLETED":
                    left.discard(one)
                elif found["status"] not in ("RUNNING", "AWAITING"):
                    raise NotKeptError(f"the execution {one} is {found['status']}: {found.get('error')}")
            _require(
                not left or time.monotonic() < until,
                f"{len(left)} of {len(self.executions)} executions have not ended in {ENDS_WITHIN:g} s: "
                "does a worker run?",
            )
            await asyncio.sleep(0.2 if left else 0)
        self.tell("all of them ended, which takes a worker")

    async def _steps_once(self) -> None:
        for number, one in self.executions.items():
            timeline, result = await asyncio.gather(
                self.client.get("GET", f"/workflows/{one}/timeline"), self.client.get("GET", f"/workflows/{one}/result")
            )
            done = Counter(step["step"] for step in timeline["steps"] if step["status"] == "COMPLETED")
            _require(done == STEPS, f"the execution {one} has recorded {dict(done)}")
            _require(result["result"] == {"number": number}, f"the execution {one} came to {result['result']}")
        self.tell("each step's result was recorded once, and is right")

    async def _told_once(self) -> None:
        """The events may be a moment behind: they are read in the order of transactions."""
        until = time.monotonic() + ENDS_WITHIN
        wanted, told, after = set(self.executions.values()), Counter[str](), None
        while True:
            params = {"types": "workflow.completed", "limit": "200", **({} if after is None else {"after": after})}
            page = await self.client.get("GET", "/events", params=params)
            told.update(one["data"]["workflowId"] for one in page["data"])
            after = page["next"]
            if not page["data"] and set(told) >= wanted:
                break
            _require(time.monotonic() < until, f"{len(wanted - set(told))} ends were not told as events")
            await asyncio.sleep(0 if page["data"] else 0.2)
        _require(set(told) == wanted and set(told.values()) == {1}, "an end was told twice, or one that was none")
        self.tell("each end was told once")

    async def _kept_apart(self) -> None:
        one = next(iter(self.executions.values()))
        for path in (f"/workflows/{one}", f"/workflows/{one}/timeline", "/tables/selftest", "/tables/selftest/records"):
            answer = await self.stranger.ask("GET", path)
            _require(answer.status_code == 404, f"another workspace's GET {path} is answered {answer.status_code}")
        listed = await self.stranger.get("GET", "/workflows")
        _require(listed["data"] == [], "another workspace sees executions")
        self.tell("another workspace sees nothing of it")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotKeptError(otherwise)


async def tried(
    url: str, own: Throwaway, stranger: Throwaway, seconds: float, runs: int, tell: Callable[[str], None]
) -> int:
    """Try everything at `url`; how many requests had to be repeated. Raises `NotKeptError`."""

    def client(token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json;version=2"}
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)

    async with client(own.token) as mine, client(stranger.token) as theirs:
        test = SelfTest(Client(mine), Client(theirs), seconds, runs, tell)
        await test.run()
        return test.client.repeated + test.stranger.repeated
