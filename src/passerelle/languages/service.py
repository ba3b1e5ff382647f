"""Every language that pages and e-mails speak: those that are shipped, and those of the deployment's own folder."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from passerelle.kit.errors import CommandError
from passerelle.kit.language_choice import best, direction_of, display_name
from passerelle.languages.language import DEFAULT, Language

FOLDER: Final = Path(__file__).parent
_PARTS: Final = ("name", "direction", "decimal", "texts", "emails")


@dataclass(frozen=True, slots=True)
class OfferedLanguage:
    """One language that a switch offers."""

    code: str
    name: str
    direction: str


class Languages:
    """The languages by their codes, English first.

    Files of `folder` add languages and replace texts of those that are shipped; what they lack is in English.
    Raises `CommandError` with everything that is wrong with them.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.known: Mapping[str, Language] = _with(shipped(), folder) if folder is not None else shipped()

    def choose(self, wishes: Iterable[str | None], named: Sequence[str] = ()) -> Language:
        """The pages' words for somebody, and the language of the definition's texts, each by what there is of it.

        wishes   codes and `Accept-Language` headers, the most important first
        named    the languages that the definition's texts say; none where it says none
        """
        known = list(wishes)
        words = self.words(known)
        return words.reading(self.read(known, named)) if named else words

    def words(self, wishes: Iterable[str | None]) -> Language:
        """The pages' words alone."""
        return self.known[best(wishes, self.known) or DEFAULT]

    def read(self, wishes: Iterable[str | None], named: Sequence[str]) -> str:
        """The language of a definition's texts for somebody."""
        return best(wishes, named) or (DEFAULT if DEFAULT in named else named[0])

    def offered(self, named: Sequence[str]) -> tuple[OfferedLanguage, ...]:
        """What the switch offers: the languages of the definition's texts, or all of ours where these say none."""
        if named:
            return tuple(self._offered_language(code) for code in named)
        return tuple(OfferedLanguage(one.code, one.name, one.direction) for one in self.known.values())

    def _offered_language(self, code: str) -> OfferedLanguage:
        ours = self.known.get(code)
        return OfferedLanguage(code, ours.name if ours else display_name(code), direction_of(code))


def shipped_codes() -> frozenset[str]:
    """The codes of `shipped`, without what they say."""
    return frozenset(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def shipped() -> Mapping[str, Language]:
    """Those that the release brings along."""
    found = [_language(path.stem, _document(path)) for path in sorted(FOLDER.glob("*.yaml"))]
    return {one.code: one for one in sorted(found, key=lambda one: one.code != DEFAULT)}


def _with(ours: Mapping[str, Language], folder: Path) -> Mapping[str, Language]:
    if not folder.is_dir():
        raise CommandError(f"PASSERELLE_LANGUAGES_FOLDER names {folder}, which is no folder")
    known, wrong = dict(ours), []
    for path in sorted(folder.glob("*.yaml")):
        document = _document(path)
        if problems := list(_problems(document, ours[DEFAULT], new=path.stem not in ours)):
            wrong += [f"{path.name}: {problem}" for problem in problems]
        else:
            known[path.stem] = _language(path.stem, _over(document, ours.get(path.stem, ours[DEFAULT])))
    if wrong:
        raise CommandError("\n".join(wrong))
    return known


def _document(path: Path) -> Any:
    try:
        # The loader in C: the one in Python would hold the start for half a second.
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read as YAML in UTF-8: {error}") from None


def _language(code: str, document: Mapping[str, Any]) -> Language:
    return Language(code, *(document[part] for part in _PARTS))


def _over(document: Mapping[str, Any], base: Language) -> dict[str, Any]:
    """A file over what it adds to or replaces."""
    emails = document.get("emails", {})
    return {
        **{part: document.get(part, getattr(base, part)) for part in ("name", "direction", "decimal")},
        "texts": {**base.texts, **document.get("texts", {})},
        "emails": {kind: {**texts, **emails.get(kind, {})} for kind, texts in base.emails.items()},
    }


def _problems(document: Any, english: Language, *, new: bool) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "must have `name`, `direction`, `decimal`, `texts` and `emails`, as en.yaml has"
        return
    for part in document:
        if part not in _PARTS:
            yield f"there is no `{part}`; a language has {', '.join(_PARTS)}"
    if new and not all(isinstance(document.get(part), str) for part in ("name", "direction", "decimal")):
        yield "a new language needs `name`, `direction` (ltr or rtl) and `decimal` (the mark before decimals)"
    if document.get("direction", "ltr") not in ("ltr", "rtl"):
        yield "`direction` must be ltr or rtl"
    texts, emails = document.get("texts", {}), document.get("emails", {})
    yield from _differences("texts", texts, english.texts)
    if not isinstance(emails, dict):
        yield "`emails` must have texts by kind of e-mail"
        return
    for kind, said in emails.items():
        yield from _differences(f"emails.{kind}", said, english.emails.get(kind, {}))


def _differences(where: str, texts: Any, english: Mapping[str, str]) -> Iterator[str]:
    if not isinstance(texts, dict):
        yield f"`{where}` must have texts by name"
        return
    for key, text in texts.items():
        if key not in english:
            yield f"`{where}` has `{key}`, which no page and no e-mail asks for"
        elif not isinstance(text, str) or not text.strip():
            yield f"`{where}.{key}` must be a text"
        elif places(text) != places(english[key]):
            wanted = ", ".join(f"{{{place}}}" for place in sorted(places(english[key]))) or "none"
            yield f"`{where}.{key}` must have the same places as in English: {wanted}"


def places(text: str) -> frozenset[str]:
    """The names in braces that are replaced in a text."""
    try:
        return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
    except ValueError:
        return frozenset({"{"})
