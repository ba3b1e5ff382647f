"""The header of a CSV becomes a table, and a form or a batch; what a column holds is told from its values."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from passerelle.conversions.models import ConversionError
from passerelle.definitions.source import read_source
from tests.unit.conversions.passing import converted, refusal, steps, told

PEOPLE = "Name;NIP;E-mail;Land;Since;Active;Amount;Id;name\n" + "".join(
    f"Firm {n};774000145{n};f{n}@example.com;{'PL' if n % 2 else 'DE'};2024-02-0{n};{'true' if n % 3 else 'false'};1.5{n};{n};\n"
    for n in range(1, 9)
)


def test_columns_become_fields_of_the_types_that_their_values_have() -> None:
    (table,) = converted(PEOPLE, file="Our firms.csv").tables
    assert table["name"] == "ourFirms"
    assert {field["name"]: field["type"] for field in table["fields"]} == {
        "name": "text", "nip": "text", "email": "email", "land": "singleSelect", "since": "date", "active": "checkbox",
        "amount": "number", "idValue": "integer", "name2": "text",
    }  # fmt: skip
    assert [field["name"] for field in table["fields"] if field.get("unique")] == ["nip"]


def test_a_form_asks_for_one_row_and_keeps_it() -> None:
    made = steps(converted(PEOPLE, file="firms.csv"))
    schema = made["row"]["form"]["schema"]
    assert list(made) == ["row", "save", "thanks"]
    assert schema["properties"]["land"]["enum"] == ["PL", "DE"]
    assert "name2" not in schema["required"]
    assert made["save"]["record"]["update"]["name2"] == "${has(steps.row.name2) ? steps.row.name2 : null}"


def test_a_batch_takes_rows_and_finds_each_by_its_key() -> None:
    done = converted(PEOPLE, file="firms.csv", batch=True)
    save = steps(done)["rows"]["each"]["steps"][0]["record"]
    assert (save["table"], save["by"]) == ("firms", "nip")
    assert read_source(done.text).value["parameters"]["rows"]["required"] is True


def test_what_is_called_otherwise_and_what_an_import_needs_is_told() -> None:
    reasons = told(converted(PEOPLE.replace("2024-02-0", "0").replace(";1.5", ";1,5"), file="firms.csv"))
    assert "idValue" in reasons["column Id"]
    assert "name2" in reasons["column name"]
    assert "point" in reasons["column Amount"]
    assert "rows" in reasons["file"]


def test_an_old_file_of_an_office_program_is_read_and_said_to_be_one() -> None:
    done = converted("Imię;Miasto\nŁukasz;Łódź\n".encode("cp1250"), file="osoby.csv")
    assert [field["title"] for field in done.tables[0]["fields"]] == ["Imię", "Miasto"]
    assert "Windows-1250" in told(done)["file"]


def test_a_formula_or_an_expression_in_a_header_is_only_a_title() -> None:
    done = converted("${secrets.KEY},=1+1\nx,y\n", file="a.csv")
    assert "${secrets" not in done.text.replace("$${", "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("\n\n", "empty"),
        (",".join(f"c{n}" for n in range(201)), "201 columns"),
        ("a,b\n1,2,3\n", "more cells"),
        ('a,b\n"1,2\n', "no CSV"),
        (",,\n", "no header"),
        (f"a\n{'x' * 100_001}\n", "no CSV"),
    ],
)
def test_what_is_no_csv_is_refused_with_a_reason(content: str, reason: str) -> None:
    with pytest.raises(ConversionError, match=reason):
        converted(content, "csv")


CELLS = some.one_of(
    some.text(max_size=12),
    some.sampled_from(
        [
            "",
            "1",
            "1,5",
            "01",
            "true",
            "nie",
            "2024-01-31",
            "31.01.2024",
            "a@b.pl",
            "+48601234567",
            "${x}",
            "id",
            "Version",
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(rows=some.lists(some.lists(CELLS, min_size=1, max_size=6), min_size=1, max_size=8), batch=some.booleans())
def test_whatever_the_cells_the_result_passes_check_or_says_why_there_is_none(
    rows: list[list[str]], batch: bool
) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    why = refusal(out.getvalue().encode("utf-8", "replace"), "csv", batch=batch)
    assert "no definition that passes" not in (why or "")
