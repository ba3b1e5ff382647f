"""`ETag` and `If-Match`: a change that rests on an older version is refused (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from passerelle.kit.errors import Code

IF_MATCH_INVALID: Final = Code("IF_MATCH_INVALID", 400, "`If-Match` is not an `ETag` that this API gave, nor `*`.")

_TAG: Final = re.compile(r'(?:W/)?"(\d{1,9})"')


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


async def _expected_versions(
    request: Request,
    if_match: Annotated[
        str | None, Header(description="The `ETag` of the answer that a change rests on: refused if it is older")
    ] = None,
) -> Collection[int] | None:
    """The versions that `If-Match` allows; None where it allows any or is absent. Raises IF_MATCH_INVALID."""
    # Several lines of a header are one list.
    header = ",".join(request.headers.getlist("if-match")).strip()
    if header in ("", "*"):
        return None
    tags = [_TAG.fullmatch(part.strip()) for part in header.split(",")]
    if None in tags:
        raise IF_MATCH_INVALID.error('`If-Match` must be the `ETag` of an answer, such as `"3"`, or `*`')
    return {int(tag[1]) for tag in tags if tag is not None}


IfMatch = Annotated[Collection[int] | None, Depends(_expected_versions)]
"""For an endpoint's signature: the versions that `If-Match` allows; None for any."""
