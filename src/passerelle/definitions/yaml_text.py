"""Prepares a definition's text for libyaml, and says in our words what libyaml says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import yaml

from passerelle.definitions.kinds import Path
from passerelle.kit.json import loads

MAX_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """Something wrong with the text itself. Line and column are counted from 1."""

    line: int
    column: int
    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Genre:
    """What a text is to be, in the words of messages."""

    name: str
    needs: str
    """What it cannot do without."""
    too_large: str = "make it shorter"
    """What to do about a text that is too large."""


DEFINITION: Final = Genre("definition", "`name` and `steps`", "split it with `workflow` steps")


def prepare(text: str, genre: Genre = DEFINITION) -> str | SourceProblem:
    """What libyaml can read of `text`, with every node on its own line still, or why it cannot."""
    text = text.removeprefix("\ufeff")
    if (size := len(text.encode("utf-8", "surrogatepass"))) > MAX_BYTES:
        return SourceProblem(
            1,
            1,
            (),
            f"the text has {size:,} bytes; a {genre.name} may have {MAX_BYTES:,}: {genre.too_large}",
        )
    if text.lstrip()[:1] in ("{", "[") and _is_json(text):
        text = _json_as_yaml(text)
    if found := _UNREADABLE.search(text):
        line, column = _place(text, found.start())
        name = f"U+{ord(found.group()):04X}"
        return SourceProblem(line, column, (), f"the character {name} may not stand in YAML; remove it")
    return text


def refused(error: yaml.MarkedYAMLError, text: str) -> SourceProblem:
    """What libyaml refused, with a hint where its words alone leave people puzzled."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    reason = (error.problem or "cannot be read").strip()
    lines = text.splitlines()
    here = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    return SourceProblem(line, column, (), f"is not YAML: {_hint(reason, here)}")


# YAML's own definition of what a text may contain (1.2.2, section 5.1).
_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_HINTS: Final = {
    "mapping values are not allowed": "a text with `: ` in it must be in quotes, and keys of one mapping must stand"
    " in the same column",
    "did not find expected key": "a key or a `-` stands in another column than its neighbours, or a quote is open",
    "did not find expected '-' indicator": "this must be indented like the other items of its list",
    "could not find expected ':'": "a key must be followed by `: ` on the same line",
    "found unexpected end of stream": "a quote or a bracket is open to the end of the text",
    "found character that cannot start any token": "a text that begins with this character must be in quotes",
}


def _hint(reason: str, here: str) -> str:
    if here.startswith("\t"):
        return "a tab cannot indent; use spaces"
    return next((f"{reason}: {hint}" for words, hint in _HINTS.items() if words in reason), reason)


def _is_json(text: str) -> bool:
    try:
        loads(text)
    except ValueError:
        return False
    return True


# JSON is YAML but for a few corners: tabs between tokens, characters that only JSON takes unescaped (YAML breaks
# lines at some of them), and characters beyond the first plane escaped in two halves.
_ONLY_JSON: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ESCAPE: Final = re.compile(r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|.)")


def _json_as_yaml(text: str) -> str:
    text = text.replace("\t", " ")
    text = _ONLY_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return _ESCAPE.sub(_whole, text)


def _whole(found: re.Match[str]) -> str:
    if found.group(1) is None:
        return found.group()
    high, low = int(found.group(1), 16), int(found.group(2), 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _place(text: str, index: int) -> tuple[int, int]:
    before = text[:index].splitlines() or [""]
    return (len(before) + 1, 1) if text[:index].endswith(("\n", "\r")) else (len(before), len(before[-1]) + 1)
