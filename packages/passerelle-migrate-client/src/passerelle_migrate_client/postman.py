"""Requests of Postman collections that lack the `Accept` header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from passerelle_migrate_client.facts import Facts
from passerelle_migrate_client.findings import Edit

_VERSIONED: Final = re.compile(r"/workflows/|/link\b|/token\b|caseId")
_ACCEPT: Final = re.compile(r'"key"\s*:\s*"accept"', re.IGNORECASE)


def requests_without_accept(facts: Facts, header: str) -> Iterator[tuple[Node, tuple[Edit, ...]]]:
    """Each request that a version decides about and that names none, and how `header` is put in."""
    for text in facts.texts:
        pair = text.node.parent
        if text.content != "method" or pair is None or pair.type != "pair" or pair.parent is None:
            continue
        request = pair.parent
        if not _VERSIONED.search(facts.of(request)):
            continue
        headers = _member(facts, request, "header")
        if headers is not None and _ACCEPT.search(facts.of(headers)):
            continue
        yield text.node, _put_in(request, headers, header)


def _put_in(request: Node, headers: Node | None, header: str) -> tuple[Edit, ...]:
    new = f'{{"key": "Accept", "value": "{header}"}}'
    if headers is None:
        start = request.start_byte + 1
        return (Edit(start, start, f'"header": [{new}], '),)
    if headers.type != "array":
        return ()
    first = next(iter(headers.named_children), None)
    start = first.start_byte if first is not None else headers.start_byte + 1
    return (Edit(start, start, new + (", " if first is not None else "")),)


def _member(facts: Facts, node: Node, name: str) -> Node | None:
    for pair in node.named_children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None and facts.of(key) == f'"{name}"':
            return value
    return None
