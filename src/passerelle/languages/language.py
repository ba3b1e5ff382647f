"""One language: its words, and the language in which a definition's own texts are read beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from markupsafe import Markup

from passerelle.definitions.model import Text
from passerelle.kit.language_choice import best, direction_of

DEFAULT: Final = "en"


@dataclass(frozen=True)
class Language:
    """How a language calls itself, how it is written, and all texts.

    read   the language of the definition's texts on the same page, where that is another one
    """

    code: str
    name: str
    direction: Literal["ltr", "rtl"]
    decimal: str
    """The mark before a number's decimals."""
    texts: Mapping[str, str]
    emails: Mapping[str, Mapping[str, str]]
    """Of e-mails: by kind of e-mail and name."""
    read: str = ""
    region: str = ""
    """The country that the reader's browser says, else the one where most people speak the language."""

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key`, with `{name}` replaced. Raises `KeyError` for a key that does not exist."""
        text = self.texts[key]
        if not values:
            return text
        return text.format(**({name: isolated(one) for name, one in values.items()} if self._isolates else values))

    def of(self, text: Text | None) -> str:
        """A definition's text in the language that it is read in."""
        return text_in(text, self.page)

    def moment(self, moment: datetime, zone: ZoneInfo) -> str:
        """`28 November 2026, 15:54 UTC`, as the language writes it; with the zone's place where it is another one."""
        from babel.dates import format_datetime  # noqa: PLC0415 - its tables take a moment to load

        written = format_datetime(moment.astimezone(zone), "d MMMM y, HH:mm", locale=self.code.replace("-", "_"))
        place = zone.key.replace("_", " ")
        return f"{written} {place}" if place == "UTC" else f"{written} ({place})"

    def reading(self, code: str, region: str = "") -> Language:
        """The same words beside texts in another language, for somebody of a country."""
        return _reading(self, "" if code == self.code else code, region or _HOME.get(self.code, ""))

    @cached_property
    def naming(self) -> frozenset[str]:
        """The sentences that name the field that they are about."""
        return frozenset(text for key, text in self.texts.items() if key.startswith("problem.enter_"))

    @property
    def alone(self) -> Language:
        """The words by themselves."""
        return replace(self, read="") if self.read else self

    @property
    def page(self) -> str:
        """The language that the person really reads: that of the definition's texts, else of these words."""
        return self.read or self.code

    @property
    def page_direction(self) -> str:
        """How the page is written."""
        return direction_of(self.read) if self.read else self.direction

    @property
    def own(self) -> Markup:
        """Attributes of elements that hold these words alone, where the page is in another language."""
        if not self.read or self.read.partition("-")[0] == self.code.partition("-")[0]:
            return Markup()
        return Markup(' lang="{}" dir="{}"').format(self.code, self.direction)

    @property
    def _isolates(self) -> bool:
        return self.direction == "rtl"

    def __hash__(self) -> int:
        return hash((self.code, self.read, self.region, len(self.texts)))


@lru_cache(maxsize=256)
def _reading(language: Language, code: str, region: str) -> Language:
    return replace(language, read=code, region=region)


_HOME: Final = {"pl": "PL", "de": "DE", "fr": "FR", "es": "ES", "it": "IT", "uk": "UA", "cs": "CZ", "ro": "RO"}


def isolated(value: object) -> str:
    """A value that keeps its own direction within a text of the other one (Unicode's FSI and PDI)."""
    return f"\u2068{value}\u2069"


def text_in(text: Text | None, code: str) -> str:
    """A text for people in the language `code`, else in English or its first one."""
    if text is None or isinstance(text, str):
        return text or ""
    found = best((code,), text) or (DEFAULT if DEFAULT in text else None)
    return text[found] if found is not None else next(iter(text.values()), "")
