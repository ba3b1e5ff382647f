"""The words of these pages: the end user's pages' own, and one YAML file a language more in `languages/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from passerelle.kit.language_choice import best
from passerelle.languages.language import DEFAULT, Language
from passerelle.languages.service import shipped

FOLDER: Final = Path(__file__).parent / "languages"


@cache
def offered_languages() -> Mapping[str, Language]:
    """Every language that these pages speak, by its code, English first."""
    return {code: _extended(language) for code, language in shipped().items() if _file(code).exists()}


def chosen(*wishes: str | None) -> Language:
    """The language of the first wish that these pages speak. A wish is a code or an `Accept-Language` header."""
    return offered_languages()[best(wishes, offered_languages()) or DEFAULT]


def _extended(language: Language) -> Language:
    own = yaml.load(_file(language.code).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return replace(language, texts={**language.texts, **own})


def _file(code: str) -> Path:
    return FOLDER / f"{code}.yaml"
