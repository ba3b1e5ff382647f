"""Secrets are written, used and never read back, whatever the other side does with them."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.integration.secrets.product import Product

SECRET = 'k3y/with "quotes" & ünïcode'


def definition(url: str, *, header: str = "Bearer ${secrets.REGISTRY_KEY}", name: str = "asks") -> str:
    step = {"url": url, "method": "POST", "headers": {"X-Key": header}, "body": {"key": "${secrets.REGISTRY_KEY}"}}
    return json.dumps({"name": name, "steps": [{"id": "ask", "http": step, "retry": {"attempts": 1}}]})


@pytest.fixture
async def echo() -> AsyncIterator[str]:
    """A server that repeats whatever it is sent; its status is the last part of the path."""

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        sent = await reader.readexactly(length)
        key = next(line[7:] for line in head.split(b"\r\n") if line.lower().startswith(b"x-key:"))
        status = head.split(b" ")[1].rsplit(b"/", 1)[-1]
        value = json.loads(sent)["key"]
        repeated = {
            "body": json.loads(sent),
            "text": json.dumps(json.loads(sent)),
            "path": quote(value),
            "page": html.escape(value),
            "basic": base64.b64encode(value.encode()).decode().rstrip("="),
        }
        body = json.dumps(repeated).encode()
        writer.write(b"HTTP/1.1 %s Repeated\r\nContent-Type: application/json\r\nX-Repeated: %s\r\n" % (status, key))
        writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(repeat, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_written_listed_written_again_and_deleted(product: Product) -> None:
    api = product.api
    for value in ("first", "second"):
        answer = await api.put("/secrets/REGISTRY_KEY", json={"value": value})
        assert (answer.status_code, answer.content) == (204, b"")
    await api.put("/secrets/ANOTHER", json={"value": "x" * 8192})
    listed = (await api.get("/secrets")).json()
    assert [(entry["name"], entry["version"], entry["updatedBy"]) for entry in listed["data"]] == [
        ("ANOTHER", 1, "ops"),
        ("REGISTRY_KEY", 2, "ops"),
    ]
    assert set(listed["data"][0]) == {"name", "version", "updatedDate", "updatedBy"}
    page = (await api.get("/secrets", params={"limit": 1})).json()
    rest = (await api.get("/secrets", params={"limit": 1, "after": page["next"]})).json()
    assert [page["data"][0]["name"], rest["data"][0]["name"], rest["next"]] == ["ANOTHER", "REGISTRY_KEY", None]
    assert (await api.delete("/secrets/ANOTHER")).status_code == 204
    gone = await api.delete("/secrets/ANOTHER")
    assert (gone.status_code, gone.json()["errors"][0]["code"]) == (404, "SECRET_NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("registry-key", {"value": SECRET}, "SECRET_NAME_INVALID"),
        ("KEY", {"value": ""}, "FIELD_INVALID"),
        ("KEY", {"value": SECRET * 400}, "FIELD_INVALID"),
        ("KEY", {"value": [SECRET]}, "FIELD_TYPE"),
        ("KEY", {"value": {"key": SECRET}}, "FIELD_TYPE"),
        ("KEY", {"value": SECRET + "\0"}, "FIELD_INVALID"),
        ("KEY", {"value": "x", "note": SECRET}, "FIELD_UNKNOWN"),
        ("KEY", {}, "FIELD_REQUIRED"),
        ("KEY", SECRET, "BODY_NOT_OBJECT"),
    ],
)
async def test_a_refusal_repeats_nothing_of_the_value(product: Product, name: str, body: Any, code: str) -> None:
    with capture_logs() as logs:
        answer = await product.api.put(f"/secrets/{name}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert "k3y" not in answer.text
    assert "k3y" not in repr(logs)


async def test_another_workspace_has_other_secrets(product: Product) -> None:
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": SECRET})
    assert (await product.stranger.get("/secrets")).json()["data"] == []
    assert (await product.stranger.delete("/secrets/REGISTRY_KEY")).status_code == 404
    await product.stranger.put("/secrets/REGISTRY_KEY", json={"value": "theirs"})
    assert await product.services.secrets.values(product.workspace_id) == {"REGISTRY_KEY": SECRET}


async def test_the_other_side_gets_it_and_nothing_shows_it_though_it_is_repeated(
    product: Product, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": "k3y-of-the-register"})
    shown: list[str] = []
    with capture_logs() as logs:
        for status, expected in ((200, "COMPLETED"), (418, "FAILED")):
            started = await product.run(definition(f"{echo}/{status}"))
            assert started["status"] == expected
            for path in ("", "/timeline", "/result"):
                shown.append((await product.api.get(f"/workflows/{started['id']}{path}")).text)
        shown.append((await product.api.get("/workflows")).text)
    timeline = json.loads(shown[1])["steps"][0]
    assert timeline["output"]["body"]["body"] == {"key": "•••"}, "it was sent and came back, and is masked"
    assert timeline["output"]["headers"]["x-repeated"] == "Bearer •••"
    assert timeline["input"]["headers"]["X-Key"] == "Bearer •••"
    assert '"X-Repeated"' in shown[4] or "x-repeated" in shown[4], "the failure shows the answer"
    for text in (*shown, repr(logs), caplog.text, await everything_stored(product.database_url)):
        assert "k3y" not in text


async def test_a_secret_in_a_url_and_in_quotes_is_masked_in_every_form(product: Product, echo: str) -> None:
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": SECRET})
    started = await product.run(definition(f"{echo}/200", header="plain"))
    timeline = await product.api.get(f"/workflows/{started['id']}/timeline")
    output = timeline.json()["steps"][0]["output"]["body"]
    assert output.pop("text").replace(" ", "") == '{"key":"•••"}'
    assert output == {"body": {"key": "•••"}, "path": "•••", "page": "•••", "basic": "•••"}


async def test_a_definition_may_only_name_secrets_that_are_there(product: Product) -> None:
    text = definition("https://a.example/", name="names")
    await product.api.put("/secrets/REGISTRY_KEX", json={"value": "x"})
    for publish in ("true", "false"):
        refused = await product.push(text, publish=publish)
        assert refused.status_code == 400
        sentences = [error["message"] for error in refused.json()["errors"]]
        assert all(
            "has no secret `REGISTRY_KEY`; did you mean `REGISTRY_KEX`?" in sentence for sentence in sentences
        ), sentences
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": "x"})
    assert (await product.push(text)).status_code == 201


async def test_publishing_an_older_revision_asks_for_its_secrets_again(product: Product) -> None:
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": "x"})
    first = (await product.push(definition("https://a.example/", name="older"))).json()
    await product.push('{"name": "older", "steps": [{"id": "a", "set": {"x": 1}}]}')
    await product.api.delete("/secrets/REGISTRY_KEY")
    publish = f"/definitions/{first['id']}/publish"
    refused = await product.api.post(publish, json={"revision": 1})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "DEFINITION_INVALID")
    assert (await product.api.get(f"/definitions/{first['id']}")).json()["revision"] == 2
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": "x"})
    assert (await product.api.post(publish, json={"revision": 1})).json()["published"] is True
    missing = await product.api.post(publish, json={"revision": 9})
    assert missing.json()["errors"][0]["code"] == "REVISION_NOT_FOUND"


async def test_a_step_whose_secret_was_deleted_fails_clearly_and_goes_on_once_it_is_back(
    product: Product, echo: str
) -> None:
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": "first-value"})
    pushed = await product.push(definition(f"{echo}/200"))
    await product.api.delete("/secrets/REGISTRY_KEY")
    body = {"workflowDefinitionId": pushed.json()["id"]}
    failed = (await product.api.post("/workflows/run", json=body)).json()
    assert failed["status"] == "FAILED"
    error = (await product.api.get(f"/workflows/{failed['id']}")).json()["error"]
    assert error["code"] == "SECRET_MISSING"
    assert "no secret REGISTRY_KEY: set it with `passerelle secret set`" in error["message"]
    await product.api.put("/secrets/REGISTRY_KEY", json={"value": "second-value"})
    again = await product.api.post(f"/workflows/{failed['id']}/retry")
    assert again.status_code == 200


async def everything_stored(database_url: str) -> str:
    """Every row of every table, as the owner of the database sees them."""
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetch(
        "SELECT format('%I', relname) AS name FROM pg_class WHERE relkind IN ('r', 'p') "
        "AND relnamespace = 'public'::regnamespace"
    )
    rows = [await connection.fetch(f"SELECT t::text FROM {table['name']} t") for table in tables]
    # bytea shows as hexadecimal digits: look at the bytes, too.
    encrypted = await connection.fetch("SELECT value FROM workspace_secret")
    await connection.close()
    assert encrypted
    return repr(rows) + repr([bytes(row["value"]) for row in encrypted])
