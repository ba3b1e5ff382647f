"""Writes YAML that our reader takes for the same value: it takes numbers for numbers that PyYAML takes for texts."""

from __future__ import annotations

from typing import Any

import yaml

from passerelle.definitions.source import plain_value
from passerelle.kit.json import Json


class _Dumper(yaml.SafeDumper):
    """Texts in quotes where our reader would take them for something else; nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    lines = text.split("\n")
    if len(lines) > 1 and all(line.isprintable() and line == line.rstrip() for line in lines) and lines[0].strip():
        style: str | None = "|"
    else:
        style = '"' if not text.isprintable() else None if isinstance(plain_value(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def in_one_line(value: Json) -> str:
    """A value as YAML on one line, without its end."""
    return _dumped(value, flow=True).removesuffix("\n").removesuffix("\n...")


def in_lines(value: Json) -> str:
    """A value as YAML, each key and item on a line of its own."""
    return _dumped(value, flow=False).removesuffix("...\n")


def _dumped(value: Json, *, flow: bool) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=float("inf")
    )
    return text
