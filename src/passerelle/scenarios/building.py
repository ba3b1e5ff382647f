"""Builds scenarios from a document whose structure is right; notes what does not fit the definition."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from passerelle.definitions.json_schema import Finding
from passerelle.definitions.kinds import Path, StepKind
from passerelle.definitions.model import Definition, Step
from passerelle.definitions.parameters import check_parameters
from passerelle.definitions.words import quoted, suggest
from passerelle.engine.kinds import ChildKind, OutsideKind, RecordingKind, WaitingKind
from passerelle.engine.lanes import split_path
from passerelle.engine.steps.review import ReviewConfig, ReviewKind
from passerelle.kit.durations import parse_duration
from passerelle.kit.json import Json, JsonObject
from passerelle.scenarios.models import (
    UNSET,
    Answer,
    Answers,
    Decision,
    Expected,
    FakedFailure,
    NoReply,
    Output,
    Reply,
    Scenario,
    Sent,
    SentEvent,
)
from passerelle.scenarios.places import StepPlaces
from passerelle.scenarios.records import own_table

NOW: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""When scenarios start that do not say it: a Monday morning."""

_HTTP: Final = ("status", "headers", "body")
_SECRET: Final = re.compile(r"\bsecrets\.([A-Za-z_][A-Za-z0-9_]*)")


