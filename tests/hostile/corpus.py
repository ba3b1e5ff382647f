"""Texts of callers that were made to take a server's time or memory. Generated from a seed, so that it grows by a number.

Each is something that anybody with a key may send. None is malformed: that is for other tests.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Make = Callable[[Any], dict[str, Any]]
YAML: Final = "application/yaml"
JSON: Final = "application/json"


@dataclass(frozen=True)
class Hostile:
    """One request, or a definition that is pushed and then run with `parameters`."""

    name: str
    path: str = "/definitions"
    body: str | bytes | None = None
    kind: str = YAML
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] | None = None
    event: Any = None
    """Sent to the step `wait` of the execution that was started."""


def corpus(seed: int = 1, generated: int = 80) -> list[Hostile]:
    """All of them, each with a name of its own. `generated`: how many are made up from the seed."""
    random_ = random.Random(seed)
    return [
        *_schemas(),
        *_definitions(),
        *_expressions(),
        *_generated(random_, generated),
        *_events(),
        *_requests(),
        *_records(),
        *_checks(),
    ]


def _text(name: str, steps: str, rest: str = "") -> str:
    return f"name: {name}\n{rest}steps:\n{steps}"


_MAKERS: Final[dict[str, Make]] = {
    "properties": lambda next_: {"type": "object", "properties": {"a": next_, "b": next_}},
    "allOf": lambda next_: {"allOf": [next_, next_]},
    "anyOf": lambda next_: {"anyOf": [next_, next_]},
    "oneOf": lambda next_: {"oneOf": [next_, {"not": next_}]},
    "if": lambda next_: {"if": next_, "then": next_, "else": next_},
    "items": lambda next_: {"prefixItems": [next_, next_], "items": next_},
    "pattern": lambda next_: {"patternProperties": {"a": next_, "b": next_}},
    "dependent": lambda next_: {"dependentSchemas": {"a": next_, "b": next_}},
    "unevaluated": lambda next_: {"allOf": [next_, next_], "unevaluatedProperties": False},
    "names": lambda next_: {"propertyNames": next_, "contains": next_},
}


def _chained(length: int, make: Make) -> dict[str, Any]:
    defs = {f"d{at}": make({"$ref": f"#/$defs/d{at + 1}"}) for at in range(length)}
    return {
        "$defs": {**defs, f"d{length}": {"type": "string"}},
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/d0"}},
    }


def _form(name: str, schema: Any) -> Hostile:
    step = {"id": "ask", "form": {"title": "A", "schema": schema}}
    return Hostile(name, body=json.dumps({"name": name, "steps": [step]}), kind=JSON)


def _schemas() -> Iterator[Hostile]:
    for maker, make in _MAKERS.items():
        for length in (12, 25, 90):
            yield _form(f"schema-{maker}-{length}", _chained(length, make))
    for at, pattern in enumerate(
        [
            "(a{100}){1000}",
            "([a-z]{1,500}){1,500}",
            "^(?=(a+)+$)(a|aa)+b",
            "(x+x+)+y",
            "(.*)*(.*)*(.*)*z",
            "\\p{L}{1000}" * 9,
        ]
    ):
        yield _form(f"pattern-{at}", {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}})
    yield _form("many-fields", {"type": "object", "properties": {f"f{at}": {"type": "string"} for at in range(20_000)}})
    yield _form("many-options", {"type": "object", "properties": {"a": {"enum": [{"k": at} for at in range(30_000)]}}})
    wide = {
        "type": "object",
        "properties": {f"f{at}": {"type": "string", "visibleWhen": f"form.f{at - 1} == '1'"} for at in range(1, 900)}
        | {"f0": {"type": "string"}},
    }
    yield _form("conditions-of-conditions", wide)
    deep: Any = {"type": "string"}
    for _ in range(90):
        deep = {"type": "object", "properties": {"a": deep}}
    yield _form("deep-schema", deep)


def _definitions() -> Iterator[Hostile]:
    for count in (900, 3_000, 22_000):
        steps = "".join(f"- {{id: s{at}, set: {{x: 1}}}}\n" for at in range(count))
        yield Hostile(f"steps-{count}", body=_text(f"steps-{count}", steps))
        wrong = "".join(f"- {{id: s{at}, sett: 1, when: 3, retry: {{on: [9]}}}}\n" for at in range(count))
        yield Hostile(f"wrong-steps-{count}", body=_text(f"wrong-steps-{count}", wrong))
    yield Hostile(
        "unknown-names",
        body=_text(
            "unknown-names", "".join(f'- {{id: s{at}, set: {{x: "${{steps.t{at}.y}}"}}}}\n' for at in range(900))
        ),
    )
    yield Hostile(
        "jumps",
        body=_text("jumps", "".join(f"- {{id: s{at}, switch: [{{goto: s{(at * 7) % 900}}}]}}\n" for at in range(900))),
    )
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + at)}: &{chr(98 + at)} [{','.join(['*' + chr(97 + at)] * 9)}]\n" for at in range(9)
    )
    yield Hostile("alias-bomb", body=bomb + _text("alias-bomb", "- {id: a, set: {x: 1}}\n"))
    yield Hostile("levels", body="[" * 50_000)
    yield Hostile("json-levels", body='{"a":' * 50_000 + "1" + "}" * 50_000, kind=JSON)
    yield Hostile("large-text", body=_text("large-text", f"- {{id: a, set: {{x: '{'y' * 900_000}'}}}}\n"))
    yield Hostile("too-large", body="a" * 3_000_000)
    yield Hostile(
        "long-expression", body=_text("long-expression", f'- {{id: a, set: {{x: "${{{"1+" * 2_000}1}}"}}}}\n')
    )
    yield Hostile(
        "deep-expression",
        body=_text("deep-expression", f'- {{id: a, set: {{x: "${{{"(" * 2_000}1{")" * 2_000}}}"}}}}\n'),
    )
    yield Hostile("many-inserts", body=_text("many-inserts", f'- {{id: a, set: {{x: "{"${1}" * 150_000}"}}}}\n'))
    nested, indent = "", ""
    for level in range(30):
        nested += f"{indent}- id: e{level}\n{indent}  each:\n{indent}    in: ${{[1,2,3]}}\n{indent}    steps:\n"
        indent += "    "
    yield Hostile(
        "nested-each", body=_text("nested-each", f"{nested}{indent}- {{id: last, set: {{x: 1}}}}\n"), parameters={}
    )


_LIST: Final = "parameters: {l: {type: list, required: true}, t: {type: string, required: true}}\n"


def _given(items: int = 2_000, characters: int = 100_000) -> dict[str, Any]:
    return {"l": list(range(items)), "t": "a" * characters}


def _run(name: str, expression: str, place: str = "set", **given: int) -> Hostile:
    quoted = json.dumps("${" + expression + "}")
    steps = {
        "set": f"- {{id: a, set: {{x: {quoted}}}}}\n",
        "when": f"- {{id: a, when: {json.dumps(expression + ' == 1')}, set: {{x: 1}}}}\n",
        "switch": f"- {{id: a, switch: [{{when: {json.dumps(expression + ' == 1')}, goto: b}}, {{goto: b}}]}}\n- {{id: b, set: {{x: 1}}}}\n",
        "each": f"- id: a\n  each:\n    in: ${{parameters.l}}\n    atOnce: 10\n    steps:\n    - {{id: b, set: {{x: {quoted}}}}}\n",
        "in": f"- id: a\n  each:\n    in: {quoted}\n    steps:\n    - {{id: b, set: {{x: 1}}}}\n",
        "http": f"- id: a\n  http: {{method: POST, url: 'https://localhost:1/', body: {{x: {quoted}}}}}\n  retry: {{attempts: 1}}\n",
        "loop": f"- {{id: a, set: {{x: {quoted}}}, maxVisits: 10000}}\n- {{id: b, switch: [{{goto: a}}], maxVisits: 10000}}\n",
    }[place]
    result = f"result: {{x: {quoted}}}\n" if place == "set" else ""
    return Hostile(name, body=_text(name, steps, _LIST + result), parameters=_given(**given))


_L, _T = "parameters.l", "parameters.t"


def _expressions() -> Iterator[Hostile]:
    bodies = {
        "nested-macros": f"{_L}.map(x, {_L}.map(y, {_L}.map(z, x * y * z)))",
        "all-pairs": f"{_L}.filter(x, {_L}.exists(y, x == y + 1)).size()",
        "growing-text": f"{_L}.map(x, {_T} + {_T}).size()",
        "growing-list": f"{_L}.map(x, {_L} + {_L}).size()",
        "joined": f"{_L}.map(x, {_L}.map(y, string(y)).join({_T})).size()",
        "replaced": f"{_L}.map(x, {_T}.replace('a', {_T})).size()",
        "split": f"{_L}.map(x, {_T}.split('').size()).sum()",
        "sorted": f"{_L}.map(x, {_L}.sort()).size()",
        "distinct": f"{_L}.map(x, [{_L}, {_L}].distinct().size()).sum()",
        "equal": f"{_L}.map(x, [{_L}, {_L}] == [{_L}, {_L}]).size()",
        "in": f"{_L}.map(x, -1.5 in {_L}).size()",
        "flatten": f"{_L}.map(x, [{_L}, {_L}].flatten(5).size()).sum()",
        "matches": f"{_L}.map(x, {_T}.matches('([a-z]{{1,400}}x?)b')).size()",
        "matches-look": f"{_L}.map(x, {_T}.matches('(a?){{90}}a{{90}}b')).size()",
        "base64": f"{_L}.map(x, base64.encode({_T})).size()",
        "lower": f"{_L}.map(x, {_T}.lowerAscii() == 'b').size()",
        "reverse": f"{_L}.map(x, {_T}.reverse().reverse()).size()",
        "copies": f"[{', '.join([_T] * 300)}]",
        "absorbed": f"{_L}.all(x, {_L}.all(y, {_L}.all(z, true))) || true",
    }
    for name, body in bodies.items():
        for place in ("set", "when", "each"):
            yield _run(f"{name}-{place}", body, place, items=700)
    for name in ("nested-macros", "growing-text", "equal", "matches"):
        for place in ("switch", "in", "http", "loop"):
            yield _run(f"{name}-{place}", bodies[name], place)
    yield _run("seven-hundred-times-a-second", f"{_L}.map(y, {_L}.filter(z, z > y).size()).sum()", "each", items=700)


def _generated(random_: random.Random, count: int) -> Iterator[Hostile]:
    """Expressions that grow by chance: macros in macros over lists and texts of what came before."""

    def value(depth: int) -> str:
        if depth == 0:
            return random_.choice([_L, _T, "1", "x", "[x, x]", f"{_L}.map(x, [x, {_L}])", f"{_T} + {_T}"])
        inner = value(depth - 1)
        return random_.choice(
            [
                f"{_L}.map(x, {inner})",
                f"{_L}.filter(x, {inner} != x)",
                f"{_L}.all(x, {inner} == {value(depth - 1)} || true)",
                f"[{inner}, {inner}, {inner}]",
                f"[{inner}].flatten(9)",
                f"({inner} == {value(depth - 1)} ? {inner} : {value(depth - 1)})",
                f"{_L}.map(x, string(x)).join({_T})",
                f"size([{inner}].distinct())",
            ]
        )

    for at in range(count):
        expression = value(random_.randint(2, 5)).replace("x == x", "true")
        if len(expression) < 3_500:
            yield _run(
                f"generated-{at}",
                f"[1].map(x, {expression})",
                random_.choice(["set", "each", "in", "when"]),
                items=random_.choice([300, 3_000, 20_000]),
            )


def _events() -> Iterator[Hostile]:
    schemas: dict[str, tuple[Any, Any]] = {
        "wrong-items": ({"type": "array", "items": {"type": "string"}}, [1] * 300_000),
        "wrong-objects": (
            {"type": "array", "items": {"required": ["a", "b", "c"], "properties": {"a": {"type": "string"}}}},
            [{"a": 1}] * 60_000,
        ),
        "right-items": ({"type": "array", "items": {"allOf": [{"type": "integer"}] * 200}}, list(range(100_000))),
        "alternatives": ({"type": "array", "items": {"oneOf": [{"const": at} for at in range(200)]}}, [199] * 100_000),
        "unique": ({"uniqueItems": True}, [{"a": at} for at in range(60_000)]),
        "options": ({"items": {"enum": [{"a": at} for at in range(500)]}}, [{"a": 499}] * 60_000),
        "look-around": ({"items": {"type": "string", "pattern": "^(?=(a+)+b)(a*)*c$"}}, ["a" * 30] * 25_000),
        "long-text": ({"type": "string", "pattern": "([a-z]{1,400}x?)b"}, "a" * 900_000),
        "unknown-keys": (
            {"type": "object", "additionalProperties": False, "properties": {"a": {}}},
            {f"k{at}": at for at in range(60_000)},
        ),
    }
    for name, (schema, body) in schemas.items():
        step = {"id": "wait", "event": {"name": "wait", "schema": schema}}
        text = json.dumps({"name": f"event-{name}", "steps": [step]})
        yield Hostile(f"event-{name}", body=text, kind=JSON, parameters={}, event=body)


def _requests() -> Iterator[Hostile]:
    for at, accept in enumerate(
        [
            "application/json;version=2," * 3_000,
            ";" * 30_000,
            'a/b;q="' + "\\" * 30_000,
            ",".join(f"a/b;version={n}" for n in range(3_000)),
        ]
    ):
        yield Hostile(f"accept-{at}", "/workflows", method="GET", headers={"Accept": accept[:60_000]})
    for at, cursor in enumerate(["a" * 30_000, "%00" * 100, "eyJ" + "A" * 20_000, "../" * 5_000]):
        yield Hostile(f"cursor-{at}", f"/workflows?after={cursor}", method="GET")
    for at, query in enumerate(
        [
            "limit=" + "9" * 10_000,
            "status=" + "A" * 20_000,
            "&".join(f"a{n}={n}" for n in range(5_000)),
            "createdFrom=0001-01-01T00:00:00%2B14:00",
            "createdTo=9999-12-31T23:59:59-14:00",
        ]
    ):
        yield Hostile(f"query-{at}", f"/workflows?{query}", method="GET")
    yield Hostile("wide-body", "/workflows/run", json.dumps({f"k{at}": at for at in range(80_000)}), JSON)
    yield Hostile("deep-body", "/workflows/run", "[" * 400_000 + "]" * 400_000, JSON)
    yield Hostile("numbers", "/workflows/run", "[" + "1" * 900_000 + "]", JSON)
    yield Hostile("long-token", "/workflows", method="GET", headers={"Authorization": "Bearer " + "a" * 50_000})
    yield Hostile("long-key", "/auth/authorize", json.dumps({"key": "k" * 400_000, "secret": "s" * 400_000}), JSON)


def _records() -> Iterator[Hostile]:
    fields = [{"name": "name", "type": "text", "indexed": True}, {"name": "age", "type": "integer"}]
    yield Hostile("table", "/tables", json.dumps({"name": "hostile", "fields": fields}), JSON)
    yield Hostile(
        "many-columns",
        "/tables",
        json.dumps({"name": "wide", "fields": [{"name": f"f{at}", "type": "text"} for at in range(20_000)]}),
        JSON,
    )
    search = "/tables/hostile/records/search"
    deep: Any = {"field": "age", "op": "gte", "value": 3}
    for _ in range(150):
        deep = {"not": deep}
    filters: dict[str, Any] = {
        "deep": {"filter": deep},
        "wide": {"filter": {"or": [{"field": "age", "op": "eq", "value": at} for at in range(9_000)]}},
        "in": {"filter": {"field": "age", "op": "in", "value": list(range(90_000))}},
        "sort": {"sort": ["name", "-name"] * 20_000},
        "text": {"text": "a b c d " * 50_000},
        "wildcards": {"text": "%_" * 100_000},
        "fields": {"fields": ["name"] * 100_000},
        "include": {"include": ["name.name" * 10] * 5_000},
    }
    for name, body in filters.items():
        yield Hostile(f"search-{name}", search, json.dumps(body), JSON)
    files = {
        "one-line": b"name,age\n" + b"a" * 3_000_000,
        "quotes": b'name,age\n"' + b'""' * 1_000_000,
        "columns": b",".join(b"c%d" % at for at in range(200_000)) + b"\n",
        "delimiters": b"name,age\n" + b"," * 3_000_000,
        "rows": b"name,age\n" + b"x,not a number\n" * 60_000,
        "empty-rows": b"name,age\n" + b"\n" * 500_000,
    }
    for name, content in files.items():
        yield Hostile(f"import-{name}", "/tables/hostile/import", content, "text/csv")


def _checks() -> Iterator[Hostile]:
    def checked(name: str, check: str, inputs: dict[str, Any]) -> Hostile:
        step = {"id": "a", "check": {"name": check, "with": dict.fromkeys(inputs, "${parameters.t}")}}
        text = json.dumps({"name": name, "parameters": {"t": {"type": "string", "required": True}}, "steps": [step]})
        return Hostile(name, body=text, kind=JSON, parameters={"t": next(iter(inputs.values()))})

    yield checked("check-iban", "iban", {"iban": "PL" + "1" * 500_000})
    yield checked("check-phone", "phone", {"number": "+" + "4" * 500_000})
    yield checked("check-email", "email-address", {"email": "a." * 200_000 + "@example.com"})
    yield checked("check-email-domain", "email-address", {"email": "a@" + "a." * 200_000 + "com"})
    yield checked("check-company", "company-number", {"number": "5" * 500_000})
    yield checked("check-person", "personal-number", {"number": "4" * 500_000})
    yield checked("check-mrz", "mrz", {"lines": "P<UTO" + "<" * 500_000})
    yield checked("check-name", "sanctions", {"name": "a b " * 100_000})
