"""What a push would change is told setting by setting, and what would lose values or cannot be is marked."""

from __future__ import annotations

import pytest

from passerelle.tables.differences import differences, renames_left
from passerelle.tables.files import read_table
from passerelle.tables.schemas import TableBody


def table(*fields: str, title: str | None = None) -> TableBody:
    first = "name: t" if title is None else f"name: t\ntitle: {title}"
    return read_table(f"{first}\nfields: [{', '.join(f'{{{field}}}' for field in fields)}]").require()


def told(there: TableBody, wanted: TableBody) -> list[str]:
    return list(map(str, differences(there, renames_left(there, wanted))))


LOSS = "refused while records have values of it, unless --lose-data"


@pytest.mark.parametrize(
    ("there", "wanted", "changes"),
    [
        ("type: text", "type: text, required: false, default: null", []),
        ("type: idField", "type: idField, unique: true", []),
        ("type: datetime, default: '2026-01-05T09:00:00Z'", "type: datetime, default: '2026-01-05T10:00:00+01:00'", []),
        ("type: singleSelect, options: [x]", "type: singleSelect, options: [{value: x}]", []),
        ("type: text", "type: text, required: true", ["~ field a: is required; records without a value stay"]),
        ("type: text, required: true", "type: text", ["~ field a: is required no more"]),
        (
            "type: text",
            "type: text, unique: true",
            ["~ field a: is unique, once no two records have the same value"],
        ),
        (
            "type: text",
            "type: text, indexed: true",
            ["~ field a: is indexed; its index is filled in the background"],
        ),
        ("type: text, indexed: true, unique: true", "type: text", [
            "~ field a: is unique no more",
            "~ field a: is indexed no more",
        ]),
        ("type: text, pii: contact", "type: text", ['~ field a: pii "contact" → none']),
        ("type: text", "type: text, title: {en: A}", ['~ field a: title none → {"en":"A"}']),
        ("type: number, default: 1", "type: number, default: 1.0", ["~ field a: default 1 → 1.0"]),
        ("type: checkbox", "type: checkbox, default: false", ["~ field a: default none → false"]),
        ("type: integer", "type: number", ["~ field a: type integer → number"]),
        (
            "type: number",
            "type: integer",
            [
                "! field a: type number → integer cannot be: values of the one are not of the other; "
                "add a field of another name"
            ],
        ),
        ("type: singleSelect, options: [x]", "type: text", [
            "~ field a: type singleSelect → text",
            "- field a: option x removed",
        ]),
        (
            "type: multiselect, options: [x, y]",
            "type: multiselect, options: [y, z, w]",
            [
                "+ field a: options z, w added",
                "- field a: option x removed; refused while records have it, unless --lose-data",
            ],
        ),
        (
            "type: multiselect, options: [x, {value: y, title: Y}]",
            "type: multiselect, options: [y, x]",
            ['~ field a: title of the option y "Y" → none', "~ field a: order of options: y, x"],
        ),
        (
            "type: relation, table: b",
            "type: relation, table: c",
            ["~ field a: points to c, no more to b; values stay as they are"],
        ),
    ],
)  # fmt: skip
def test_each_setting_of_a_field(there: str, wanted: str, changes: list[str]) -> None:
    assert told(table(f"name: a, {there}"), table(f"name: a, {wanted}")) == changes


def test_fields_that_come_go_and_move() -> None:
    there = table("name: a, type: text", "name: b, type: text", "name: c, type: text")
    wanted = table("name: c, type: text", "name: a, type: text", "name: d, type: relation, table: t, pii: x")
    assert told(there, wanted) == [
        "+ field d: relation, to t, pii x",
        f"- field b: removed; {LOSS}",
        "~ order of fields: c, a, d",
    ]
    assert told(there, table(title="T")) == [
        '~ title: none → "T"',
        f"- field a: removed; {LOSS}",
        f"- field b: removed; {LOSS}",
        f"- field c: removed; {LOSS}",
    ]


def test_a_field_is_renamed_once_and_the_file_may_keep_saying_so() -> None:
    wanted = table("name: new, type: text, indexed: true, renamedFrom: old")
    assert told(table("name: old, type: text"), wanted) == [
        "~ field old: renamed to new",
        "~ field new: is indexed; its index is filled in the background",
    ]
    assert told(table("name: new, type: text, indexed: true"), wanted) == []
    # Where both are there the rename is over, and the old field is one that the file lacks.
    both = table("name: old, type: text", "name: new, type: text, indexed: true")
    assert told(both, wanted) == [f"- field old: removed; {LOSS}"]


def test_what_cannot_be_done_is_told_with_its_place() -> None:
    there = table("name: a, type: text", "name: b, type: text")
    [change] = differences(there, table("name: a, type: text", "name: b, type: json"))
    assert change.pointer == "/fields/1/type"
