"""Bodies and answers of the record endpoints. A record's own shape is its table's: see `GET /openapi.json`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ConfigDict
from pydantic import Field as Described

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body


class RecordValues(Body):
    """A record's values by field name."""

    model_config = ConfigDict(extra="allow")


class RecordAnswer(Answer):
    """A record: what every one has, and its table's fields beside it."""

    model_config = ConfigDict(extra="allow")

    id: UUID
    version: int
    created_at: Moment
    updated_at: Moment


class FieldChange(Answer):
    """A field's value before and after."""

    field: str
    old: Any
    new: Any


class ChangeAnswer(Answer):
    """One line of a record's history."""

    version: int
    action: str
    at: Moment
    by: str
    execution_id: UUID | None
    changes: list[FieldChange]


class CommentBody(Body):
    """A comment."""

    text: str


class CommentAnswer(Answer):
    """A comment on a record."""

    id: UUID
    text: str
    at: Moment
    by: str


class SearchBody(Body):
    """What to find, in which order, and what to show of it."""

    filter: Any = Described(
        default=None,
        description='`{"field", "op", "value"}`, or `{"and": […]}`, `{"or": […]}`, `{"not": {…}}`. Operators: '
        "`eq`, `ne`, `in`, `gt`, `gte`, `lt`, `lte`, `contains`, `startsWith`, `isEmpty`",
        examples=[
            {"and": [{"field": "country", "op": "eq", "value": "PL"}, {"field": "age", "op": "gte", "value": 3}]}
        ],
    )
    text: str | None = Described(default=None, max_length=500, description="Words that the record's texts must have")
    sort: list[str] | None = Described(
        default=None, max_length=5, description="Fields, `-` for descending; newest first without", examples=[["-name"]]
    )
    fields: list[str] | None = Described(default=None, description="The fields to show; all without")
    include: list[str] | None = Described(
        default=None, description="Relation fields whose records come along, under `included`"
    )
    limit: int | None = Described(default=None, description="1 to 500; 25 if absent")
    after: str | None = Described(default=None, description="`next` of the page before")
