"""What is written down of a request: each endpoint that changes something says what it does by being there.

The action is the endpoint's `operationId`; the object is what its path leads to. An endpoint whose changes have a
history of their own says so: `@unaudited("…")`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeVar

from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.types import Scope

from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.context import present

Category = Literal["change", "read", "access"]

PERSONAL: Final = frozenset({"can_read_data", "can_read_attachments", "can_review"})
"""The permissions of endpoints that show personal values to whoever may see them."""
_TOLD: Final = frozenset({"can_read_data", "can_review"})
"""Those of them whose endpoints say whether there was anything personal to show (`tell_personal`)."""
READS_PERSONAL: Final = "can_read_personal_data"

_MARK: Final = "__passerelle_unaudited__"
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_OBJECTS: Final = {"me": "user", "webhooks": "delivery", "value": "record"}
"""What is meant by a word of a path that does not name it."""
_MADE: Final = {"link": "workflow", "send": "workflow", "token": "workflow"}
"""The same, where something is made."""
_READING: Final = ("search", "find", "read", "list")
"""How endpoints are called that look, with whatever method."""
_SHOWN: Final = "personal_shown"
_SILENT: Final = frozenset({"value", "filename"})
"""Parts of a path that may be personal."""

F = TypeVar("F", bound=Callable[..., Any])


def unaudited(reason: str) -> Callable[[F], F]:
    """Say that what an endpoint changes is not written into the audit, and why."""

    def marked(endpoint: F) -> F:
        setattr(endpoint, _MARK, reason)
        return endpoint

    return marked


def why_unaudited(endpoint: Callable[..., Any]) -> str | None:
    """The reason that an endpoint gives."""
    found: str | None = getattr(endpoint, _MARK, None)
    return found


@dataclass(frozen=True, slots=True)
class AuditedRoute:
    """What the audit says of an endpoint. `object_id`: the part of its path that names the object, if one does."""

    action: str
    category: Category
    object_kind: str
    object_id: str | None = None
    makes: bool = False
    """Whether the object is only there afterwards."""

    @property
    def exports(self) -> bool:
        """Whether it gives out everything at once: that is written down, whoever asks."""
        return self.category == "read" and self.action.startswith("export")


@dataclass(frozen=True, slots=True)
class AuditedRequest:
    """A request of somebody who is known. `within`: the other parts of the path, and what was switched on or off."""

    caller: Principal
    action: str
    category: Category
    object_kind: str
    object_id: str | None = None
    within: Mapping[str, str] = field(default_factory=dict)


class Auditor(Protocol):
    """Whoever writes it down (`passerelle.audit.trail`)."""

    def change(self, request: AuditedRequest) -> AbstractAsyncContextManager[None]:
        """Stands around a request: it is written down in the transaction of its first change, or after it."""

    async def note(self, request: AuditedRequest, code: str | None = None) -> None:
        """Write down what changes nothing: a read of personal data, or a refusal with its `code`."""


def audited_route(
    path: str, endpoint: Callable[..., Any], methods: Collection[str], action: str, status: int
) -> AuditedRoute | None:
    """What is written down of an endpoint's requests; None where its changes have a history of their own."""
    if why_unaudited(endpoint) is not None:
        return None
    reads = not is_changing(methods) or action.startswith(_READING)
    kind, object_id, makes = _object_of(path, makes=status == 201)
    return AuditedRoute(action, "read" if reads else "change", kind, object_id, makes)


def request_of(route: AuditedRoute, caller: Principal, request: Request) -> AuditedRequest:
    """What is written down of a request."""
    given = {name: str(value) for name, value in request.scope["path_params"].items() if name not in _SILENT}
    object_id = None if route.makes or route.object_id is None else given.pop(route.object_id, None)
    said = {name: value for name, value in request.query_params.items() if value in ("true", "false")}
    within = {to_camel(name): value for name, value in given.items()} | said
    return AuditedRequest(caller, route.action, route.category, route.object_kind, object_id, within)


def shows_personal(permission: str | None, caller: Principal, scope: Scope) -> bool:
    """Whether an answer has personal values as they are, or may have: where nobody said that it has none."""
    wanted = b"personal=true" in scope["query_string"]
    if not (wanted or permission in PERSONAL) or not caller.may(READS_PERSONAL, "table"):
        return False
    return wanted or permission not in _TOLD or bool(scope["state"].get(_SHOWN, True))


def tell_personal(*, shown: bool) -> None:
    """Say whether the present request shows personal values as they are; once it does, it does."""
    scope = present.get()
    if scope is not None:
        state = scope["state"]
        state[_SHOWN] = shown or state.get(_SHOWN, False)


def is_changing(methods: Collection[str]) -> bool:
    """Whether an endpoint with these methods may change something."""
    return not _CHANGING.isdisjoint(methods)


def _object_of(path: str, *, makes: bool) -> tuple[str, str | None, bool]:
    """The object's kind, the part of the path that names it, and whether it is made."""
    parts = [part for part in path.split("/") if part]
    named = [place for place, part in enumerate(parts) if part.startswith("{")]
    last = named[-1] if named else -1
    words = parts[last + 1 :]
    if not named or (makes and words):
        kind = words[-1] if makes or len(words) < 2 else words[0]
        known = {**_OBJECTS, **_MADE} if makes else _OBJECTS
        return known.get(kind, _singular(kind)), None, True
    name = parts[last].strip("{}").partition(":")[0]
    before = parts[last - 1] if last > 0 and not parts[last - 1].startswith("{") else name
    return _OBJECTS.get(before, _singular(before)), (None if name in _SILENT else name), name in _SILENT


def _singular(word: str) -> str:
    word = word.lower()  # SCIM's addresses have capitals
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
