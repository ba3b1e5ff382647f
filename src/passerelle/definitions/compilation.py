"""Compiles one document, of which the structure has been checked, into a `Definition`; notes all that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, timedelta, tzinfo
from functools import partial
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from passerelle.definitions.facts import WorkspaceFacts
from passerelle.definitions.flow import flow_of
from passerelle.definitions.kinds import KindRegistry, Path, StepKind
from passerelle.definitions.model import Definition, OnError, Parameter, RecordBinding, Retry, StartTexts, Step
from passerelle.definitions.parameters import fits
from passerelle.definitions.readings import members
from passerelle.definitions.source import Source
from passerelle.definitions.step_order import judge, lost_jumps
from passerelle.definitions.uses import KnownNames, Spot, StepList
from passerelle.definitions.values import Here, ValueCompiler
from passerelle.definitions.words import TYPE_NAMES, is_a, nearest
from passerelle.kit.json import Json, JsonObject, KnownJson

MOST_NESTED: Final = 8
"""Steps (`each`, `parallel`) that a step may stand inside of: their items and branches multiply."""
EXPIRES_AFTER: Final = timedelta(days=7)
EXPIRES_FROM: Final = timedelta(minutes=30)
EXPIRES_UNTIL: Final = timedelta(days=30)

T = TypeVar("T")


class Compilation(ValueCompiler):
    """One pass over one document.

    What stands at a path in `broken` has a wrong structure at or below it. It is left out, and what depends on
    knowing every step is not judged then.
    """

    def __init__(self, source: Source, kinds: KindRegistry, known: KnownNames, broken: frozenset[Path]) -> None:
        super().__init__(known)
        self._source = source
        self._kinds = kinds
        self._broken = broken
        self._spots: dict[str, Spot] = {}
        self._lists: list[StepList] = []

    def definition(self, document: JsonObject) -> Definition:
        """The whole definition. Meaningful only if nothing was noted."""
        definition = Definition(
            name=document.get("name", ""),
            title=self._part(document, "title", (), self.text),
            parameters=self._parameters(document.get("parameters", {})),
            record=self._part(document, "record", (), self._record),
            expires_after=self._part(document, "expiresAfter", (), self._expires) or EXPIRES_AFTER,
            time_zone=self._part(document, "timeZone", (), self._zone),
            start=self._part(document, "start", (), self._start),
            steps=self.steps(_list(document.get("steps")), ("steps",)),
            result=self._part(document, "result", (), self.template),
            document=document,
        )
        self.findings.extend(self.translations.missing())
        if self.facts.languages is not None:
            self.warnings.extend(self.translations.unspoken(self.facts.languages))
        for steps in self._lists:
            self.findings.extend(lost_jumps(steps, self._spots))
        if not self._broken and not self.findings:
            self._judge_readings(definition)
        others = frozenset(_ids(document)) if self._broken else frozenset[str]()
        self.findings.extend(self.uses.findings(self._spots, others - self._spots.keys()))
        return replace(
            definition, languages=self.translations.languages(), reads=self.uses.roots(), needs=self.uses.needs()
        )

    def _start(self, value: KnownJson, path: Path) -> StartTexts:
        documents = enumerate(value.get("documents", ()))
        return StartTexts(
            self._part(value, "text", path, self.text),
            tuple(self.text(one, (*path, "documents", number)) for number, one in documents),
            value.get("minutes"),
        )

    def _judge_readings(self, definition: Definition) -> None:
        for path, reading in self.uses.readings(_shapes(definition, self.facts)):
            (self.doubts if reading.sure else self.warnings).append((path, reading.message))

    # What step kinds use, beside values.

    @property
    def step_id(self) -> str:
        return self.here.spot.id if self.here.spot is not None else ""

    def reads(self) -> Callable[[], Iterator[tuple[str, ...]]]:
        return partial(self.uses.of_step, self.step_id)

    def goto(self, step: str, path: Path) -> str:
        if self.here.spot is not None:
            self.here.spot.steps.jumps.append((path, step))
        return step

    def steps(self, value: KnownJson, path: Path, *, extra: frozenset[str] = frozenset()) -> tuple[Step, ...]:
        steps = StepList(path, owner=self.here.spot)
        self._lists.append(steps)
        if steps.depth > MOST_NESTED:
            self.problem(path, f"stands inside of more than {MOST_NESTED} steps; run a part by a `workflow` step")
        names = self.here.extra | extra
        compiled = [self._step(item, (*path, number), steps, names) for number, item in enumerate(value)]
        understood = tuple(step for step in compiled if step is not None)
        if len(understood) == len(compiled) and all(target in steps.ids for _, target in steps.jumps):
            steps.flow = flow_of(understood)
            self.findings.extend(judge(path, understood, steps.flow))
        return understood

    # One step.

    def _step(self, value: KnownJson, path: Path, steps: StepList, extra: frozenset[str]) -> Step | None:
        """One step; None where too much is wrong to know what may follow it."""
        spot = Spot(steps, len(steps.ids))
        steps.ids.append(self._id(value, path, spot))
        if not isinstance(value, dict):
            return None
        with self.at(Here(spot, extra)):
            common = self._common(value, path)
            kind, config = self._kind(value, path)
            retry = self._part(value, "retry", path, self._retry) or {}
        if kind is None or (*path, "onError") in self._broken:
            return None
        default_retry = replace(kind.default_retry or Retry(), **retry) if retry else kind.default_retry
        return Step(spot.id, kind, config, retry=default_retry, **common)

    def _id(self, value: KnownJson, path: Path, spot: Spot) -> str:
        """The step's id, from here on known; a stand-in that nothing can name where it has none."""
        here = (*path, "id")
        if not isinstance(value, dict) or "id" not in value or here in self._broken:
            return f"#{path}"
        name: str = self.identifier(value["id"], here)
        if name in self._spots:
            first = self._spots[name]
            line, _ = self._source.place((*first.steps.path, first.number, "id"))
            self.problem(here, f"the step on line {line} has the id `{name}` already; every step needs its own")
        else:
            self._spots[name] = spot
        return name

    def _common(self, value: JsonObject, path: Path) -> dict[str, Any]:
        """What every kind of step may have, as fields of `Step`."""
        compiled = {
            "title": self._part(value, "title", path, self.text),
            "when": self._part(value, "when", path, self.expression),
            "timeout": self._part(value, "timeout", path, self.duration),
            "on_error": self._part(value, "onError", path, self._on_error),
            "max_visits": self._part(value, "maxVisits", path, lambda visits, _: int(visits)),
            "background": self._part(value, "background", path, lambda mark, _: mark),
        }
        return {name: part for name, part in compiled.items() if part is not None}

    def _kind(self, value: JsonObject, path: Path) -> tuple[StepKind | None, Any]:
        """The kind and the configuration of a step that has exactly one kind, in order."""
        names = [name for name in value if name in self._kinds]
        here = (*path, *names)
        if len(names) != 1 or here in self._broken:
            return None, None
        kind = self._kinds[names[0]]
        place = replace(self.here, secrets=kind.secrets_allowed, texts=path if kind.own_languages else ())
        with self.at(place):
            config = kind.compile(value[kind.name], here, self)
        bound = kind.bind(config)
        if bound.user_facing and self.here.spot is not None and (owner := self.here.spot.steps.owner) is not None:
            self.problem(here, f"needs the end user, so it cannot stand inside of `{owner.id}`; move it out of there")
        return bound, config

    def _retry(self, value: JsonObject, path: Path) -> dict[str, Any]:
        """The fields of `Retry` that a step says."""
        fields: dict[str, Any] = {key: value[key] for key in ("attempts", "factor") if key in value}
        fields |= {key: self.duration(value[key], (*path, key)) for key in ("first", "max") if key in value}
        return {**fields, "on": tuple(map(str, value["on"]))} if "on" in value else fields

    def _on_error(self, value: KnownJson, path: Path) -> OnError:
        if isinstance(value, dict):
            return OnError("goto", self.goto(value["goto"], (*path, "goto")))
        return OnError(value)

    # Beside the steps.

    def _parameters(self, value: KnownJson) -> Mapping[str, Parameter]:
        if not isinstance(value, dict):
            return {}
        return {
            name: self._parameter(name, parameter, ("parameters", name))
            for name, parameter in value.items()
            if ("parameters", name) not in self._broken
        }

    def _parameter(self, name: str, value: JsonObject, path: Path) -> Parameter:
        default, expected = value.get("default"), value["type"]
        if default is not None and not fits(default, expected):
            self.problem((*path, "default"), f"must be {TYPE_NAMES[expected]} as `type` says, is {is_a(default)}")
        title = self._part(value, "title", path, self.text)
        return Parameter(name, expected, value.get("required", False), default, title, value.get("pii"))

    def _record(self, value: JsonObject, path: Path) -> RecordBinding:
        self.table(value["table"], (*path, "table"))
        return RecordBinding(value["table"], value.get("create", False))

    def _zone(self, value: KnownJson, path: Path) -> tzinfo:
        try:
            return ZoneInfo(value)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            near = nearest(value, sorted(available_timezones()))
            hint = f"did you mean `{near}`?" if near else "write one such as `Europe/Warsaw`"
            self.problem(path, f"there is no time zone `{value}`; {hint}")
            return UTC

    def _expires(self, value: KnownJson, path: Path) -> timedelta:
        length = self.duration(value, path)
        if not EXPIRES_FROM <= length <= EXPIRES_UNTIL:
            self.problem(path, f"must be from 30m to 30d, is `{value}`")
        return length

    def _part(self, around: JsonObject, key: str, path: Path, compile_part: Callable[[KnownJson, Path], T]) -> T | None:
        """What stands under a key; None where nothing does, or something with a wrong structure."""
        here = (*path, key)
        return compile_part(around[key], here) if key in around and here not in self._broken else None


def _shapes(definition: Definition, facts: WorkspaceFacts) -> dict[str, Json]:
    """What is known of what expressions read."""
    given = [name for name, one in definition.parameters.items() if one.required or one.default is not None]
    shapes: dict[str, Json] = {
        "parameters": {"properties": {name: {} for name in definition.parameters}, "required": given}
    }
    if definition.record is not None and (fields := facts.values.get(definition.record.table)):
        shapes["record"] = members(fields, open_=True)
    for step in definition.all_steps:
        shape = step.kind.output_shape(step.config)
        if shape is not None and step.on_error.action == "fail":
            shapes[f"steps.{step.id}"] = shape
    return shapes


def _list(value: KnownJson) -> list[Json]:
    return value if isinstance(value, list) else []


def _ids(value: KnownJson) -> Iterator[str]:
    """Every id of a step, however deep it stands, and however wrong the steps around it are."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield value["id"]
        for part in value.values():
            yield from _ids(part)
    elif isinstance(value, list):
        for item in value:
            yield from _ids(item)
