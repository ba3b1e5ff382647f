"""Bodies and answers of the record endpoints. A record's own shape is its table's: see `GET /openapi.json`."""

from __future__ import annotations

from typing import Any, Literal
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


class DeletedAnswer(Answer):
    """A record that was deleted and can be restored."""

    record: RecordAnswer
    deleted_at: Moment
    deleted_by: str | None
    restorable_until: Moment


class FieldChange(Answer):
    """A field's value before and after."""

    field: str
    old: Any
    new: Any


class ChangeAnswer(Answer):
    """One line of a record's history."""

    record_id: UUID = Described(description="Another one than the record's, where that was merged into it")
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


class DuplicateField(Body):
    """A field in which two records must be the same, or nearly."""

    field: str
    match: Literal["exact", "near"] = Described(
        default="exact", description="`near` compares the words of texts, whatever their order, accents and capitals"
    )
    least: int = Described(default=85, ge=50, le=100, description="With `near`: how near, of 100")


class DuplicatesBody(Body):
    """Where to look for duplicates, and by what."""

    fields: list[DuplicateField] = Described(
        min_length=1,
        max_length=5,
        description="A pair must match in all of them; records without a value in one are not looked at",
    )
    filter: Any = Described(default=None, description="Only these records, as in a search")
    limit: int | None = Described(default=None, description="Pairs to show: 1 to 500; 25 if absent")


class DuplicatePair(Answer):
    """Two records that may be the same: the older one first."""

    score: float = Described(description="How near they are in the fields that may differ, of 100")
    records: list[RecordAnswer]


class DuplicatesAnswer(Answer):
    """The nearest pairs."""

    data: list[DuplicatePair]
    found: int = Described(description="All pairs that were found; `data` holds the nearest")
    records: int = Described(description="Records that were looked at")
    comparisons: int = Described(description="Pairs that were compared")


class MergeBody(Body):
    """Which record goes into the one that the address names."""

    from_: str = Described(alias="from", description="The id of the other record")
    fields: list[str] = Described(
        default=[], max_length=300, description="Fields in which the other record's value is taken, even none"
    )


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
