"""Which version of an address an endpoint is: `@version(1, successor="/link")` on the function.

Each version of an address is an endpoint of its own, with its own body and answer. So every answer, refusals included,
carries the headers of its version, and one gate sees every use of a version that is going away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

from starlette.requests import Request

from passerelle.kit.http.authentication import Principal

DEPRECATED: Final = 1
"""The version that is going away."""

_MARK: Final = "__passerelle_version__"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of its address an endpoint is."""

    number: int
    successor: str | None
    """The path of the endpoint that replaces it, with the names that its own path has."""
    by_content: bool = False
    """Whether it depends on what is found whether the version is used at all: the endpoint says so by `used`."""


@dataclass(frozen=True, slots=True)
class VersionUse:
    """A request that a deprecated version is to answer."""

    principal: Principal
    endpoint: str
    """Method and path, as the reference shows them: `GET /workflows/{workflowId}`."""
    successor: str | None
    """What replaces it: the same path where that has another version."""
    has_next: bool
    """Whether the endpoint itself has a version that stays."""
    user_agent: str | None


class VersionGate(Protocol):
    """Whoever counts and refuses uses of a deprecated version (`passerelle.v1.deprecations`)."""

    async def admit(self, use: VersionUse) -> bool:
        """Whether the answer is to carry a warning. Raises the error that answers instead."""


def version(number: int, *, successor: str | None = None, by_content: bool = False) -> Callable[[F], F]:
    """Say that an endpoint is this version of its address; without it, an address has one version that never ends.

    `successor` is the path of what replaces version 1, with the names that the route's own path has:
    `/tables/cases/records/{case_id}`. `by_content`: the endpoint calls `used` where it answers as that version.
    """

    def marked(endpoint: F) -> F:
        setattr(endpoint, _MARK, Version(number, successor, by_content))
        return endpoint

    return marked


async def used(request: Request) -> None:
    """Note that an endpoint which is `by_content` answers as its version. Raises what the gate raises."""
    admit: Callable[[], Awaitable[None]] | None = request.scope["state"].get("admit")
    if admit is not None:
        await admit()


def version_of(endpoint: Callable[..., Any]) -> Version | None:
    """The version that an endpoint says it is."""
    found: Version | None = getattr(endpoint, _MARK, None)
    return found


def succeeded_by(request: Request, path: str) -> None:
    """Name what replaces version 1 in this very answer, where that depends on what was found."""
    state = request.scope["state"]
    state["versioned"] = replace(state["versioned"], successor=path)
