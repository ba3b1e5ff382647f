"""Events that come wrong, too early, twice or too late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from passerelle.app.services import Services
from tests.integration.secrets.product import Product, joined, opened

TWO = """
name: two-events
parameters: {pause: {type: boolean, default: false}}
steps:
  - id: rest
    when: parameters.pause
    event: {name: go}
  - id: pay
    event: {name: paid, schema: {type: object, required: [amount], properties: {amount: {type: number}}}}
  - id: again
    event: {name: paid}
result: {first: "${steps.pay}", second: "${steps.again}"}
"""


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str]) -> AsyncIterator[Product]:
    async with joined(*running) as joining:
        yield joining


async def send(product: Product, workflow: dict[str, Any], body: Any, name: str = "paid", **headers: str) -> Any:
    return await product.api.post(f"/workflows/{workflow['id']}/events/{name}", json=body, headers=headers)


def waits(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [wait["step"] for wait in answer.json()["waitingFor"]]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


async def test_an_event_that_comes_twice_feeds_two_steps_and_a_third_is_refused(product: Product) -> None:
    workflow = await product.run(TWO)
    assert waits(await send(product, workflow, {"amount": 1})) == ["again"]
    assert waits(await send(product, workflow, {"amount": 2})) == []
    result = (await product.api.get(f"/workflows/{workflow['id']}/result")).json()["result"]
    assert result == {"first": {"amount": 1}, "second": {"amount": 2}}
    assert code(await send(product, workflow, {"amount": 3})) == (409, "WORKFLOW_ENDED")


async def test_a_request_that_is_repeated_is_one_event(product: Product) -> None:
    workflow, key = await product.run(TWO), uuid4().hex
    for _ in range(2):
        assert waits(await send(product, workflow, {"amount": 1}, **{"Idempotency-Key": key})) == ["again"]


async def test_events_that_come_early_wait_for_their_steps_in_order(product: Product) -> None:
    workflow = await product.run(TWO, pause=True)
    for amount in (1, 2):
        assert waits(await send(product, workflow, {"amount": amount})) == ["rest"]
    assert waits(await send(product, workflow, None, "go")) == []
    result = (await product.api.get(f"/workflows/{workflow['id']}/result")).json()["result"]
    assert result == {"first": {"amount": 1}, "second": {"amount": 2}}


ONE = """
name: one-event
steps:
  - id: pay
    event: {name: paid, schema: {type: object, required: [amount], properties: {amount: {type: number}}}}
"""


@pytest.mark.parametrize("body", [{"amount": "much"}, {}, None, [1], "x"])
async def test_a_wrong_body_is_refused_and_the_step_goes_on_waiting(product: Product, body: Any) -> None:
    workflow = await product.run(ONE)
    assert code(await send(product, workflow, body)) == (400, "EVENT_BODY_INVALID")
    assert waits(await product.api.get(f"/workflows/{workflow['id']}")) == ["pay"]


async def test_an_event_that_no_step_takes_and_an_execution_that_is_not_there(product: Product) -> None:
    workflow = await product.run(ONE)
    assert code(await send(product, workflow, None, "payed")) == (404, "EVENT_UNKNOWN")
    assert code(await send(product, {"id": UUID(int=7)}, None)) == (404, "WORKFLOW_NOT_FOUND")
    path = f"/workflows/{workflow['id']}/events/paid"
    assert code(await product.stranger.post(path, json={"amount": 1})) == (404, "WORKFLOW_NOT_FOUND")


STRICT = """
name: strict-and-loose
parameters: {pause: {type: boolean, default: false}}
steps:
  - id: rest
    when: parameters.pause
    event: {name: go}
  - id: strict
    event: {name: paid, schema: {type: object, required: [amount]}}
  - id: loose
    event: {name: paid}
  - id: last
    event: {name: end}
result: {strict: "${steps.strict}", loose: "${steps.loose}"}
"""


@pytest.mark.parametrize("pause", [True, False])
async def test_an_event_that_was_accepted_waits_for_a_step_that_it_fits(product: Product, pause: bool) -> None:
    workflow = await product.run(STRICT, pause=pause)
    assert waits(await send(product, workflow, {"note": "?"})) == ["rest" if pause else "strict"]
    if pause:
        assert waits(await send(product, workflow, None, "go")) == ["strict"]
    assert waits(await send(product, workflow, {"amount": 1})) == ["last"]
    assert code(await send(product, workflow, {"amount": 1})) == (404, "EVENT_UNKNOWN")
    await send(product, workflow, None, "end")
    result = (await product.api.get(f"/workflows/{workflow['id']}/result")).json()["result"]
    assert result == {"strict": {"amount": 1}, "loose": {"note": "?"}}


async def test_so_many_events_wait_for_their_step_and_no_more(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = await product.run(TWO, pause=True)
    monkeypatch.setattr("passerelle.workflows.preconditions.EVENT_BYTES_WAITING", 30)
    assert (await send(product, workflow, {"amount": 1})).status_code == 200
    assert code(await send(product, workflow, {"amount": 10**15})) == (409, "EVENTS_TOO_MANY")
    monkeypatch.setattr("passerelle.workflows.preconditions.EVENTS_WAITING", 1)
    assert code(await send(product, workflow, {"amount": 2})) == (409, "EVENTS_TOO_MANY")
    assert waits(await send(product, workflow, {}, "go")) == ["again"]
