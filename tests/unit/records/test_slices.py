"""A file of rows is cut between rows, every line of a slice is found again in the file, and faults are told first."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.kit.errors import CommandError
from passerelle.records import slices as module
from passerelle.records.rows import Format
from passerelle.records.slices import slices

CELLS = st.text(st.sampled_from('a,"\n; ą'), max_size=6)


def write(folder: Path, content: bytes | str) -> Path:
    file = folder / "rows"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=20), size=st.integers(1, 4))
def test_slices_hold_every_row_once_with_its_lines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], size: int
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("x", "y"), *rows])
    lines = text.getvalue().split("\n")
    found: list[list[str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", size)
        for part in slices(write(tmp_path_factory.mktemp("rows"), text.getvalue()), "csv"):
            header, *inside = csv.reader(io.StringIO(part.content.decode()))
            assert header == ["x", "y"]
            assert len(inside) == part.rows <= size
            found += inside
            content = part.content.decode().split("\n")
            assert content[1:-1] == lines[part.first - 1 : part.last]
            assert part.line_in_file(2) == part.first
    assert found == [list(row) for row in rows]


def test_json_lines_have_no_header_and_quotes_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 1)
    file = write(tmp_path, '\ufeff{"a": "\\""}\n\n{"a": 2}')
    assert [(part.content, part.first, part.last, part.line_in_file(1)) for part in slices(file, "jsonl")] == [
        (b'{"a": "\\""}\n', 1, 1, 1),
        (b'\n{"a": 2}', 2, 3, 2),
    ]


def test_rows_above_a_line_are_left_out(tmp_path: Path) -> None:
    [part] = slices(write(tmp_path, "\nx\n1\n2\n3\n"), "csv", from_line=4)
    assert (part.content, part.first, part.last, part.rows, part.line_in_file(3)) == (b"x\n2\n3\n", 4, 5, 2, 5)


@pytest.mark.parametrize(
    ("content", "form", "message"),
    [
        (b"", "csv", "rows: is empty: its first line must name the fields"),
        (b"x\n\xb3\n", "csv", "rows:2: byte 0xb3 is not UTF-8: save the file as UTF-8"),
        (b'x\n1\n"2\n3\n', "csv", "rows:3: a quote that opens on this line is never closed"),
        (b'x\n"' + b"long\n" * 500_000, "csv", "rows:2: a quote that opens here is not closed within 2,000,000 bytes"),
        (b"x" * 3_000_000, "jsonl", "rows:1: the line is longer than 2,000,000 bytes: is a quote left open?"),
    ],
)
def test_a_file_that_is_not_rows_is_refused_with_its_line(
    tmp_path: Path, content: bytes, form: Format, message: str
) -> None:
    with pytest.raises(CommandError) as caught:
        list(slices(write(tmp_path, content), form))
    assert str(caught.value) == f"{tmp_path}/{message}"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        list(slices(tmp_path / "gone.csv", "csv"))


def test_a_line_that_names_the_delimiter_stands_above_every_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", 1)
    parts = list(slices(write(tmp_path, 'sep=;\nx;y\n1;5" a\n2;"b\nc"\n'), "csv"))
    assert [(part.content, part.line_in_file(3)) for part in parts] == [
        (b'sep=;\nx;y\n1;5" a\n', 3),
        (b'sep=;\nx;y\n2;"b\nc"\n', 4),
    ]
