"""Permissions on some things only, as requests send them and answers show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from pydantic import Field

from passerelle.kit.grants import Grant, Granted
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.bodies import Body

MOST_GRANTS = 100

_TABLE = Field(default=None, max_length=100, description="A table's name or id; `*` for all.", examples=["customers"])
_DEFINITION = Field(default=None, max_length=100, description="A definition's name or id; `*` for all.")
_REVIEW = Field(
    default=None, max_length=320, description="The role or the address that reviews are assigned to; `*` for all."
)
_FIELDS = "Of a table: the fields that it is limited to."
_WHERE = "Of a table: the records that it is limited to."


class GrantBody(Body):
    """Permissions on a table, a definition or the reviews that are assigned to somebody: one of the three."""

    permissions: list[str] = Field(min_length=1, max_length=20, examples=[["can_read_data", "can_comment"]])
    """The permissions that are given."""
    table: str | None = _TABLE
    definition: str | None = _DEFINITION
    review: str | None = _REVIEW
    fields: list[str] | None = Field(default=None, min_length=1, max_length=300, description=_FIELDS)
    where: str | None = Field(
        default=None,
        max_length=2000,
        description=_WHERE,
        examples=['record.country == "PL" && record.owner == user.email'],
    )


class GrantAnswer(Answer):
    """Permissions on a table, a definition or the reviews that are assigned to somebody: one of the three."""

    permissions: list[str]
    """The permissions that are given."""
    table: str | None = Field(default=None, description="The table's name; `*` for all.")
    definition: str | None = Field(default=None, description="The definition's name; `*` for all.")
    review: str | None = Field(default=None, description="Whom the reviews are assigned to; `*` for all.")
    fields: list[str] | None = Field(default=None, description=_FIELDS)
    where: str | None = Field(default=None, description=_WHERE)
    problem: str | None = Field(
        default=None, description="Why it gives nothing now, such as a field that was renamed; null where it does."
    )


class LimitAnswer(Answer):
    """Something that a permission is given on."""

    table: str | None = Field(default=None, description="The table's id; `*` for all.")
    definition: str | None = Field(default=None, description="The definition's id; `*` for all.")
    review: str | None = Field(default=None, description="Whom the reviews are assigned to; `*` for all.")
    fields: list[str] | None = Field(default=None, description=_FIELDS)
    where: str | None = Field(default=None, description=_WHERE)


class Things(Protocol):
    """What grants are on (`passerelle.records.granting`)."""

    async def resolved(
        self, workspace_id: UUID, wanted: Sequence[GrantBody], besides: frozenset[str]
    ) -> tuple[Granted, ...]:
        """The grants as they are kept. Raises GRANT_INVALID with all that is wrong.

        besides   the permissions that are given on everything
        """

    async def answers(
        self, workspace_id: UUID, granted: Mapping[str, Sequence[Granted]]
    ) -> dict[str, list[GrantAnswer]]:
        """Lists of grants as they are shown, by whatever they are listed by."""


def limit_answer(grant: Grant) -> LimitAnswer:
    """A grant as `GET /me/permissions` shows it."""
    return LimitAnswer.model_validate(
        {
            grant.kind: grant.resource or "*",
            "fields": None if grant.fields is None else sorted(grant.fields),
            "where": grant.where,
        }
    )
