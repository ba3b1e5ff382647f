"""What every conversion must give: a text that passes `check`, with nothing in it that would run."""

from __future__ import annotations

from typing import Any

from passerelle.conversions.converting import convert
from passerelle.conversions.models import ConversionError, Converted, Kind, Wish
from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.source import read_source
from passerelle.engine.registry import load_kinds
from passerelle.tables.files import read_table, written
from passerelle.tables.schemas import TableBody


def converted(content: bytes | str, kind: Kind | None = None, *, file: str = "file", **wish: Any) -> Converted:
    """A conversion that must succeed, and pass `check` with its own tables."""
    given = content.encode() if isinstance(content, str) else content
    done = convert(given, kind, Wish(**wish), file)
    bodies = [TableBody.model_validate(table) for table in done.tables]
    for body in bodies:
        assert read_table(written(body)).problems == ()
    tables = {body.name: frozenset(field.name for field in body.fields) for body in bodies}
    facts = KnownFacts(tables=tables, languages=frozenset({"en"}))
    assert [str(one) for one in compile_definition(done.text, load_kinds(), workspace=facts).problems] == []
    return done


def steps(done: Converted) -> dict[str, Any]:
    """The definition's own steps by id, in their order."""
    return {step["id"]: step for step in read_source(done.text).value["steps"]}


def told(done: Converted) -> dict[str, str]:
    """What was not carried over, by its place; several reasons of one place in one text."""
    reasons: dict[str, str] = {}
    for one in done.left_out:
        reasons[one.place] = f"{reasons[one.place]}; {one.reason}" if one.place in reasons else one.reason
    return reasons


def refusal(content: bytes | str, kind: Kind | None = None, **wish: Any) -> str | None:
    """Why a file is not converted; None where it is, and passes `check`. Any other error is one of ours."""
    try:
        converted(content, kind, **wish)
    except ConversionError as error:
        return str(error)
    return None
