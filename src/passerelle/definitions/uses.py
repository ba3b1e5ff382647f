"""What the expressions of a definition refer to, and whether that can be there when they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from passerelle.definitions.expressions import Reference
from passerelle.definitions.facts import CASES, RECORD_FIELDS, WorkspaceFacts
from passerelle.definitions.flow import Flow
from passerelle.definitions.json_schema import Finding
from passerelle.definitions.kinds import Path
from passerelle.definitions.readings import ReadingFinding, readings
from passerelle.definitions.words import one_of, quoted, suggest
from passerelle.kit.json import Json


@dataclass(eq=False)
class StepList:
    """A list of steps, of the definition itself or inside of one of its steps."""

    path: Path
    owner: Spot | None = None
    """The step that holds it; None for the definition's own."""
    ids: list[str] = field(default_factory=list)
    jumps: list[tuple[Path, str]] = field(default_factory=list)
    """Every `goto`: where it stands and the step that it names."""
    flow: Flow | None = None
    """None where the steps could not all be understood."""

    @property
    def depth(self) -> int:
        """How many steps it stands inside of."""
        return 0 if self.owner is None else 1 + self.owner.steps.depth


@dataclass(frozen=True, slots=True)
class Spot:
    """One step in its sequence."""

    steps: StepList
    number: int

    @property
    def id(self) -> str:
        return self.steps.ids[self.number]


@dataclass(frozen=True, slots=True)
class NameUse:
    """One reference, where it stands and what may be named there."""

    reference: Reference
    path: Path
    spot: Spot | None
    """The step that it stands in; None in `result`."""
    extra: frozenset[str]
    secrets: bool


@dataclass(frozen=True)
class KnownNames:
    """What references may name."""

    parameters: Mapping[str, object] | None
    """None where the document's own parameters could not be understood."""
    table: str | None
    """The table of the definition's `record` block; None where there is none, or a wrong one."""
    has_record: bool
    facts: WorkspaceFacts
    secret_kinds: tuple[str, ...]
    """The kinds of steps that may read secrets."""
    name: str | None = None
    """The definition's own name."""


