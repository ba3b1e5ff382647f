"""Scenarios beside definitions (`a.test.yaml`), and those that a running Passerelle keeps with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passerelle.cli.api_client import messages_of, require_success
from passerelle.definitions.files import read_text
from passerelle.definitions.source import read_source
from passerelle.kit.errors import CommandError
from passerelle.scenarios.reading import ENDINGS, MARK, definition_path

if TYPE_CHECKING:
    import httpx


def beside(file: Path) -> Path:
    """Where the scenarios of a definition's file stand: in which of the endings that `passerelle test` plays.

    Raises `CommandError` where several do: to take one would pass the others over in silence.
    """
    named = [file.with_suffix(MARK + ending) for ending in ENDINGS]
    found = [one for one in named if one.is_file() and (definition_path(one) == file or not file.exists())]
    if len(found) > 1:
        raise CommandError(f"{' and '.join(map(str, found))} are both scenarios of {file}: put them into one file")
    return found[0] if found else named[0]


def kept(client: httpx.Client, definition_id: str) -> dict[str, Any]:
    """The scenarios that are kept with a definition: `scenarios`, `version`, `updatedBy`. Raises `CommandError`."""
    answer = client.get(f"/definitions/{definition_id}/scenarios")
    require_success(answer)
    found: dict[str, Any] = answer.json()
    return found


def push(client: httpx.Client, file: Path, definition: dict[str, Any], *, replace: bool) -> Iterator[str]:
    """Keep the scenarios beside a file with the definition that was pushed from it; a line for what came of it.

    replace   also where others are kept: they may be what somebody has recorded in the builder
    Raises `CommandError`.
    """
    scenarios = beside(file)
    if not scenarios.exists():
        return
    text = read_text(scenarios)
    if names_a_file(text):
        yield f"warning: {scenarios}: not kept with {definition['name']}: its `definition` names a file; leave it out"
        return
    there = kept(client, definition["id"])
    if text == there["scenarios"]:
        yield f"{scenarios}: kept with {definition['name']}, unchanged"
        return
    if there["scenarios"] and not replace:
        yield f"warning: {scenarios}: not kept: {_others(definition['name'], there)}, --replace-scenarios replaces them"
        return
    answer = client.put(
        f"/definitions/{definition['id']}/scenarios", json={"scenarios": text, "version": there["version"]}
    )
    if not answer.is_success:
        raise CommandError("\n".join(f"{scenarios}: {message}" for message in messages_of(answer)))
    yield f"{scenarios}: kept with {definition['name']}, version {answer.json()['version']}"


def would_do(scenarios: Path, name: str, there: dict[str, Any]) -> str:
    """What a push of other scenarios than are kept does."""
    if not there["scenarios"]:
        return f"{scenarios}: a push keeps these scenarios with {name}"
    return f"{scenarios}: {_others(name, there)}; a push leaves them, with --replace-scenarios it replaces them"


def _others(name: str, there: dict[str, Any]) -> str:
    return f"{name} has other scenarios (version {there['version']}, by {there['updatedBy']})"


def names_a_file(text: str) -> bool:
    """Whether scenarios say which file they are about: such are played from files only."""
    value = read_source(text).value
    return isinstance(value, dict) and "definition" in value
