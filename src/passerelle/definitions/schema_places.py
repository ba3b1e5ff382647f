"""Which parts of a schema are about a value: a JSON Schema and a JSON value, walked side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from passerelle.definitions.kinds import Path
from passerelle.kit.json import Json, JsonObject

Place = tuple[Path, JsonObject]
"""Where a schema stands within its root, and the schema itself."""

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_BRANCHES: Final = ("if", "then", "else")


class SchemaPlaces:
    """The places of one schema. A place list holds everything that is said about one value."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root

    def top(self) -> list[Place]:
        """What is said about the whole value."""
        return self._spread([((), self._root)])

    def member(self, places: Iterable[Place], name: str) -> list[Place]:
        """What is said about the member `name` of an object."""
        return self._spread(
            ((*path, "properties", name), schema["properties"][name])
            for path, schema in places
            if isinstance(schema.get("properties"), dict) and isinstance(schema["properties"].get(name), dict)
        )

    def items(self, places: Iterable[Place]) -> list[Place]:
        """What is said about every item of a list."""
        return self._spread(
            ((*path, "items"), schema["items"]) for path, schema in places if isinstance(schema.get("items"), dict)
        )

    def _spread(self, places: Iterable[Place]) -> list[Place]:
        """The places, and those that they refer to or combine: all of them are about the same value."""
        found: dict[Path, JsonObject] = {}
        todo = list(places)
        while todo:
            path, schema = todo.pop()
            if path not in found:
                found[path] = schema
                todo += self._beside(path, schema)
        return list(found.items())

    def _beside(self, path: Path, schema: JsonObject) -> Iterator[Place]:
        for keyword in _BRANCHES:
            if isinstance(schema.get(keyword), dict):
                yield (*path, keyword), schema[keyword]
        for keyword in _LISTS:
            for number, branch in enumerate(schema.get(keyword) or ()):
                if isinstance(branch, dict):
                    yield (*path, keyword, number), branch
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith("#"):
            yield from self._resolved(target)

    def _resolved(self, target: str) -> Iterator[Place]:
        here: Any = self._root
        path: list[str | int] = []
        for part in target.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            key: str | int = int(name) if isinstance(here, list) and name.isdigit() else name
            try:
                here = here[key]
            except (KeyError, IndexError, TypeError):
                return
            path.append(key)
        if isinstance(here, dict):
            yield tuple(path), here


def leaves(value: Json) -> Iterator[Json]:
    """Every text, number and truth value inside `value`."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value