class Uses:
    """Collects every reference while the steps are compiled, and checks them once all steps are known."""

    def __init__(self, known: KnownNames) -> None:
        self._known = known
        self._uses: list[NameUse] = []

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which asks no more than what was read."""
        return {"_uses": self._uses}

    def add(self, use: NameUse) -> None:
        self._uses.append(use)

    def of_step(self, step: str) -> Iterator[tuple[str, ...]]:
        """What expressions read of a step's output: each the names behind `steps.<id>`, none where they read all."""
        for use in self._uses:
            root, *names = use.reference.path
            if root == "steps" and root not in use.extra and names[:1] in ([], [step]):
                yield tuple(names[1:])

    def readings(self, shapes: Mapping[str, Json]) -> Iterator[tuple[Path, ReadingFinding]]:
        """What is wrong with what is read. `shapes`: what is known of `parameters`, `record` and each `steps.<id>`."""
        asked: dict[object, set[tuple[str, ...]]] = {}
        for use in self._uses:
            if use.reference.guarded:
                asked.setdefault(_expression(use), set()).add(use.reference.path)
        for use in self._uses:
            path = use.reference.path
            length = 2 if path[0] == "steps" else 1
            shape = shapes.get(".".join(path[:length]))
            if path[0] in use.extra or shape is None or len(path) <= length:
                continue
            before = asked.get(_expression(use), set()) | asked.get(_condition(use), set())
            guarded = use.reference.guarded or any(
                path[: len(one)] == one or one[: len(path)] == path for one in before
            )
            where = (*use.path, *use.reference.within)
            for reading in readings(
                shape, path[length:], use.reference.compared, ".".join(path[:length]), guarded=guarded
            ):
                yield where, reading

    def roots(self) -> frozenset[str]:
        """Every name that an expression starts with, those aside that are known only at their place."""
        return frozenset(root for use in self._uses if (root := use.reference.path[0]) not in use.extra)

    def needs(self) -> dict[str | None, frozenset[str]]:
        """The steps whose outputs each step cannot do without, by its id; those of `result` under None.

        A reference that `has(…)` asks for in the same expression, or in the step's `when`, is no need.
        """
        asked: dict[object, set[str]] = {}
        read: list[tuple[NameUse, str]] = []
        for use in self._uses:
            name = _member(use.reference) if use.reference.path[0] == "steps" else None
            if name is None:
                continue
            if use.reference.guarded:
                asked.setdefault(_expression(use), set()).add(name)
            else:
                read.append((use, name))
        needs: dict[str | None, set[str]] = {}
        for use, name in read:
            guarded = asked.get(_expression(use), set()) | asked.get(_condition(use), set())
            if name not in guarded:
                needs.setdefault(use.spot.id if use.spot is not None else None, set()).add(name)
        return {step: frozenset(names) for step, names in needs.items()}

    def findings(self, spots: Mapping[str, Spot], others: frozenset[str]) -> Iterator[Finding]:
        """Everything that is wrong. `others` are ids of steps that could not be understood but are there."""
        for use in self._uses:
            for message in self._check(use, spots, others):
                yield (*use.path, *use.reference.within), message

    def _check(self, use: NameUse, spots: Mapping[str, Spot], others: frozenset[str]) -> Iterator[str]:
        root, name = use.reference.path[0], _member(use.reference)
        if root in use.extra:
            return
        if root == "item":
            yield "`item` is known only in the steps inside of an `each`"
        elif root == "secrets":
            yield from self._secret(use, name)
        elif root == "record":
            yield from self._field(name)
        elif root == "case" and name is not None:
            yield from unknown_field(self._known.facts, CASES, name)
        elif root == "parameters" and name is not None:
            yield from self._parameter(name)
        elif root == "steps" and name is not None and name not in others:
            yield from _step(use, name, spots)

    def _parameter(self, name: str) -> Iterator[str]:
        declared = self._known.parameters
        if declared is not None and name not in declared:
            hint = suggest(name, declared, "`parameters` declares")
            yield f"the parameter `{name}` is not declared; {hint}"

    def _field(self, name: str | None) -> Iterator[str]:
        if not self._known.has_record:
            yield "there is no `record` to read; add `record: {table: …}` to the definition, or remove the reference"
        elif name is not None and self._known.table is not None:
            yield from unknown_field(self._known.facts, self._known.table, name)

    def _secret(self, use: NameUse, name: str | None) -> Iterator[str]:
        secrets = self._known.facts.secrets
        if not use.secrets:
            kinds = one_of(quoted([kind]) for kind in self._known.secret_kinds)
            yield f"`secrets` can be read only inside of {kinds}, so that they end up in no output; remove it here"
        elif secrets is not None and name is not None and name not in secrets:
            yield f"the workspace has no secret `{name}`; {suggest(name, sorted(secrets), 'it has')}"


def _expression(use: NameUse) -> object:
    """Which expression a reference stands in."""
    return *use.path, *use.reference.within


def _condition(use: NameUse) -> object:
    """The `when` of the step that a reference stands in."""
    return (*use.spot.steps.path, use.spot.number, "when") if use.spot is not None else None


def _member(reference: Reference) -> str | None:
    """The member of the root that is read, where the expression says it outright."""
    return reference.path[1] if len(reference.path) > 1 else None


def _step(use: NameUse, name: str, spots: Mapping[str, Spot]) -> Iterator[str]:
    target = spots.get(name)
    if target is None:
        yield f"there is no step `{name}`; {suggest(name, spots, 'the steps are')}"
    else:
        yield from _order(use, target)


def _order(use: NameUse, target: Spot) -> Iterator[str]:
    """Whether the target can have run when the expression does."""
    if use.spot is None:
        if target.steps.owner is not None:
            yield _inside(target)
        return
    here: Spot | None = use.spot
    while here is not None and here.steps is not target.steps:
        here = here.steps.owner
    if here is None:
        yield _inside(target)
        return
    flow = target.steps.flow
    if flow is None or not flow.reachable(here.number) or flow.leads_to(target.number, here.number):
        return
    if here.number == target.number:
        yield f"the step `{target.id}` reads its own output, which is there only once it has run; remove the reference"
    else:
        yield f"the step `{target.id}` cannot have run before: no path leads from it to here; move it up"


def _inside(target: Spot) -> str:
    owner = target.steps.owner
    around = owner.id if owner is not None else ""
    return f"the step `{target.id}` is inside of `{around}`, which shows only its own output: read `steps.{around}`"


def unknown_field(facts: WorkspaceFacts, table: str, name: str) -> Iterator[str]:
    """A sentence, if the workspace's table lacks the field. Nothing where the table itself is unknown."""
    fields = (facts.tables or {}).get(table)
    if fields is not None and name not in fields | RECORD_FIELDS:
        yield f"the table `{table}` has no field `{name}`; {suggest(name, sorted(fields), 'its fields are')}"
