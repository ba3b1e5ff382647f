"""The pages' own words: one YAML file a language in `languages/`; another language is another file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import yaml

from passerelle.definitions.model import Text

FOLDER: Final = Path(__file__).parent / "languages"
DEFAULT: Final = "en"
_RANGE: Final = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")


@dataclass(frozen=True)
class Language:
    """One language: how it calls itself, how it is written, and all texts."""

    code: str
    name: str
    direction: Literal["ltr", "rtl"]
    decimal: str
    """The mark before a number's decimals."""
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key`, with `{name}` replaced. Raises `KeyError` for a key that does not exist."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def of(self, text: Text | None) -> str:
        """A definition's text in this language; in its first one where it lacks this."""
        return text_in(text, self.code)


def text_in(text: Text | None, code: str) -> str:
    """A text for people in the language `code`, else in its base language, English or the first one."""
    if text is None or isinstance(text, str):
        return text or ""
    for wanted in (code, code.partition("-")[0], DEFAULT):
        if wanted in text:
            return text[wanted]
    return next(iter(text.values()), "")


@cache
def languages() -> Mapping[str, Language]:
    """Every language that the pages speak, by its code, English first."""
    found = [_read(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return {language.code: language for language in sorted(found, key=lambda one: one.code != DEFAULT)}


def _read(path: Path) -> Language:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Language(path.stem, document["name"], document["direction"], document["decimal"], document["texts"])


def choose(*wishes: str | None) -> Language:
    """The language of the first wish that we speak. A wish is a code or an `Accept-Language` header."""
    known = languages()
    for wish in wishes:
        for code in _in_order(wish or ""):
            found = known.get(code) or known.get(code.partition("-")[0])
            if found is not None:
                return found
    return known[DEFAULT]


def spoken(texts: Iterable[Text | None]) -> tuple[Language, ...]:
    """The languages that a definition's texts have, out of those that we speak; all where it names none."""
    named = {code.partition("-")[0] for text in texts if isinstance(text, Mapping) for code in text}
    found = tuple(language for code, language in languages().items() if code in named)
    return found or tuple(languages().values())


def _in_order(wish: str) -> list[str]:
    """The codes of an `Accept-Language` header, the most wanted first."""
    weighed = []
    for part in wish.replace("_", "-").split(",")[:20]:
        if (match := _RANGE.fullmatch(part)) and float(match[2] or 1) > 0:
            weighed.append((-float(match[2] or 1), match[1].lower()))
    return [code for _, code in sorted(weighed, key=lambda pair: pair[0])]
