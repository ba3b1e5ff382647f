"""`passerelle check`: lines that editors and terminals can follow to the place."""

from __future__ import annotations

from pathlib import Path

from passerelle.definitions.check import check_files
from passerelle.engine.registry import load_kinds

KINDS = load_kinds()


def test_every_problem_is_a_line_with_its_file(tmp_path: Path) -> None:
    good, bad, latin, gone = (tmp_path / name for name in ("good.yaml", "bad.json", "latin.yaml", "gone.yaml"))
    good.write_text("name: good\nsteps: [{id: a, end: }]\n")
    bad.write_text('{"name": "bad",\n "steps": [{"id": "a", "ned": {}}], "titel": "x"}')
    latin.write_bytes("name: Łódź".encode("iso8859-2"))
    assert check_files([good, bad, latin, gone, tmp_path], KINDS) == [
        f"{bad}:2: steps.a.ned: unknown key; did you mean `end`?",
        f"{bad}:2: titel: unknown key; did you mean `title`?",
        f"{latin}: is not UTF-8 from byte 6 on; save it as UTF-8",
        f"{gone}: cannot be read: No such file or directory",
        f"{tmp_path}: cannot be read: Is a directory",
    ]


def test_files_that_are_fine_have_no_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: a\r\nsteps:\r\n  - id: one\r\n    set: {x: 1}\r\n")
    assert check_files([file], KINDS) == []
