"""A workspace's own tables in its OpenAPI document: each with its fields, their types, and examples to send."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json, dumps
from passerelle.records.conditions import Arguments
from passerelle.records.repository import RecordRepository
from passerelle.records.rows import cell_of_value, csv_line
from passerelle.records.samples import TRIED, Related, Samples, samples
from passerelle.records.sight import seen_sql
from passerelle.tables.described import change_schema, new_schema, record_schema, title_of
from passerelle.tables.models import Field, Table
from passerelle.tables.seen import is_seen, seen
from passerelle.tables.service import Tables

_TABLE: Final = "/tables/{tableId}"
_BY: Final = f"{_TABLE}/records/by/{{field}}/{{value}}"
_SCHEMAS: Final = "#/components/schemas/"
_NEWEST: Final = (
    "SELECT r.id FROM record r WHERE r.workspace_id = $1 AND r.table_id = $2 AND r.deleted_at IS NULL{seen} "
    "ORDER BY r.id DESC LIMIT $3"
)
_OPERATIONS: Final = (
    ("post", f"{_TABLE}/records", "create"),
    ("get", f"{_TABLE}/records", "list"),
    ("post", f"{_TABLE}/records/search", "search"),
    ("get", f"{_TABLE}/records/{{recordId}}", "read"),
    ("patch", f"{_TABLE}/records/{{recordId}}", "change"),
    ("put", f"{_TABLE}/records/{{recordId}}", "replace"),
    ("delete", f"{_TABLE}/records/{{recordId}}", "delete"),
    ("post", f"{_TABLE}/import", "import"),
    ("get", f"{_TABLE}/export", "export"),
)

Document = Mapping[str, Any]


class OwnTables:
    """Adds the tables of a workspace to the document that all share."""

    def __init__(self, database: Database, tables: Tables, repository: RecordRepository, new_id: NewId) -> None:
        self._database = database
        self._tables = tables
        self._repository = repository
        self._new_id = new_id

    async def added_to(self, document: Document, workspace_id: UUID) -> dict[str, Any]:
        """`document` with the paths, schemas and tags of every table; it is not changed itself."""
        tables = [seen(table) for table in await self._tables.all(workspace_id) if is_seen(table)]
        names = {table.id: table.name for table in tables}
        paths: dict[str, Any] = {}
        schemas: dict[str, Any] = {}
        async with self._database.workspace(workspace_id) as connection:
            related = await self._related(connection, workspace_id, tables)
            for table in tables:
                given = await samples(connection, self._repository, table, related, self._new_id)
                described = _Described(document, table, names, given)
                paths |= described.paths()
                schemas |= described.schemas()
        components = document["components"]
        return {
            **document,
            "tags": [*(_tag(table) for table in tables), *document.get("tags", ())],
            "paths": {**document["paths"], **paths},
            "components": {**components, "schemas": {**components["schemas"], **schemas}},
        }

    async def _related(self, connection: Connection, workspace_id: UUID, tables: Sequence[Table]) -> Related:
        wanted = {field.table_id for table in tables for field in table.fields if field.table_id is not None}
        found: dict[UUID, Sequence[UUID]] = {}
        for table in tables:
            if table.id in wanted:
                arguments = Arguments(workspace_id, table.id, TRIED)
                newest = _NEWEST.format(seen=seen_sql(table, arguments))
                found[table.id] = [row["id"] for row in await connection.fetch(newest, *arguments.values)]
        return found


@dataclass(frozen=True)
class _Described:
    """One table's part of the document, made of the operations that the document has for every table."""

    document: Document
    table: Table
    names: Mapping[UUID, str]
    samples: Samples

    def schemas(self) -> dict[str, Any]:
        page = deepcopy(self.document["components"]["schemas"]["RecordPage"])
        page["title"] = f"Page of {self.table.name}"
        return {
            f"{self.table.name}.new": new_schema(self.table, self.names),
            f"{self.table.name}.change": change_schema(self.table, self.names),
            f"{self.table.name}.record": record_schema(self.table, self.names),
            f"{self.table.name}.page": self._own(page),
        }

    def paths(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for method, path, act in _OPERATIONS:
            operation = self._operation(method, path, act)
            found.setdefault(path.replace("{tableId}", self.table.name), {})[method] = operation
        for field in self.table.unique:
            path = _BY.replace("{tableId}", self.table.name).replace("{field}", field.name)
            found[path] = {"put": self._upsert(field)}
        return found

    def _operation(self, method: str, path: str, act: str, *left_out: str) -> dict[str, Any]:
        operation: dict[str, Any] = self._own(deepcopy(self.document["paths"][path][method]))
        operation["tags"] = [_tag(self.table)["name"]]
        operation["operationId"] = f"{self.table.name}.{act}"
        operation["parameters"] = [
            one for one in operation.get("parameters", ()) if one["name"] not in ("tableId", *left_out)
        ]
        for media_type, schema, example in self._bodies(act):
            content = operation["requestBody"]["content"][media_type]
            content |= {"schema": {"$ref": f"{_SCHEMAS}{self.table.name}.{schema}"}} if schema else {}
            content["example"] = example
            operation["description"] = f"{operation['description']}\n\n{self._note()}".strip()
        return operation

    def _upsert(self, field: Field) -> dict[str, Any]:
        operation = self._operation("put", _BY, f"upsertBy.{field.name}", "field")
        for one in operation["parameters"]:
            one["description"] = f"The record's `{field.name}`"
            if (value := self.samples.address(field)) is not None:
                one["example"] = value
        content = operation["requestBody"]["content"]["application/json"]
        content |= {
            "schema": {"$ref": f"{_SCHEMAS}{self.table.name}.change"},
            "example": self.samples.record(without=field),
        }
        return operation

    def _bodies(self, act: str) -> Iterator[tuple[str, str | None, Json]]:
        """Media type, schema (None: the one that is there) and example of what an operation takes."""
        if act in ("create", "replace"):
            yield "application/json", "new", self.samples.record()
        elif act == "change":
            yield "application/json", "change", self.samples.change()
        elif act == "search":
            yield "application/json", None, self._search()
        elif act == "import":
            row = self.samples.record() or dict.fromkeys(self.table.by_name or ("id",))
            yield "text/csv", None, csv_line(list(row)) + csv_line([cell_of_value(value) for value in row.values()])
            yield "application/x-ndjson", None, dumps(self.samples.record()) + "\n"

    def _search(self) -> Json:
        indexed = next((field for field in self.table.fields if field.sortable_by_index), None)
        if indexed is None:
            condition: Json = {"field": "createdAt", "op": "gte", "value": "2026-01-01T00:00:00Z"}
        else:
            condition = {"field": indexed.name, "op": "isEmpty", "value": False}
        return {"filter": condition, "sort": ["-createdAt"], "limit": 25}

    def _own(self, part: Any) -> Any:
        """A part of the document about any record, as one about this table's."""
        text = json.dumps(part).replace(f'"{_SCHEMAS}RecordAnswer"', f'"{_SCHEMAS}{self.table.name}.record"')
        return json.loads(text.replace(f'"{_SCHEMAS}Page_RecordAnswer_"', f'"{_SCHEMAS}{self.table.name}.page"'))

    def _note(self) -> str:
        """What stands in the way of sending the example of a new record."""
        missing = ", ".join(f"`{field.name}`" for field in self.samples.missing())
        return f"The examples lack {missing}: there is nothing yet that it could be set to." if missing else ""


def _tag(table: Table) -> dict[str, str]:
    title = title_of(table.title)
    return {
        "name": f"Table {table.name}",
        "description": " ".join(part for part in (f"{title}." if title else "", "One of your own tables.") if part),
    }
