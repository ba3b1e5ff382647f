"""`ETag` and `If-Match`: a change that rests on an older version is refused (RFC 9110, 13.1.1)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from starlette.requests import Request

from passerelle.errors import Code

IF_MATCH_INVALID: Final = Code("IF_MATCH_INVALID", 400, "`If-Match` is not an `ETag` that this API gave, nor `*`.")

_TAG: Final = re.compile(r'(?:W/)?"(\d{1,9})"')


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def expected_versions(request: Request) -> Collection[int] | None:
    """The versions that `If-Match` allows; None where it allows any or is absent. Raises IF_MATCH_INVALID."""
    header = ",".join(request.headers.getlist("if-match")).strip()
    if header in ("", "*"):
        return None
    tags = [_TAG.fullmatch(part.strip()) for part in header.split(",")]
    if None in tags:
        raise IF_MATCH_INVALID.error('`If-Match` must be the `ETag` of an answer, such as `"3"`, or `*`')
    return {int(tag[1]) for tag in tags if tag is not None}
