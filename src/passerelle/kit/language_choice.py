"""Which of the languages that are there serves somebody best: by language, script and region (RFC 4647, CLDR)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

LONGEST: Final = 35
"""Characters of a language's code (RFC 5646, 4.4.1)."""
_RANGE: Final = re.compile(r"\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")
_MOST: Final = 20

Subtags = tuple[str, str, str]
"""Language, script and region, such as `zh`, `Hans`, `CN`."""


def best(wishes: Iterable[str | None], there: Iterable[str]) -> str | None:
    """The code out of `there` for the first wish that one of them serves; None where none does.

    A wish is a code or an `Accept-Language` header. `pt-BR` serves who asks for `pt`, and `zh-Hant` who asks for
    `zh-TW`; of several that would do it is the one in the same script, then of the same region, then the first.
    """
    known = list(there)
    for wish in wishes:
        for code in in_order(wish or ""):
            serving = [one for one in known if _likely(one)[0] == _likely(code)[0]]
            if serving:
                return min(serving, key=lambda one: _distance(code, one))
    return None


def in_order(wish: str) -> list[str]:
    """The codes of an `Accept-Language` header, the most wanted first."""
    weighed = []
    for part in wish.replace("_", "-").split(",")[:_MOST]:
        match = _RANGE.fullmatch(part)
        if match and match[1] != "*" and len(match[1]) <= LONGEST and float(match[2] or 1) > 0:
            weighed.append((-float(match[2] or 1), match[1]))
    return [code for _, code in sorted(weighed, key=lambda pair: pair[0])]


def region_of(wish: str) -> str:
    """The region that the most wanted code with one says: `PL` of `pl-PL,en`. Empty where none does."""
    return next((region for code in in_order(wish) if (region := _subtags(code)[2]).isalpha()), "")


def display_name(code: str) -> str:
    """What a language calls itself: `português (Brasil)`; the code where that is not known."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - its tables take a moment to load

    try:
        name = Locale.parse(code, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        return code
    return name[:1].upper() + name[1:] if name else code


def direction_of(code: str) -> str:
    """`rtl` where the language is written from right to left, else `ltr`."""
    return "rtl" if _likely(code)[1] in _FROM_THE_RIGHT else "ltr"


_FROM_THE_RIGHT: Final = frozenset({"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg", "Mand"})


def _distance(wanted: str, offered: str) -> int:
    if wanted.lower() == offered.lower():
        return 0
    (_, script, region), (_, other_script, other_region) = _likely(wanted), _likely(offered)
    return 1 + 2 * (script != other_script) + (region != other_region)


@lru_cache(maxsize=1_000)
def _likely(code: str) -> Subtags:
    """The subtags, those filled in that a code leaves out: `zh` is `zh`, `Hans`, `CN`."""
    from babel.core import get_global  # noqa: PLC0415 - as above

    language, script, region = _subtags(code)
    language = get_global("language_aliases").get(language, language).split("_")[0]
    language = _SAME.get(language, language)
    known = get_global("likely_subtags")
    for key in (f"{language}_{script}_{region}", f"{language}_{region}", f"{language}_{script}", language):
        if key in known and "__" not in key:
            found = known[key].split("_")
            if len(found) == 3:
                return language, script or found[1], region or found[2]
    return language, script, region


_SAME: Final = {"nb": "no", "nn": "no", "tl": "fil"}
"""Languages whose readers read the other, and which CLDR names apart."""


def _subtags(code: str) -> Subtags:
    language, *rest = code.replace("_", "-").split("-")
    script = next((one.title() for one in rest if len(one) == 4 and one.isalpha()), "")
    region = next((one.upper() for one in rest if (len(one) == 2 and one.isalpha()) or len(one) == 3), "")
    return language.lower(), script, region
