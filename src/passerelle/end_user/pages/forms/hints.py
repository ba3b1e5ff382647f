"""What helps to fill a field in: the browser's own completion, the right keyboard, a hint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from passerelle.end_user.pages.forms.model import Control, FormField
from passerelle.languages.language import Language

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
_DIRECTION: Final[Mapping[Control, str]] = {
    Control.TEXT: "auto",
    Control.AREA: "auto",
    Control.EMAIL: "ltr",
    Control.URI: "ltr",
    Control.NUMBER: "ltr",
    Control.INTEGER: "ltr",
}
"""How what is typed is written, whichever direction the page has."""
_DIGITS: Final = re.compile(r"\^?(\[0-9\]|\\d)(\{\d+(,\d*)?\}|[+*])?\$?")


_OWN: Final = frozenset(
    [
        *("home", "address", "homeaddress", "postaladdress", "residence", "residentialaddress", "contact"),
        *("contactdetails", "personal", "personaldata", "person", "you", "yourself", "applicant", "me", "self"),
        *("customer", "client", "user", "details"),
    ]
)
"""Groups of fields about the person who fills them in, in lower case without `_` and `-`."""
_SECTIONS: Final[Mapping[str, str]] = {
    "billing": "billing",
    "billingaddress": "billing",
    "invoiceaddress": "billing",
    "shipping": "shipping",
    "shippingaddress": "shipping",
    "delivery": "shipping",
    "deliveryaddress": "shipping",
}
"""Groups for which HTML has a word of its own."""
_OTHERS: Final = re.compile(
    "spouse|partner|husband|wife|child|parent|mother|father|guardian|beneficiar|owner|shareholder|director|manager|"
    "representative|proxy|proxies|referee|reference|relative|dependa?nt|witness|emergency|guarantor|heir|member|tenant",
    re.IGNORECASE,
)
"""What names steps that ask about other people."""
_COMPANY: Final = re.compile("company|firm|business|employer|organi[sz]ation|vendor|supplier|merchant", re.IGNORECASE)
"""What names steps that ask about a company."""
_OF_A_COMPANY: Final = {"name": "organization", "companyname": "organization", "website": "url"}


def completion_of(field: FormField, about: str = "") -> str:
    """The `autocomplete` token: what WCAG 1.3.5 calls a field's purpose, `off` for what is another's, empty where
    nothing is known.

    A field of a group is the person's own where the group is named so; the author's `autofill` says otherwise.
    about   what names the step
    """
    said = field.schema.get("autofill")
    if isinstance(said, str):
        return said
    token = _token(field)
    if said is not None:
        return token if said else "off"
    if not token or "/*" in field.place:
        return "off" if "/*" in field.place else ""
    groups = [_plain(part) for part in field.place.split("/")[1:-1]]
    section = next((_SECTIONS[group] for group in groups if group in _SECTIONS), "")
    if _OTHERS.search(about) or not all(group in _OWN or group in _SECTIONS for group in groups):
        return "off"
    if _COMPANY.search(about) and not groups:
        return _OF_A_COMPANY.get(_plain(field.name), "off")
    return f"{section} {token}".strip()


def _token(field: FormField) -> str:
    by_control = {Control.EMAIL: "email", Control.PHONE: "tel", Control.PHONE_PARTS: "tel"}.get(field.control)
    return by_control or _COMPLETION.get(_plain(field.name), "")


def _plain(name: str) -> str:
    return re.sub("[_-]", "", name).lower()


def attributes_of(field: FormField, about: str = "") -> Mapping[str, str]:
    """HTML attributes for the field's input. `about` names the step."""
    found: dict[str, str] = {}
    if completion := completion_of(field, about):
        found["autocomplete"] = completion
    if (keyboard := _KEYBOARD.get(field.control)) is not None and not _may_be_negative(field):
        found["inputmode"] = keyboard
    elif _DIGITS.fullmatch(str(field.schema.get("pattern", ""))):
        found["inputmode"] = "numeric"
    if field.control in (Control.EMAIL, Control.URI):
        found |= {"autocapitalize": "none", "spellcheck": "false"}
    if (direction := _DIRECTION.get(field.control)) is not None:
        found["dir"] = direction
    return found


def _may_be_negative(field: FormField) -> bool:
    """Some phones' number pads have no minus."""
    if field.control not in (Control.NUMBER, Control.INTEGER):
        return False
    least = field.schema.get("minimum", field.schema.get("exclusiveMinimum", -1))
    return isinstance(least, int | float) and least < 0


def hint_of(field: FormField, language: Language) -> str:
    """The schema's description; for a date, how it is written."""
    return language.of(field.schema.get("description")) or _default_hint(field, language)


def _default_hint(field: FormField, language: Language) -> str:
    match field.control:
        case Control.DATE:
            return language("form.date_hint")
        case Control.DATE_TIME | Control.TIME:
            return language("form.utc_hint")
        case _:
            return ""
