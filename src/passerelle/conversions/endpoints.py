"""`POST /definitions/import`: what a file would be as a definition. Nothing is kept."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import Field

from passerelle.conversions.converting import convert
from passerelle.conversions.models import (
    IMPORT_INVALID,
    IMPORT_TOO_HEAVY,
    ConversionError,
    Converted,
    Kind,
    Wish,
)
from passerelle.conversions.reading import LARGEST
from passerelle.definitions.parts import PARTS
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.http.permissions import Requires
from passerelle.kit.workshop import WorkKilledError, Workshop

_TAKES: Final = ("application/octet-stream", "application/json", "application/yaml", "application/xml", "text/csv")
_TAKES_FILE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in _TAKES},
    }
}


class LeftOutAnswer(Answer):
    """Something that was not carried over, or not as it was."""

    place: str
    """Where it stands in the file: an element's id, a path, a column."""
    reason: str
    """Why, and what to do about it."""


class DescribedCallAnswer(Answer):
    """A call that an OpenAPI document describes."""

    id: str
    """What `operations` names it by."""
    method: str
    """The request's method."""
    path: str
    """The path, as the document has it."""
    summary: str
    """What it does; empty where the document does not say."""
    chosen: bool
    """Whether it became a step."""


class NeededTableAnswer(Answer):
    """A table that the definition needs."""

    name: str
    """The table's name."""
    body: dict[str, Any]
    """What `POST /tables` takes to make it."""


class ConvertedAnswer(Answer):
    """A file as a definition."""

    kind: Kind
    """What the file is."""
    name: str
    """The definition's name."""
    text: str
    """The definition, as YAML; `POST /definitions` takes it once its tables and secrets are there."""
    tables: list[NeededTableAnswer]
    """The tables that it needs."""
    left_out: list[LeftOutAnswer]
    """All that was not carried over, or not as it was."""
    more_left_out: int = Field(description="How many more there are than `leftOut` has")
    operations: list[DescribedCallAnswer]
    """Of an OpenAPI document: every operation; else empty."""


def router(workshop: Workshop) -> APIRouter:
    """`POST /definitions/import`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)

    @routes.post("/definitions/import", openapi_extra=_TAKES_FILE)
    @unaudited("it converts, and changes nothing")
    async def convert_file(
        request: Request,
        caller: Annotated[Principal, Requires("can_manage_definitions")],
        kind: Annotated[Kind | None, Query(description="What the file is; found out if absent")] = None,
        name: Annotated[
            str | None,
            Query(pattern=PARTS["name"]["pattern"], description="The definition's name; the file's if absent"),
        ] = None,
        file: Annotated[str, Query(max_length=200, description="The file's name")] = "imported",
        operations: Annotated[
            list[str] | None, Query(description="Of an OpenAPI document: the operations that become steps")
        ] = None,
        batch: Annotated[bool, Query(description="Of a CSV: take many rows, instead of asking for one")] = False,
    ) -> ConvertedAnswer:
        """Convert a form in JSON Schema, a CSV, an OpenAPI document or a BPMN 2.0 file to a definition.

        Nothing is kept: the answer has the text, the tables that it needs, and all that was not carried over.
        """
        content = await receive_body(request.scope, request.receive, limit=LARGEST)
        wish = Wish(name, tuple(operations or ()), batch)
        try:
            done = await workshop.run(
                caller.workspace_id, convert, content, kind, wish, PurePath(file).stem or "imported"
            )
        except ConversionError as error:
            raise IMPORT_INVALID.error(str(error)) from None
        except WorkKilledError as error:
            raise IMPORT_TOO_HEAVY.error(f"converting this file {error}: send a smaller one") from None
        return _answer(done)

    return routes


def _answer(done: Converted) -> ConvertedAnswer:
    return ConvertedAnswer.made_from(
        done,
        tables=[NeededTableAnswer(name=table["name"], body=table) for table in done.tables],
        left_out=[LeftOutAnswer(place=one.place, reason=one.reason) for one in done.left_out],
        operations=[
            DescribedCallAnswer(id=one.id, method=one.method, path=one.path, summary=one.summary, chosen=one.chosen)
            for one in done.operations
        ],
    )
