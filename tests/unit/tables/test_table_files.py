"""A table's file: what it says, what is wrong with it and where, and back into text."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.dev import examples
from passerelle.tables.file_schema import table_schema
from passerelle.tables.files import read_table, written
from passerelle.tables.schemas import FieldBody, OptionBody, TableBody
from passerelle.tables.types import TYPES


def problems(text: str) -> list[str]:
    return list(map(str, read_table(text).problems))


def of_field(field: str) -> list[str]:
    return [line.removeprefix("2: fields.") for line in problems(f"name: t\nfields: [{{{field}}}]")]


def test_the_examples_tables_are_sound() -> None:
    texts = list(examples.tables())
    assert texts
    assert [read_table(text).problems for text in texts] == [()] * len(texts)


def test_a_file_says_what_the_api_takes() -> None:
    text = """
$schema: tables.schema.json
name: customers
title: {en: Customers, pl: Klienci}
fields:
  - {name: vat, type: text, required: true, unique: true, indexed: true, pii: identity}
  - {name: state, type: singleSelect, options: [new, {value: done, title: {en: Done}}], default: new}
  - {name: parent, type: relation, table: customers, renamedFrom: mother}
"""
    assert read_table(text).require() == TableBody(
        name="customers",
        title={"en": "Customers", "pl": "Klienci"},
        fields=[
            FieldBody(name="vat", type="text", required=True, unique=True, indexed=True, pii="identity"),
            FieldBody(
                name="state",
                type="singleSelect",
                options=["new", OptionBody(value="done", title={"en": "Done"})],
                default="new",
            ),
            FieldBody.model_validate(
                {"name": "parent", "type": "relation", "table": "customers", "renamedFrom": "mother"}
            ),
        ],
    )


def test_everything_that_is_wrong_is_said_at_once_with_its_line() -> None:
    text = """name: 1x
titel: x
fields:
  - {name: a, type: singleSelct}
  - {name: b, type: singleSelect, option: [a]}
  - {name: c, type: singleSelect}
  - {name: c, type: relation}
  - {name: id, type: text, options: [x], default: 3}
  - {type: text}
  - x
