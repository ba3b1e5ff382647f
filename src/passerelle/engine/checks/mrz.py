"""`mrz`: do the machine-readable lines of a passport or identity card hold together, and say what was typed?

It says nothing of whether the document was issued, or belongs to whoever shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import ClassVar, Final

from passerelle.engine.checks.base import CheckResult, PureCheck, Reason, Status, takes
from passerelle.engine.checks.mrz_lines import UnreadableZone, Zone, plain, read
from passerelle.engine.checks.mrz_names import Comparison, compare, plain_letters
from passerelle.kit.json import JsonObject

_TEXT: Final[JsonObject] = {"type": "string", "maxLength": 200}
_DAY: Final[JsonObject] = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


class Mrz(PureCheck):
    """Passports (TD3) and identity cards (TD1, TD2)."""

    name = "mrz"
    subject = "lines"
    source = "ICAO Doc 9303"
    inputs: ClassVar[JsonObject] = takes(
        ["lines"],
        {
            "lines": {
                "type": ["string", "array"],
                "items": {"type": "string", "maxLength": 300},
                "maxItems": 10,
                "maxLength": 1000,
                "description": "The two or three lines: a list, or one text. Spaces and lower case do not matter.",
            },
            "surname": {**_TEXT, "description": "The surname as typed, in any script; compared with the lines."},
            "givenNames": {
                **_TEXT,
                "description": "The given names as typed; the later ones may be left out.",
            },
            "birthDate": {**_DAY, "description": "The date of birth as typed: `1990-12-31`."},
            "documentNumber": {**_TEXT, "description": "The document's number as typed."},
            "today": {
                **_DAY,
                "description": "`${execution.today}`: a document that has expired by then does not pass.",
            },
        },
    )

    def warm(self) -> None:
        compare("Ä", "A")

    def run(self, inputs: JsonObject) -> CheckResult:
        try:
            zone = read(inputs["lines"])
        except UnreadableZone as error:
            status: Status = "unknown" if error.code == "DOCUMENT_UNKNOWN" else "invalid"
            return CheckResult(status, (Reason(error.code, str(error)),))
        expiry = _date(zone.field(zone.layout.expiry), _century_of_expiry)
        birth = _birth_date(zone, inputs, expiry)
        reasons = (*_faults(zone, birth, expiry, inputs), *_differences(zone, inputs))
        open_ = () if reasons else tuple(_undecided(zone, inputs))
        decided: Status = "invalid" if reasons else "unknown" if open_ else "valid"
        return CheckResult(decided, (*reasons, *open_), _facts(zone, birth, expiry))


def _faults(zone: Zone, birth: str | None, expiry: str | None, inputs: JsonObject) -> Iterator[Reason]:
    """What is wrong with the lines themselves."""
    for field in zone.wrong_digits():
        what = "of the lines as a whole" if field == "whole" else f"of the {field}"
        said = f"the check digit {what} does not fit: a character is wrong, or was changed"
        yield Reason("CHECKSUM", said, {"field": field})
    if birth is None and zone.field(zone.layout.birth).isdigit():
        yield Reason("DATE", "the date of birth is not a date", {"field": "date of birth"})
    if expiry is None and zone.field(zone.layout.expiry).strip("<"):
        yield Reason("DATE", "the date of expiry is not a date", {"field": "date of expiry"})
    if zone.text[zone.layout.sex] not in "MFX<":
        yield Reason("FORMAT", "the place of the sex has something other than M, F, X or <")
    if expiry is not None and expiry < inputs.get("today", ""):
        yield Reason("EXPIRED", "the document has expired")


def _differences(zone: Zone, inputs: JsonObject) -> Iterator[Reason]:
    """Where the lines say something else than what was typed."""
    for name, what, found in _names_compared(zone, inputs):
        if found == "different":
            yield Reason("NAME_DIFFERS", what, {"field": name})
    if "birthDate" in inputs and not _same_birth(inputs["birthDate"], zone.field(zone.layout.birth)):
        yield Reason("BIRTH_DATE_DIFFERS", "the date of birth is not the one in the lines")
    if "documentNumber" in inputs and plain_letters(inputs["documentNumber"].upper()) != plain_letters(
        zone.document_number
    ):
        yield Reason("DOCUMENT_NUMBER_DIFFERS", "the document's number is not the one in the lines")


def _undecided(zone: Zone, inputs: JsonObject) -> Iterator[Reason]:
    """What was typed in a script that nobody here can compare with the lines."""
    for name, what, found in _names_compared(zone, inputs):
        if found == "unknown":
            said = f"it cannot be told whether {what}: its script has no table here"
            yield Reason("SCRIPT_NOT_COMPARED", said, {"field": name})


def _names_compared(zone: Zone, inputs: JsonObject) -> Iterator[tuple[str, str, Comparison]]:
    surname, given = zone.names
    if "surname" in inputs:
        found = compare(inputs["surname"], surname, cut=zone.names_are_cut and not given)
        yield "surname", "the surname is not the one in the lines", found
    if "givenNames" in inputs:
        found = _given(inputs["givenNames"], given, cut=zone.names_are_cut)
        yield "given names", "the given names are not those in the lines", found


def _facts(zone: Zone, birth: str | None, expiry: str | None) -> JsonObject:
    """What the lines say; a field that is empty or unreadable is left out."""
    layout = zone.layout
    surname, given = zone.names
    facts = {
        "format": layout.name,
        "documentCode": zone.document_code,
        "issuer": zone.issuer,
        "surname": surname,
        "givenNames": given,
        "documentNumber": zone.document_number,
        "nationality": plain(zone.field(layout.nationality)),
        "birthDate": birth,
        "sex": plain(zone.text[layout.sex]),
        "expiryDate": expiry,
        "optional": zone.optional,
        "optional2": plain(zone.field(layout.more)) if layout.more else None,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _birth_date(zone: Zone, inputs: JsonObject, expiry: str | None) -> str | None:
    """The typed one, where it is that; else the latest such day that is not after today, or not after the expiry."""
    field = zone.field(zone.layout.birth)
    typed = inputs.get("birthDate")
    if typed is not None and field.isdigit() and _same_birth(typed, field) and _is_day(typed):
        return str(typed)
    latest = inputs.get("today") or expiry or "2099-12-31"
    later = _date(field, lambda year: 2000 + year)
    return later if later is not None and later <= latest else _date(field, lambda year: 1900 + year)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _century_of_expiry(year: int) -> int:
    """Machine-readable documents exist since 1980, and none is valid for fifty years."""
    return (2000 if year < 80 else 1900) + year


def _date(field: str, full_year: Callable[[int], int]) -> str | None:
    """A date of six digits as ISO 8601; None where it is none, or has unknown parts."""
    if not re.fullmatch("[0-9]{6}", field):
        return None
    try:
        return date(full_year(int(field[:2])), int(field[2:4]), int(field[4:])).isoformat()
    except ValueError:
        return None


def _same_birth(typed: str, field: str) -> bool:
    """Unknown parts of the date have fillers, and fit any day (part 3, section 4.8)."""
    expected = typed[2:].replace("-", "")
    return any(character != "<" for character in field) and all(
        there in (wanted, "<") for there, wanted in zip(field, expected, strict=True)
    )


def _given(typed: str, given: str, *, cut: bool) -> Comparison:
    """Whether the typed names are the first of those in the lines."""
    parts = given.split()
    beginnings = ["".join(parts[: count + 1]) for count in range(len(parts))] or [""]
    found = [compare(typed, beginning, cut=cut) for beginning in beginnings]
    return "same" if "same" in found else found[-1]
