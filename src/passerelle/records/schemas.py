"""Bodies and answers of the record endpoints. A record's own shape is its table's: see `GET /openapi.json`."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, RootModel
from pydantic import Field as Described

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.pages import HIGHEST_LIMIT

FARTHEST = 10_000_000
"""Records that are passed over, or counted, in one call."""
_LIMIT = Described(json_schema_extra={"minimum": 1, "maximum": HIGHEST_LIMIT})


class RecordValues(Body):
    """A record's values by field name."""

    model_config = ConfigDict(extra="allow")

    @property
    def given(self) -> dict[str, Any]:
        """The values."""
        return self.model_extra or {}


class RecordAnswer(Answer):
    """A record: what every one has, and its table's fields beside it."""

    # By their aliases only: a field of a table may have any other name.
    model_config = ConfigDict(extra="allow", validate_by_name=False)

    id: UUID
    """The record's id."""
    version: int
    """Counts its changes, from 1; also its `ETag`."""
    created_at: Moment
    """When it was made."""
    updated_at: Moment
    """When it last changed."""


class ErasedAnswer(RootModel[dict[str, int]]):
    """How much was erased of what."""


class DeletedAnswer(Answer):
    """A record that was deleted and can be restored."""

    record: RecordAnswer
    """The record as it was."""
    deleted_at: Moment
    """When it was deleted."""
    deleted_by: str | None
    """Who deleted it; null where nobody can be named."""
    restorable_until: Moment
    """Until when it can be restored."""


class FieldChange(Answer):
    """A field's value before and after."""

    field: str
    """The field's name."""
    old: Any
    """Its value before; null for none."""
    new: Any
    """Its value after; null for none."""


class ChangeAnswer(Answer):
    """One line of a record's history."""

    record_id: UUID = Described(description="Another one than the record's, where that was merged into it")
    version: int
    """The version that the change made."""
    action: str
    """What was done: `create`, `update`, `delete` and the like."""
    at: Moment
    """When it was done."""
    by: str
    """Who did it."""
    execution_id: UUID | None
    """The execution whose step did it; null where none did."""
    changes: list[FieldChange]
    """Each field that changed."""


class CommentBody(Body):
    """A comment."""

    text: str
    """The comment."""


class CommentAnswer(Answer):
    """A comment on a record."""

    id: UUID
    """The comment's id."""
    text: str
    """What it says."""
    at: Moment
    """When it was written."""
    by: str
    """Who wrote it."""


class DuplicateField(Body):
    """A field in which two records must be the same, or nearly."""

    field: str
    """The field's name."""
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
    limit: Annotated[int, _LIMIT] | None = Described(default=None, description="Pairs to show: 1 to 500; 25 if absent")


class DuplicatePair(Answer):
    """Two records that may be the same: the older one first."""

    score: float = Described(description="How near they are in the fields that may differ, of 100")
    records: list[RecordAnswer]
    """The two records."""


class DuplicatesAnswer(Answer):
    """The nearest pairs."""

    data: list[DuplicatePair]
    """The pairs, the nearest first."""
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
    limit: Annotated[int, _LIMIT] | None = Described(default=None, description="1 to 500; 25 if absent")
    after: str | None = Described(default=None, description="`next` of the page before")
    skip: int | None = Described(
        default=None,
        ge=0,
        le=FARTHEST,
        description="For a jump: records to pass over, from the beginning or `after`. Whoever reads on uses `next`",
    )


class CountBody(Body):
    """What to count."""

    filter: Any = Described(default=None, description="As in a search")
    text: str | None = Described(default=None, max_length=500, description="As in a search")
    up_to: int = Described(default=10_000, ge=1, le=FARTHEST, description="Where to stop counting")


class CountAnswer(Answer):
    """How many records there are."""

    count: int
    """The records, counted up to `upTo`."""
    exact: bool
    """Whether there are no more."""
