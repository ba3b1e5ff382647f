"""The templates that the package carries: `onboardings/<name>/<name>.yaml`, its scenarios and its picture, and the
tables that any of them needs in `tables/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from passerelle.definitions.source import read_source
from passerelle.definitions.words import suggest
from passerelle.kit.errors import Code
from passerelle.kit.json import KnownJson
from passerelle.tables.files import read_table
from passerelle.tables.schemas import TableBody

TEMPLATE_NOT_FOUND: Final = Code("TEMPLATE_NOT_FOUND", 404, "There is no template of this name.")

ONBOARDINGS: Final = Path(__file__).parent / "onboardings"
TABLES: Final = Path(__file__).parent / "tables"
PICTURE: Final = "picture.webp"


@dataclass(frozen=True, slots=True)
class TemplateTable:
    """A table that a template needs: its file, and what the file says."""

    text: str
    body: TableBody

    @property
    def relations(self) -> tuple[str, ...]:
        """The tables that its records lead to."""
        return tuple(field.table for field in self.body.fields if field.table is not None)


@dataclass(frozen=True, slots=True)
class Onboarding:
    """One onboarding. Titles and texts are by language."""

    name: str
    title: Mapping[str, str]
    text: Mapping[str, str]
    """What it is for, in two sentences."""
    definition: str
    scenarios: str
    steps: int
    tables: tuple[TemplateTable, ...]
    """In the order in which they can be made: what a relation leads to comes first."""

    @property
    def picture(self) -> Path:
        """Its first page, as a phone shows it (WebP)."""
        return ONBOARDINGS / self.name / PICTURE

    def files(self) -> Mapping[str, str]:
        """Its texts by the paths that they have beside each other."""
        tables = {f"tables/{table.body.name}.yaml": table.text for table in self.tables}
        return {f"{self.name}.yaml": self.definition, f"{self.name}.test.yaml": self.scenarios, **tables}


@cache
def templates() -> tuple[Onboarding, ...]:
    """All of them, in the order in which they are shown."""
    about = read_source((ONBOARDINGS / "about.yaml").read_text(encoding="utf-8")).value
    return tuple(_read(entry["name"], entry["text"]) for entry in about)


def template(name: str) -> Onboarding:
    """The template of this name. Raises TEMPLATE_NOT_FOUND."""
    names = [one.name for one in templates()]
    if name not in names:
        raise TEMPLATE_NOT_FOUND.error(f"there is no template `{name[:80]}`; {suggest(name, names, 'there are')}")
    return templates()[names.index(name)]


def _read(name: str, text: Mapping[str, str]) -> Onboarding:
    folder = ONBOARDINGS / name
    definition = (folder / f"{name}.yaml").read_text(encoding="utf-8")
    document: KnownJson = read_source(definition).value
    return Onboarding(
        name=name,
        title=document["title"],
        text=text,
        definition=definition,
        scenarios=(folder / f"{name}.test.yaml").read_text(encoding="utf-8"),
        steps=len(document["steps"]),
        tables=tuple(_tables(dict.fromkeys(_named(document)))),
    )


def _named(part: Any) -> Iterator[str]:
    """The tables that a definition names: its own, and those of its `record` steps."""
    if isinstance(part, list):
        for one in part:
            yield from _named(one)
    if isinstance(part, dict):
        record = part.get("record")
        if isinstance(record, dict) and isinstance(record.get("table"), str):
            yield record["table"]
        for one in part.values():
            yield from _named(one)


def _tables(names: Mapping[str, None]) -> Iterator[TemplateTable]:
    """The tables and those that they lead to, each after what it leads to. No table leads to itself by others."""
    told: set[str] = set()
    for name in names:
        for table in _with_relations(name):
            if table.body.name not in told:
                told.add(table.body.name)
                yield table


def _with_relations(name: str) -> Iterator[TemplateTable]:
    table = _table(name)
    for other in table.relations:
        if other != name:
            yield from _with_relations(other)
    yield table


@cache
def _table(name: str) -> TemplateTable:
    text = (TABLES / f"{name}.yaml").read_text(encoding="utf-8")
    return TemplateTable(text, read_table(text).require())
