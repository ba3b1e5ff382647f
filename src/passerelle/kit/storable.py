"""What the database keeps as it is given, and every reader of JSON understands."""

from __future__ import annotations

import math

from passerelle.kit.json import Json


def unstorable(value: Json) -> str | None:
    """Why the database or another reader would not keep `value` as it is; None where it would."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif (problem := _unstorable(item)) is not None:
            return problem
    return None


def _unstorable(item: Json) -> str | None:
    if isinstance(item, str):
        if "\0" in item:
            return "must not contain the character NUL (\\u0000): leave it out"
        return None if _is_unicode(item) else "has half of a character (a lone surrogate): send the whole character"
    if isinstance(item, float) and not math.isfinite(item):
        return "must not have a number that is not finite"
    if isinstance(item, int) and not -(2**63) <= item < 2**63:
        return "must not have an integer of more than 64 bits: send it as a text"
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
