"""How large a JSON Schema is once every `$ref` stands for what it leads to: counted without writing it out.

What an author writes in two kilobytes can stand for millions of schemas, each of which whoever validates, shows or
fills in a form would visit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.kinds import Path
from passerelle.kit.json import Json, JsonObject

MOST_SCHEMAS: Final = 5_000
"""Schemas within a schema, each counted as often as a `$ref` repeats it."""
MOST_AT_ONCE: Final = 1_000
"""Schemas that say something of the same value: those of `allOf`, `anyOf`, `oneOf`, `if`, `$ref`…"""
DEEPEST: Final = 100
"""Levels of schemas, those that a `$ref` leads to included."""

ONE: Final = frozenset(
    {"items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames", "unevaluatedItems"}
    | {"unevaluatedProperties", "contentSchema"}
)
"""Keywords whose value is a schema."""
MANY: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""Keywords whose value is a list of schemas."""
NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords whose value holds schemas by name; those of `$defs` count where a `$ref` leads to them."""
_SAME_VALUE: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
_TRIED: Final = frozenset({"anyOf", "oneOf"})
_TRIED_COST: Final = 8
"""How much longer an alternative takes than a plain keyword; the same for an option that is a list or an object."""
_DYNAMIC: Final = ("$dynamicRef", "$recursiveRef")

Finding = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class SchemaSize:
    """How large a schema is once every `$ref` is followed.

    schemas  all of them
    at_once  those that are about the same value
    cost     for judging a value, in plain keywords
    """

    schemas: int = 1
    at_once: int = 1
    cost: int = 1


def schema_size(root: JsonObject) -> SchemaSize:
    """The size of a schema in which `size_findings` finds nothing; 1 where it does."""
    try:
        return _Measure(root).of(root, ())
    except _TooMuchError:
        return SchemaSize()


def size_findings(root: JsonObject) -> list[Finding]:
    """What is too much of a schema, that its meta-schema takes."""
    try:
        size = _Measure(root).of(root, ())
    except _TooMuchError as found:
        return [(found.path, found.message)]
    if size.schemas > MOST_SCHEMAS:
        message = (
            f"stands for {size.schemas:,} schemas once every `$ref` is followed; {MOST_SCHEMAS:,} are the most: "
            "let fewer of them name the same one twice"
        )
        return [((), message)]
    return []


class _TooMuchError(Exception):
    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


class _Measure:
    """Counts each schema once, and remembers it."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._known: dict[int, SchemaSize] = {}
        self._under_way: dict[int, int] = {}
        """Schemas that are being counted, and how many values deep they stand."""

    def of(self, schema: Json, path: Path, values: int = 0) -> SchemaSize:
        """`values`: how often the way here went into a value, as `properties` and `items` do."""
        if not isinstance(schema, dict):
            return SchemaSize()
        key = id(schema)
        if key in self._known:
            return self._known[key]
        if key in self._under_way:
            if self._under_way[key] == values:
                raise _TooMuchError(path, "a `$ref` leads back to itself without going into the value")
            return SchemaSize()  # a list of lists, a tree: as deep as what is sent
        if len(self._under_way) > DEEPEST:
            raise _TooMuchError(path, f"more than {DEEPEST} levels, those behind each `$ref` included")
        self._under_way[key] = values
        schemas = at_once = 1
        cost = 1 + _options_cost(schema.get("enum"))
        for keyword, inner, where in self._inside(schema, path):
            same = keyword in _SAME_VALUE or keyword == "$ref"
            size = self.of(inner, where, values if same else values + 1)
            schemas += size.schemas
            at_once += size.at_once if same else 0
            cost += size.cost * (_TRIED_COST if keyword in _TRIED else 1)
        del self._under_way[key]
        if at_once > MOST_AT_ONCE:
            message = (
                f"{at_once:,} schemas are about the same value once every `$ref` is followed; "
                f"{MOST_AT_ONCE} are the most: let fewer of them name the same one twice"
            )
            raise _TooMuchError(path, message)
        known = self._known[key] = SchemaSize(schemas, at_once, cost)
        return known

    def _inside(self, schema: dict[str, Any], path: Path) -> Iterator[tuple[str, Json, Path]]:
        for keyword, value in schema.items():
            here = (*path, keyword)
            if keyword == "$ref":
                yield keyword, *self._target(value, here)
            elif keyword in _DYNAMIC or (keyword == "$id" and path):
                raise _TooMuchError(here, f"`{keyword}` is not supported here; a `$ref` such as `#/$defs/…` says it")
            elif keyword in ONE:
                yield keyword, value, here
            elif keyword in MANY and isinstance(value, list):
                for number, item in enumerate(value):
                    yield keyword, item, (*here, number)
            elif keyword in NAMED and isinstance(value, dict):
                for name, item in value.items():
                    yield keyword, item, (*here, name)

    def _target(self, reference: Json, path: Path) -> tuple[Json, Path]:
        """What a `$ref` leads to, and where that stands; True where it is nothing: another check tells of it."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return True, path
        if not reference.startswith("#/") and reference != "#":
            raise _TooMuchError(path, "a `$ref` must lead to a place in the schema, as `#/$defs/…` does")
        here: Any = self._root
        place: list[str | int] = []
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            place.append(int(name) if isinstance(here, list) and name.isdigit() else name)
            try:
                here = here[place[-1]]
            except (KeyError, IndexError, TypeError):
                return True, path
        return here, tuple(place)


def _options_cost(options: Json) -> int:
    if not isinstance(options, list):
        return 0
    return sum(_TRIED_COST for option in options if isinstance(option, dict | list))
