"""Looks through a whole client: what each file says, and what only all of them together tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from passerelle_migrate_client.facts import Facts
from passerelle_migrate_client.findings import Finding
from passerelle_migrate_client.headers import HeaderRules, named_values
from passerelle_migrate_client.keys import KeyRules
from passerelle_migrate_client.paths import PathRules
from passerelle_migrate_client.sources import NAMES_API, Skipped, Source, sources

_EMAIL_SENT: Final = re.compile(
    rb"(?:recordId|workflowDefinitionId)[^;]{0,200}\bemail\b|\bemail\b[^;]{0,200}(?:recordId|workflowDefinitionId)"
)
_BROKEN: Final = "cannot be parsed at line {line}: its findings may be incomplete, and nothing in it is changed"
_NO_HEADER: Final = (
    "not before an `Accept` header is sent, else the server takes it for version 1: add one, or use a key that "
    "pins version 2 (--pinned)"
)


_GO_TOGETHER: Final = frozenset({"payload-key", "answer-key", "email", "accept"})
"""What the header decides about. The Case API has one version, so its paths and the party of its answers stay."""


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
    """Every file with its safe fixes. They are one change: the header decides about every request and answer."""
    blocked: tuple[Finding, ...] = ()
    """What has to be changed by hand with the fixes, or before: alone they would break the client."""

    @property
    def unread(self) -> tuple[Skipped, ...]:
        """Files that name the API and could not be read."""
        return tuple(one for one in self.skipped if one.names_api)


def scan(paths: Sequence[Path], table: str, encoding: str | None, *, pinned: bool) -> Scan:
    """Look through `paths`. `pinned`: the client's key pins version 2, so that it needs no header.

    Raises `CommandError`.
    """
    every = list(sources(paths, encoding))
    skipped = [one for one in every if isinstance(one, Skipped)]
    known = [one for one in every if isinstance(one, Source)]
    named = named_values(one.text for one in known)
    read = [_read(one, table, pinned=pinned, named=named) for one in known]
    for found in read:
        if found.broken is not None:
            names_api = NAMES_API.search(found.source.text) is not None
            skipped.append(Skipped(found.source.path, _BROKEN.format(line=found.broken), names_api))
    if not pinned:
        _require_header(read)
    _spare_named(read)
    findings = sorted(
        (finding for found in read for finding in found.findings), key=lambda one: (one.path, one.line, one.column)
    )
    changed = tuple(Changed(found.source, text) for found in read if (text := _fixed(found)) != found.source.text)
    blocked = tuple(one for one in findings if one.rule in _GO_TOGETHER and not one.edits)
    return Scan(len(read), tuple(findings), tuple(skipped), changed, blocked)


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
    perhaps: list[Finding]
    """The same of credentials in a file that says nothing of this API: they may be those of its requests."""


def _read(source: Source, table: str, *, pinned: bool, named: Mapping[str, frozenset[str]]) -> _Read:
    facts = Facts(source)
    keys, headers = KeyRules(facts, table), HeaderRules(facts, named)
    findings = [*keys.findings(), *PathRules(facts, table).findings()]
    sends = next(iter([*keys.sent(), *headers.requests()]), None)
    about = sends is not None or any(one.certain for one in findings)
    said: list[Finding] = []
    if not pinned:
        said = [*headers.old(), *headers.missing()]
    if not about:
        # `Accept: application/json` alone says nothing about this API: another file may use it.
        said = [replace(one, certain=False, edits=()) for one in said]
    findings += said if about or _mentions_run(source) else []
    if facts.broken is not None:
        findings = [replace(one, edits=()) for one in findings]
    absent = headers.absent(sends) if sends is not None else None
    header = headers.says() or any(one.edits for one in said)
    bare = any(not one.edits for one in said) and not headers.says()
    perhaps = [] if about or _mentions_run(source) else said
    return _Read(source, facts.broken, findings, header, bare, absent, perhaps)


def _mentions_run(source: Source) -> bool:
    return b"/workflows/" in source.text or b"/link" in source.text


def _require_header(read: Sequence[_Read]) -> None:
    """No `caseId` is renamed in a client, or in a file with its own requests, that sends no header after its fixes."""
    sent = any(found.header for found in read)
    made_elsewhere = not sent and any(found.absent is not None for found in read)
    for found in read if made_elsewhere else ():
        found.findings += found.perhaps
    made_elsewhere = made_elsewhere and any(found.perhaps for found in read)
    for found in read:
        if found.absent is not None and (found.bare or not sent):
            if not made_elsewhere and not any(one.rule == "accept" for one in found.findings):
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
