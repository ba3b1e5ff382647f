"""JSON answers: how they are declared and written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from passerelle.kit.clock import iso
from passerelle.kit.http.described import Described

Moment = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A time in an answer: ISO 8601 in UTC with milliseconds and `Z`."""


class Answer(Described):
    """Base of what endpoints answer: snake_case here, camelCase outside."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
        extra="forbid",
    )

    @classmethod
    def made_from(cls, source: object, **given: object) -> Self:
        """What is answered about `source`: fields are its attributes of the same name, but for those that are given."""
        same = {name: getattr(source, name) for name in cls.model_fields if name not in given}
        return cls.model_validate(same | given)


def uuid_text(value: object) -> str:
    """For `orjson`, which writes UUIDs, but not those that come from asyncpg."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def json_answer(
    content: object,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    leave_out_unset: bool = False,
) -> Response:
    """`content` as an answer's JSON. `leave_out_unset`: without the fields that an `Answer` was not given."""
    if isinstance(content, BaseModel):
        body = content.model_dump_json(by_alias=True, exclude_unset=leave_out_unset).encode()
    else:
        body = orjson.dumps(content, default=uuid_text)
    return Response(body, status, headers, "application/json")
