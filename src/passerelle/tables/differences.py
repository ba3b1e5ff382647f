"""What a push of a table's file would change in a table that is there. Pure, and in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from passerelle.kit.json import Json, dumps
from passerelle.tables.files import defined
from passerelle.tables.models import Field, Option
from passerelle.tables.schemas import FieldBody, TableBody
from passerelle.tables.types import TYPES, WIDER

UNLESS: Final = "refused while records have values of it, unless --lose-data"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a push would change: `+` makes, `-` removes, `~` changes, `!` cannot be done."""

    sign: str
    text: str
    pointer: str | None = None
    """Of what cannot be done: where in the file it stands."""

    def __str__(self) -> str:
        return f"{self.sign} {self.text}"


def renames_left(there: TableBody, wanted: TableBody) -> TableBody:
    """`wanted` without the renames that are done: a file keeps saying `renamedFrom` after its push."""
    names = {field.name for field in there.fields}
    fields = [
        field
        if field.renamed_from in names and field.name not in names
        else field.model_copy(update={"renamed_from": None})
        for field in wanted.fields
    ]
    return wanted.model_copy(update={"fields": fields})


def differences(there: TableBody, wanted: TableBody) -> tuple[Difference, ...]:
    """Everything that differs; empty where a push would do nothing. `wanted`: as `renames_left` gives it."""
    return tuple(_differences(there, wanted))


def described(body: FieldBody) -> str:
    """A field in one line: `name: text, unique, indexed`."""
    [field] = defined([body])
    facts = [field.type, *(word for word in ("required", "unique", "indexed") if getattr(field, word))]
    if body.table is not None:
        facts.append(f"to {body.table}")
    if field.options:
        facts.append(f"options {_options(field.options)}")
    if field.default is not None:
        facts.append(f"default {dumps(field.default)}")
    if field.pii is not None:
        facts.append(f"pii {field.pii}")
    if field.case_sensitive:
        facts.append("case-sensitive")
    return f"{field.name}: {', '.join(facts)}"


def _differences(there: TableBody, wanted: TableBody) -> Iterator[Difference]:
    if there.title != wanted.title:
        yield Difference("~", f"title: {_shown(there.title)} → {_shown(wanted.title)}")
    old = {field.name: (field, body) for field, body in zip(defined(there.fields), there.fields, strict=True)}
    kept: list[str] = []
    for index, (field, body) in enumerate(zip(defined(wanted.fields), wanted.fields, strict=True)):
        source = body.renamed_from or field.name
        if source not in old:
            yield Difference("+", f"field {described(body)}")
            continue
        kept.append(source)
        if body.renamed_from is not None:
            yield Difference("~", f"field {body.renamed_from}: renamed to {field.name}")
        if old[source][0].type != field.type:
            yield _type(old[source][0], field, f"/fields/{index}/type")
        yield from _changes(old[source][0], field, old[source][1].table, body.table)
    for name in old:
        if name not in kept:
            yield Difference("-", f"field {name}: removed; {UNLESS}")
    if kept != [name for name in old if name in kept]:
        yield Difference("~", f"order of fields: {', '.join(field.name for field in wanted.fields)}")


def _changes(old: Field, new: Field, old_table: str | None, new_table: str | None) -> Iterator[Difference]:
    name = new.name
    for setting in ("required", "unique", "indexed"):
        if getattr(old, setting) != getattr(new, setting):
            yield Difference("~", f"field {name}: {_FLAGS[setting][getattr(new, setting)]}")
    if old.case_sensitive != new.case_sensitive:
        sign = "~" if new.case_sensitive or old.type != new.type else "!"
        yield Difference(sign, f"field {name}: {_CASE[new.case_sensitive]}")
    for setting in ("title", "default", "pii"):
        before, after = getattr(old, setting), getattr(new, setting)
        if type(before) is not type(after) or before != after:
            yield Difference("~", f"field {name}: {setting} {_shown(before)} → {_shown(after)}")
    yield from _option_changes(old, new)
    if old_table is not None and new_table is not None and old_table != new_table:
        yield Difference("~", f"field {name}: points to {new_table}, no more to {old_table}; values stay as they are")


_CASE: Final = {
    True: "tells mailboxes apart by case",
    False: "cannot stop telling mailboxes apart by case; add a field of another name",
}
_FLAGS: Final = {
    "required": {True: "is required; records without a value stay", False: "is required no more"},
    "unique": {True: "is unique, once no two records have the same value", False: "is unique no more"},
    "indexed": {True: "is indexed; its index is filled in the background", False: "is indexed no more"},
}


def _type(old: Field, new: Field, pointer: str) -> Difference:
    change = f"field {new.name}: type {old.type} → {new.type}"
    if (old.type, new.type) in WIDER:
        return Difference("~", change)
    text = f"{change} cannot be: values of the one are not of the other; add a field of another name"
    return Difference("!", text, pointer)


def _option_changes(old: Field, new: Field) -> Iterator[Difference]:
    before, after = _by_value(old.options), _by_value(new.options)
    if added := [value for value in after if value not in before]:
        yield Difference("+", f"field {new.name}: {_counted(added)} added")
    if gone := [value for value in before if value not in after]:
        # Where the type has no options any more, values stay: nothing is lost.
        lost = "; refused while records have it, unless --lose-data" if TYPES[new.type].choices else ""
        yield Difference("-", f"field {new.name}: {_counted(gone)} removed{lost}")
    for value, title in after.items():
        if value in before and before[value] != title:
            yield Difference(
                "~", f"field {new.name}: title of the option {value} {_shown(before[value])} → {_shown(title)}"
            )
    if [value for value in before if value in after] != [value for value in after if value in before]:
        yield Difference("~", f"field {new.name}: order of options: {', '.join(after)}")


def _by_value(options: Sequence[Option]) -> dict[str, Json]:
    return {option.value: option.title for option in options}


def _counted(values: list[str]) -> str:
    return f"option{'s' if len(values) > 1 else ''} {', '.join(values)}"


def _options(options: Iterable[Option]) -> str:
    return "/".join(option.value for option in options)


def _shown(value: Json) -> str:
    return "none" if value is None else dumps(value)
