"""What helps to fill a field in: the browser's own completion, the right keyboard, a hint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from passerelle.pages.forms.model import Control, Field
from passerelle.pages.texts import Language

_COMPLETION: Final[Mapping[str, str]] = {
    "name": "name",
    "fullname": "name",
    "firstname": "given-name",
    "givenname": "given-name",
    "lastname": "family-name",
    "surname": "family-name",
    "familyname": "family-name",
    "middlename": "additional-name",
    "birthdate": "bday",
    "birthday": "bday",
    "dateofbirth": "bday",
    "companyname": "organization",
    "organization": "organization",
    "jobtitle": "organization-title",
    "address": "street-address",
    "streetaddress": "street-address",
    "street": "address-line1",
    "addressline1": "address-line1",
    "addressline2": "address-line2",
    "city": "address-level2",
    "postalcode": "postal-code",
    "postcode": "postal-code",
    "zip": "postal-code",
    "zipcode": "postal-code",
    "country": "country",
    "website": "url",
    "phone": "tel",
    "email": "email",
}
"""WHATWG's names for what a field holds, by our property names in lower case without `_` and `-`."""

_KEYBOARD: Final[Mapping[Control, str]] = {
    Control.EMAIL: "email",
    Control.URI: "url",
    Control.NUMBER: "decimal",
    Control.INTEGER: "numeric",
}
_DIGITS: Final = re.compile(r"\^?(\[0-9\]|\\d)(\{\d+(,\d*)?\}|[+*])?\$?")


def completion_of(field: Field) -> str:
    """The `autocomplete` token: what WCAG 1.3.5 calls a field's purpose. Empty where nothing is known."""
    if field.control is Control.EMAIL:
        return "email"
    return _COMPLETION.get(re.sub("[_-]", "", field.name).lower(), "")


def attributes_of(field: Field, *, inside_list: bool) -> Mapping[str, str]:
    """HTML attributes for the field's input. Items of a list are about others: the browser does not complete them."""
    found: dict[str, str] = {}
    completion = completion_of(field)
    if inside_list:
        found["autocomplete"] = "off"
    elif completion:
        found["autocomplete"] = completion
    if (keyboard := _KEYBOARD.get(field.control)) is not None and not _may_be_negative(field):
        found["inputmode"] = keyboard
    elif _DIGITS.fullmatch(str(field.schema.get("pattern", ""))):
        found["inputmode"] = "numeric"
    if field.control in (Control.EMAIL, Control.URI):
        found |= {"autocapitalize": "none", "spellcheck": "false"}
    return found


def _may_be_negative(field: Field) -> bool:
    """Some phones' number pads have no minus."""
    if field.control not in (Control.NUMBER, Control.INTEGER):
        return False
    least = field.schema.get("minimum", field.schema.get("exclusiveMinimum", -1))
    return isinstance(least, int | float) and least < 0


def hint_of(field: Field, language: Language) -> str:
    """The schema's description; for a date, how it is written."""
    return language.of(field.schema.get("description")) or _default_hint(field, language)


def _default_hint(field: Field, language: Language) -> str:
    match field.control:
        case Control.DATE:
            return language("form.date_hint")
        case Control.DATE_TIME | Control.TIME:
            return language("form.utc_hint")
        case _:
            return ""
