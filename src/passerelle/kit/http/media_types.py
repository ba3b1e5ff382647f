"""Which version of an endpoint a request asks for, read from `Accept` as media types (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from starlette.types import Scope

from passerelle.kit.errors import Code, PasserelleError

UNSUPPORTED_VERSION: Final = Code(
    "UNSUPPORTED_VERSION", 406, "`Accept` names a version that this endpoint does not have."
)

RawHeaders = tuple[tuple[bytes, bytes], ...]

_DEFAULT_VERSION: Final = 1
_LONGEST_CACHED: Final = 256
# A quote that is never closed reaches to the end: so neither pattern ever has to look at a character twice.
_QUOTED: Final = r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)'
_MEMBER: Final = re.compile(rf'(?:[^",]|{_QUOTED})+', re.DOTALL)
_PART: Final = re.compile(rf'(?:[^";]|{_QUOTED})+', re.DOTALL)
_Q: Final = re.compile(r"[01](?:\.[0-9]{0,3})?")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_SPECIFICITY: Final = {"*/*": 0, "application/*": 1, "application/json": 2}


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One member of an `Accept` header that covers JSON."""

    specificity: int
    """0 for `*/*`, 1 for `application/*`, 2 for `application/json`."""
    version: str | None
    """What `version=` says, in its own words."""
    q: float

    @property
    def weight(self) -> tuple[float, bool, int]:
        """What decides between ranges: quality, then how exactly they say what they want."""
        return (self.q, self.version is not None, self.specificity)


@dataclass(frozen=True, slots=True)
class Versioned:
    """The version that answers a request, noted on the request; the answer's headers follow from it."""

    version: int
    successor: str | None = None
    warned: bool = False
    """Whether the answer says in words, too, that the version is going away."""


@dataclass(frozen=True, slots=True)
class DeprecationNotice:
    """What answers in version 1 say: deprecated since when, where that is explained, when they end."""

    since: datetime
    explained_at: str
    sunset: datetime | None = None


def parse_accept(accept: str) -> tuple[MediaRange, ...]:
    """The ranges of `accept` that cover JSON, in their order. Ranges of other media types are left out."""
    members = (_parse_member(member) for member in _MEMBER.findall(accept))
    return tuple(member for member in members if member is not None)


def negotiate(accept: str | None, *, available: tuple[int, ...], default: int = _DEFAULT_VERSION) -> int:
    """The version that answers a request with this `Accept` header.

    `default` is for requests that name none. Raises UNSUPPORTED_VERSION when every range that covers JSON
    names a version that is not `available`, or refuses it with `q=0`.
    """
    if len(available) == 1:
        return available[0]
    if default not in available:
        default = available[0]
    if accept is None:
        return default
    choose = _choose_cached if len(accept) <= _LONGEST_CACHED else _choose
    chosen = choose(accept, available, default)
    if chosen is None:
        raise _unsupported(accept, available)
    return chosen


def accept_header(scope: Scope) -> str | None:
    """The request's `Accept`; several lines count as one list."""
    values = [value for name, value in scope["headers"] if name == b"accept"]
    return b",".join(values).decode("latin-1") if values else None


@lru_cache(maxsize=64)
def versioned_headers(versioned: Versioned, notice: DeprecationNotice | None) -> RawHeaders:
    """The headers of an answer in this version, `Content-Type` first (RFC 9745, RFC 8594, RFC 8288)."""
    headers = {"content-type": f"application/json;version={versioned.version}", "vary": "Accept"}
    if versioned.version == 1 and notice is not None:
        headers["deprecation"] = f"@{int(notice.since.timestamp())}"
        if notice.sunset is not None:
            headers["sunset"] = format_datetime(notice.sunset.astimezone(UTC), usegmt=True)
        links = [f'<{notice.explained_at}>; rel="deprecation"']
        if versioned.successor is not None:
            links.append(f'<{versioned.successor}>; rel="successor-version"')
        headers["link"] = ", ".join(links)
        if versioned.warned:
            headers["warning"] = f'299 - "Version 1 is deprecated: see {notice.explained_at}"'
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


def _choose(accept: str, available: tuple[int, ...], default: int) -> int | None:
    ranges = parse_accept(accept)
    if not ranges:
        return default
    refused = {_number(item) for item in ranges if item.q == 0 and item.version is not None}
    served = [version for version in (default, *sorted(available, reverse=True)) if version not in refused]
    for item in sorted(ranges, key=lambda item: item.weight, reverse=True):
        if item.q == 0:
            break
        if item.version is None and served:
            return served[0]
        if (number := _number(item)) in served:
            return number
    return None


_choose_cached = lru_cache(maxsize=512)(_choose)


def _number(item: MediaRange) -> int | None:
    return int(item.version) if item.version is not None and _NUMBER.fullmatch(item.version) else None


def _unsupported(accept: str, available: tuple[int, ...]) -> PasserelleError:
    named = [item.version or "(nothing)" for item in parse_accept(accept) if item.version is not None]
    asked = f"version {' or '.join(named)}" if named else "any version that `Accept` leaves over"
    choices = " or ".join(f"`Accept: application/json;version={version}`" for version in available)
    return UNSUPPORTED_VERSION.error(f"this endpoint does not have {asked}: send {choices}", headers={"Vary": "Accept"})


def _parse_member(member: str) -> MediaRange | None:
    name, *parameters = _PART.findall(member) or [""]
    specificity = _SPECIFICITY.get(name.strip().lower())
    if specificity is None:
        return None
    values: dict[str, str] = {}
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        values.setdefault(key.strip().lower(), _unquoted(value.strip()))
    q = values.get("q", "1")
    # A quality that is none cannot make the range vanish: the version that it names was meant.
    return MediaRange(specificity, values.get("version"), min(float(q), 1.0) if _Q.fullmatch(q) else 1.0)


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
