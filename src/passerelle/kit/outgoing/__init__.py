"""Every request that leaves the product passes here.

This module is what callers depend on: the protocol, the answer and the errors. `client` has the guarded
implementation on the network, `fake` the stand-in for tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

DEFAULT_MAX_BYTES = 5_000_000
"""The largest answer, decoded, that is read where the caller names no limit."""


@dataclass(frozen=True, slots=True)
class OutgoingAnswer:
    """What the other side answered.

    `headers` have lower-case names; a repeated header's values are joined with `, `. `body` is decoded
    from its content encoding.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outgoing(Protocol):
    """A client for requests to the outside."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout_seconds: float,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> OutgoingAnswer:
        """One request and its whole answer. Redirects are answers like any other: never followed.

        `timeout_seconds` bounds everything: waiting for a free connection, connecting, sending, reading.
        Raises an `OutgoingError`.
        """


class OutgoingError(Exception):
    """There is no answer. The message is one sentence without secrets: of the URL, only where it leads."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class OutgoingRefused(OutgoingError):  # noqa: N818 - a verdict, as its siblings
    """The request may not be sent there. Trying again does not help."""


class OutgoingInvalid(OutgoingError):  # noqa: N818
    """The URL or a header is malformed, so there is nothing to send. Trying again does not help."""


class OutgoingTimeout(OutgoingError):  # noqa: N818
    """The answer was not complete in time."""


class OutgoingUnreachable(OutgoingError):  # noqa: N818
    """No connection, a broken one, or something on it that is not HTTP."""


class OutgoingUnreadable(OutgoingError):  # noqa: N818
    """An answer has come, so the request was received; but it breaks off, or is not what HTTP or its headers say.

    status    None where not even that could be read
    headers   as far as they were read
    """

    def __init__(self, message: str, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class AnswerTooLarge(OutgoingError):  # noqa: N818
    """The answer is larger than the caller takes."""
