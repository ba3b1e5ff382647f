"""A CSV file: its header becomes a table, and a form that asks for one row or a definition that takes many."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

from passerelle.conversions.models import ConversionError, Sketch, Wish
from passerelle.conversions.names import as_text, as_title, definition_name, identifier, one_line, table_name, unique
from passerelle.conversions.reading import text_of
from passerelle.kit.phones import is_phone
from passerelle.tables.values import RESERVED

MOST_COLUMNS: Final = 200
MOST_ROWS: Final = 1_000
"""Rows that are looked at to tell what a column holds."""
LONGEST_CELL: Final = 100_000
MOST_OPTIONS: Final = 8
"""Different values of a column that is taken for a choice, each at most forty characters long."""
SEEN_OFTEN: Final = 3
"""How often each of them stands there, on average."""

_DELIMITERS: Final = ",;\t|"
_KEYS: Final = re.compile(r"(^|[^a-z])(id|nr|no|number|numer|nip|krs|regon|code|kod|key|e-?mail)([^a-z]|$)")
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,8})")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})[.,][0-9]{1,10}|-?(0|[1-9][0-9]{0,8})")
_FLAGS: Final = frozenset({"true", "false", "yes", "no", "tak", "nie"})


@dataclass(frozen=True, slots=True)
class _CsvColumn:
    """A column: what it is called, its field, and what its values are."""

    title: str
    name: str
    type: str
    options: tuple[str, ...]
    filled: bool
    """Whether every row has a value, of one at least."""
    key: bool
    """Whether its values tell rows apart, and its title says so."""


def convert(content: bytes, wish: Wish, file_name: str) -> Sketch:
    """A table and a definition that fills it. Raises `ConversionError` for what is no CSV with a header."""
    text, encoding = text_of(content, anything=True)
    header, rows, cut = _rows(text)
    stem = PurePath(file_name).stem or "rows"
    name = wish.name or definition_name(stem)
    draft = Sketch({"name": name, "title": as_title(stem)})
    if encoding not in ("utf-8", "utf-8-sig", "utf-16"):
        draft.leave("file", f"it is no Unicode and was read as {encoding}: look at the letters")
    columns = _columns(draft, header, rows)
    if cut:
        draft.leave("file", f"only the first {MOST_ROWS:,} rows were looked at to tell what columns hold")
    if rows:
        draft.leave("file", "its rows: import them into the table, on its page or by `passerelle records import`")
    key = next((one for one in columns if one.key), None)
    table = table_name(stem)
    fields = [{**_field(one), **({"unique": True, "indexed": True} if one is key else {})} for one in columns]
    draft.tables.append({"name": table, "title": as_title(stem), "fields": fields})
    if wish.batch:
        _batch(draft, table, columns, key)
    else:
        _form(draft, table, columns)
    return draft


def _rows(text: str) -> tuple[list[str], list[list[str]], bool]:
    text = text.replace("\0", "")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=lambda sign: (first.count(sign), -_DELIMITERS.index(sign)))
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > MOST_ROWS:
                break
    except csv.Error as error:
        raise ConversionError(f"line {reader.line_num}: this is no CSV: {error}") from None
    if not rows:
        raise ConversionError("the file has no header")
    header, *rows = rows
    if len(header) > MOST_COLUMNS:
        raise ConversionError(f"the file has {len(header):,} columns; {MOST_COLUMNS} are the most")
    if any(len(row) > len(header) for row in rows):
        wrong = next(number for number, row in enumerate(rows, 2) if len(row) > len(header))
        raise ConversionError(
            f"row {wrong} has more cells than the header has columns: is the delimiter `{delimiter}`?"
        )
    return header, rows, len(rows) == MOST_ROWS


def _columns(draft: Sketch, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[_CsvColumn]:
    columns: list[_CsvColumn] = []
    for number, given in enumerate(header):
        title = one_line(given, 120)
        if not title:
            if any(number < len(row) and row[number].strip() for row in rows):
                draft.leave(f"column {number + 1}", "it has no title: give it one in the first line")
            continue
        wanted = identifier(title, "column")
        if wanted in RESERVED:
            wanted = f"{wanted}Value"
            draft.leave(f"column {title}", f"its field is called `{wanted}`: records have one of that name themselves")
        name = unique(wanted, [one.name for one in columns])
        if name != wanted:
            draft.leave(f"column {title}", f"its field is called `{name}`, for another one is called `{wanted}`")
        values = [row[number].strip() if number < len(row) else "" for row in rows]
        columns.append(_column(draft, title, name, values))
    if not columns:
        raise ConversionError("the first line has no titles of columns")
    return columns


def _column(draft: Sketch, title: str, name: str, values: Sequence[str]) -> _CsvColumn:
    there = [value for value in values if value]
    different = list(dict.fromkeys(there))
    kind = _type(there)
    options: tuple[str, ...] = ()
    few = 2 <= len(different) <= MOST_OPTIONS and len(there) >= SEEN_OFTEN * len(different)
    if kind == "text" and few and max(map(len, different)) <= 40:
        kind, options = "singleSelect", tuple(different)
    if kind == "date" and not all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) for value in there):
        draft.leave(
            f"column {title}", "its dates are written in another way than 2026-01-31: rows need that for the import"
        )
    if kind == "checkbox" and not all(value.lower() in ("true", "false") for value in there):
        draft.leave(f"column {title}", "it says yes and no in words: rows need `true` and `false` for the import")
    if kind == "number" and any("," in value for value in there):
        draft.leave(f"column {title}", "its decimals stand behind a comma: rows need a point for the import")
    key = bool(there) and len(different) == len(values) and bool(_KEYS.search(title.lower()))
    return _CsvColumn(
        title,
        name,
        kind,
        options,
        bool(there) and len(there) == len(values),
        key and kind in ("text", "email", "integer"),
    )


def _type(values: Sequence[str]) -> str:
    """The type that all values of a column are of; a text where there is none."""
    if not values:
        return "text"
    return next((kind for kind, fits in _FITS.items() if all(map(fits, values))), "text")


def _is_date(value: str) -> bool:
    try:
        if found := re.fullmatch(r"(\d{2})[./](\d{2})[./](\d{4})", value):
            day, month, year = map(int, found.groups())
            return bool(date(year, month, day))
        return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_email(value: str) -> bool:
    try:
        return "@" in value and bool(validate_email(value, check_deliverability=False, test_environment=True))
    except EmailNotValidError:
        return False


_FITS: Final[dict[str, Callable[[str], bool]]] = {
    "checkbox": lambda value: value.lower() in _FLAGS,
    "integer": lambda value: _WHOLE.fullmatch(value) is not None,
    "number": lambda value: _NUMBER.fullmatch(value) is not None,
    "date": _is_date,
    "email": _is_email,
    "phone": lambda value: value.startswith("+") and is_phone(value),
}


def _field(column: _CsvColumn) -> dict[str, Any]:
    options = {"options": list(column.options)} if column.options else {}
    pii = {"pii": "contact"} if column.type in ("email", "phone") else {}
    return {"name": column.name, "type": column.type, "title": as_title(column.title), **options, **pii}


def _property(column: _CsvColumn) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "checkbox": {"type": "boolean"},
        "integer": {"type": "integer"},
        "number": {"type": "number"},
        "date": {"type": "string", "format": "date"},
        "email": {"type": "string", "format": "email", "pii": "contact"},
        "phone": {"type": "string", "format": "phone", "pii": "contact"},
        "singleSelect": {"enum": list(column.options)},
    }
    return {**kinds.get(column.type, {"type": "string"}), "title": as_title(column.title)}


def _form(draft: Sketch, table: str, columns: Sequence[_CsvColumn]) -> None:
    """A form that asks for one row, and a record of it."""
    title = draft.document["title"]
    draft.document["record"] = {"table": table, "create": True}
    required = [one.name for one in columns if one.filled]
    schema = {
        "type": "object",
        **({"required": required} if required else {}),
        "properties": {one.name: _property(one) for one in columns},
    }
    draft.document["steps"] = [
        {"id": "row", "form": {"title": as_text(title), "schema": schema}},
        {
            "id": "save",
            "record": {"update": {one.name: _value("steps.row", one.name, sure=one.filled) for one in columns}},
        },
        {"id": "thanks", "message": {"title": "Thank you", "text": "We have got your answers."}},
    ]


def _batch(draft: Sketch, table: str, columns: Sequence[_CsvColumn], key: _CsvColumn | None) -> None:
    """A definition that is started with rows and makes a record of each, or brings the one with its key up to date."""
    draft.document["parameters"] = {"rows": {"type": "list", "required": True, "title": "One object for each row"}}
    values = {one.name: _value("row", one.name, sure=one is key) for one in columns}
    action = {"create": values} if key is None else {"upsert": values, "by": key.name}
    save = {"id": "save", "record": {"table": table, **action}}
    each = {"in": "${parameters.rows}", "as": "row", "atOnce": 20, "onItemError": "continue", "steps": [save]}
    draft.document["steps"] = [{"id": "rows", "each": each}]
    draft.document["result"] = {
        "saved": "${steps.rows.items.filter(one, has(one.save)).size()}",
        "refused": "${steps.rows.items.filter(one, !has(one.save)).size()}",
    }


def _value(where: str, name: str, *, sure: bool) -> str:
    return f"${{{where}.{name}}}" if sure else f"${{has({where}.{name}) ? {where}.{name} : null}}"
