"""Finding records over HTTP: the same search as an address or as a body."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.errors import QUERY_INVALID
from passerelle.kit.http.pages import Page, limit_of
from passerelle.kit.http.permissions import Requires
from passerelle.kit.json import Json, loads
from passerelle.records.endpoints import RECORDS, TableName
from passerelle.records.models import KEPT_DELETED
from passerelle.records.parts import RecordServices
from passerelle.records.schemas import CountAnswer, CountBody, DeletedAnswer, RecordAnswer, SearchBody


class RecordsOfAddress(BaseModel):
    """The search that an address asks for."""

    model_config = ConfigDict(extra="allow")

    filter: str | None = Field(default=None, description='JSON, such as `{"field": "age", "op": "gte", "value": 3}`')
    text: str | None = Field(default=None, description="Words that the record's texts must have")
    sort: str | None = Field(default=None, description="Such as `-createdAt,name`; newest first if absent")
    fields: str | None = Field(default=None, description="Names, separated by commas; all if absent")
    include: str | None = Field(
        default=None, description="Relation fields whose records come along, separated by commas"
    )
    limit: str | None = Field(default=None, description="1 to 500; 25 if absent")
    after: str | None = Field(default=None, description="`next` of the page before")

    def search(self) -> SearchBody:
        """The same as a body. Raises QUERY_INVALID, LIMIT_INVALID."""
        for name in self.model_extra or ():
            raise QUERY_INVALID.error(
                f"there is no parameter `{name}` here: conditions stand in `filter`, "
                f'such as `filter={{"field": "{name}", "op": "eq", "value": …}}`'
            )
        return SearchBody(
            filter=filter_of(self.filter),
            text=self.text,
            sort=names_of(self.sort),
            fields=names_of(self.fields),
            include=names_of(self.include),
            limit=limit_of(self.limit),
            after=self.after,
        )


def router(parts: RecordServices) -> APIRouter:
    """`GET …/records` and `POST …/records/search`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.get(RECORDS)
    async def list_records(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        wanted: Annotated[RecordsOfAddress, Query()],
    ) -> Page[RecordAnswer]:
        """Records of a table."""
        found = await parts.finding.page(caller.workspace_id, table_id, wanted.search())
        return Page[RecordAnswer].model_validate({"data": found.data, "next": found.next})

    @routes.post(RECORDS + "/search")
    async def search_records(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        body: JsonBody[SearchBody],
    ) -> Page[RecordAnswer]:
        """Records of a table, for searches that are too long for an address."""
        found = await parts.finding.page(caller.workspace_id, table_id, body)
        return Page[RecordAnswer].model_validate({"data": found.data, "next": found.next})

    @routes.post(RECORDS + "/count")
    async def count_records(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        body: JsonBody[CountBody],
    ) -> CountAnswer:
        """How many records a search finds, counted up to `upTo`: lists have no totals, since most are read in part."""
        count, exact = await parts.finding.count(caller.workspace_id, table_id, body)
        return CountAnswer(count=count, exact=exact)

    @routes.get("/tables/{table_id}/deleted")
    async def list_deleted(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        filter: Annotated[str | None, Query(description="As in the list of records")] = None,
        limit: Annotated[str | None, Query(description="1 to 500; 25 if absent")] = None,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Page[DeletedAnswer]:
        """Records that were deleted within 30 days and can be restored, the latest first."""
        since = parts.clock() - KEPT_DELETED
        found = await parts.finding.deleted(
            caller.workspace_id, table_id, filter_of(filter), limit_of(limit), after, since
        )
        return Page[DeletedAnswer].model_validate({"data": found.data, "next": found.next})

    return routes


def filter_of(text: str | None) -> Json:
    """A filter that stands in an address. Raises QUERY_INVALID."""
    if text is None:
        return None
    try:
        value: Json = loads(text)
    except ValueError:
        raise QUERY_INVALID.error("`filter` must be JSON: `POST …/records/search` takes the same as a body") from None
    return value


def names_of(text: str | None) -> list[str] | None:
    """Names in an address, separated by commas."""
    return [name.strip() for name in text.split(",")] if text else None
