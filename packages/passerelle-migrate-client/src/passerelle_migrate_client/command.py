"""What `passerelle migrate-client` prints, and what it writes."""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from passerelle_migrate_client.errors import CommandError
from passerelle_migrate_client.findings import RULES, Finding
from passerelle_migrate_client.scanning import Changed, Scan, scan

_LOOKS = {"+": "green", "-": "red", "@": "cyan"}


def migrate_client(
    paths: Sequence[Path],
    output: Console,
    *,
    fix: bool,
    write: bool,
    as_json: bool,
    table: str,
    encoding: str | None,
    pinned: bool,
) -> bool:
    """Report, show the safe fixes (`fix`) or write them too (`write`). Whether nothing is left to do.

    Raises `CommandError`.
    """
    found = scan(paths, table, encoding, pinned=pinned)
    held = bool(found.blocked or found.unread)
    fix, write = fix or write, write and not held
    if write:
        for changed in found.changed:
            _write(changed)
    left = [one for one in found.findings if not (write and one.edits)]
    if as_json:
        output.out(
            json.dumps(_report(found, left, fix=fix, written=write), indent=2, ensure_ascii=False),
            highlight=False,
        )
        return not (left or found.unread)
    for finding in found.findings if not write else left:
        _show(finding, output)
    if fix:
        for changed in found.changed:
            for line in _diff(changed):
                output.print(line, style=_LOOKS.get(line[:1], ""), markup=False, highlight=False)
    for skipped in found.skipped:
        names = "; it names this API: look at it yourself" if skipped.names_api else ""
        output.print(f"{skipped.path}: {skipped.reason}{names}", markup=False, highlight=False, style="yellow")
    for line in _summary(found, left, fix=fix, write=write):
        output.print(line, markup=False, highlight=False)
    return not (left or found.unread)


def _show(finding: Finding, output: Console) -> None:
    mark = "" if finding.certain else " (perhaps)"
    fixable = " [--fix]" if finding.edits else ""
    where = f"{finding.path}:{finding.line}:{finding.column}"
    output.print(f"{where}: {finding.rule}{mark}: `{finding.found}`{fixable}", markup=False, highlight=False)
    output.print(f"    {finding.instead}", markup=False, highlight=False)


def _summary(found: Scan, left: Sequence[Finding], *, fix: bool, write: bool) -> Iterator[str]:
    read = f"{found.files} {'file' if found.files == 1 else 'files'} read"
    if write:
        yield f"{read}, {len(found.changed)} changed, {_uses(len(left))} left to change by hand"
        return
    fixable = sum(bool(one.edits) for one in left)
    yield f"{read}, {_uses(len(left))} of the old API, {fixable} with a safe fix"
    for rule, count in sorted(Counter(one.rule for one in left).items()):
        yield f"  {count:4}  {rule}: {RULES[rule]}"
    if fixable and not fix:
        yield "--fix shows the safe fixes as a diff, --write writes them"
    elif fixable and found.blocked:
        yield (
            f"the fixes are one change with the {_uses(len(found.blocked))} that only a person can change: written "
            "alone they would break the client, so --write waits until those are done"
        )
    elif fixable and found.unread:
        yield "--write waits until the files that name this API and were not read are looked at: give others by name"
    elif fixable:
        yield "nothing is written yet: --write does it"


def _uses(count: int) -> str:
    return "1 use" if count == 1 else f"{count} uses"


def _report(found: Scan, left: Sequence[Finding], *, fix: bool, written: bool) -> dict[str, Any]:
    diff = ["\n".join(_diff(changed)) for changed in found.changed] if fix else []
    return {
        "files": found.files,
        "findings": [one.to_json() for one in left],
        "skipped": [{"file": str(one.path), "reason": one.reason, "namesApi": one.names_api} for one in found.skipped],
        "blocked": len(found.blocked),
        "changed": [str(one.source.path) for one in found.changed] if written else [],
        "diff": "\n".join(diff),
    }


def _diff(changed: Changed) -> list[str]:
    old, new = (text.decode().split("\n") for text in (changed.source.text, changed.text))
    name = str(changed.source.path)
    return [line.rstrip("\r") for line in difflib.unified_diff(old, new, name, name, lineterm="")]


def _write(changed: Changed) -> None:
    """Put the new file into the place of the old one, whole or not at all."""
    path = changed.source.path
    try:
        if path.read_bytes() != changed.source.encoded(changed.source.text):
            raise CommandError(f"{path} has changed meanwhile: run the command again")
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(changed.source.encoded(changed.text))
        os.chmod(file.name, path.stat().st_mode)
        os.replace(file.name, path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
