"""Compiles the values that step kinds have in common: expressions, templates, texts, lengths of time, schemas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from passerelle.definitions.calls import call_findings
from passerelle.definitions.expressions import (
    ROOTS,
    Expression,
    ExpressionProblem,
    Insert,
    Reference,
    Template,
    TemplateProblem,
)
from passerelle.definitions.facts import WorkspaceFacts
from passerelle.definitions.json_schema import Finding, SchemaCheck, schema_findings
from passerelle.definitions.kinds import Path, TextTemplate
from passerelle.definitions.model import Text
from passerelle.definitions.schema_keywords import keyword_findings
from passerelle.definitions.texts import Translations
from passerelle.definitions.uses import KnownNames, NameUse, Spot, Uses, unknown_field
from passerelle.definitions.words import suggest
from passerelle.kit.durations import parse_duration
from passerelle.kit.json import JsonObject, KnownJson
from passerelle.kit.sizes import parse_size

# CEL's reserved words and literals (language definition, "Syntax"): some implementations refuse them after a dot, too.
RESERVED: Final = frozenset({
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
})  # fmt: skip


@dataclass(frozen=True)
class Here:
    """Where the compiler is: what the values that it meets may name."""

    spot: Spot | None = None
    extra: frozenset[str] = field(default_factory=frozenset)
    secrets: bool = False
    texts: Path = ()
    """The group of texts that must share their languages."""


class ValueCompiler:
    """Implements the part of `StepContext` that needs no steps. Notes what is wrong; raises nothing."""

    def __init__(self, known: KnownNames) -> None:
        self.known = known
        self.findings: list[Finding] = []
        self.doubts: list[Finding] = []
        """What a new text is refused for, and a stored one is not: it was taken before anybody looked."""
        self.warnings: list[Finding] = []
        self.here = Here()
        self.uses = Uses(known)
        self.translations = Translations()

    @contextmanager
    def at(self, here: Here) -> Iterator[None]:
        """Compile what stands elsewhere for a while."""
        before, self.here = self.here, here
        try:
            yield
        finally:
            self.here = before

    def problem(self, path: Path, message: str) -> None:
        self.findings.append((path, message))

    def doubt(self, path: Path, message: str) -> None:
        self.doubts.append((path, message))

    def warning(self, path: Path, message: str) -> None:
        self.warnings.append((path, message))

    def expression(self, source: KnownJson, path: Path, *, extra: frozenset[str] = frozenset()) -> Expression:
        names = extra | self.here.extra
        try:
            compiled = Expression.compile(source, names=ROOTS | names)
        except ExpressionProblem as problem:
            bare = source.strip().startswith("${")
            self.problem(path, "write the expression without `${…}` around it" if bare else problem.message)
            return Expression.compile("false")
        self._use(compiled.references, path, names, secrets=False)
        return compiled

    def template(
        self,
        value: KnownJson,
        path: Path,
        *,
        extra: frozenset[str] = frozenset(),
        insert: Insert | None = None,
    ) -> Template:
        names = extra | self.here.extra
        try:
            compiled = Template.compile(value, names=ROOTS | names, insert=insert)
        except TemplateProblem as problem:
            for within, part in problem.problems:
                self.problem((*path, *within), part.message)
            return Template.compile(None)
        self._use(compiled.references, path, names, secrets=self.here.secrets)
        return compiled

    def text(self, value: KnownJson, path: Path) -> Text:
        text = self._text(value, path)
        for language, part in {"": text}.items() if isinstance(text, str) else text.items():
            if "${" in part:
                where = (*path, language) if language else path
                self.problem(where, "is shown as it is: `${…}` is not replaced here")
        return text

    def _text(self, value: KnownJson, path: Path) -> Text:
        if isinstance(value, str):
            return value
        self.translations.add(value, path, self.here.texts)
        return dict(value)

    def text_template(
        self, value: KnownJson, path: Path, *, extra: frozenset[str] = frozenset(), insert: Insert | None = None
    ) -> TextTemplate:
        text = self._text(value, path)
        if isinstance(text, str):
            return self.template(text, path, extra=extra, insert=insert)
        return {
            language: self.template(part, (*path, language), extra=extra, insert=insert)
            for language, part in text.items()
        }

    def duration(self, value: KnownJson, path: Path) -> timedelta:
        try:
            return parse_duration(value)
        except ValueError as error:
            self.problem(path, str(error))
            return timedelta()

    def size(self, value: KnownJson, path: Path) -> int:
        return parse_size(value)

    def json_schema(self, value: KnownJson, path: Path) -> JsonObject:
        findings = schema_findings(value)
        if not findings:
            self.doubts += [((*path, *within), message) for within, message in keyword_findings(value)]
        for within, message in findings:
            self.problem((*path, *within), message)
        return {} if findings else value

    def identifier(self, name: str, path: Path) -> str:
        if name in RESERVED:
            self.problem(path, f"`{name}` is a reserved word of CEL, so expressions cannot read it; use another name")
        return name

    def table(self, name: str | None, path: Path) -> str | None:
        table = name or self.known.table
        tables = self.facts.tables
        if table is None and not self.known.has_record:
            self.problem(path, "the definition has no `record:` block, so say here which `table` is meant")
        elif tables is not None and table is not None and table not in tables and not self.facts.more_tables:
            self.problem(path, f"the workspace has no table `{table}`; {suggest(table, sorted(tables), 'it has')}")
        return table

    @property
    def bound_table(self) -> str | None:
        return self.known.table

    def field(self, table: str | None, name: str, path: Path) -> str:
        if table is not None:
            for message in unknown_field(self.facts, table, name):
                self.problem(path, message)
        return name

    def value(self, table: str | None, field: str, value: KnownJson, path: Path) -> None:
        known = self.facts.values.get(table or "", {}).get(field)
        if known is None or value is None or has_expression(value):
            return
        check = SchemaCheck(
            {"type": known["type"], **{k: v for k, v in known.items() if k in ("enum", "items")}}, show_values=True
        )
        for within, message in check.findings(value):
            self.doubt((*path, *within), f"the field `{field}` of `{table}` does not take it: {message}")

    def workflow(self, name: str, given: JsonObject, path: Path) -> str:
        names = self.facts.definitions
        for within, message in call_findings(self.known.name, name, given, self.facts.callees):
            self.problem((*path, *within), message)
        if names is not None and name not in names and name != self.known.name:
            hint = suggest(name, sorted(names), "it has")
            self.problem((*path, "definition"), f"the workspace has no definition `{name}`; {hint}")
        return name

    @property
    def facts(self) -> WorkspaceFacts:
        return self.known.facts

    def _use(self, references: Iterable[Reference], path: Path, extra: frozenset[str], *, secrets: bool) -> None:
        for reference in references:
            self.uses.add(NameUse(reference, path, self.here.spot, extra, secrets))


def has_expression(value: KnownJson) -> bool:
    """Whether some text of it has a `${…}`, so that only a run tells what it is."""
    if isinstance(value, str):
        return "${" in value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(has_expression, parts))
