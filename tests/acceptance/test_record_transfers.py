"""Records from a file into a running Passerelle and back, with everything that is refused told by its line."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.acceptance.commanding import passerelle
from tests.acceptance.running import Dev

FIELDS = [
    {"name": "number", "type": "text", "unique": True},
    {"name": "name", "type": "text", "required": True},
    {"name": "age", "type": "integer"},
]
ROWS = """number;name;age
1;"Acme
Ltd";3
2;;4
3;Old;x
1;Twin;5
"""


def test_what_is_right_is_in_and_the_rest_is_told(dev: Dev, api: httpx.Client, tmp_path: Path) -> None:
    assert api.post("/tables", json={"name": "imported", "fields": FIELDS}).status_code == 201
    file = tmp_path / "rows.csv"
    file.write_text(ROWS, encoding="utf-8")
    refused = [
        f"{file}:4: name: `name` is required",
        f"{file}:5: age: `age` must be a whole number, such as 12, is `x`",
        f"{file}:6: number: a row before has `1` in `number` already",
    ]
    dry = passerelle(dev, "records", "import", str(file), "--table", "imported", "--dry-run")
    assert (dry.returncode, sorted(dry.stdout.splitlines())) == (
        1,
        sorted([*refused, f"{file}: 4 rows: 1 would be created, 0 would be updated, 3 would be refused"]),
    )
    assert api.get("/tables/imported/records").json()["data"] == []
    done = passerelle(dev, "records", "import", str(file), "--table", "imported")
    assert (done.returncode, sorted(done.stdout.splitlines())) == (
        1,
        sorted([*refused, f"{file}: 4 rows: 1 created, 0 updated, 3 refused"]),
    )

    out = tmp_path / "out.jsonl"
    exported = passerelle(dev, "records", "export", str(out), "--table", "imported")
    assert exported.stdout == f"{out}: 1 record of imported\n"
    again = passerelle(dev, "records", "import", str(out), "--table", "imported", "--mode", "upsert", "--by", "number")
    assert (again.returncode, again.stdout.splitlines()) == (
        0,
        [
            "not imported, for the server gives them: createdAt, id, updatedAt, version",
            f"{out}: 1 row: 0 created, 1 updated, 0 refused",
        ],
    )
    assert [record["name"] for record in api.get("/tables/imported/records").json()["data"]] == ["Acme\nLtd"]


def test_a_file_that_does_not_fit_the_table_is_refused_as_a_whole(dev: Dev, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("companyNumer;companyName\n1;a\n", encoding="utf-8")
    done = passerelle(dev, "records", "import", str(file), "--table", "customers")
    assert (done.returncode, done.stderr) == (
        1,
        "passerelle: line 1 must name the fields: the table customers has no field `companyNumer`; "
        "did you mean `companyNumber`?\n",
    )
    file.write_bytes("companyName\nŁódź\n".encode("iso8859-2"))
    latin = passerelle(dev, "records", "import", str(file), "--table", "customers")
    assert latin.stderr == f"passerelle: {file}:2: byte 0xa3 is not UTF-8: save the file as UTF-8\n"
    file.write_text("companyName\nA\n", encoding="utf-8")
    missing = passerelle(dev, "records", "import", str(file), "--table", "custmers")
    assert missing.stderr == (
        "passerelle: this workspace has no table `custmers`: GET /tables lists those that it has\n"
    )
