"""Permissions that hold for some things only, and who it is that a request acts for.

What an endpoint does is done for its caller: services ask `acting()` what of a thing the caller may see and do. What
the product does by itself (jobs, steps of workflows, commands) is done for nobody, and nothing is hidden from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from passerelle.kit.json import JsonObject

if TYPE_CHECKING:
    from passerelle.kit.http.authentication import Principal

Kind = Literal["table", "definition", "review"]
"""What a grant may be limited to."""
VIEW: Final = "can_view_workspace"
"""What a grant on a table or a definition brings along for it: whoever may do something with it sees it."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission on one thing of a kind, or on all of the kind."""

    kind: Kind
    resource: str | None
    """A table's or a definition's id, or whom reviews are assigned to, in lower case; None for all."""
    permission: str
    fields: frozenset[str] | None = None
    """The names of a table's fields; None for all."""
    where: str | None = None
    """An expression that says which of a table's records; None for all."""


@dataclass(frozen=True, slots=True)
class Granted:
    """Permissions on one thing, or on all of a kind, as a role or a key keeps them: see `Grant`."""

    kind: Kind
    resource: str | None
    permissions: tuple[str, ...]
    fields: tuple[str, ...] | None = None
    where: str | None = None

    def to_json(self) -> JsonObject:
        """As it is stored."""
        return {
            "kind": self.kind,
            "resource": self.resource,
            "permissions": list(self.permissions),
            "fields": None if self.fields is None else list(self.fields),
            "where": self.where,
        }

    @classmethod
    def from_json(cls, facts: JsonObject) -> Granted:
        """What `to_json` gave."""
        fields = facts["fields"]
        return cls(
            facts["kind"],
            facts["resource"],
            tuple(facts["permissions"]),
            None if fields is None else tuple(fields),
            facts["where"],
        )

    def grants(self) -> Iterator[Grant]:
        """One for each permission."""
        fields = None if self.fields is None else frozenset(self.fields)
        return (Grant(self.kind, self.resource, one, fields, self.where) for one in self.permissions)


@dataclass(frozen=True)
class Grants:
    """Somebody's grants. Of one on a thing and one on all of its kind the first counts."""

    _by: Mapping[tuple[str, Kind], Mapping[str | None, Grant]] = field(default_factory=dict)

    @classmethod
    def of(cls, grants: Iterable[Grant]) -> Grants:
        """Those that are listed."""
        found: dict[tuple[str, Kind], dict[str | None, Grant]] = {}
        for one in grants:
            found.setdefault((one.permission, one.kind), {})[one.resource] = one
        return cls(found) if found else NO_GRANTS

    def __bool__(self) -> bool:
        return bool(self._by)

    def __iter__(self) -> Iterator[Grant]:
        return (grant for by in self._by.values() for grant in by.values())

    def any(self, permission: str, kind: Kind) -> bool:
        """Whether there is one of this kind at all."""
        return (permission, kind) in self._by

    def on(self, permission: str, kind: Kind, resource: str) -> Grant | None:
        """The one that counts for a thing."""
        by = self._by.get((permission, kind), {})
        return by.get(resource) or by.get(None)

    def resources(self, permission: str, kind: Kind) -> frozenset[str] | None:
        """The things that it is given on; None for all of the kind."""
        by = self._by.get((permission, kind), {})
        return None if None in by else frozenset(one for one in by if one is not None)


NO_GRANTS: Final = Grants()


@dataclass(frozen=True, slots=True)
class Acting:
    """Whom a request acts for, and what its endpoint requires: a permission, on some things of a kind at least."""

    caller: Principal
    permission: str | None
    of: Kind | None = None
    worked_out: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)
    """What follows from these for a thing, where somebody has worked it out and will ask again."""


_ACTING: ContextVar[Acting | None] = ContextVar("passerelle_acting", default=None)


def acting() -> Acting | None:
    """Whom what happens now is done for; None for the product itself."""
    return _ACTING.get()


def is_within(kind: Kind, resource: object) -> bool:
    """Whether whoever the request acts for may do what its endpoint does with this thing, too: for lists."""
    now = acting()
    if now is None or now.of != kind or now.permission is None:
        return True
    return now.caller.reach(now.permission, kind, str(resource)) is not None


def act_for(caller: Principal, permission: str | None, of: Kind | None = None) -> None:
    """From here to the end of `by_itself` around it, what happens is done for `caller`."""
    _ACTING.set(Acting(caller, permission, of))


class by_itself:  # noqa: N801 - stands in `with`, several times in each request
    """What happens inside is done by the product itself, until `act_for` says otherwise."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = _ACTING.set(None)

    def __exit__(self, *_: object) -> None:
        _ACTING.reset(self._token)
