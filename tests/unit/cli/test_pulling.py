"""Definitions come out of a server as they went in, and nobody's file is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from passerelle.cli import scenario_files
from passerelle.cli.check import check_files
from passerelle.cli.pull import changes, pull
from passerelle.engine.registry import load_kinds
from passerelle.kit.errors import CommandError
from passerelle.people.role_files import read_role

HELLO = "name: hello\nsteps: [{id: a, set: {x: 1}}]\n"
DRAFT = "name: draft\r\nsteps: [{id: ą, set: {x: 1}}]\r\n"


FIELD = {
    **dict.fromkeys(("title", "default", "options", "table", "pii", "index", "indexProblem")),
    **dict.fromkeys(("required", "unique", "indexed"), False),
    "name": "email",
    "type": "email",
}
PEOPLE = "name: people\nfields:\n  - {name: email, type: email}\n"


class Server:
    """Answers as the API does, one definition on a page."""

    def __init__(self) -> None:
        self.definitions: list[dict[str, Any]] = [
            {"id": "1", "name": "hello", "revision": 2, "published": True, "text": HELLO, "newest": 2},
            {"id": "2", "name": "draft", "revision": 1, "published": False, "text": DRAFT, "newest": 1},
        ]
        self.scenarios: dict[str, str] = {}
        self.roles: list[dict[str, Any]] = [{"name": "viewer", "type": "BUILT_IN"}]
        self.tables: list[dict[str, Any]] = [
            {"id": "3", "name": "people", "title": None, "builtIn": False, "fields": [FIELD]}
        ]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/me":
            return httpx.Response(200, json={"workspace": {"id": "w"}})
        if request.url.path == "/workspaces/w/roles":
            return httpx.Response(200, json={"content": self.roles})
        if request.url.path == "/drafts":
            return httpx.Response(200, json={"data": [], "next": None})
        if request.url.path == "/tables":
            return httpx.Response(200, json={"data": self.tables, "next": None})
        if request.url.path == "/definitions":
            number = int(request.url.params.get("after", 0))
            following = str(number + 1) if number + 1 < len(self.definitions) else None
            return httpx.Response(200, json={"data": self.definitions[number : number + 1], "next": following})
        if request.url.path.endswith("/scenarios"):
            kept = self.scenarios.get(request.url.path.split("/")[2], "")
            return httpx.Response(200, json={"scenarios": kept, "version": len(kept) and 3, "updatedBy": "Ann"})
        found = next(item for item in self.definitions if item["id"] == request.url.path.split("/")[2])
        if request.url.path.endswith("/revisions"):
            return httpx.Response(200, json={"data": [{"revision": n} for n in range(found["newest"], 0, -1)]})
        assert request.headers["accept"] == "application/yaml"
        return httpx.Response(200, content=found["text"].encode())


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url="http://passerelle.example", transport=httpx.MockTransport(server)) as client:
        yield client


def test_all_is_written_definitions_byte_for_byte(client: httpx.Client, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "definitions"
    lines = list(pull(client, [], folder, force=False))
    assert lines == [
        f"{folder}/hello.yaml: revision 2, new",
        f"{folder}/draft.yaml: revision 1, new",
        f"{folder}/tables/people.yaml: table people, new",
    ]
    assert (folder / "hello.yaml").read_bytes() == HELLO.encode()
    assert (folder / "draft.yaml").read_bytes() == DRAFT.encode()
    assert (folder / "tables" / "people.yaml").read_text() == PEOPLE
    assert list(pull(client, ["hello"], folder, force=False)) == [f"{folder}/hello.yaml: revision 2, unchanged"]


def test_a_file_that_says_something_else_is_only_overwritten_by_force(client: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text("name: hello # mine\n")
    with pytest.raises(CommandError, match=f"says something else: see `passerelle diff {file}`, or .* --force"):
        list(pull(client, [], tmp_path, force=False))
    assert file.read_text() == "name: hello # mine\n"
    assert (tmp_path / "draft.yaml").exists(), "the others are pulled all the same"
    assert list(pull(client, ["hello"], tmp_path, force=True)) == [f"{file}: revision 2, overwritten"]
    assert file.read_text() == HELLO


def test_scenarios_come_along_and_are_compared(client: httpx.Client, server: Server, tmp_path: Path) -> None:
    server.scenarios["1"] = "scenarios: [{name: ą}]\n"
    file, beside = tmp_path / "hello.yaml", tmp_path / "hello.test.yaml"
    lines = list(pull(client, ["hello"], tmp_path, force=False))
    assert lines == [f"{file}: revision 2, new", f"{beside}: scenarios, version 3, new"]
    assert beside.read_text(encoding="utf-8") == server.scenarios["1"]
    assert [one.lines for one in changes(client, [file])] == [()]
    beside.write_text("scenarios: []\n")
    with pytest.raises(CommandError, match=f"{beside} says something else"):
        list(pull(client, ["hello"], tmp_path, force=False))
    _, change = changes(client, [file])
    assert "hello has other scenarios (version 3, by Ann); a push leaves them" in change.summary
    assert "+scenarios: []" in change.lines


@pytest.mark.parametrize("ending", [".yml", ".json"])
def test_scenarios_are_found_under_each_ending_that_is_played(
    client: httpx.Client, server: Server, tmp_path: Path, ending: str
) -> None:
    server.scenarios["1"] = '{"scenarios": []}'
    file, beside = tmp_path / "hello.yaml", tmp_path / f"hello.test{ending}"
    file.write_text(HELLO)
    beside.write_text('{"scenarios": []}')
    lines = list(pull(client, ["hello"], tmp_path, force=False))
    assert lines[1] == f"{beside}: scenarios, version 3, unchanged"
    beside.write_text('{"scenarios": [{}]}')
    _, change = changes(client, [file])
    assert change.summary.startswith(f"{beside}: hello has other scenarios")


def test_of_two_files_of_scenarios_none_is_passed_over(client: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    for name in ("hello.yaml", "hello.test.yaml", "hello.test.yml"):
        (tmp_path / name).write_text(HELLO)
    with pytest.raises(
        CommandError,
        match=r"hello.test.yaml and .*hello.test.yml are both scenarios of .*hello.yaml: put them into one",
    ):
        list(changes(client, [file]))
    (tmp_path / "hello.yml").write_text(HELLO)
    assert scenario_files.beside(file).name == "hello.test.yaml"
    assert scenario_files.beside(tmp_path / "hello.yml").name == "hello.test.yml", "each is about the one of its ending"


def test_a_table_s_file_keeps_its_words_while_it_says_the_same(client: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "tables" / "people.yaml"
    file.parent.mkdir()
    mine = "# Ours.\nfields: [{type: email, name: email, unique: false}]\nname: people\n"
    file.write_text(mine)
    assert list(pull(client, ["people"], tmp_path, force=True)) == [f"{file}: table people, unchanged"]
    assert file.read_text() == mine
    file.write_text(mine.replace("false", "true"))
    with pytest.raises(CommandError, match=f"says something else: see `passerelle diff {file}`"):
        list(pull(client, ["people"], tmp_path, force=False))
    assert list(pull(client, ["people"], tmp_path, force=True)) == [f"{file}: table people, overwritten"]
    assert file.read_text() == PEOPLE


def test_a_definition_and_a_table_of_one_name_are_both_pulled(
    client: httpx.Client, server: Server, tmp_path: Path
) -> None:
    server.tables[0]["name"] = "hello"
    assert len(list(pull(client, ["hello"], tmp_path, force=False))) == 2


def test_an_unknown_name_is_told_with_the_nearest(client: httpx.Client, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no definition, table or role helo; did you mean `hello`"):
        list(pull(client, ["helo"], tmp_path, force=False))
    with pytest.raises(CommandError, match="no definition, table or role peple; did you mean `people`"):
        list(pull(client, ["peple"], tmp_path, force=False))


def test_a_name_that_leads_out_of_the_folder_is_refused(client: httpx.Client, server: Server, tmp_path: Path) -> None:
    server.definitions[0]["name"] = "../hello"
    with pytest.raises(CommandError, match="no name of a file"):
        list(pull(client, [], tmp_path / "inside", force=True))
    assert not (tmp_path / "hello.yaml").exists()


def diff(client: httpx.Client, folder: Path, text: str) -> tuple[str, tuple[str, ...]]:
    file = folder / "a.yaml"
    file.write_bytes(text.encode())
    [change] = changes(client, [file])
    return change.summary.removeprefix(f"{file}: "), change.lines


def test_diff_tells_what_a_push_would_do(client: httpx.Client, tmp_path: Path) -> None:
    assert diff(client, tmp_path, HELLO) == ("the same as hello revision 2 (published); a push does nothing", ())
    assert diff(client, tmp_path, DRAFT) == ("the same as draft revision 1 (draft); a push publishes this draft", ())
    summary, lines = diff(client, tmp_path, HELLO.replace("1", "2"))
    assert summary == "a push makes revision 3 of hello"
    assert lines == (
        "--- hello revision 2 (published)",
        f"+++ {tmp_path}/a.yaml",
        "@@ -1,2 +1,2 @@",
        " name: hello",
        "-steps: [{id: a, set: {x: 1}}]",
        "+steps: [{id: a, set: {x: 2}}]",
    )
    summary, lines = diff(client, tmp_path, "name: other\n")
    assert summary == "a push makes a new definition other"
    assert lines[-1] == "+name: other"


def test_diff_does_not_hide_what_eyes_do_not_see(client: httpx.Client, tmp_path: Path) -> None:
    _, lines = diff(client, tmp_path, HELLO.replace("\n", "\r\n"))
    assert lines[-1] == "(only the ends of lines differ)"


def test_diff_tells_of_a_newer_draft(client: httpx.Client, server: Server, tmp_path: Path) -> None:
    server.definitions[0]["newest"] = 3
    summary, _ = diff(client, tmp_path, "name: hello\n")
    assert (
        summary == "a push makes revision 4 of hello; compared with hello revision 2 (published), revision 3 is a draft"
    )


@pytest.mark.parametrize("text", ["steps: []", "[", "- name: a"])
def test_a_file_without_a_name_is_refused(client: httpx.Client, tmp_path: Path, text: str) -> None:
    with pytest.raises(CommandError, match=r"has no `name`; see `passerelle check "):
        diff(client, tmp_path, text)
    with pytest.raises(CommandError, match="No such file"):
        list(changes(client, [tmp_path / "gone.yaml"]))


CLERK = {
    "name": "clerk",
    "type": "OWN",
    "description": "",
    "permissions": ["can_view_workspace"],
    "grants": [
        {
            **dict.fromkeys(("definition", "review", "fields", "problem")),
            "permissions": ["can_read_data"],
            "table": "people",
            "where": "record.email == user.email",
        }
    ],
}


def test_a_role_of_the_workspaces_own_comes_out_as_a_file_and_a_push_of_it_does_nothing(
    client: httpx.Client, server: Server, tmp_path: Path
) -> None:
    server.roles.append(CLERK)
    assert list(pull(client, ["clerk"], tmp_path, force=False)) == [f"{tmp_path}/roles/clerk.yaml: role clerk, new"]
    file = tmp_path / "roles" / "clerk.yaml"
    assert "where: record.email == user.email" in file.read_text()
    (same,) = changes(client, [file])
    assert (same.summary, same.lines) == (f"{file}: a push does nothing", ())
    file.write_text(file.read_text().replace("can_read_data", "can_edit_data"))
    (other,) = changes(client, [file])
    assert "a push changes the role clerk" in other.summary
    assert "+  - can_edit_data" in other.lines


def test_the_order_of_a_roles_permissions_says_nothing(client: httpx.Client, server: Server, tmp_path: Path) -> None:
    server.roles.append({**CLERK, "permissions": ["can_run", "can_view_workspace"], "grants": []})
    file = tmp_path / "clerk.yaml"
    file.write_text("name: clerk\npermissions: [can_view_workspace, can_run]\n")
    (same,) = changes(client, [file])
    assert (same.summary, same.lines) == (f"{file}: a push does nothing", ())


def test_what_is_wrong_with_a_role_is_told_by_its_line_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "clerk.yaml"
    file.write_text(
        "name: clerk\npermissions:\n  - can_read_dat\ngrants:\n  - {permissions: [can_run], table: people}\n"
    )
    problems, _, checked = check_files([file], load_kinds())
    assert checked == 1
    assert f"{file}:3: permissions[0]: `can_read_dat` is no permission" in problems[0]
    assert "`can_run` is not given on a table" in problems[1]
    file.write_text("name: clerk\npermissions: []\ngrant: []\n")
    problems, _, _ = check_files([file], load_kinds())
    assert problems == [f"{file}:3: grant: `grant` is not a field here; did you mean `grants`?"]


def test_the_roles_of_the_guide_are_good() -> None:
    guide = Path(__file__).parents[3] / "docs" / "guides" / "people-and-roles.md"
    texts = [block.partition("```")[0] for block in guide.read_text().split("```yaml\n")[1:]]
    assert len(texts) >= 3
    assert [read_role(text).problems for text in texts] == [()] * len(texts)
