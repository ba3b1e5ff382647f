"""Phone numbers: a country and what people type after it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import phonenumbers
from anyascii import anyascii
from markupsafe import Markup

from passerelle.kit.countries import names as country_names
from passerelle.kit.phones import parsed, written
from passerelle.kit.text import number_text

_LONGEST: Final = 80


def join_phone(region: str, typed: str) -> str:
    """E.164 (`+48600100200`), with its extension, where it is a possible number; else `+48 ` and what was typed."""
    text = number_text(typed)[:_LONGEST]
    if not text:
        return ""
    number = _parse(text, region)
    if number is not None and phonenumbers.is_possible_number(number):
        return written(number)
    code = phonenumbers.country_code_for_region(region)
    return text if text.startswith("+") or not code else f"+{code} {text}"


def split_phone(value: str, region: str) -> tuple[str, str]:
    """The country's code of two letters and the number without it; `region` where the value names no country."""
    number = _parse(value, None)
    if number is not None:
        found = phonenumbers.region_code_for_number(number) or region_of(str(number.country_code))
        if found in phonenumbers.SUPPORTED_REGIONS:
            prefix = f"+{number.country_code} "
            if value.startswith(prefix):
                return found, value.removeprefix(prefix)
            extension = f" ext. {number.extension}" if number.extension else ""
            return found, phonenumbers.national_significant_number(number) + extension
    code = phonenumbers.country_code_for_region(region)
    return region, value.removeprefix(f"+{code} ")


def calling_code(region: str) -> str:
    """`48` for `PL`; empty for a region that has none."""
    return str(phonenumbers.country_code_for_region(region) or "")


def region_of(code: str) -> str | None:
    """The main country of a calling code."""
    if not code.isascii() or not code.isdigit() or len(code) > 3:
        return None
    region = phonenumbers.region_code_for_country_code(int(code))
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


@lru_cache(maxsize=32)
def countries(language: str) -> tuple[tuple[str, str, str], ...]:
    """Code, name and calling code of every country that has phone numbers, by name."""
    names = country_names(language)
    found = ((region, names.get(region, region), calling_code(region)) for region in phonenumbers.SUPPORTED_REGIONS)
    return tuple(sorted(found, key=lambda one: _without_accents(one[1])))


@lru_cache(maxsize=64)
def country_options(language: str, chosen: str, choose: str) -> Markup:
    """The options of a list of countries, ready for the page: to write 245 of them anew costs more than all else on it.

    chosen   the country that is selected; empty for none
    choose   what the first option says, which is none
    """
    option = Markup('<option value="{}"{}>{}</option>')
    selected = Markup(" selected")
    rows = [("", choose), *((code, f"{name} +{calling}") for code, name, calling in countries(language))]
    return Markup("").join(option.format(code, selected if code == chosen else "", label) for code, label in rows)


def _without_accents(name: str) -> str:
    return anyascii(name).casefold()


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return parsed(text, region)
    except phonenumbers.NumberParseException:
        return None
