"""Where an expression stands in its definition. Looked up only when one has failed."""

from __future__ import annotations

from collections.abc import Iterator

from passerelle.definitions.kinds import Path
from passerelle.definitions.problems import render_path
from passerelle.kit.json import Json, KnownJson


def place_of(document: Json, step_id: str | None, expression: str) -> str | None:
    """The path of the first text that holds `expression`, such as `steps.risk.set.score`.

    Looked for in the step with that id, inner steps included; in `result` where `step_id` is None.
    """
    for path, value in _leaves(document, ()):
        if expression in value and _belongs(document, path, step_id):
            return render_path(path, document)
    return None


def _leaves(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, (*path, number))


def _belongs(document: Json, path: Path, step_id: str | None) -> bool:
    """Whether the innermost step around `path` is the one with that id."""
    inner: str | None = None
    here: KnownJson = document
    for part in path:
        if isinstance(here, dict) and isinstance(here.get("id"), str):
            inner = here["id"]
        here = here[part]
    return inner == step_id
