"""Lists: `limit`, `after`, and `{"data": […], "next": "cursor" | null}`."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

import orjson
from fastapi import Query
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from passerelle.kit.errors import Code
from passerelle.kit.http.answers import Answer, uuid_text
from passerelle.kit.http.errors import LIMIT_INVALID
from passerelle.kit.secrets import SecretBox

CURSOR_INVALID: Final = Code(
    "CURSOR_INVALID", 400, "`after` is not a cursor of this list with these filters. Start from the first page."
)

DEFAULT_LIMIT: Final = 25
HIGHEST_LIMIT: Final = 500
_NO_LIMIT: Final = f"`limit` must be a whole number from 1 to {HIGHEST_LIMIT}, not `{{text}}`"

_TAG_BYTES: Final = 16

T = TypeVar("T", bound=Answer)
Item = TypeVar("Item")


class Page(Answer, Generic[T]):
    """One page of a list."""

    data: list[T] = Field(description="The page's items, in the order that the endpoint names.")
    next: str | None = Field(description="The `after` of the following page; null on the last.")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """As clients' generators name it: `WorkflowPage`."""
        name: str = params[0].__name__
        return name.removesuffix("Answer") + "Page"


class Cursors:
    """Opaque, signed positions in lists. A cursor fits only the list and the filters that it was made for."""

    def __init__(self, box: SecretBox) -> None:
        self._keys = box.derive_all("cursor")

    def encode(self, position: Mapping[str, object], *, bound_to: object) -> str:
        """A cursor for `position`. `bound_to` is the list with its filters, any JSON value.

        UUIDs and times may stand in both; `decode` gives them back as text.
        """
        payload = orjson.dumps(position, default=uuid_text)
        return base64.urlsafe_b64encode(_tag(self._keys[0], payload, bound_to) + payload).rstrip(b"=").decode()

    def decode(self, cursor: str, *, bound_to: object) -> dict[str, Any]:
        """The position. Raises CURSOR_INVALID if the cursor was altered or belongs to another list."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not any(hmac.compare_digest(tag, _tag(key, payload, bound_to)) for key in self._keys):
            raise CURSOR_INVALID.error(
                "`after` is not a cursor of this list with these filters: "
                "send the `next` of the page before, with the same filters, or leave it out"
            )
        position: dict[str, Any] = orjson.loads(payload)
        return position

    def id_of(self, after: str | None, bound_to: object) -> UUID | None:
        """The id that the page is behind, of a cursor that has one; None on the first page. Raises CURSOR_INVALID."""
        return None if after is None else UUID(self.decode(after, bound_to=bound_to)["id"])

    def name_of(self, after: str | None, bound_to: object) -> str | None:
        """The same with a name."""
        return None if after is None else str(self.decode(after, bound_to=bound_to)["name"])

    def cut(
        self, found: Sequence[Item], limit: int, bound_to: object, place: Callable[[Item], Mapping[str, object]]
    ) -> tuple[Sequence[Item], str | None]:
        """One page of what was `found`, which is one more where there is another page; and the cursor of that."""
        if len(found) <= limit:
            return found, None
        return found[:limit], self.encode(place(found[limit - 1]), bound_to=bound_to)


def limit_of(text: str | None) -> int:
    """The `limit` of a request: 25 where it names none. Raises LIMIT_INVALID."""
    if text is None:
        return DEFAULT_LIMIT
    if not _is_limit(text):
        raise LIMIT_INVALID.error(_NO_LIMIT.format(text=text[:80]))
    return int(text)


def _is_limit(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= HIGHEST_LIMIT


def _limit(text: str) -> str:
    """The text of a `limit` in an address. A refusal is told beside all else that is wrong with the address."""
    if not _is_limit(text):
        raise PydanticCustomError("limit_invalid", _NO_LIMIT, {"text": text[:80]})
    return text


Limit = Annotated[
    int,
    BeforeValidator(_limit),
    Query(description="The most that one page has", json_schema_extra={"minimum": 1, "maximum": HIGHEST_LIMIT}),
]
After = Annotated[str | None, Query(description="`next` of the page before")]


def _tag(key: bytes, payload: bytes, bound_to: object) -> bytes:
    bound = orjson.dumps(bound_to, default=uuid_text, option=orjson.OPT_SORT_KEYS)
    # The length keeps the two parts apart: no other split of the same bytes has the same tag.
    return hmac.digest(key, len(bound).to_bytes(4) + bound + payload, "sha256")[:_TAG_BYTES]
