"""The map of a move: which field of the one table becomes which of the other. Written and read as YAML."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from passerelle.kit.errors import CommandError
from passerelle.kit.json import Json
from passerelle.records.searching import folded
from passerelle.tables.models import Field, Table
from passerelle.tables.values import unknown_field

_KEYS: Final = {"fields", "set"}
_TEXTS: Final = frozenset({"text", "email", "phone", "assignee", "idField", "singleSelect", "date", "datetime"})
_FITS: Final[dict[str, frozenset[str]]] = {
    "text": _TEXTS | {"integer", "number", "json", "relation"},
    "json": frozenset({"json", "phone", "text"}),
    "integer": frozenset({"integer", "number", "text", "json"}),
    "number": frozenset({"number", "text", "json"}),
    "array": frozenset({"array", "json"}),
    "multiselect": frozenset({"multiselect", "array", "json"}),
    "relation": frozenset({"relation", "text", "json"}),
}
"""Into which types values of a type can be turned; each into its own besides, and `_TEXTS` into each other."""

_FILL: Final = "…"
"""What a suggested map says where its reader has to."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """By the names of fields. A field that becomes None is left behind."""

    fields: Mapping[str, str | None]
    constants: Mapping[str, Json]
    """What fields of the new table have in every record that comes."""


def parse_map(text: str, where: str) -> FieldMap:
    """The map of a file. Raises `CommandError` with everything that is wrong with its form."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CommandError(f"{where} is not YAML: {str(error).splitlines()[0]}") from None
    problems: list[str] = []
    if not isinstance(found, dict) or not isinstance(found.get("fields"), dict):
        raise CommandError(f"{where} must have `fields:` with a line `field: field` each; --suggest writes one")
    problems += [f"{where}: `{key}` is unknown; the keys are `fields` and `set`" for key in found if key not in _KEYS]
    constants = found.get("set") or {}
    if not isinstance(constants, dict):
        problems.append(f"{where}: `set` must have a line `field: value` each")
    fields: dict[str, str | None] = {}
    for name, target in found["fields"].items():
        if not isinstance(name, str) or not (target is None or isinstance(target, str)):
            problems.append(f"{where}: `{name}` must name one field of the new table, or be empty to leave it behind")
        else:
            fields[name] = target
    if problems:
        raise CommandError("\n".join(problems))
    return FieldMap(fields, constants)


def faults_of(wanted: FieldMap, source: Table, target: Table, used: Collection[str]) -> list[str]:
    """What is wrong with a map between two tables, whatever their records hold.

    used   the fields of `source`, by name, that at least one record has a value in
    """
    faults = [
        f"{unknown_field(source, name)} (as the map says)" for name in wanted.fields if name not in source.by_name
    ]
    for name, becomes in wanted.fields.items():
        if becomes is not None and becomes not in target.by_name:
            faults.append(f"`{name}`: {unknown_field(target, becomes)}")
        elif becomes is not None and name in source.by_name:
            faults += _misfit(source.by_name[name], target.by_name[becomes])
    faults += [
        f"records have values in `{name}`, which the map does not name: give it a field, or `{name}:` alone to leave "
        "it behind"
        for name in source.by_name
        if name in used and name not in wanted.fields
    ]
    faults += [f"`set`: {unknown_field(target, name)}" for name in wanted.constants if name not in target.by_name]
    faults += [
        f"`set`: `{name}` still has the place-holder `{_FILL}`: write the value that all records are to have"
        for name, value in wanted.constants.items()
        if value == _FILL
    ]
    filled = [name for name in wanted.fields.values() if name is not None] + list(wanted.constants)
    faults += [
        f"`{name}` of {target.name} is filled twice" for name in sorted({x for x in filled if filled.count(x) > 1})
    ]
    faults += [
        f"`{field.name}` of {target.name} is required, and nothing fills it: map a field to it, or name it in `set`"
        for field in target.fields
        if field.required and field.name not in filled and field.default is None and field.type != "idField"
    ]
    return faults


def suggested(source: Table, target: Table, used: Collection[str]) -> str:
    """A map to begin with: fields of the same name or title whose types fit; the rest is left to the reader."""
    free = dict(target.by_name)
    chosen: dict[str, str | None] = {}
    for field in source.fields:
        match = next((one for one in free.values() if _same(field, one) and fits(field, one)), None)
        chosen[field.name] = match.name if match is not None else None
        if match is not None:
            del free[match.name]
    lines = [
        f"# From {source.name} to {target.name}: on the left the field as it was, on the right what it becomes.",
        "# Nothing on the right leaves a field behind; `set` fills a field with one value for all records.",
        "fields:",
    ]
    for field in source.fields:
        becomes = chosen[field.name]
        if becomes is not None:
            lines.append(f"  {field.name}: {becomes}")
            continue
        could = ", ".join(one.name for one in free.values() if fits(field, one))
        why = "" if field.name in used else "no record has a value; "
        lines.append(f"  {field.name}:  # {why}could become: {could or 'none of the fields that are left'}")
    left = [one for one in free.values() if one.required and one.default is None and one.type != "idField"]
    if left:
        lines.append("set:")
        lines += [f"  {one.name}: {_example(one)}  # required" for one in left]
    return "\n".join(lines) + "\n"


def fits(source: Field, target: Field) -> bool:
    """Whether values of the one can be turned into values of the other."""
    allowed = _FITS.get(source.type, _TEXTS if source.type in _TEXTS else frozenset())
    return source.type == target.type or target.type in allowed


def _misfit(source: Field, target: Field) -> list[str]:
    if fits(source, target):
        return []
    return [
        f"`{source.name}` is of type {source.type}, `{target.name}` of type {target.type}: values of the one cannot "
        "become values of the other"
    ]


def _same(source: Field, target: Field) -> bool:
    return bool(_names(source) & _names(target))


def _names(field: Field) -> set[str]:
    names = [field.name]
    if isinstance(field.title, str):
        names.append(field.title.split(":")[0])
    return {"".join(char for char in folded(name) if char.isalnum()) for name in names}


def _example(field: Field) -> Any:
    return field.options[0].value if field.options else _FILL
