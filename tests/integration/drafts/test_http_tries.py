"""An `http` step tried for real while it is written: guarded as a run is, with no secret shown, and not without end."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from passerelle.drafts import trying
from passerelle.engine.http.trying import SHOWN
from passerelle.kit.json import dumps
from passerelle.kit.rates import Limit
from tests.integration.kit.outgoing.loopback import Connection, answering, serving
from tests.integration.secrets.product import Product

SECRET = "k3y-of-the-registry"


def written(url: str, more: dict[str, Any] | None = None, **http: Any) -> str:
    """A definition whose step `ask` sends a request, inside of another step."""
    asking: dict[str, Any] = {"id": "ask", "http": {"url": url, **http}, **(more or {})}
    who: dict[str, Any] = {"id": "who", "set": {"name": "Ada"}}
    return dumps({"name": "opening", "steps": [who, {"id": "all", "each": {"in": ["a"], "steps": [asking]}}]})


async def tried(client: httpx.AsyncClient, text: str, step: str = "ask", **values: Any) -> dict[str, Any]:
    answer = await client.post("/definitions/try", json={"text": text, "step": step, "values": values})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def codes(answer: httpx.Response) -> list[str]:
    return [one["code"] for one in answer.json()["errors"]]


async def never(connection: Connection) -> None:
    await connection.head()
    await connection.reader.read()


async def test_a_request_goes_out_with_sample_values_and_shows_what_came_back(product: Product) -> None:
    echo = answering("HTTP/1.1 200 OK\nContent-Type: application/json\nSet-Cookie: session=abcdef", b'{"age": 3}')
    async with serving(echo) as server:
        url = f"http://127.0.0.1:{server.port}/p"
        text = written(url, method="POST", query={"of": "${steps.who.name}"}, body={"n": "${item}"})
        told = await tried(product.api, text, steps={"who": {"name": "Bo"}}, item=7)
    assert server.heads[0].startswith(b"POST /p?of=Bo HTTP/1.1")
    assert (told["request"]["url"], told["request"]["body"]) == (f"{url}?of=Bo", '{"n":7}')
    assert (told["response"]["status"], told["response"]["body"], told["response"]["isCut"]) == (
        200,
        '{"age": 3}',
        False,
    )
    assert told["response"]["headers"]["set-cookie"] == "•••"
    assert (told["output"]["body"], told["failure"]) == ({"age": 3}, None)


async def test_no_secret_is_shown_of_what_went_out_or_came_back(product: Product) -> None:
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": SECRET})
    await product.api.put("/secrets/PIN", json={"value": "42"})
    echo = answering(f"HTTP/1.1 403 No\nX-Seen: {SECRET}", f"not you, {SECRET}".encode())
    async with serving(echo) as server:
        headers = {"Authorization": "Bearer ${secrets.REGISTRY_KEY}", "X-Key": "${secrets.REGISTRY_KEY}"}
        query = {"key": "${secrets.REGISTRY_KEY}", "pin": "${secrets.PIN}"}
        url = f"http://127.0.0.1:{server.port}/"
        told = await tried(product.api, written(url, headers=headers, query=query), secrets={"REGISTRY_KEY": "mine"})
    assert f"Bearer {SECRET}".encode() in server.heads[0], "samples take no secret's place"
    assert SECRET not in dumps(told)
    assert told["request"]["url"] == f"{url}?key=•••&pin=•••"
    assert (told["response"]["body"], told["failure"]["code"]) == ("not you, •••", "HTTP_STATUS_UNEXPECTED")


@pytest.mark.parametrize(
    ("status", "more", "retried"),
    [("503 Busy", {}, True), ("404 No", {}, False), ("503 Busy", {"retry": {"attempts": 1}}, False)],
)
async def test_it_says_how_the_step_would_fail_and_whether_a_run_would_try_again(
    product: Product, status: str, more: dict[str, Any], retried: bool
) -> None:
    async with serving(answering(f"HTTP/1.1 {status}", b"x")) as server:
        told = await tried(product.api, written(f"http://127.0.0.1:{server.port}/", more))
    assert server.connections == 1
    assert (told["failure"]["code"], told["failure"]["retried"]) == ("HTTP_STATUS_UNEXPECTED", retried)


async def test_a_long_body_is_cut_and_that_is_told(product: Product) -> None:
    long = answering("HTTP/1.1 200 OK\nContent-Type: text/plain", b"x" * (SHOWN + 1))
    async with serving(long) as server:
        told = (await tried(product.api, written(f"http://127.0.0.1:{server.port}/")))["response"]
    assert (len(told["body"]), told["size"], told["isCut"]) == (SHOWN, SHOWN + 1, True)


@pytest.mark.parametrize("host", ["169.254.169.254", "[::1]", "10.0.0.1"])
async def test_private_addresses_are_refused_as_in_a_run(product: Product, host: str) -> None:
    told = await tried(product.api, written(f"http://{host}/"))
    assert (told["failure"]["code"], told["response"]) == ("EGRESS_REFUSED", None)


@pytest.mark.parametrize(
    ("of_request", "of_step", "code"),
    [({"timeout": "200ms"}, {}, "HTTP_TIMEOUT"), ({}, {"timeout": "200ms"}, "STEP_TIMEOUT")],
)
async def test_an_answer_that_never_comes_is_waited_for_as_long_as_in_a_run(
    product: Product, of_request: dict[str, Any], of_step: dict[str, Any], code: str
) -> None:
    async with serving(never) as server:
        text = written(f"http://127.0.0.1:{server.port}/", of_step, **of_request)
        told = await tried(product.api, text)
    assert (told["failure"]["code"], told["failure"]["retried"]) == (code, True)


async def test_values_that_make_no_request_say_why(product: Product) -> None:
    told = await tried(product.api, written("http://127.0.0.1/${steps.who.name}"), steps={"who": {}})
    assert (told["request"], told["failure"]["code"]) == (None, "EXPRESSION_FAILED")
    other = await tried(product.api, written("http://127.0.0.1/${steps.who.name}"), steps={"who": {"name": None}})
    assert other["failure"]["code"] == "EXPRESSION_FAILED"


async def test_a_text_with_problems_and_a_step_that_sends_nothing_are_refused(product: Product) -> None:
    async def sent(text: str, step: str) -> list[str]:
        answer = await product.api.post("/definitions/try", json={"text": text, "step": step})
        assert answer.status_code == 400
        return codes(answer)

    assert await sent("name: [", "ask") == ["STEP_NOT_TRIED"]
    assert await sent(written("http://127.0.0.1/"), "who") == ["STEP_NOT_TRIED"]
    assert await sent(written("http://127.0.0.1/"), "nothing") == ["STEP_NOT_TRIED"]
    wrong = await product.api.post("/definitions/try", json={"text": 1, "values": []})
    assert len(codes(wrong)) == 3


async def test_another_workspace_sends_none_of_its_secrets(product: Product) -> None:
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": SECRET})
    text = written("http://127.0.0.1/", headers={"X-Key": "${secrets.REGISTRY_KEY}"})
    answer = await product.stranger.post("/definitions/try", json={"text": text, "step": "ask"})
    assert codes(answer) == ["STEP_NOT_TRIED"]
    assert "REGISTRY_KEY" in answer.text


async def test_where_two_persons_publish_nobody_sends_secrets_alone(product: Product) -> None:
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": SECRET})
    assert (await product.api.put("/publishing", json={"secondPerson": True})).is_success
    async with serving(answering("HTTP/1.1 204 No Content")) as server:
        url = f"http://127.0.0.1:{server.port}/"
        text = written(url, headers={"X-Key": "${secrets.REGISTRY_KEY}"})
        answer = await product.api.post("/definitions/try", json={"text": text, "step": "ask"})
        assert (answer.status_code, codes(answer), server.connections) == (409, ["HTTP_TRY_NEEDS_ANOTHER"], 0)
        assert (await tried(product.api, written(url)))["response"]["status"] == 204


@pytest.mark.parametrize("alone", ["can_manage_definitions", "can_publish_definitions"])
async def test_who_may_not_write_and_publish_sends_nothing(product: Product, alone: str) -> None:
    """A secret could go anywhere in what is tried: it takes both to have that published."""
    body = {"name": "half", "kind": "token", "permissions": [alone]}
    key = (await product.api.post("/keys", json=body)).json()["secret"]
    body = {"text": written("http://127.0.0.1/"), "step": "ask"}
    answer = await product.api.post("/definitions/try", json=body, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, codes(answer)) == (403, ["PERMISSION_DENIED"])


async def test_tries_are_written_down_and_there_are_not_too_many(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "TRIES", Limit("http_try", 1, trying.TRIES.window))
    text = written("http://10.0.0.1/")
    await tried(product.api, text)
    full = await product.api.post("/definitions/try", json={"text": text, "step": "ask"})
    assert (full.status_code, codes(full)) == (429, ["HTTP_TRIES_TOO_MANY"])
    assert int(full.headers["Retry-After"]) > 0
    entries = (await product.api.get("/audit", params={"action": "tryHttpStep"})).json()["data"]
    assert [one["outcome"] for one in entries] == ["done"]
