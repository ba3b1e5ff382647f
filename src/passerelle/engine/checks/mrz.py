"""`mrz`: do the machine-readable lines of a passport or identity card hold together, and say what was typed?

It says nothing of whether the document was issued, or belongs to whoever shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import ClassVar, Final

from passerelle.engine.checks.base import CheckResult, PureCheck, Reason, Status
from passerelle.engine.checks.mrz_lines import UnreadableZone, Zone, plain, read
from passerelle.kit.json import JsonObject

_TEXT: Final[JsonObject] = {"type": "string", "maxLength": 200}
_DAY: Final[JsonObject] = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}

_REPLACED: Final = {
    "Ä": "AE", "Æ": "AE", "Å": "AA", "Ö": "OE", "Ø": "OE", "Œ": "OE", "Ü": "UE", "ẞ": "SS", "Þ": "TH",
    "Ð": "D", "Ñ": "N", "Ĳ": "IJ", "Х": "KH", "Щ": "SHCH", "Ю": "IU", "Я": "IA", "Й": "I", "Ц": "TS", "Ъ": "IE",
}  # fmt: skip
"""Where documents write other letters than usual transliteration does (Doc 9303 part 3, section 6)."""


class Mrz(PureCheck):
    """Passports (TD3) and identity cards (TD1, TD2)."""

    name = "mrz"
    source = "ICAO Doc 9303"
    inputs: ClassVar[JsonObject] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["lines"],
        "properties": {
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
    }

    def warm(self) -> None:
        _spellings("Ä")

    def run(self, inputs: JsonObject) -> CheckResult:
        try:
            zone = read(inputs["lines"])
        except UnreadableZone as error:
            status: Status = "unknown" if error.code == "DOCUMENT_UNKNOWN" else "invalid"
            return CheckResult(status, (Reason(error.code, str(error)),))
        expiry = _date(zone.field(zone.layout.expiry), _century_of_expiry)
        birth = _birth_date(zone, inputs, expiry)
        reasons = (*_faults(zone, birth, expiry, inputs), *_differences(zone, inputs))
        return CheckResult("invalid" if reasons else "valid", reasons, _facts(zone, birth, expiry))


def _faults(zone: Zone, birth: str | None, expiry: str | None, inputs: JsonObject) -> Iterator[Reason]:
    """What is wrong with the lines themselves."""
    for field in zone.wrong_digits():
        what = "of the lines as a whole" if field == "whole" else f"of the {field}"
        yield Reason("CHECKSUM", f"the check digit {what} does not fit: a character is wrong, or was changed")
    if birth is None and zone.field(zone.layout.birth).isdigit():
        yield Reason("DATE", "the date of birth is not a date")
    if expiry is None and zone.field(zone.layout.expiry).strip("<"):
        yield Reason("DATE", "the date of expiry is not a date")
    if zone.text[zone.layout.sex] not in "MFX<":
        yield Reason("FORMAT", "the place of the sex has something other than M, F, X or <")
    if expiry is not None and expiry < inputs.get("today", ""):
        yield Reason("EXPIRED", "the document has expired")


def _differences(zone: Zone, inputs: JsonObject) -> Iterator[Reason]:
    """Where the lines say something else than what was typed."""
    surname, given = zone.names
    if "surname" in inputs and not _same_name(inputs["surname"], surname, cut=zone.names_are_cut and not given):
        yield Reason("NAME_DIFFERS", "the surname is not the one in the lines")
    if "givenNames" in inputs and not _same_given(inputs["givenNames"], given, cut=zone.names_are_cut):
        yield Reason("NAME_DIFFERS", "the given names are not those in the lines")
    if "birthDate" in inputs and not _same_birth(inputs["birthDate"], zone.field(zone.layout.birth)):
        yield Reason("BIRTH_DATE_DIFFERS", "the date of birth is not the one in the lines")
    if "documentNumber" in inputs and _letters(inputs["documentNumber"].upper()) != _letters(zone.document_number):
        yield Reason("DOCUMENT_NUMBER_DIFFERS", "the document's number is not the one in the lines")


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
    """The latest such day that is not after today, or not after the expiry where today is not given."""
    latest = inputs.get("today") or expiry or "2099-12-31"
    field = zone.field(zone.layout.birth)
    later = _date(field, lambda year: 2000 + year)
    return later if later is not None and later <= latest else _date(field, lambda year: 1900 + year)


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


def _same_given(typed: str, given: str, *, cut: bool) -> bool:
    """Whether the typed names are the first of those in the lines."""
    parts = given.split()
    beginnings = ["".join(parts[: count + 1]) for count in range(len(parts))]
    return any(_same_name(typed, beginning, cut=cut) for beginning in beginnings or [""])


def _same_name(typed: str, there: str, *, cut: bool) -> bool:
    """Whether some way of writing the typed name is the one in the lines; a cut one needs only to begin so."""
    letters = _letters(there)
    return any(
        spelling == letters or (cut and bool(letters) and spelling.startswith(letters))
        for spelling in _spellings(typed)
    )


def _spellings(typed: str) -> set[str]:
    """How a document may write a name: as Doc 9303 recommends, or with plain letters."""
    from anyascii import anyascii  # noqa: PLC0415 - its tables are loaded with the first run

    upper = typed.replace("ß", "ẞ").upper()
    replaced = "".join(_REPLACED.get(character, character) for character in upper)
    return {_letters(anyascii(spelling).upper()) for spelling in (upper, replaced)}


def _letters(text: str) -> str:
    """Only letters and digits: apostrophes, hyphens and spaces are left out or become fillers."""
    return re.sub("[^0-9A-Z]", "", text)
