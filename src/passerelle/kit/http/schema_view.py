"""JSON Schemas as people read them: rows of fields, names of types, and an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DEEPEST = 6
_EXAMPLES: Mapping[str, Any] = {
    "uuid": "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80",
    "date-time": "2026-01-05T09:00:00.000Z",
    "date": "2026-01-05",
    "email": "jan@example.com",
    "uri": "https://example.com/",
}

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field, however deep: `owners[].name`."""

    name: str
    type: str
    required: bool
    description: str
    deprecated: bool = False


class Schemas:
    """Looks into a document's schemas, references resolved."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def rows(self, schema: Schema, name: str = "", depth: int = 0) -> Iterator[FieldRow]:
        """The fields of a schema and of everything inside it, outer ones first."""
        shape = self.resolve(schema)
        if depth > _DEEPEST:
            return
        for alternative in self._alternatives(shape):
            yield from self.rows(alternative, name, depth + 1)
        if "items" in shape:
            yield from self.rows(shape["items"], f"{name}[]", depth + 1)
        required = shape.get("required", ())
        for key, inner in shape.get("properties", {}).items():
            path = f"{name}.{key}" if name else key
            yield self._row(path, inner, required=key in required)
            yield from self.rows(inner, path, depth + 1)

    def type_of(self, schema: Schema) -> str:
        """The type in words: `string (uuid)`, `list of Owner`, `"A" or "B"`."""
        shape = self.resolve(schema)
        if "const" in shape:
            return f'"{shape["const"]}"'
        if "enum" in shape:
            return " or ".join(f'"{value}"' for value in shape["enum"])
        if alternatives := [*shape.get("anyOf", ()), *shape.get("oneOf", ())]:
            return " or ".join(dict.fromkeys(self.type_of(one) for one in alternatives))
        kind = shape.get("type", "any value")
        if isinstance(kind, list):
            return " or ".join(kind)
        if kind == "array":
            return f"list of {self.type_of(shape.get('items', {}))}"
        return f"{kind} ({shape['format']})" if "format" in shape else str(kind)

    def example(self, schema: Schema, depth: int = 0) -> Any:
        """A value that fits, taken from the schema's own examples where it has some."""
        shape = self.resolve(schema)
        for key in ("const", "example", "default"):
            if shape.get(key) is not None:
                return shape[key]
        for key in ("examples", "enum"):
            if shape.get(key):
                return shape[key][0]
        if alternatives := self._alternatives(shape):
            return self.example(alternatives[0], depth)
        return self._made_up(shape, depth)

    def resolve(self, schema: Schema) -> Schema:
        """The schema that `$ref` and `allOf` mean; what stands beside a reference wins."""
        shape = dict(schema)
        while "$ref" in shape:
            reference = shape.pop("$ref")
            shape = {**self._at(reference), **shape}
        for part in shape.pop("allOf", ()):
            inner = self.resolve(part)
            properties = {**shape.get("properties", {}), **inner.get("properties", {})}
            required = [*shape.get("required", ()), *inner.get("required", ())]
            shape = {**inner, **shape}
            if properties:
                shape |= {"properties": properties, "required": required}
        return shape

    def _row(self, path: str, schema: Schema, *, required: bool) -> FieldRow:
        shape = self.resolve(schema)
        description = str(schema.get("description", shape.get("description", "")))
        if shape.get("default") is not None:
            description = f"{description} Default: `{shape['default']}`.".strip()
        return FieldRow(path, self.type_of(schema), required, description, bool(shape.get("deprecated", False)))

    def _alternatives(self, shape: Schema) -> list[Schema]:
        alternatives = [*shape.get("anyOf", ()), *shape.get("oneOf", ())]
        return [one for one in alternatives if self.resolve(one).get("type") != "null"]

    def _made_up(self, shape: Schema, depth: int) -> Any:
        kind = shape.get("type", "object" if "properties" in shape else None)
        if isinstance(kind, list):
            kind = kind[0]
        if kind == "object" and depth <= _DEEPEST:
            properties = shape.get("properties", {})
            return {key: self.example(inner, depth + 1) for key, inner in properties.items()}
        if kind == "array":
            return [self.example(shape.get("items", {}), depth + 1)] if depth <= _DEEPEST else []
        made_up = {"string": _EXAMPLES.get(shape.get("format", ""), "text"), "integer": 1, "number": 1.5}
        return {"boolean": True, "object": {}, **made_up}.get(str(kind))

    def _at(self, reference: str) -> Schema:
        here: Any = self._document
        for part in reference.removeprefix("#/").split("/"):
            here = here[part.replace("~1", "/").replace("~0", "~")]
        found: Schema = here
        return found
