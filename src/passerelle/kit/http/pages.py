"""Lists: `limit`, `after`, and `{"data": […], "next": "cursor" | null}`."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from passerelle.errors import Code
from passerelle.kit.http.answers import Answer, uuid_text
from passerelle.kit.http.errors import LIMIT_INVALID
from passerelle.kit.json import Json
from passerelle.kit.secrets import SecretBox

CURSOR_INVALID: Final = Code(
    "CURSOR_INVALID", 400, "`after` is not a cursor of this list with these filters. Start from the first page."
)

DEFAULT_LIMIT: Final = 25
HIGHEST_LIMIT: Final = 500
_NO_LIMIT: Final = f"`limit` must be a whole number from 1 to {HIGHEST_LIMIT}, not `{{text}}`"

_TAG_BYTES: Final = 16

T = TypeVar("T", bound=Answer)


class Page(Answer, Generic[T]):
    """One page of a list. `next` is the `after` of the following page; null on the last."""

    data: list[T]
    next: str | None


class Cursors:
    """Opaque, signed positions in lists. A cursor fits only the list and the filters that it was made for."""

    def __init__(self, box: SecretBox) -> None:
        self._keys = box.derive_all("cursor")

    def encode(self, position: Mapping[str, Json], *, bound_to: Json) -> str:
        """A cursor for `position`. `bound_to` is the list with its filters, any JSON value.

        UUIDs and times may stand in both; `decode` gives them back as text.
        """
        payload = orjson.dumps(position, default=uuid_text)
        return base64.urlsafe_b64encode(_tag(self._keys[0], payload, bound_to) + payload).rstrip(b"=").decode()

    def decode(self, cursor: str, *, bound_to: Json) -> dict[str, Any]:
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


Limit = Annotated[int, BeforeValidator(_limit), Query(description="The most that one page has", ge=1, le=HIGHEST_LIMIT)]
After = Annotated[str | None, Query(description="`next` of the page before")]


def _tag(key: bytes, payload: bytes, bound_to: Json) -> bytes:
    bound = orjson.dumps(bound_to, default=uuid_text, option=orjson.OPT_SORT_KEYS)
    # The length keeps the two parts apart: no other split of the same bytes has the same tag.
    return hmac.digest(key, len(bound).to_bytes(4) + bound + payload, "sha256")[:_TAG_BYTES]
