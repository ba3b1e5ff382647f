"""`passerelle records`: what is in, what is not and how to go on is told, however an import or an export ends."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from passerelle.cli import records as commands
from passerelle.kit.errors import CommandError
from passerelle.records import slices as slicing

Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """Takes imports: rows whose first cell is `bad` are refused. What it is to do instead stands in `instead`."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.instead: dict[int, Answer] = {}

    def respond(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        if (instead := self.instead.get(len(self.requests))) is not None:
            return instead(request)
        rows = list(csv.reader(io.StringIO(request.content.decode())))[1:]
        refused = [number for number, row in enumerate(rows, 2) if row[0] == "bad"]
        return httpx.Response(200, json=report(len(rows), refused))

    def sent(self) -> list[str]:
        return [request.content.decode() for request in self.requests]


def report(rows: int, refused: list[int], **more: Any) -> dict[str, Any]:
    errors = [{"line": line, "field": "x", "code": "FIELD_INVALID", "message": "`x` is bad"} for line in refused]
    facts = {"rows": rows, "created": rows - len(refused), "updated": 0, "failed": len(refused), "complete": True}
    return {**facts, "ignoredColumns": [], "errors": errors, **more}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()

    @contextmanager
    def connected(*_: Any) -> Iterator[httpx.Client]:
        with httpx.Client(base_url="http://passerelle.test", transport=httpx.MockTransport(server.respond)) as client:
            yield client

    monkeypatch.setattr("passerelle.cli.api_client.connected", connected)
    monkeypatch.setattr(slicing, "ROWS", 2)
    return server


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands.app, [*map(str, arguments), "--table", "people"])


def told(result: Result) -> list[str]:
    """The error's lines."""
    assert isinstance(result.exception, CommandError), result.output
    assert result.exit_code == 1
    return str(result.exception).splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("x,y\n1,a\nbad,b\n3,c\n4,d\nbad,e\n")
    return path


def test_rows_that_are_refused_are_told_with_their_lines_in_the_file(server: Server, file: Path) -> None:
    result = run("import", file)
    assert result.output.splitlines() == [
        f"{file}:3: x: `x` is bad",
        f"{file}:6: x: `x` is bad",
        f"{file}: 5 rows: 3 created, 0 updated, 2 refused",
    ]
    assert result.exit_code == 1
    assert server.sent() == ["x,y\n1,a\nbad,b\n", "x,y\n3,c\n4,d\n", "x,y\nbad,e\n"]
    assert [dict(request.url.params) for request in server.requests] == [
        {"mode": "create", "dryRun": "false", "safe": "true"}
    ] * 3
    assert {request.headers["content-type"] for request in server.requests} == {"text/csv"}


def test_an_import_without_a_fault_ends_well(server: Server, file: Path) -> None:
    file.write_text("x,y\n1,a\n")
    server.instead[1] = lambda _: httpx.Response(200, json=report(1, [], ignoredColumns=["version", "id"]))
    result = run("import", file)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "not imported, for the server gives them: id, version",
        f"{file}: 1 row: 1 created, 0 updated, 0 refused",
    ]


def test_nothing_that_was_refused_is_hidden(server: Server, file: Path) -> None:
    out = file.with_name("refused.csv")
    result = run("import", file, "--most", 1, "--report", out)
    assert result.output.splitlines()[:2] == [
        f"{file}:3: x: `x` is bad",
        "… and 1 more: --report FILE writes all of them, --most shows more",
    ]
    assert out.read_text().splitlines() == [
        "line,field,code,message",
        "3,x,FIELD_INVALID,`x` is bad",
        "6,x,FIELD_INVALID,`x` is bad",
    ]


def test_a_dry_run_is_one_request_so_that_duplicates_are_found(server: Server, file: Path) -> None:
    result = run("import", file, "--dry-run")
    assert server.sent() == [file.read_text()]
    assert server.requests[0].url.params["dryRun"] == "true"
    assert result.output.splitlines() == [
        f"{file}:3: x: `x` is bad",
        f"{file}:6: x: `x` is bad",
        f"{file}: 5 rows: 3 would be created, 0 would be updated, 2 would be refused",
    ]
    assert result.exit_code == 1


