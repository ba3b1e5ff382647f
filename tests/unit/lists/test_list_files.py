"""List files: taken as a whole or not at all, with every broken line named."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.lists.files import BrokenFile, names_of, read_entries, values

HEADER = (
    '"id","schema","name","aliases","birth_date","countries","addresses","identifiers","sanctions","phones","emails",'
    '"dataset","first_seen","last_seen","last_change"\n'
)


def line(id_: str = "NK-1", name: str = "Jane Fiction", aliases: str = "", birth_date: str = "") -> str:
    """One line of a file."""
    output = io.StringIO()
    row = [id_, "Person", name, aliases, birth_date, "ru", "", "", "EU-1", "", "", "EU", "2022-01-01", "", ""]
    csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row)
    return output.getvalue()


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(BrokenFile) as caught:
        read_entries(text.encode() if isinstance(text, str) else text)
    return [str(problem) for problem in caught.value.problems]


def test_an_entry_keeps_the_columns_that_say_something() -> None:
    entries = read_entries(
        (HEADER + line(aliases='J. Fiction;"Fiction; Jane";Джейн', birth_date="1970-01-02;1971")).encode()
    )
    assert entries == [
        {
            "id": "NK-1",
            "schema": "Person",
            "name": "Jane Fiction",
            "aliases": 'J. Fiction;"Fiction; Jane";Джейн',
            "birth_date": "1970-01-02;1971",
            "countries": "ru",
            "sanctions": "EU-1",
            "dataset": "EU",
            "first_seen": "2022-01-01",
        }
    ]
    assert names_of(entries[0]) == ["Jane Fiction", "J. Fiction", "Fiction; Jane", "Джейн"]


def test_columns_may_stand_in_another_order_and_further_ones_be_there() -> None:
    """The public files got `program_ids` in 2025, and lost nothing by it."""
    header = "program_ids,dataset,sanctions,identifiers,countries,birth_date,aliases,name,schema,id\n"
    entries = read_entries(("\ufeff" + header + "EU-MARE,EU,,,,,,Jane,Person,NK-1\r\n\r\n").encode())
    assert entries == [{"program_ids": "EU-MARE", "dataset": "EU", "name": "Jane", "schema": "Person", "id": "NK-1"}]


def test_every_broken_line_is_named() -> None:
    text = (
        HEADER
        + line()
        + line("")
        + line("NK-3", name="—")
        + line("NK-4", birth_date="1970-01-02;2nd May")
        + "too,short\n"
        + line("NK-5", name="Two\nlines")
        + line()
    )
    assert problems(text) == [
        "line 3: has no `id`",
        "line 4: has no `name` with letters or digits",
        "line 5: has a `birth_date` that is not written as 1952, 1952-10 or 1952-10-07",
        "line 6: has 2 columns, and the header has 15",
        "line 9: has the `id` of line 2",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the header has no id, schema, name, aliases"),
        ("id,schema,name\n", "line 1: the header has no aliases, birth_date"),
        (HEADER.replace("emails", "phones"), "line 1: the header has `phones` twice"),
        (HEADER, "line 2: there is no entry"),
        (HEADER + line() + '"NK-2","Person', "line 3: is not CSV: unexpected end of data; nothing after it was read"),
        (HEADER + line(name="Jane\0"), "line 2: has the character NUL"),
        (HEADER.encode() + "Łódź".encode("latin2"), "line 2: is not text in UTF-8"),
    ],
)
def test_what_is_no_list_at_all_says_why(text: str | bytes, message: str) -> None:
    assert [problem.startswith(message) for problem in problems(text)] == [True]


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(bool), max_size=6
    )
)
def test_values_are_read_as_the_public_files_write_them(parts: list[str]) -> None:
    output = io.StringIO()
    csv.writer(output, delimiter=";", lineterminator="").writerow(parts)
    assert values(output.getvalue() if parts else "") == parts


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (HEADER + text).encode(errors="replace")))
def test_any_bytes_are_a_list_or_say_why_not(content: bytes) -> None:
    try:
        entries, found = read_entries(content), []
    except BrokenFile as broken:
        entries, found = [], broken.problems
    assert bool(entries) is not bool(found)
    assert all(problem.line >= 1 for problem in found)
