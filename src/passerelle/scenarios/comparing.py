"""Compares what came of a scenario with what it expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from passerelle.definitions.expressions.values import equal
from passerelle.definitions.model import Definition
from passerelle.definitions.problems import render_path
from passerelle.engine.lanes import split_path
from passerelle.kit.durations import format_duration
from passerelle.kit.json import Json, JsonObject, loads
from passerelle.kit.outgoing.fake import SentRequest
from passerelle.scenarios.models import UNSET, Expected, Unset
from passerelle.scenarios.playing import Played


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that came out otherwise. UNSET: it was not to be there, or is not there."""

    where: str
    expected: Json | Unset
    actual: Json | Unset


def compare(definition: Definition, expected: Expected, played: Played) -> tuple[Mismatch, ...]:
    """Everything that is different, the status first and the rest in the order of a scenario's keys."""
    return tuple(_differences(definition, expected, played))


def _differences(definition: Definition, expected: Expected, played: Played) -> Iterator[Mismatch]:
    state = played.state
    yield from _status(expected, played)
    if expected.path is not None and expected.path != (path := _path(expected.path, played)):
        yield Mismatch("path", list(expected.path), list(path))
    if expected.result is not UNSET:
        yield from _within(expected.result, state.result, "result")
    for step, output in expected.outputs.items():
        yield from _within(output, played.outputs.get(step, UNSET), f"outputs{_part(step)}")
    if expected.error is not None:
        error = {"step": None, **state.error} if state.error else UNSET
        yield from _within(expected.error, error, "error")
    if expected.waiting_for is not None:
        resting = [_named(waiting, expected.waiting_for) for waiting in state.waiting_for(definition)]
        if sorted(resting) != sorted(expected.waiting_for):
            yield Mismatch("waitingFor", list(expected.waiting_for), resting)
    for table, records in expected.records.items():
        there = list(played.records.get(table, ()))
        if len(there) != len(records):
            yield Mismatch(f"records.{table}", list(records), there)
        else:
            yield from _within(list(records), there, f"records.{table}")
    for step, requests in expected.requests.items():
        sent = [request for path, request in played.requests if step in (path, split_path(path)[1])]
        yield from _requests(step, requests, sent)
    if expected.elapsed is not None and expected.elapsed != played.elapsed:
        yield Mismatch("elapsed", format_duration(expected.elapsed), format_duration(played.elapsed))


def _path(expected: tuple[str, ...], played: Played) -> tuple[str, ...]:
    """Inner steps count where the scenario names one."""
    inner = any(split_path(step)[0] for step in expected)
    return tuple(step for step in played.path if inner or not split_path(step)[0])


def _named(waiting: JsonObject, expected: tuple[str, ...]) -> str:
    """A step that is waited for, by its id if that is how the scenario names it."""
    step, path = str(waiting["step"]), str(waiting.get("path", waiting["step"]))
    return step if step in expected and path not in expected else path


def _status(expected: Expected, played: Played) -> Iterator[Mismatch]:
    state = played.state
    if expected.status is not None and expected.status != state.status.value:
        yield Mismatch("status", expected.status, state.status.value)
    # An error that nobody expects explains all the rest.
    if state.error and expected.error is None and expected.status != "FAILED":
        yield Mismatch("error", UNSET, state.error)


def _requests(step: str, expected: tuple[JsonObject, ...], sent: list[SentRequest]) -> Iterator[Mismatch]:
    where = f"requests{_part(step)}"
    actual = [_shown(request) for request in sent]
    if len(actual) != len(expected):
        yield Mismatch(where, _count(len(expected)), _count(len(actual)))
        return
    for number, (wanted, request) in enumerate(zip(expected, actual, strict=True)):
        yield from _within(_lower_headers(wanted), request, f"{where}[{number}]")


def _count(number: int) -> str:
    return "1 request" if number == 1 else f"{number} requests"


def _shown(request: SentRequest) -> JsonObject:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {"method": request.method, "url": request.url, "headers": headers, "body": _body(request.content)}


def _body(content: bytes | None) -> Json:
    if content is None:
        return None
    try:
        value: Json = loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")
    return value


def _lower_headers(request: JsonObject) -> JsonObject:
    headers = request.get("headers")
    return request if headers is None else {**request, "headers": {name.lower(): headers[name] for name in headers}}


def _within(expected: Json | Unset, actual: Json | Unset, where: str) -> Iterator[Mismatch]:
    """Differences of what is expected; members that nobody names are not compared."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, value in expected.items():
            yield from _within(value, actual.get(name, UNSET), where + _part(name))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for number, value in enumerate(expected):
            yield from _within(value, actual[number], f"{where}[{number}]")
    elif isinstance(actual, Unset) or not equal(expected, actual):
        yield Mismatch(where, expected, actual)


def _part(name: str) -> str:
    part = render_path((name,), None)
    return part if part.startswith("[") else f".{part}"
