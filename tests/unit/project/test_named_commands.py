"""Each `passerelle …` command that a message names is there: whoever reads it types it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from typer.main import get_command

from passerelle.cli.main import whole
from tests.unit.project.sql import SOURCE, module_of

NAMED = re.compile(r"`passerelle ((?:[a-z][a-z0-9-]*(?![\w-]) ?)+)")
"""Its words up to the first that is put in, an option or an argument in capitals."""


def texts(tree: ast.AST) -> Iterator[str]:
    """The literal texts of a module, with a mark where something is put in."""
    for part in ast.walk(tree):
        if isinstance(part, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in part.values)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def named(text: str) -> list[str]:
    """The words after `passerelle` of each command in a text."""
    return [found.strip() for found in NAMED.findall(text)]


@cache
def all_commands() -> Any:
    """The whole command line."""
    return get_command(whole())


def is_there(words: str) -> bool:
    """Whether a command has these words, or begins with them; what comes behind a command are its arguments."""
    command = all_commands()
    for word in words.split():
        commands = getattr(command, "commands", None)
        if commands is None:
            return True
        if word not in commands:
            return False
        command = commands[word]
    return True


def test_every_command_that_a_message_names_is_there() -> None:
    found = {
        (words, str(path.relative_to(SOURCE)))
        for path in sorted(SOURCE.rglob("*.py"))
        for text in texts(module_of(path))
        for words in named(text)
    }
    assert len(found) > 60
    known = {words for words in {words for words, _ in found} if is_there(words)}
    assert sorted((words, path) for words, path in found if words not in known) == []


@pytest.mark.parametrize(
    ("text", "words", "there"),
    [
        ("`passerelle workspace rotate-signing` makes one", ["workspace rotate-signing"], False),
        ("`passerelle key rotate-signing` makes one", ["key rotate-signing"], True),
        ("`passerelle check one.yaml`, then `passerelle dev --data-dir X`", ["check one", "dev"], True),
        ("`passerelle lists load FILE`", ["lists load"], True),
        ("`passerelle lists lead FILE`", ["lists lead"], False),
    ],
)
def test_a_command_is_told_from_its_arguments(text: str, words: list[str], there: bool) -> None:
    assert named(text) == words
    assert all(is_there(one) for one in words) == there
