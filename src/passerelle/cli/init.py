"""`passerelle init`: files to begin from, of a template or of what somebody has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from passerelle.cli.api_client import aligned
from passerelle.definitions.parts import PARTS
from passerelle.kit.errors import CommandError, PasserelleError
from passerelle.tables.files import written as table_text
from passerelle.tables.schemas import TableBody
from passerelle.templates.library import template, templates

if TYPE_CHECKING:
    from passerelle.conversions.models import Kind


def listed() -> Iterator[str]:
    """One line for each template: its name, its title and what it is for."""
    yield from aligned([(one.name, one.title["en"]) for one in templates()])


def init(name: str, folder: Path) -> Iterator[str]:
    """Write a template's files to `folder`; one line for each, and one that says what to do with them.

    Raises `CommandError` where there is no such template, and where one of the files is there; nothing is written then.
    """
    try:
        files = template(name).files()
    except PasserelleError as error:
        raise CommandError(error.problems[0].message) from None
    yield from written(files, folder)
    yield f"try it: passerelle check {folder} && passerelle test {folder} --coverage; then: passerelle push {folder}"


def made_of(
    source: Path, kind: Kind | None, name: str | None, folder: Path | None, *, operations: Sequence[str], batch: bool
) -> Iterator[str]:
    """Write a definition made of a file, and the tables that it needs; one line for each, and for all that was not
    carried over.

    Raises `CommandError` where the file is none of those kinds, and where one of the files to be written is there.
    """
    from passerelle.conversions.converting import convert
    from passerelle.conversions.models import ConversionError, Wish

    if name is not None and not re.fullmatch(PARTS["name"]["pattern"], name):
        raise CommandError(f"the name `{name}` {PARTS['name']['errorMessage']}")
    try:
        done = convert(source.read_bytes(), kind, Wish(name, tuple(operations), batch), source.stem)
    except ConversionError as error:
        raise CommandError(f"{source}: {error}") from None
    except OSError as error:
        raise CommandError(f"cannot read {source}: {error.strerror}") from None
    tables = {f"tables/{table['name']}.yaml": table_text(TableBody.model_validate(table)) for table in done.tables}
    where = folder or Path(done.name)
    yield from written({f"{done.name}.yaml": done.text, **tables}, where)
    yield from (f"not carried over: {one.place}: {one.reason}" for one in done.left_out)
    if done.more_left_out:
        yield f"not carried over: {done.more_left_out:,} more"
    yield f"look at it, then: passerelle check {where} && passerelle push {where}"


def written(files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Write texts by their paths in `folder`, which is made; one line for each.

    A table that is there and says the same is left alone: templates share tables. Raises `CommandError` with every
    other file that is there.
    """
    there = [folder / path for path, text in files.items() if _differs(folder / path, text)]
    if there:
        raise CommandError("\n".join(f"{path} is there: move it away, or choose another --dir" for path in there))
    for path, text in files.items():
        file = folder / path
        if file.exists():
            yield f"{file} is there and says the same"
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"cannot write {file}: {error.strerror}") from None
        yield str(file)


def _differs(file: Path, text: str) -> bool:
    try:
        return file.read_text(encoding="utf-8") != text
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True
