"""What commands print: as it is, whatever brackets and figures are in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice

from rich.console import Console

from passerelle.cli.api_client import aligned

output = Console(soft_wrap=True)


def say(line: object, style: str = "") -> None:
    """Print a line."""
    output.print(line, style=style, markup=False, highlight=False)


def say_all(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        say(line)


def show_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows with their columns side by side."""
    say_all(aligned(rows))


def show_newest(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], most: int) -> None:
    """Print the first rows of a list that may be long, and say so where there are more."""
    found = list(islice(rows, most + 1))
    show_table([heads, *found[:most]])
    if len(found) > most:
        say(f"the newest {most}; --most shows more")


def show_json(value: object) -> None:
    """Print a value as JSON, in colours where the terminal has them."""
    output.print_json(json.dumps(value))
