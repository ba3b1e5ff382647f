"""From a draft to a text that passes `check`: what does not pass is taken out, and told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from passerelle.conversions.models import MOST_LEFT_OUT, ConversionError, Converted, Kind, LeftOut, Sketch
from passerelle.conversions.names import one_line
from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.kinds import KindRegistry, Path
from passerelle.definitions.problems import MOST_TOLD, DefinitionProblem
from passerelle.definitions.yaml_writing import in_lines

ROUNDS: Final = 40
"""How often what does not pass is taken out: of a large form one thing each time, of others up to a hundred."""
_WITHIN: Final = ("form", "schema", "properties")
"""Below this, a step says what a file brought; all else this package wrote itself."""


def finished(draft: Sketch, kind: Kind, kinds: KindRegistry) -> Converted:
    """The draft as a text that passes `check`. Raises `ConversionError` where nothing helps.

    A keyword of a form's schema that `check` refuses is left out and told, whatever the reason.
    """
    facts = KnownFacts(
        tables={table["name"]: frozenset(field["name"] for field in table["fields"]) for table in draft.tables} or None,
        more_tables=True,
    )
    for _ in range(ROUNDS):
        text = written(draft)
        problems = compile_definition(text, kinds, workspace=facts).problems
        if not problems:
            return _converted(draft, kind, text)
        if not _take_out(draft, problems):
            break
        if any("form" in step and not step["form"]["schema"].get("properties") for step in draft.document["steps"]):
            why = "; ".join(f"{one.place}: {one.reason}" for one in draft.left_out[-5:])
            raise ConversionError(f"no field is left that a form could ask for: {one_line(why, 600)}")
    raise ConversionError(f"no definition that passes `check` can be made of it: {one_line(problems[0], 400)}")


def written(draft: Sketch) -> str:
    """The document as YAML, with comments above its steps."""
    frame = {key: value for key, value in draft.document.items() if key not in ("steps", "result")}
    lines = [in_lines(frame), "steps:\n"]
    for step in draft.document["steps"]:
        lines += [f"  # {one_line(comment)}\n" for comment in draft.comments.get(step["id"], ())]
        lines += [f"  {line}\n" if line else "\n" for line in in_lines([step]).splitlines()]
    if "result" in draft.document:
        lines.append(in_lines({"result": draft.document["result"]}))
    return "".join(lines)


def _converted(draft: Sketch, kind: Kind, text: str) -> Converted:
    left_out = list(dict.fromkeys(draft.left_out))
    return Converted(
        kind=kind,
        name=draft.document["name"],
        text=text,
        tables=draft.tables,
        left_out=left_out[:MOST_LEFT_OUT],
        more_left_out=max(0, len(left_out) - MOST_LEFT_OUT),
        operations=draft.operations,
    )


def _take_out(draft: Sketch, problems: Iterable[DefinitionProblem]) -> bool:
    """Take out what is wrong in forms; whether anything was."""
    found = {problem.path: problem.message for problem in list(problems)[:MOST_TOLD]}
    taken = False
    for path in sorted(found, key=len, reverse=True):
        if path[2 : 2 + len(_WITHIN)] == _WITHIN and len(path) > 2 + len(_WITHIN):
            taken = _remove(draft, path) or taken
            place = "/".join(str(part) for part in path[4:])
            draft.left_out.append(LeftOut(place, f"left out: {one_line(found[path], 300)}"))
        elif path[2:4] == ("form", "schema") and len(path) > 4:
            taken = _remove(draft, path) or taken
            draft.left_out.append(LeftOut(f"{path[4]}", f"left out: {one_line(found[path], 300)}"))
    return taken


def _remove(draft: Sketch, path: Path) -> bool:
    """Take out what stands at a path; of a field, the whole field."""
    *way, last = path
    around: list[Any] = [draft.document]
    for part in way:
        inner = around[-1]
        try:
            around.append(inner[part])
        except (KeyError, IndexError, TypeError):
            return False
    parent = around[-1]
    if isinstance(parent, list) and isinstance(last, int) and last < len(parent):
        del parent[last]
        return True
    if not isinstance(parent, dict) or last not in parent:
        return False
    del parent[last]
    if way[-1] == "properties" and isinstance(around[-2], dict):
        _forget(draft, around[-2], str(last))
    return True


def _forget(draft: Sketch, schema: dict[str, Any], name: str) -> None:
    """A field that is gone cannot be required, and no rule can read it."""
    if isinstance(schema.get("required"), list):
        schema["required"] = [one for one in schema["required"] if one != name]
    for keyword in ("if", "then", "else", "dependentRequired", "dependentSchemas"):
        if keyword in schema and name in _strings(schema[keyword]):
            del schema[keyword]
            draft.leave(keyword, f"left out: it reads the field `{one_line(name, 80)}`, which was left out")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value
