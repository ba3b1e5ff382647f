"""Looks through a whole client: what each file says, and what only all of them together tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from passerelle.clients.facts import Facts
from passerelle.clients.findings import Finding
from passerelle.clients.headers import HeaderRules
from passerelle.clients.keys import KeyRules
from passerelle.clients.paths import PathRules
from passerelle.clients.sources import Skipped, Source, sources

_EMAIL_SENT: Final = re.compile(
    rb"(?:recordId|workflowDefinitionId)[^;]{0,200}\bemail\b|\bemail\b[^;]{0,200}(?:recordId|workflowDefinitionId)"
)
_BROKEN: Final = "cannot be parsed at line {line}: its findings may be incomplete, and nothing in it is changed"
_NO_HEADER: Final = (
    "not before an `Accept` header is sent, else the server takes it for version 1: add one, or use a key that "
    "pins version 2 (--pinned)"
)


@dataclass(frozen=True, slots=True)
class Changed:
    """A file with its safe fixes."""

    source: Source
    text: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found."""

    files: int
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    changed: tuple[Changed, ...]


def scan(paths: Sequence[Path], table: str, encoding: str | None, *, pinned: bool) -> Scan:
    """Look through `paths`. `pinned`: the client's key pins version 2, so that it needs no header.

    Raises `CommandError`.
    """
    read: list[_Read] = []
    skipped: list[Skipped] = []
    for one in sources(paths, encoding):
        if isinstance(one, Skipped):
            skipped.append(one)
            continue
        found = _read(one, table, pinned=pinned)
        read.append(found)
        if found.broken is not None:
            skipped.append(Skipped(one.path, _BROKEN.format(line=found.broken)))
    if not pinned:
        _require_header(read)
    _spare_named(read)
    findings = sorted(
        (finding for found in read for finding in found.findings), key=lambda one: (one.path, one.line, one.column)
    )
    changed = tuple(Changed(found.source, text) for found in read if (text := _fixed(found)) != found.source.text)
    return Scan(len(read), tuple(findings), tuple(skipped), changed)


def _spare_named(read: Sequence[_Read]) -> None:
    """Where a path only has its name, another file may say whom the message goes to."""
    if any(_EMAIL_SENT.search(found.source.text) for found in read):
        for found in read:
            found.findings = [one for one in found.findings if one.rule != "email" or one.certain]


@dataclass(slots=True)
class _Read:
    source: Source
    broken: int | None
    findings: list[Finding]
    header: bool
    """Whether it sends an `Accept` header, or will once it is fixed."""
    bare: bool
    """Whether it sends credentials without the header, in a way that no fix helps."""
    absent: Finding | None
    """What to say if no file sends one."""


def _read(source: Source, table: str, *, pinned: bool) -> _Read:
    facts = Facts(source)
    keys, headers = KeyRules(facts, table), HeaderRules(facts)
    findings = [*keys.findings(), *PathRules(facts, table).findings()]
    sends = next(keys.sent(), None)
    about = sends is not None or any(one.certain for one in findings)
    said: list[Finding] = []
    if not pinned:
        said = [*headers.old(), *(headers.missing() if about else [])]
    if not about:
        # `Accept: application/json` alone says nothing about this API: another file may use it.
        said = [replace(one, certain=False, edits=()) for one in said] if _mentions_run(source) else []
    findings += said
    if facts.broken is not None:
        findings = [replace(one, edits=()) for one in findings]
    absent = headers.absent(sends) if sends is not None else None
    header = headers.says() or any(one.edits for one in said)
    bare = any(not one.edits for one in said) and not headers.says()
    return _Read(source, facts.broken, findings, header, bare, absent)


def _mentions_run(source: Source) -> bool:
    return b"/workflows/" in source.text or b"/link" in source.text


def _require_header(read: Sequence[_Read]) -> None:
    """No `caseId` is renamed in a client, or in a file with its own requests, that sends no header after its fixes."""
    sent = any(found.header for found in read)
    for found in read:
        if found.absent is not None and (found.bare or not sent):
            if not any(one.rule == "accept" for one in found.findings):
                found.findings.append(found.absent)
            found.findings = [
                replace(one, edits=(), instead=f"{one.instead}; {_NO_HEADER}") if one.rule == "payload-key" else one
                for one in found.findings
            ]


def _fixed(found: _Read) -> bytes:
    edits = sorted({edit for finding in found.findings for edit in finding.edits}, key=lambda one: (one.start, one.end))
    text, at = bytearray(), 0
    for edit in edits:
        assert edit.start >= at, f"two edits of {found.source.path} overlap"
        text += found.source.text[at : edit.start] + edit.text.encode()
        at = edit.end
    return bytes(text + found.source.text[at:])
