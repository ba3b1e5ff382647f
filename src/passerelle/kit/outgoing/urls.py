"""Putting values into URLs without letting them change where the URL leads or what it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from passerelle.kit.json import Json, dumps

_WHOLE_HOST: Final = re.compile(r"[\w.:\[\]-]+")
_PART_OF_HOST: Final = re.compile(r"[\w-]+")


def plain_text(value: Json) -> str:
    """A text, number or boolean as it stands in URLs, forms and headers.

    Raises `ValueError`, without the value, for anything else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    if isinstance(value, int | float):
        return dumps(value)
    what = "null" if value is None else "a list" if isinstance(value, list) else "an object"
    raise ValueError(f"is {what}, where a text, a number or a boolean is needed")


def insert_into_url(before: str, value: Json) -> str:
    """What to put for `value` after the part `before` of a URL.

    At the very start the value is a URL, or the beginning of one, and stays as it is. As or in the host it has
    letters, digits and `-` only, and cannot lead elsewhere. Behind the host it is percent-encoded, so that `/`, `?`,
    `#` and `&` in it stay part of the value. Raises `ValueError`, without the value, where it cannot stand there.
    """
    text = plain_text(value)
    if not before:
        return text
    host = _host_before(before)
    if host is not None:
        if (_PART_OF_HOST if host else _WHOLE_HOST).fullmatch(text) is None:
            raise ValueError("has characters that cannot stand in a URL's host")
        return text
    if not text and "?" not in before:
        raise ValueError("is empty, so the URL would mean something else")
    return quote(text, safe="")


def _host_before(before: str) -> str | None:
    """The part of the host that `before` ends with; None if it goes beyond the host."""
    _, marks, rest = before.partition("://")
    return rest if marks and not any(mark in rest for mark in "/?#") else None


def has_dot_segments(url: str) -> bool:
    """Whether the path has a `.` or `..`, with which a value could climb out of its place."""
    path = re.split(r"[?#]", url, maxsplit=1)[0].partition("://")[2]
    return any(segment in (".", "..") for segment in path.replace("%2e", ".").replace("%2E", ".").split("/")[1:])


def with_query(url: str, query: Mapping[str, Json]) -> str:
    """`url` with these values as its query, behind the one it has. See `pairs` for the values."""
    encoded = urlencode(list(pairs(query)), quote_via=quote, safe="")
    if not encoded:
        return url
    bare, _, _ = url.partition("#")
    return f"{bare}{'&' if '?' in bare else '?'}{encoded}"


def pairs(values: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Names and texts of a query or a form: null leaves a name out, a list repeats it.

    Raises `ValueError` that names the value and does not show it.
    """
    for name, value in values.items():
        for item in value if isinstance(value, list) else [value]:
            if item is None:
                continue
            try:
                yield name, plain_text(item)
            except ValueError as error:
                raise ValueError(f"`{name}` {error}") from None
