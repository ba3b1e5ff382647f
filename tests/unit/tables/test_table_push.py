"""A push of tables: all that can be known beforehand stops it, and what a server refuses is told with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from passerelle.cli.tables_client import Planned, plan, push, remote_tables
from passerelle.kit.errors import CommandError
from passerelle.tables.files import read_table
from passerelle.tables.schemas import TableBody, options_of

PEOPLE = "name: people\nfields:\n  - {name: email, type: email}\n"


class Server:
    """Keeps tables as they are sent, and refuses as it is told."""

    def __init__(self) -> None:
        self.tables: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.refuse: dict[str, Any] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            number = int(request.url.params.get("after", 0))
            following = str(number + 1) if number + 1 < len(self.tables) else None
            return httpx.Response(200, json={"data": self.tables[number : number + 1], "next": following})
        body = json.loads(request.content)
        self.requests.append((request.method, str(request.url.query, "ascii"), body))
        if request.method in self.refuse:
            return httpx.Response(409, json={"errors": [self.refuse[request.method]]})
        if request.method == "POST":
            self.add(body)
            return httpx.Response(201, json=self.tables[-1])
        [table] = [one for one in self.tables if one["id"] == request.url.path.split("/")[2]]
        table["fields"] = answer({"name": table["name"], **body})["fields"]
        return httpx.Response(200, json=table)

    def add(self, body: dict[str, Any]) -> None:
        self.tables.append({"id": f"id-{body['name']}", "builtIn": False, **answer(body)})


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """A table as the API answers with it."""
    table = TableBody.model_validate(body)
    fields = [
        {
            **field.model_dump(by_alias=True, exclude={"renamed_from"}),
            "options": [{"value": one.value, "title": one.title} for one in options_of(field)] or None,
            "index": "building" if field.indexed else None,
            "indexProblem": None,
        }
        for field in table.fields
    ]
    return {"name": table.name, "title": table.title, "fields": fields}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url="http://passerelle.example", transport=httpx.MockTransport(server)) as client:
        yield client


def planned(client: httpx.Client, *texts: str) -> list[Planned]:
    return plan(remote_tables(client), [(Path(f"{number}.yaml"), text) for number, text in enumerate(texts)])


def refused(client: httpx.Client, *texts: str) -> list[str]:
    with pytest.raises(CommandError) as caught:
        list(push(client, planned(client, *texts), lose_data=False))
    return str(caught.value).splitlines()


def test_a_table_is_made_once_and_then_changed(client: httpx.Client, server: Server) -> None:
    assert list(push(client, planned(client, PEOPLE), lose_data=False)) == ["0.yaml: table people, new, id id-people"]
    assert list(push(client, planned(client, PEOPLE), lose_data=False)) == [
        "0.yaml: table people, unchanged, id id-people"
    ]
    more = PEOPLE + "  - {name: age, type: integer, indexed: true}\n"
    assert list(push(client, planned(client, more), lose_data=True)) == [
        "0.yaml: table people, changed, id id-people; being indexed: age "
        "(`passerelle tables show people` tells when it is done)"
    ]
    fields = [{"name": "email", "type": "email"}, {"name": "age", "type": "integer", "indexed": True}]
    assert server.requests == [
        ("POST", "", {"name": "people", "title": None, "fields": fields[:1]}),
        ("PATCH", "loseData=true", {"title": None, "fields": fields}),
    ]


def test_new_tables_may_point_to_one_another_and_to_themselves(client: httpx.Client, server: Server) -> None:
    texts = [
        "name: a\nfields: [{name: b, type: relation, table: b}, {name: a, type: relation, table: a}]",
        "name: b\nfields: [{name: a, type: relation, table: a}]",
    ]
    assert list(push(client, planned(client, *texts), lose_data=False)) == [
        "1.yaml: table b, new, id id-b",
        "0.yaml: table a, new, id id-a",
    ]
    assert [[field["name"] for field in body["fields"]] for _, _, body in server.requests] == [["a"], ["a"], ["b", "a"]]
    assert [bool(one.differences) for one in planned(client, *texts)] == [False, False]


def test_nothing_is_sent_while_a_file_is_wrong(client: httpx.Client, server: Server) -> None:
    server.add({"name": "people", "fields": [{"name": "email", "type": "email"}, {"name": "age", "type": "number"}]})
    assert refused(
        client,
        "name: people\nfields:\n  - {name: email, type: email}\n  - {name: age, type: integer}",
        "name: other\nfields:\n  - {name: person, type: relation, table: peple}\n  - {name: x, type: relation, table: q}",
        "name: other\nfields: []",
        "name: x\nfields: [{name: a, type: txt}]",
    ) == [
        "3.yaml:2: fields.a.type: must be `text`, `number`, `integer`, `date`, `datetime`, `checkbox`, `json`, `array`, "
        "`singleSelect`, `multiselect`, `assignee`, `idField`, `email`, `phone`, `relation` or `attachment`, is `txt`; "
        "did you mean `text`?",
        "2.yaml: the table other is described by 1.yaml as well; keep one of them",
        "0.yaml:4: fields.age.type: field age: type number → integer cannot be: values of the one are not of the "
        "other; add a field of another name",
        "1.yaml:3: fields.person.table: neither the workspace nor a file has a table `peple`; did you mean `people`?",
        "1.yaml:4: fields.x.table: neither the workspace nor a file has a table `q`; there are `other`, `people`",
    ]
    assert server.requests == []


def test_what_the_server_refuses_is_told_with_its_line_and_the_rest_goes_on(
    client: httpx.Client, server: Server
) -> None:
    server.add({"name": "people", "fields": [{"name": "email", "type": "email"}, {"name": "age", "type": "number"}]})
    server.refuse["PATCH"] = {
        "code": "TABLE_LOSES_DATA",
        "message": "records have values of `age`, which the new fields lack: repeat the request with `?loseData=true`",
        "pointer": "/fields",
    }
    assert refused(client, PEOPLE, "name: other\nfields: []") == [
        "0.yaml:2: fields: records have values of `age`, which the new fields lack: repeat it with --lose-data"
    ]
    assert [table["name"] for table in server.tables] == ["people", "other"]


def test_a_refused_field_is_found_in_the_file_though_others_were_held_back(
    client: httpx.Client, server: Server
) -> None:
    server.refuse["POST"] = {"code": "FIELD_NAME_INVALID", "message": "no such name", "pointer": "/fields/0/name"}
    first = "name: a\nfields:\n  - {name: b, type: relation, table: b}\n  - {name: c, type: text}\n"
    assert refused(client, first, "name: b\nfields:\n  - {name: c, type: text}\n") == [
        "0.yaml:4: fields.c.name: no such name",
        "1.yaml:3: fields.c.name: no such name",
    ]


def test_a_relation_by_id_is_the_relation_by_name(client: httpx.Client, server: Server) -> None:
    server.add({"name": "people", "fields": []})
    server.add({"name": "notes", "fields": [{"name": "about", "type": "relation", "table": "people"}]})
    [one] = planned(client, "name: notes\nfields: [{name: about, type: relation, table: id-people}]")
    assert one.differences == ()
    assert one.summary == "0.yaml: the same as the table notes; a push does nothing"


def test_a_rename_that_is_done_is_not_asked_for_again(client: httpx.Client, server: Server) -> None:
    renamed = "name: people\nfields: [{name: mail, type: email, renamedFrom: email}]"
    [new] = planned(client, renamed)
    assert [str(change) for change in new.differences] == ["+ field mail: email"]
    server.add({"name": "people", "fields": [{"name": "email", "type": "email"}]})
    list(push(client, planned(client, renamed), lose_data=False))
    assert server.requests[-1][2]["fields"] == [{"name": "mail", "type": "email", "renamedFrom": "email"}]
    assert planned(client, renamed)[0].differences == ()


def test_an_answer_that_is_not_passerelle_s_is_told_as_such(client: httpx.Client, server: Server) -> None:
    server.refuse["POST"] = "nonsense"
    assert refused(client, PEOPLE) == [
        "0.yaml: the server answered 409: is http://passerelle.example/tables an address of Passerelle?"
    ]


def test_the_file_of_a_server_s_table_says_the_same(client: httpx.Client, server: Server) -> None:
    text = (
        "name: t\ntitle: T\nfields:\n  - {name: id2, type: idField}\n"
        "  - {name: s, type: singleSelect, options: [a, {value: b, title: {en: B}}], default: a}\n"
    )
    server.add(read_table(text).require().model_dump(by_alias=True))
    assert planned(client, text)[0].differences == ()
