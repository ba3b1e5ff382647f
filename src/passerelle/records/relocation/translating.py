"""Values and history between the table that a record leaves and the one that it comes into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import phonenumbers

from passerelle.kit.errors import Problem
from passerelle.kit.json import Json, JsonObject, dumps, loads
from passerelle.records.relocation.mapping import FieldMap
from passerelle.tables.models import Field, Table
from passerelle.tables.values import check_new, is_empty, read_value

PHONE_PARTS: Final = ("countryCode", "number")
_REMEMBERED: Final = 10_000


@dataclass(frozen=True)
class Translation:
    """A map between two tables, by the keys of their fields."""

    source: Table
    target: Table
    fields: Mapping[str, str | None]
    constants: Mapping[str, Json]

    @classmethod
    def of(cls, wanted: FieldMap, source: Table, target: Table) -> Translation:
        """A map by names, which `faults_of` found good."""
        return cls(
            source,
            target,
            {
                source.by_name[name].key: target.by_name[becomes].key if becomes is not None else None
                for name, becomes in wanted.fields.items()
            },
            {target.by_name[name].key: value for name, value in wanted.constants.items()},
        )

    @classmethod
    def from_json(cls, facts: JsonObject, source: Table, target: Table) -> Translation:
        """What `to_json` gave."""
        return cls(source, target, facts["fields"], facts["set"])

    def to_json(self) -> dict[str, Any]:
        """As it is stored with a move."""
        return {"fields": dict(self.fields), "set": dict(self.constants)}

    @cached_property
    def pairs(self) -> tuple[tuple[Field, Field], ...]:
        """Each field that is kept, with what it becomes, as long as both are there."""
        return tuple(
            (self.source.by_key[key], self.target.by_key[becomes])
            for key, becomes in self.fields.items()
            if becomes is not None and key in self.source.by_key and becomes in self.target.by_key
        )

    def arriving(self, values: JsonObject, record_id: UUID) -> tuple[dict[str, Json], tuple[Problem, ...]]:
        """A record's values in the new table, with defaults; and everything that is wrong with them there."""
        named: dict[str, Json] = {
            self.target.by_key[key].name: value for key, value in self.constants.items() if key in self.target.by_key
        }
        for source, target in self.pairs:
            if source.key in values:
                named[target.name] = _shaped(values[source.key], target)
        checked = check_new(self.target, named, record_id)
        if not checked.problems:
            self._remember(values, checked.values)
        return checked.values, checked.problems

    def carried(self, values: JsonObject) -> dict[str, Json]:
        """The values of a deleted record, or of a moment of its history: what does not fit is kept as it was."""
        found = {target.key: self._carried_one(target, values.get(source.key)) for source, target in self.pairs}
        return {key: value for key, value in found.items() if not is_empty(value)}

    def history(self, changes: JsonObject) -> dict[str, JsonObject]:
        """What a change did, by the keys of the new table; fields that were left behind are not in it."""
        return {
            target.key: {side: self._carried_one(target, value) for side, value in changes[source.key].items()}
            for source, target in self.pairs
            if source.key in changes
        }

    def returning(self, values: JsonObject, originals: JsonObject) -> dict[str, Json]:
        """A record's values as the old table would have them: as they were, where nothing has changed."""
        found = dict(originals)
        for source, target in self.pairs:
            value, was = values.get(target.key), originals.get(source.key)
            if value is None:
                found.pop(source.key, None)
            elif self._carried_one(target, was) != value:
                found[source.key] = _returned(source, value)
        return found

    @cached_property
    def _known(self) -> dict[tuple[str, str], Json]:
        """What values became: a record's history has most of them again, and addresses and phones take long to read."""
        return {}

    def _remember(self, values: JsonObject, became: JsonObject) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        for source, target in self.pairs:
            if source.key in values:
                self._known[target.key, dumps(values[source.key])] = became.get(target.key)

    def _carried_one(self, target: Field, value: Json) -> Json:
        if is_empty(value):
            return None
        if (known := (target.key, dumps(value))) in self._known:
            return self._known[known]
        try:
            return read_value(target, _shaped(value, target))
        except ValueError:
            return value


def _shaped(value: Json, target: Field) -> Json:
    """A value in the form that the new field takes; one that has none is left to that field's own check."""
    if target.type == "phone" and isinstance(value, dict):
        return _as_phone(value)
    if target.type in ("integer", "number") and isinstance(value, str):
        return _as_number(value)
    if target.type != "json" and isinstance(value, dict):
        parts = [str(value[name]) for name in PHONE_PARTS if value.get(name)]
        return " ".join(parts) if parts and set(value) <= set(PHONE_PARTS) else dumps(value)
    if target.type == "text" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return dumps(value) if target.type == "text" and isinstance(value, list) else value


def _as_phone(value: JsonObject) -> Json:
    code, number = (str(value.get(name) or "").strip() for name in PHONE_PARTS)
    if not number:
        return None
    return number if number.startswith("+") else f"+{code.lstrip('+0')}{number}" if code else number


def _as_number(value: str) -> Json:
    try:
        found = loads(value.strip())
    except ValueError:
        return value
    return found if isinstance(found, int | float) and not isinstance(found, bool) else value


def _returned(source: Field, value: Json) -> Json:
    """A value of the new table in the old field."""
    if source.type == "json" and isinstance(value, str) and value.startswith("+"):
        try:
            number = phonenumbers.parse(value, None)
        except phonenumbers.NumberParseException:
            return value
        extension = f" ext. {number.extension}" if number.extension else ""
        national = phonenumbers.national_significant_number(number)
        return {"countryCode": f"+{number.country_code}", "number": national + extension}
    if source.type == "text" and not isinstance(value, str):
        return dumps(value)
    return value
