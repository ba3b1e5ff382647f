"""Tables beside definitions: checked, compared, pushed and pulled as a user does it."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.acceptance.commanding import passerelle
from tests.acceptance.running import Dev

COMPANIES = """name: firms
fields:
  - {name: number, type: text, unique: true}
  - {name: owner, type: relation, table: owners}
  - {name: state, type: singleSelect, options: [new, old]}
"""
OWNERS = "name: owners\nfields: [{name: firm, type: relation, table: firms}]\n"
FLOW = """name: firm-check
record: {table: firms, create: true}
steps:
  - id: save
    record: {update: {number: "7", state: new}}
"""


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_tables_go_with_their_definitions_and_lose_nothing_unasked(dev: Dev, api: httpx.Client, tmp_path: Path) -> None:
    firms = write(tmp_path, "tables/firms.yaml", COMPANIES)
    write(tmp_path, "tables/owners.yaml", OWNERS)
    flow = write(tmp_path, "flow.yaml", FLOW)

    new = passerelle(dev, "diff", str(tmp_path))
    assert new.returncode == 1
    assert f"{firms}: a push makes a new table firms\n+ field number: text, unique\n" in new.stdout
    pushed = passerelle(dev, "push", str(tmp_path))
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert [line.split(":")[0] for line in pushed.stdout.splitlines()] == [
        str(tmp_path / "tables/owners.yaml"),  # the other one waited for it
        str(firms),
        str(flow),
    ]
    assert passerelle(dev, "diff", str(tmp_path)).returncode == 0
    assert api.post("/tables/firms/records", json={"number": "1", "state": "old"}).status_code == 201

    write(tmp_path, "tables/firms.yaml", COMPANIES.replace("new, old", "new, done").replace("number", "vat"))
    changed = passerelle(dev, "diff", str(firms))
    assert changed.stdout.splitlines()[1:] == [
        "+ field vat: text, unique",
        "+ field state: option done added",
        "- field state: option old removed; refused while records have it, unless --lose-data",
        "- field number: removed; refused while records have values of it, unless --lose-data",
    ]
    refused = passerelle(dev, "push", str(tmp_path))
    assert (refused.returncode, refused.stdout) == (1, f"{tmp_path}/tables/owners.yaml: {unchanged(api, 'owners')}\n")
    assert refused.stderr.splitlines() == [
        f"passerelle: {firms}:2: fields: records have values of `number`, which the new fields lack: "
        "repeat it with --lose-data",
        f"passerelle: {firms}:2: fields: records have the option `old` of `state`, which is to go: "
        "repeat it with --lose-data",
    ]
    write(tmp_path, "flow.yaml", FLOW.replace("number", "vat"))
    assert passerelle(dev, "push", str(tmp_path), "--lose-data").returncode == 0
    assert [field["name"] for field in api.get("/tables/firms").json()["fields"]] == ["vat", "owner", "state"]


def unchanged(api: httpx.Client, table: str) -> str:
    return f"table {table}, unchanged, id {api.get(f'/tables/{table}').json()['id']}"


def test_a_rename_keeps_values_and_a_pull_gives_the_table_back(dev: Dev, api: httpx.Client, tmp_path: Path) -> None:
    file = write(tmp_path, "tables/pulled.yaml", "name: pulled\nfields:\n  - {name: old, type: text}\n")
    assert passerelle(dev, "push", str(file)).returncode == 0
    made = api.post("/tables/pulled/records", json={"old": "kept"}).json()
    write(
        tmp_path,
        "tables/pulled.yaml",
        "name: pulled\nfields: [{name: new, type: text, indexed: true, renamedFrom: old}]\n",
    )
    for _ in range(2):
        assert passerelle(dev, "push", str(file)).returncode == 0
    assert api.get(f"/tables/pulled/records/{made['id']}").json()["new"] == "kept"
    folder = tmp_path / "definitions"
    assert passerelle(dev, "pull", "pulled", "--dir", str(folder)).returncode == 0
    text = "name: pulled\nfields:\n  - {name: new, type: text, indexed: true}\n"
    assert (folder / "tables" / "pulled.yaml").read_text() == text
    assert passerelle(dev, "diff", str(folder)).returncode == 0
    assert passerelle(dev, "tables", "show", "pulled").stdout.startswith(text)
    assert "pulled" in passerelle(dev, "tables", "list").stdout


def test_a_wrong_file_is_explained_and_nothing_is_pushed(dev: Dev, api: httpx.Client, tmp_path: Path) -> None:
    good = write(tmp_path, "tables/good.yaml", "name: good\nfields: []\n")
    bad = write(tmp_path, "tables/bad.yaml", "name: bad\nfields:\n  - {name: a, type: relation, table: god}\n")
    for command in ("push", "diff"):
        done = passerelle(dev, command, str(tmp_path))
        assert (done.returncode, done.stdout, done.stderr) == (
            1,
            "",
            f"passerelle: {bad}:3: fields.a.table: neither the workspace nor a file has a table `god`; "
            "did you mean `good`?\n",
        )
    assert api.get("/tables/good").status_code == 404
    assert good.exists()


def test_a_table_is_deleted_with_its_records_only_if_asked(dev: Dev, api: httpx.Client) -> None:
    api.post("/tables", json={"name": "doomed", "fields": [{"name": "a", "type": "text"}]})
    api.post("/tables/doomed/records", json={"a": "1"})
    refused = passerelle(dev, "tables", "delete", "doomed")
    assert (refused.returncode, refused.stderr) == (
        1,
        "passerelle: the table doomed has records: repeat it with --lose-data to delete them too\n",
    )
    assert passerelle(dev, "tables", "delete", "doomed", "--lose-data").stdout == "the table doomed is deleted\n"
    assert api.get("/tables/doomed").status_code == 404
    missing = passerelle(dev, "tables", "show", "custmers")
    assert "the workspace has no table custmers; did you mean `customers`?" in missing.stderr
