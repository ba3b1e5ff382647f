"""The fields of a form as its schema asks for them, before values and language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from passerelle.definitions.model import Text
from passerelle.kit.json import Json, JsonObject


class Control(StrEnum):
    """How a field is asked for."""

    TEXT = "text"
    AREA = "area"
    EMAIL = "email"
    URI = "uri"
    PHONE = "phone"
    PHONE_PARTS = "phone-parts"
    """A phone whose value is `{countryCode, number}`."""
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    DATE_TIME = "date-time"
    TIME = "time"
    CHECK = "check"
    """A box: true when it is ticked."""
    YES_NO = "yes-no"
    RADIOS = "radios"
    SELECT = "select"
    COUNTRY = "country"
    """One of the countries, named in the reader's language."""
    CHECKS = "checks"
    """Several of the options; the value is a list."""
    GROUP = "group"
    """An object: fields under a heading."""
    REPEAT = "repeat"
    """A list: the same field, or group, several times."""
    CONST = "const"
    """One possible value: nothing to ask."""


@dataclass(frozen=True, slots=True)
class FormOption:
    """One possible value of a field. `key` is what the browser sends for it."""

    key: str
    value: Json
    label: Text


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the schema.

    name    the property's name; empty for a list's item and for the form itself
    place   where it stands in the values, with `*` for a list's items: `/owners/*/share`
    source  where it stands in the schema, as a JSON pointer: `/properties/owners/items/properties/share`
    """

    name: str
    place: str
    source: str
    control: Control
    schema: JsonObject
    required: bool = False
    options: tuple[FormOption, ...] = ()
    fields: tuple[FormField, ...] = ()
    item: FormField | None = None

    def walk(self) -> Iterator[FormField]:
        """This field and all below it."""
        yield self
        for inner in (*self.fields, *((self.item,) if self.item else ())):
            yield from inner.walk()


def step_into(pointer: str, name: str | int) -> str:
    """The JSON pointer of a member."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