class Building:
    """One pass over one document. `place` tells the line of a path."""

    def __init__(self, definition: Definition, place: Callable[[Path], tuple[int, int]]) -> None:
        self.findings: list[Finding] = []
        self._definition = definition
        self._place = place
        self._places = StepPlaces(definition)
        self._secrets = {name: name for name in sorted(_secrets_in(definition.document))}
        self._events = {
            name
            for step in definition.all_steps
            if isinstance(step.kind, WaitingKind) and (name := step.kind.event_name(step.config)) is not None
        }

    def scenarios(self, document: JsonObject) -> tuple[Scenario, ...]:
        """Every scenario. Meaningful only if nothing was noted."""
        common = document.get("common", {})
        shared = self._answers(common.get("answers", {}), ("common", "answers"), optional=True)
        seen: dict[str, int] = {}
        built = []
        for number, value in enumerate(document["scenarios"]):
            path = ("scenarios", number)
            first = seen.setdefault(value["name"], number)
            if first != number:
                line, _ = self._place(("scenarios", first, "name"))
                self._note((*path, "name"), f"the scenario on line {line} has this name already; use another one")
            built.append(self._scenario(value, path, common, shared))
        return tuple(built)

    def _scenario(self, value: JsonObject, path: Path, common: JsonObject, shared: Mapping[str, Answers]) -> Scenario:
        given = {**common, **value}
        return Scenario(
            name=value["name"],
            line=self._place(path)[0],
            now=self._moment(given, path if "now" in value else ("common",)),
            parameters=self._parameters(value, common, path),
            expected=self._expected(value["expect"], (*path, "expect")),
            locale=given.get("locale"),
            secrets={**self._secrets, **common.get("secrets", {}), **value.get("secrets", {})},
            answers={**shared, **self._answers(value.get("answers", {}), (*path, "answers"))},
            record=self._record(given, path),
            records={**_tables(common.get("records", {})), **_tables(value.get("records", {}))},
            events=tuple(self._sent(event, (*path, "events", n)) for n, event in enumerate(value.get("events", []))),
            stop_after=self._length(value, "stopAfter", path),
        )

    def _parameters(self, value: JsonObject, common: JsonObject, path: Path) -> JsonObject:
        own = value.get("parameters", {})
        given = {**common.get("parameters", {}), **own}
        values, problems = check_parameters(self._definition, given)
        for problem in problems:
            name = (problem.pointer or "").removeprefix("/parameters/").replace("~1", "/").replace("~0", "~")
            place: Path = ("common", "parameters", name)
            if name in own:
                place = (*path, "parameters", name)
            elif name not in given:
                place = (*path, "parameters") if "parameters" in value else path
            self._note(place, problem.message)
        return values

    # What the scenario gives.

    def _record(self, given: JsonObject, path: Path) -> JsonObject | None:
        if "record" in given and own_table(self._definition) is None:
            self._note((*path, "record"), "the definition has no `record:` block, so a run has no record; remove it")
        return given.get("record")

    def _answers(self, value: JsonObject, path: Path, *, optional: bool = False) -> dict[str, Answers]:
        built: dict[str, Answers] = {}
        for step, answers in value.items():
            here = (*path, step)
            found = self._step(step, here)
            if found is None or not self._takes_answers(step, found.kind, here):
                continue
            alone = isinstance(answers, dict)
            numbered = [((), answers)] if alone else [((number,), item) for number, item in enumerate(answers)]
            items = tuple(self._answer(item, found, (*here, *within)) for within, item in numbered)
            built[step] = Answers(items, alone, optional)
        return built

    def _takes_answers(self, step: str, kind: StepKind, path: Path) -> bool:
        if isinstance(kind, OutsideKind | RecordingKind | WaitingKind | ChildKind) and kind.name != "wait":
            return True
        why = "waits for a time only" if kind.name == "wait" else "asks nobody anything"
        self._note(path, f"`{step}` {why}, so it gets no answer; remove it")
        return False

    def _answer(self, value: JsonObject, step: Step, path: Path) -> Answer:
        kind = step.kind
        if isinstance(kind, ReviewKind):
            return self._decision(value, step.config, path)
        if isinstance(kind, WaitingKind):
            self._only(value, ("body", "after"), path, "a step that waits gets `body` and `after`")
            return Sent(value.get("body"), self._length(value, "after", path) or timedelta())
        if kind.name == "http":
            self._only(value, (*_HTTP, "fails"), path, "a request gets `status`, `headers` and `body`, or `fails`")
        elif isinstance(kind, RecordingKind):
            self._only(value, ("output", "error"), path, "a step that works on records gets `output` or `error`")
        elif isinstance(kind, ChildKind):
            self._only(value, ("output", "error"), path, "another workflow gives `output: {result: …}` or `error`")
        elif "after" in value:
            self._note((*path, "after"), "only a step that waits is answered later; remove it")
        forms = [form for form in ("fails", "output", "error") if form in value]
        forms += ["body"] if any(key in value for key in _HTTP) else []
        if len(forms) > 1:
            self._note(path, f"is several answers in one ({quoted(forms)}); keep one of them")
        return _outside_answer(value, forms[0] if forms else "body")

    def _decision(self, value: JsonObject, config: ReviewConfig, path: Path) -> Decision:
        self._only(value, ("outcome", "comment", "by", "after"), path, "a review gets `outcome`, `comment` and `by`")
        outcome = value.get("outcome")
        if outcome not in config.outcomes:
            place = (*path, "outcome") if "outcome" in value else path
            self._note(place, f"the review has no outcome `{outcome}`; it has {quoted(config.outcomes)}")
        after = self._length(value, "after", path) or timedelta()
        return Decision(str(outcome), value.get("comment"), value.get("by"), after)

    def _only(self, value: JsonObject, keys: Iterable[str], path: Path, said: str) -> None:
        allowed = set(keys)
        for key in value:
            if key not in allowed:
                self._note((*path, key), f"{said}; remove it")

    def _sent(self, value: JsonObject, path: Path) -> SentEvent:
        name = value["name"]
        if name not in self._events:
            self._note(
                (*path, "name"), f"no step takes an event `{name}`; {suggest(name, sorted(self._events), 'they take')}"
            )
        return SentEvent(name, value.get("body"), self._length(value, "after", path) or timedelta())

    def _moment(self, value: JsonObject, path: Path) -> datetime:
        text = value.get("now")
        if text is None:
            return NOW
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self._note((*path, "now"), f"must be a moment such as `2026-12-31T12:00:00Z`, is `{text}`")
            return NOW
        return moment.astimezone(UTC)

    # What it expects.

    def _expected(self, value: JsonObject, path: Path) -> Expected:
        exact: list[tuple[str, Path]] = [(step, (*path, "path", n)) for n, step in enumerate(value.get("path", []))]
        exact += [(step, (*path, "outputs", step)) for step in value.get("outputs", {})]
        for step, place in exact:
            self._step(step, place, one=True)
        named: list[tuple[str, Path]] = [
            (step, (*path, "waitingFor", n)) for n, step in enumerate(value.get("waitingFor", []))
        ]
        error = {"code": value["error"]} if isinstance(value.get("error"), str) else value.get("error")
        if error is not None and "step" in error:
            named.append((error["step"], (*path, "error", "step")))
        for step, place in named:
            self._step(step, place)
        for step in value.get("requests", {}):
            self._requests_step(step, (*path, "requests", step))
        return Expected(
            status=value.get("status"),
            path=tuple(value["path"]) if "path" in value else None,
            result=value.get("result", UNSET),
            outputs=value.get("outputs", {}),
            error=error,
            waiting_for=tuple(value["waitingFor"]) if "waitingFor" in value else None,
            records=_tables(value.get("records", {})),
            requests={step: tuple(requests) for step, requests in value.get("requests", {}).items()},
            elapsed=self._length(value, "elapsed", path),
        )

    def _requests_step(self, step: str, path: Path) -> None:
        found = self._step(step, path)
        if found is not None and not isinstance(found.kind, OutsideKind):
            self._note(path, f"`{step}` makes no requests; name a step that does")

    def _step(self, name: str, path: Path, *, one: bool = False) -> Step | None:
        """The step that is named by its id or by its place; `one`: an inner one by its place only."""
        wrong = self._places.wrong(name, one=one)
        if wrong is not None:
            self._note(path, wrong)
            return None
        return self._places.steps[split_path(name)[1]]

    def _length(self, value: JsonObject, key: str, path: Path) -> timedelta | None:
        if key not in value:
            return None
        try:
            return parse_duration(value[key])
        except ValueError as error:
            self._note((*path, key), str(error))
            return None

    def _note(self, path: Path, message: str) -> None:
        self.findings.append((path, message))


def _tables(value: JsonObject) -> dict[str, tuple[JsonObject, ...]]:
    return {table: tuple(records) for table, records in value.items()}


def _outside_answer(value: JsonObject, form: str) -> Answer:
    match form:
        case "fails":
            return NoReply(value["fails"])
        case "output":
            return Output(value["output"])
        case "error":
            error = value["error"]
            return FakedFailure(error["code"], error.get("message", "the scenario says so"), error.get("reason"))
    return Reply(value.get("status", 200), value.get("headers", {}), value.get("body", UNSET))


def _secrets_in(value: Json) -> Iterator[str]:
    """The names of the secrets that a definition reads."""
    if isinstance(value, str):
        yield from _SECRET.findall(value)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _secrets_in(part)
