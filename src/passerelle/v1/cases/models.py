"""Between a case as version 1 shows it and the record that it is.

The table's fields have the names that the case's body has, so one body serves both views. `documents` are the
record's attachments. `phone` is kept as `{"countryCode", "number"}`; whatever else the other view writes there is
shown as a number without a country.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from passerelle.kit.ids import parse_id
from passerelle.kit.json import Json, JsonObject
from passerelle.records.models import Record
from passerelle.resources.service import Resource
from passerelle.tables.models import Table

PERSONAL: Final = ("firstName", "lastName", "personalNumber", "email")
BUSINESS: Final = ("companyNumber", "companyName", "companyAddress")
PHONE: Final = "phone"
PHONE_PARTS: Final = ("countryCode", "number")
PARTY_ID: Final = "partyId"
"""The field of cases that were brought from elsewhere with a party of their own."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with everything that its answers show."""

    id: UUID
    created_at: datetime
    values: Mapping[str, Json]
    """Of the record, by field name."""
    documents: Sequence[Resource]

    @property
    def party_id(self) -> UUID:
        """The id of whom the case is about: the one that it came with, else one that follows from the case's."""
        given = self.values.get(PARTY_ID)
        return (parse_id(given) if isinstance(given, str) else None) or uuid5(self.id, "party")

    @property
    def email(self) -> str | None:
        """Where links are sent to."""
        return text_of(self.values.get("email"))

    def details(self) -> JsonObject:
        """`partyDetails`; what is not known is null."""
        personal: dict[str, Json] = {name: text_of(self.values.get(name)) for name in PERSONAL}
        return {
            "personal": {**personal, PHONE: phone_of(self.values.get(PHONE))},
            "business": {name: text_of(self.values.get(name)) for name in BUSINESS},
            "documents": [
                {"resourceId": str(one.id), "resourceName": one.name, "resourcePath": one.path}
                for one in self.documents
            ],
        }


def case_view(table: Table, record: Record, documents: Sequence[Resource] = ()) -> CaseView:
    """A record of the built-in table as a case."""
    return CaseView(record.id, record.created_at, table.named(record.values), documents)


def merged_phone(old: Json, given: Json) -> Json:
    """The phone with the parts that are given; null empties all of it."""
    if not isinstance(given, dict):
        return None
    known = phone_of(old) or {}
    parts = {name: given[name] if name in given else known.get(name) for name in PHONE_PARTS}
    return {name: part for name, part in parts.items() if part} or None


def phone_of(value: Json) -> dict[str, str | None] | None:
    """A stored phone in the parts that version 1 knows."""
    if isinstance(value, dict):
        parts = {name: text_of(value.get(name)) for name in PHONE_PARTS}
        return parts if any(parts.values()) else None
    number = text_of(value)
    return {"countryCode": None, "number": number} if number else None


def text_of(value: Json) -> str | None:
    """A text, or a number as one; None for all else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