"""
    known = ", ".join(f"`{name}`" for name in list(TYPES)[:-1])
    assert problems(text) == [
        "1: name: must have 1 to 63 letters, digits, `_` and `-`, and begin with a letter, is `1x`",
        "2: titel: unknown key; did you mean `title`?",
        f"4: fields.a.type: must be {known} or `attachment`, is `singleSelct`; did you mean `singleSelect`?",
        "5: fields.b.option: unknown key; did you mean `options`?",
        "6: fields[2].options: `c` needs `options`, its choices",
        "7: fields[3].table: `c` needs `table`, the other table",
        "7: fields[3].name: there are two fields `c`",
        "8: fields.id.name: `id` cannot name a field: records have something else of that name",
        "8: fields.id.options: a field of type text has no `options`",
        "8: fields.id.default: the default of `id` must be a text",
        "9: fields[5]: the key `name` is missing",
        "10: fields[6]: must be an object, is a text",
    ]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("name: a, type: json, unique: true", "a.unique: a field of type json cannot be unique"),
        ("name: a, type: array, indexed: true", "a.indexed: a field of type array cannot be indexed"),
        ("name: a, type: text, unique: yes", "a.unique: must be true or false, is a text"),
        ("name: a, type: text, table: b", "a.table: a field of type text has no `table`"),
        ("name: a, type: text, unique: true, default: x", "a.default: `a` cannot have a default"),
        ("name: a, type: integer, default: '3'", "a.default: the default of `a` must be a whole number"),
        (
            "name: a, type: singleSelect, options: [x], default: y",
            "a.default: the default of `a` must be one of `x`, is `y`",
        ),
        ("name: a, type: multiselect, options: [x, x]", "a.options: an option is there twice"),
        ("name: a, type: multiselect, options: ['']", "a.options[0]: must not be empty"),
        (
            "name: a, type: text, pii: Contact",
            "a.pii: must be a word in lower-case letters, digits and `-`, such as `contact`, is `Contact`",
        ),
        (
            "name: a, type: text, title: {english: A}",
            "a.title.english: a language is written like `en` or `pt-BR`, is `english`",
        ),
        (
            "name: a-b, type: text",
            '[0].name: must have 1 to 63 letters, digits and `_`, and begin with a letter, is `a-b`',
        ),
        ("name: a, type: text, type: json", "a.type: the key stands twice, first on line 2; keep one of them"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_explained(field: str, message: str) -> None:
    assert [line.removeprefix("2: fields") for line in of_field(field)] == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: table: the text is empty; a table needs at least `name` and `fields`"),
        ("[", "2: table: is not YAML: did not find expected node content"),
        ("- a", "1: table: must be an object, is a list"),
        ("name: a\n---\nb: 1", "2: table: a second document begins here; a table is one document, without `---`"),
        ("name: a", "1: table: the key `fields` is missing"),
        ("name: a\nfields: 3", "2: fields: must be a list, is a number"),
        ("name: a\n\tfields: []", "2: table: is not YAML: a tab cannot indent; use spaces"),
        ("#" * 1_000_001, "1: table: the text has 1,000,001 bytes; a table may have 1,000,000: make it shorter"),
        (
            "fields: []\nname: f198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80",
            "2: name: `f198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80` cannot name a table: use up to 63 letters, digits, `_` "
            "and `-`, and begin with a letter",
        ),
    ],
)
def test_a_text_that_is_no_table_is_explained(text: str, message: str) -> None:
    assert problems(text) == [message]


def test_more_fields_than_a_table_may_have_are_refused() -> None:
    fields = "".join(f"  - {{name: f{number}, type: text}}\n" for number in range(301))
    assert problems("name: a\nfields:\n" + fields) == ["2: fields: must have at most 300 items"]


def test_the_published_schema_is_one_and_knows_all_that_the_api_takes() -> None:
    schema = table_schema()
    jsonschema_rs.meta.validate(schema)
    field = schema["properties"]["fields"]["items"]["properties"]
    assert set(field) == {facts.alias or name for name, facts in FieldBody.model_fields.items()}
    assert set(schema["properties"]) == {"$schema", *TableBody.model_fields}
    assert field["type"]["enum"] == list(TYPES)


# Texts that YAML or our reading of it could take for something else are the point here.
TEXTS = st.one_of(
    st.sampled_from(
        ["1e5", "0123", "no", "null", "~", "2026-01-05", "12:30", "1_0", "=", "a: b", "- x", "# y", ".inf"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200),
)
TITLES = st.none() | TEXTS | st.dictionaries(st.sampled_from(["en", "pl", "no"]), TEXTS, min_size=1)
SELECTS = st.builds(
    FieldBody,
    name=st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}", fullmatch=True).map("f{}".format),
    type=st.just("singleSelect"),
    title=TITLES,
    required=st.booleans(),
    options=st.lists(TEXTS, min_size=1, max_size=5, unique=True),
    pii=st.none() | st.just("on"),
)
NUMBERS = st.builds(
    FieldBody,
    name=st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}", fullmatch=True).map("g{}".format),
    type=st.just("number"),
    default=st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    unique=st.just(False),
)


@given(st.builds(TableBody, name=st.just("true"), title=TITLES, fields=st.lists(SELECTS | NUMBERS, max_size=4)))
def test_what_is_written_is_read_again(table: TableBody) -> None:
    table = table.model_copy(update={"fields": list({field.name: field for field in table.fields}.values())})
    assert read_table(written(table)).require() == table


def test_a_field_that_is_too_long_for_a_line_is_written_in_several() -> None:
    field = FieldBody(name="state", type="singleSelect", options=[f"option-{number}" for number in range(20)])
    text = written(TableBody(name="t", fields=[field, FieldBody(name="a", type="text")]))
    assert text.splitlines()[:5] == [
        "name: t",
        "fields:",
        "  - name: state",
        "    type: singleSelect",
        "    options: [" + ", ".join(f"option-{number}" for number in range(20)) + "]",
    ]
    assert text.splitlines()[5] == "  - {name: a, type: text}"
