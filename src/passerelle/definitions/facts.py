"""What is known of a workspace while a definition is checked against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from passerelle.definitions.calls import Callee
from passerelle.kit.json import JsonObject

CASES: Final = "cases"
"""The built-in table whose records are read as `case`."""
RECORD_FIELDS: Final = frozenset({"id", "version", "createdAt", "updatedAt"})
"""What every record has, whatever its table."""


class WorkspaceFacts(Protocol):
    """Names that a definition may refer to. None: not known here, so not checked."""

    @property
    def tables(self) -> Mapping[str, frozenset[str]] | None:
        """The fields of every table, by the table's name."""

    @property
    def values(self) -> Mapping[str, Mapping[str, JsonObject]]:
        """What is known of the values of fields: a JSON Schema, by table and field."""

    @property
    def languages(self) -> frozenset[str] | None:
        """What the pages' own words are there in, such as `en`."""

    @property
    def more_tables(self) -> bool:
        """Whether there may be tables that `tables` does not tell of."""

    @property
    def secrets(self) -> frozenset[str] | None:
        """The names of the secrets."""

    @property
    def definitions(self) -> frozenset[str] | None:
        """The names of the definitions."""

    @property
    def callees(self) -> Mapping[str, Callee]:
        """The definitions that are run as steps, directly or further down, by name, as far as they are known here."""


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """Facts as plain values. Without arguments: nothing is known, as when a file is checked by itself."""

    tables: Mapping[str, frozenset[str]] | None = None
    secrets: frozenset[str] | None = None
    definitions: frozenset[str] | None = None
    callees: Mapping[str, Callee] = field(default_factory=dict)
    more_tables: bool = False
    values: Mapping[str, Mapping[str, JsonObject]] = field(default_factory=dict)
    languages: frozenset[str] | None = None
