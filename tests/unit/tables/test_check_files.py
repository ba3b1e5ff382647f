"""`passerelle check`: lines that editors and terminals can follow to the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.cli.check import check_files
from passerelle.engine.registry import load_kinds
from passerelle.kit.errors import CommandError

KINDS = load_kinds()


def test_every_problem_is_a_line_with_its_file(tmp_path: Path) -> None:
    good, bad, latin, gone = (tmp_path / name for name in ("good.yaml", "bad.json", "latin.yaml", "gone.yaml"))
    good.write_text("name: good\nsteps: [{id: a, end: }]\n")
    bad.write_text('{"name": "bad",\n "steps": [{"id": "a", "ned": {}}], "titel": "x"}')
    latin.write_bytes("name: Łódź".encode("iso8859-2"))
    problems, _, checked = check_files([good, bad, latin, gone], KINDS)
    assert checked == 4
    assert problems == [
        f"{latin}: is not UTF-8 from byte 6 on; save it as UTF-8",
        f"{gone}: cannot be read: No such file or directory",
        f"{bad}:2: steps.a.ned: unknown key; did you mean `end`?",
        f"{bad}:2: titel: unknown key; did you mean `title`?",
    ]


def test_files_that_are_fine_have_no_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: a\r\nsteps:\r\n  - id: one\r\n    set: {x: 1}\r\n")
    assert check_files([file], KINDS) == ([], [], 1)


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        file = folder.joinpath(*name.split("__")).with_suffix(".yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


FLOW = "name: flow\nrecord: {table: people}\nsteps: [{id: a, record: {update: {emial: x}}}]\n"
PEOPLE = "name: people\nfields: [{name: email, type: email}]\n"


def test_a_folder_is_its_definitions_and_the_tables_beside_them(tmp_path: Path) -> None:
    write(tmp_path, flow=FLOW, tables__people=PEOPLE)
    (tmp_path / "flow.test.yaml").write_text("scenarios are checked by `passerelle test`")
    assert check_files([tmp_path], KINDS) == (
        [
            f"{tmp_path}/flow.yaml:3: steps.a.record.update.emial: the table `people` has no field `emial`; "
            "did you mean `email`?"
        ],
        [],
        2,
    )
    (tmp_path / "flow.yaml").write_text(FLOW.replace("emial", "email").replace("table: people", "table: elsewhere"))
    assert check_files([tmp_path], KINDS) == ([], [], 2), "a table that no file describes may be in the workspace"


def test_a_table_is_known_by_its_folder_or_by_what_it_says(tmp_path: Path) -> None:
    write(tmp_path, tables__broken="[", people=PEOPLE.replace("email, type", "email, tpye"), twin=PEOPLE, more=PEOPLE)
    assert check_files(sorted(tmp_path.glob("**/*.yaml")), KINDS)[0] == [
        f"{tmp_path}/people.yaml:2: fields.email: the key `type` is missing",
        f"{tmp_path}/people.yaml:2: fields.email.tpye: unknown key; did you mean `type`?",
        f"{tmp_path}/tables/broken.yaml:2: table: is not YAML: did not find expected node content",
        f"{tmp_path}/twin.yaml: the table people is described by {tmp_path}/more.yaml as well; keep one of them",
    ]


def test_a_folder_without_definitions_and_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CommandError, match=r"holds no definitions \(\*\.yaml\), no tables \(tables/\*\.yaml\) and no roles"
    ):
        check_files([tmp_path], KINDS)
