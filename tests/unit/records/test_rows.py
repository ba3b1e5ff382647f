"""Rows as Excel saves them, and cells that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.kit.errors import PasserelleError
from passerelle.records.rows import CsvRows, Row, as_it_was, made_safe, quoted_after
from passerelle.tables.models import Field, Table

NIL = UUID(int=0)
NOW = datetime(2026, 1, 5, tzinfo=UTC)
FIELDS = tuple(
    Field(str(key), NIL, name, type_)
    for key, (name, type_) in enumerate(
        [("nip", "text"), ("name", "text"), ("amount", "number"), ("ok", "checkbox")], start=1
    )
)
TABLE = Table(NIL, NIL, "t", None, FIELDS, False, 1, NOW, NOW)


def rows(text: str, *, safe: bool = False) -> list[Row]:
    reader = CsvRows(TABLE, safe=safe)
    found = [row for number, line in enumerate(text.splitlines(keepends=True), 1) for row in reader.feed(number, line)]
    return [*found, *reader.finish()]


def values(text: str, *, safe: bool = False) -> list[dict[str, object]]:
    found = rows(text, safe=safe)
    assert [row.problem for row in found if row.problem] == []
    return [dict(row.values) for row in found]


def test_rows_of_nothing_but_delimiters_are_none() -> None:
    assert values("nip,name,amount\r\ne1,Firma,1\r\n,,\r\n , ,\r\n") == [{"nip": "e1", "name": "Firma", "amount": 1}]


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_a_line_that_names_the_delimiter_is_no_header(delimiter: str) -> None:
    assert values(f"sep={delimiter}\r\nnip{delimiter}name\r\ns1{delimiter}x\r\n") == [{"nip": "s1", "name": "x"}]
    assert values(f'"sep={delimiter}"\nnip\ns1\n') == [{"nip": "s1"}]


def test_columns_without_a_name_have_to_be_empty() -> None:
    assert values("nip;name;\r\nt1;x;\r\nt2;y;;;\r\n") == [{"nip": "t1", "name": "x"}, {"nip": "t2", "name": "y"}]
    [row] = rows("nip;;name\nt1;lost;x\n")
    assert row.problem == "the column 2 has a value here, and no name in the header"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("TRUE", True),
        ("False", False),
        ("PRAWDA", True),
        ("FAŁSZ", False),
        ("wahr", True),
        ("ЛОЖЬ", False),
        (" true ", True),
    ],
)
def test_truth_values_are_read_as_excel_writes_them(cell: str, value: bool) -> None:
    assert values(f"nip,ok\nc1,{cell}\n") == [{"nip": "c1", "ok": value}]


def test_a_decimal_comma_is_one_where_cells_are_not_separated_by_commas() -> None:
    assert values("nip;amount\nd1;12,50\nd2;-0,5\nd3;1.5\n") == [
        {"nip": "d1", "amount": 12.5},
        {"nip": "d2", "amount": -0.5},
        {"nip": "d3", "amount": 1.5},
    ]
    [row] = rows('nip,amount\nd1,"12,50"\n')
    assert row.problem == "`amount` must be a number, such as 12.5, is `12,50`"
    [row] = rows("nip;amount\nd1;1.234,50\n")
    assert "`1.234,50`" in str(row.problem)


def test_an_inch_sign_spoils_its_row_only() -> None:
    found = rows('nip,name\ni1,a\ni2,5" pipe\ni3,"b ""x"""\ni4,"two\nlines"\ni5,c\ni6,"5"" pipe"\n')
    assert [(row.line, "without quotes" in row.problem) for row in found if row.problem] == [(3, True)]
    assert [row.values["name"] for row in found if not row.problem] == [
        "a", 'b "x"', "two\nlines", "c", '5" pipe',
    ]  # fmt: skip


def test_a_cell_that_is_never_closed_is_told() -> None:
    with pytest.raises(PasserelleError, match="never closed"):
        rows('nip,name\ni1,"a\ni2,b\n')


@given(st.lists(st.lists(st.text(st.sampled_from('a,;"\nŻ '), max_size=5), min_size=2, max_size=2), max_size=8))
def test_where_a_row_ends_is_what_the_reader_of_the_library_says(cells: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(cells)
    found, quoted, part = [], False, ""
    for line in text.getvalue().splitlines(keepends=True):
        quoted, part = quoted_after(line, ",", quoted), part + line
        if not quoted:
            found += list(csv.reader(io.StringIO(part, newline="")))
            part = ""
    assert (found, part) == (cells, "")


@given(st.text(st.sampled_from("'=+-@\t\r\na1"), max_size=6))
def test_what_is_made_safe_is_no_formula_and_comes_back_as_it_was(text: str) -> None:
    safe = made_safe(text)
    assert safe[:1] not in tuple("=+-@\t\r\n")
    assert as_it_was(safe) == text


def test_a_safe_file_is_read_as_it_was() -> None:
    assert values("nip,name\n1,'=1+1\n2,'+48\n3,'a\n4,''=x\n", safe=True) == [
        {"nip": "1", "name": "=1+1"},
        {"nip": "2", "name": "+48"},
        {"nip": "3", "name": "'a"},
        {"nip": "4", "name": "'=x"},
    ]
