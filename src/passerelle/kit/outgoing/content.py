"""A body as a JSON value: what it says where it is JSON, its text otherwise."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from email.message import Message
from typing import Final

from pydantic_core import from_json

from passerelle.kit.json import Json

_CHARSETS: Final = frozenset(
    {
        "utf-8",
        "ascii",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "koi8-r",
        "koi8-u",
        "gb2312",
        "gbk",
        "gb18030",
        "big5",
        "shift_jis",
        "euc_jp",
        "euc_kr",
        *(f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)),
        *(f"cp{page}" for page in range(1250, 1259)),
    }
)
"""As Python names them: those of the web (the Encoding Standard), not every codec that Python has."""

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

_SUSPECT: Final = re.compile(r"\\u0000|[0-9]{19}|[eE]\+?[0-9]{3}")
"""What values that cannot be kept look like; only where it occurs they are looked for one by one."""
_INTEGERS: Final = range(-(2**63), 2**63)


class ContentError(Exception):
    """The body cannot be read as what it says it is. The message continues a sentence and shows nothing of it."""


class NotJson(ContentError):  # noqa: N818
    """Said to be JSON, and is not, or not JSON that can be kept."""


class NotText(ContentError):  # noqa: N818
    """Neither JSON nor text."""


def content_of(content_type: str, body: bytes) -> Json:
    """The value of `body`, by its `Content-Type`; None for an empty one.

    Without a type a body that is JSON is JSON: its receiver may look (RFC 9110, 8.3). Raises `NotJson` or `NotText`.
    """
    if not body:
        return None
    if is_json(content_type):
        return json_of(content_type, body)
    text = text_of(content_type, body)
    if not content_type.strip() and text.lstrip()[:1] in ("{", "["):
        with suppress(NotJson):
            return parse_json(text)
    return text


def is_json(content_type: str) -> bool:
    """Whether the type says JSON."""
    media_type = _header(content_type).get_content_type()
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def json_of(content_type: str, body: bytes) -> Json:
    """The value of a body that is JSON, whatever its type says; None for an empty one. Raises `NotJson`, `NotText`."""
    return parse_json(_decoded(content_type, body)) if body else None


def text_of(content_type: str, body: bytes) -> str:
    """The body's text. Raises `NotText`."""
    text = _decoded(content_type, body)
    if "\0" in text:
        raise NotText("has the character NUL in its body, which cannot be kept")
    return text


def _header(content_type: str) -> Message:
    header = Message()
    # One that is sent twice has come as one, with a comma between.
    header["content-type"] = content_type.partition(",")[0]
    return header


def _decoded(content_type: str, body: bytes) -> str:
    """The text, by its mark or its charset; one that is not known is no reason not to look (as in browsers)."""
    for mark, named in _MARKS:
        if body.startswith(mark):
            return _by(body.removeprefix(mark), named)
    charset = (_header(content_type).get_content_charset() or "").strip(" '\"")
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        name = ""
    if name in _CHARSETS:
        return _by(body, name)
    try:
        return body.decode()
    except UnicodeDecodeError:
        if name or charset:
            return body.decode("cp1252", "replace")
        raise NotText("has a body that is not text in utf-8") from None


def _by(body: bytes, name: str) -> str:
    try:
        return body.decode(name)
    except UnicodeDecodeError as error:
        raise NotText(f"has a body that is not text in {name}") from error


def parse_json(text: str) -> Json:
    """The value of a JSON text. Raises `NotJson`, also for what cannot be kept as it is."""
    try:
        value: Json = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise NotJson("has a body that is nested deeper than 200 levels") from None
        raise NotJson(f"has a body that is not JSON: {error}") from None
    if _SUSPECT.search(text):
        for item in _walk(value):
            _check(item)
    return value


def _check(item: Json) -> None:
    if isinstance(item, str) and "\0" in item:
        raise NotJson("has the character NUL in a text of its body, which cannot be kept")
    if isinstance(item, int) and item not in _INTEGERS:
        raise NotJson("has an integer of more than 64 bits in its body, which cannot be kept")
    if isinstance(item, float) and math.isinf(item):
        raise NotJson("has a number in its body that is too large")


def _walk(value: Json) -> Iterator[Json]:
    """Every value, and every key of an object."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, dict):
            yield from item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
