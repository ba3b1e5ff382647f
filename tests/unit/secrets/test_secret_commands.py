"""`passerelle secret`: a value comes from standard input or a prompt, and shows nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from passerelle.cli import secrets as commands
from passerelle.kit.errors import CommandError

ENTRY = {"version": 2, "updatedDate": "2026-11-23T10:00:00.000Z", "updatedBy": "ops"}


class Server:
    """Stands for a running Passerelle: what it was asked, and what it answers next."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()

    @contextmanager
    def connected(*_: Any) -> Iterator[httpx.Client]:
        with httpx.Client(base_url="http://passerelle.test", transport=httpx.MockTransport(server.respond)) as client:
            yield client

    monkeypatch.setattr("passerelle.cli.api_client.connected", connected)
    return server


def run(*arguments: str, standard_input: str | bytes | None = None) -> Result:
    return CliRunner().invoke(commands.app, arguments, input=standard_input)


def test_set_sends_standard_input_without_its_last_line_break(server: Server) -> None:
    server.answers = [httpx.Response(204)]
    result = run("set", "KEY", standard_input="line one\nline two\n")
    (request,) = server.requests
    assert (request.method, request.url.path) == ("PUT", "/secrets/KEY")
    assert json.loads(request.content) == {"value": "line one\nline two"}
    assert result.output == "KEY is set\n"


def test_a_value_on_the_command_line_is_refused(server: Server) -> None:
    result = run("set", "KEY", "s3cret-value")
    assert result.exit_code == 2
    assert server.requests == []


def test_a_value_that_is_no_text_is_refused(server: Server) -> None:
    result = run("set", "KEY", standard_input=b"ab\xff")
    assert isinstance(result.exception, CommandError)
    assert "byte 2" in str(result.exception)
    assert server.requests == []


def test_what_the_server_refuses_is_said_in_its_words(server: Server) -> None:
    server.answers = [httpx.Response(400, json={"errors": [{"message": "not like this"}, {"message": "nor that"}]})]
    result = run("set", "KEY", standard_input="value")
    assert str(result.exception) == "not like this\nnor that"


def test_list_shows_every_page(server: Server) -> None:
    server.answers = [
        httpx.Response(200, json={"data": [{"name": "A", **ENTRY}], "next": "more"}),
        httpx.Response(200, json={"data": [{"name": "B", **ENTRY}], "next": None}),
    ]
    result = run("list")
    assert [line.split()[0] for line in result.output.splitlines()] == ["A", "B"]
    assert server.requests[1].url.params["after"] == "more"


def test_delete_names_the_secret(server: Server) -> None:
    server.answers = [httpx.Response(204)]
    assert run("delete", "KEY").output == "KEY is deleted\n"
    assert (server.requests[0].method, server.requests[0].url.path) == ("DELETE", "/secrets/KEY")