def breaks(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("the server went away", request=request)


def is_gone(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused", request=request)


def test_a_broken_import_says_what_is_in_and_how_to_go_on(server: Server, file: Path) -> None:
    server.instead[2] = breaks
    result = run("import", file)
    assert result.output.splitlines()[-1] == f"{file}: 2 rows, up to line 3: 1 created, 0 updated, 1 refused"
    assert told(result) == [
        "the connection broke: the server went away",
        "whether lines 4 to 5 are in is not known, nothing below them is; go on with --from-line 4 if they are not, "
        "and with --from-line 6 if they are (the newest records of people show it; a unique field refuses rows that "
        "are in already)",
    ]
    again = run("import", file, "--from-line", 4)
    assert server.sent()[-2:] == ["x,y\n3,c\n4,d\n", "x,y\nbad,e\n"]
    assert f"{file}:6: x: `x` is bad" in again.output


def test_a_broken_upsert_can_go_on_where_it_broke(server: Server, file: Path) -> None:
    server.instead[1] = breaks
    result = run("import", file, "--mode", "upsert", "--by", "y")
    assert told(result)[-1] == (
        "whether lines 2 to 3 are in is not known, nothing below them is; go on with --from-line 2: rows that are in "
        "already are only written again"
    )
    assert dict(server.requests[0].url.params) == {"mode": "upsert", "dryRun": "false", "safe": "true", "by": "y"}


def test_an_interrupted_import_is_explained_too(server: Server, file: Path) -> None:
    def interrupt(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    server.instead[3] = interrupt
    result = run("import", file)
    assert "4 rows, up to line 5" in result.output
    assert told(result)[0] == "interrupted"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (is_gone, "connection refused"),
        (lambda _: httpx.Response(404, json={"errors": [{"message": "no table"}]}), "no table"),
    ],
)
def test_a_slice_that_is_not_in_for_certain_is_told_as_such(
    server: Server, file: Path, fault: Answer, message: str
) -> None:
    server.instead[2] = fault
    assert told(run("import", file)) == [message, "nothing from line 4 on is in; go on with --from-line 4"]
    server.instead = {len(server.requests) + 1: lambda _: httpx.Response(400, json={"errors": [{"message": "no x"}]})}
    assert told(run("import", file)) == ["no x"]


def test_a_slice_that_the_server_could_not_read_ends_the_import(server: Server, file: Path) -> None:
    server.instead[1] = lambda _: httpx.Response(200, json=report(1, [2], complete=False))
    assert told(run("import", file)) == ["the server could not read on: see the last row that was refused"]
    assert len(server.requests) == 1


def test_a_file_with_a_fault_far_down_is_refused_before_anything_is_sent(server: Server, file: Path) -> None:
    file.write_text(file.read_text() + '"open\n')
    assert told(run("import", file)) == [f"{file}:7: a quote that opens on this line is never closed"]
    assert server.requests == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mode", "upsert"], "--mode upsert and --by FIELD belong together: FIELD says which record a row is about"),
        (["--by", "x"], "--mode upsert and --by FIELD belong together: FIELD says which record a row is about"),
    ],
)
def test_options_that_do_not_fit_are_refused(server: Server, file: Path, options: list[str], message: str) -> None:
    assert told(run("import", file, *options)) == [message]


def test_the_form_is_told_by_the_name_or_by_an_option(server: Server, file: Path) -> None:
    odd = file.rename(file.with_name("people.data"))
    assert told(run("import", odd)) == [f"{odd}: say with --format whether it is csv or jsonl; its name does not"]
    assert run("import", odd, "--format", "csv").exit_code == 1
    server.instead[len(server.requests) + 1] = lambda _: httpx.Response(200, json=report(1, []))
    lines = file.with_name("people.jsonl")
    lines.write_text('{"x": 1}\n')
    assert run("import", lines).exit_code == 0
    assert server.requests[-1].headers["content-type"] == "application/x-ndjson"


def exporting(content: bytes, *, breaks: bool = False) -> Answer:
    def chunks() -> Iterator[bytes]:
        yield content
        if breaks:
            raise httpx.RemoteProtocolError("incomplete")

    return lambda _: httpx.Response(200, content=chunks())


def test_an_export_is_a_file_once_it_is_complete(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "people.csv"
    content = b'x,y\n1,"two\n""lines"""\n2,b\n'
    server.instead[1] = exporting(content)
    result = run("export", out, "--filter", json.dumps({"field": "x", "op": "eq", "value": 1}))
    assert result.output == f"{out}: 2 records of people\n"
    assert out.read_bytes() == content
    assert dict(server.requests[0].url.params) == {
        "format": "csv",
        "safe": "true",
        "filter": '{"field": "x", "op": "eq", "value": 1}',
    }
    assert told(run("export", out)) == [f"{out} is there already: overwrite it with --force"]
    server.instead[2] = exporting(b"x,y\n1,a\n", breaks=True)
    assert told(run("export", out, "--force")) == ["the export broke off after row 1 (incomplete): start it again"]
    assert out.read_bytes() == content
    assert list(tmp_path.iterdir()) == [out], "nothing half-done is left"


def test_an_export_goes_to_standard_output_as_it_is(server: Server) -> None:
    server.instead[1] = exporting(b'{"x": "\\"a"}\n')
    assert run("export", "-", "--format", "jsonl").output == '{"x": "\\"a"}\n'


def test_a_refused_export_is_told_and_leaves_no_file(server: Server, tmp_path: Path) -> None:
    server.instead[1] = lambda _: httpx.Response(404, json={"errors": [{"message": "no table"}]})
    assert told(run("export", tmp_path / "people.jsonl")) == ["no table"]
    assert list(tmp_path.iterdir()) == []
