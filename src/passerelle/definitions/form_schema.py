"""The JSON Schema of a form, with what the standard lacks: `visibleWhen`, `pii`, and titles by language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.expressions import Expression
from passerelle.definitions.field_rules import CHECKED, KEYWORDS, FieldRules, compile_rules
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.model import Text
from passerelle.definitions.parts import LANGUAGE, PII
from passerelle.definitions.schema_size import MANY, NAMED, ONE
from passerelle.definitions.words import is_a, suggest
from passerelle.kit.json import JsonObject, KnownJson

TEXTS: Final = frozenset({"title", "description", "errorMessage"})
FORMATS: Final = (
    *("date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6"),
    *("uri", "uri-reference", "uri-template", "iri", "iri-reference", "uuid", "json-pointer", "relative-json-pointer"),
    *("regex", "phone", "country", *CHECKED, "multiline", "textarea"),
)
"""Those of JSON Schema 2020-12, a telephone number with its country, a country's code, official numbers, and two that
only say how a text is asked for."""
FORM: Final = frozenset({"form"})


@dataclass(frozen=True)
class FormSchema:
    """A form's schema and, by the path inside it, what the standard has no word for."""

    source: JsonObject
    """The schema as its author wrote it."""
    plain: JsonObject
    """A JSON Schema as the standard has it: validates what was submitted."""
    texts: Mapping[tuple[Path, str], Text]
    """Titles, descriptions and sentences of one's own (`errorMessage`), by path and keyword."""
    visible_when: Mapping[Path, Expression]
    pii: Mapping[Path, str]
    rules: Mapping[Path, FieldRules]
    """What of a field is worked out here: dates by the day, ages, money."""
    checks: Mapping[Path, JsonObject]
    """The checks of fields, `{name, with}`."""


def compile_form_schema(schema: JsonObject, path: Path, compiling: StepContext) -> FormSchema:
    """Take the form's own keywords out of its schema and check both parts. `path` is where the schema stands."""
    reader = _SchemaReader(path, compiling)
    plain = reader.read(schema, ())
    for place, condition in reader.visible_when.items():
        for name in {part.path[1] for part in condition.references if part.path[0] == "form" and len(part.path) > 1}:
            if name not in schema["properties"]:
                hint = suggest(name, schema["properties"], "its fields are")
                compiling.problem((*path, *place, "visibleWhen"), f"the form has no field `{name}`; {hint}")
    return FormSchema(
        *(schema, compiling.json_schema(plain, path), reader.texts, reader.visible_when, reader.pii),
        *(reader.rules, reader.checks),
    )


class _SchemaReader:
    def __init__(self, path: Path, compiling: StepContext) -> None:
        self._path = path
        self._compiling = compiling
        self.texts: dict[tuple[Path, str], Text] = {}
        self.visible_when: dict[Path, Expression] = {}
        self.pii: dict[Path, str] = {}
        self.rules: dict[Path, FieldRules] = {}
        self.checks: dict[Path, JsonObject] = {}

    def read(self, schema: KnownJson, within: Path) -> Any:
        """The schema without the form's own keywords, which are kept aside."""
        if not isinstance(schema, dict):
            return schema
        plain = {}
        for keyword, value in schema.items():
            here = (*within, keyword)
            if keyword in TEXTS:
                plain[keyword] = self._text(value, within, keyword)
            elif keyword == "visibleWhen":
                self._visible_when(value, within)
            elif keyword == "pii":
                self._pii(value, within)
            elif keyword in KEYWORDS and within:
                continue
            elif keyword == "format":
                plain[keyword] = self._format(value, (*self._path, *here))
            else:
                plain[keyword] = self._inner(keyword, value, here)
        self._rules(schema, within)
        return plain

    def _rules(self, schema: JsonObject, within: Path) -> None:
        if rules := compile_rules(schema, (*self._path, *within), self._compiling):
            self.rules[within] = rules
        check = schema.get("check", CHECKED.get(str(schema.get("format"))))
        if check is None or not within:
            return
        named = {"name": check} if isinstance(check, str) else check
        if isinstance(named, dict) and isinstance(named.get("name"), str) and not named.keys() - {"name", "with"}:
            self.checks[within] = named
        else:
            here = (*self._path, *within, "check")
            self._compiling.problem(here, "must be a check's name, or `{name, with}` with the check's other inputs")

    def _inner(self, keyword: str, value: KnownJson, here: Path) -> KnownJson:
        if keyword in ONE:
            return self.read(value, here)
        if keyword in MANY and isinstance(value, list):
            return [self.read(item, (*here, number)) for number, item in enumerate(value)]
        if (keyword in NAMED or keyword == "$defs") and isinstance(value, dict):
            return {name: self.read(item, (*here, name)) for name, item in value.items()}
        return value

    def _text(self, value: KnownJson, within: Path, keyword: str) -> str:
        path = (*self._path, *within, keyword)
        if (wrong := _not_a_text(value)) is not None:
            self._compiling.problem(path, wrong)
            return ""
        text = self.texts[within, keyword] = self._compiling.text(value, path)
        return text if isinstance(text, str) else next(iter(text.values()))

    def _visible_when(self, value: KnownJson, within: Path) -> None:
        path = (*self._path, *within, "visibleWhen")
        if within[-2:-1] != ("properties",):
            self._compiling.problem(path, "only a field can be hidden; write it at one of the `properties`")
        elif isinstance(value, str):
            self.visible_when[within] = self._compiling.expression(value, path, extra=FORM)
        else:
            self._compiling.problem(path, f"must be an expression such as `form.hasOwners`, is {is_a(value)}")

    def _format(self, value: KnownJson, path: Path) -> KnownJson:
        if isinstance(value, str) and value not in FORMATS:
            hint = suggest(value, FORMATS, "the formats are")
            self._compiling.problem(path, f"there is no format `{value}`, so nothing would check it; {hint}")
        return value

    def _pii(self, value: KnownJson, within: Path) -> None:
        if isinstance(value, str) and re.fullmatch(PII, value):
            self.pii[within] = value
        else:
            self._compiling.problem((*self._path, *within, "pii"), "must be a class of data, such as `contact`")


def _not_a_text(value: KnownJson) -> str | None:
    if isinstance(value, str):
        return None
    if not isinstance(value, dict) or not value or not all(isinstance(part, str) for part in value.values()):
        return f"must be a text, or one text for each language, is {is_a(value)}"
    wrong = next(_bad_languages(value), None)
    return f"a language is written like `en` or `pt-BR`, is `{wrong}`" if wrong else None


def _bad_languages(text: JsonObject) -> Iterator[str]:
    return (language for language in text if not re.fullmatch(LANGUAGE, language))
