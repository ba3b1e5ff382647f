"""Paths of the Case API, and links sent without an address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from passerelle.clients.facts import Facts, Text
from passerelle.clients.findings import Edit, Finding

_CASES: Final = re.compile(
    r"(?:[\x00}\"'`\s]|\$\w+|://[^/\s\"'\x00]+|\A)(?P<path>/cases?)(?P<rest>/[^\s\"'`?]*)?(?=[\s\"'`?]|\Z)"
)
_LINK_SEND: Final = re.compile(r"/link/send(?=[\s\"'`?]|\Z)")
_OWN_WORDS: Final = re.compile(r"workflowDefinitionId|parametersId|partyDetails|partyId|/link/send|/workflows/")
"""What only clients of this API say."""
_WORKFLOW: Final = re.compile(r"workflow|execution", re.IGNORECASE)
_EMAIL: Final = re.compile(r"(?:\b|_)email(?:\b|_)|e_?mail\\?[\"']", re.IGNORECASE)
_PATCH: Final = re.compile(r"\bpatch", re.IGNORECASE)

_MAKE: Final = (
    "a workflow needs no case: leave it out; to keep the person, make a record with `POST /tables/{table}/records`, "
    "which answers with `id`"
)
_READ: Final = (
    "read the record with `GET /tables/{table}/records/{{recordId}}`, or what a workflow came to with "
    "`GET /workflows/{{workflowId}}/result`; the id of a case is the id of its record"
)
_CHANGE: Final = "change the record with `PATCH /tables/{table}/records/{{recordId}}`; the id stays the same"
_RESULT: Final = "the result of an execution is at `GET /workflows/{workflowId}/result`, in the same structure"
_SEND_EMAIL: Final = "version 2 needs `email` in the body of `POST /link/send`: say whom the message goes to"


class PathRules:
    """The findings about paths in one source."""

    def __init__(self, facts: Facts, table: str) -> None:
        self._facts = facts
        self._table = table

    def findings(self) -> Iterator[Finding]:
        """All of them."""
        own = _OWN_WORDS.search(self._facts.source.text.decode()) is not None
        for text in self._facts.texts:
            for found in _CASES.finditer(text.text):
                yield self._case(text, found, own)
            for found in _LINK_SEND.finditer(text.text):
                if not _EMAIL.search(self._request(text.node)):
                    yield self._finding(text.node.start_byte + found.start(), "email", "/link/send", _SEND_EMAIL)

    def _case(self, text: Text, found: re.Match[str], own: bool) -> Finding:
        at = text.node.start_byte + found.start("path")
        name = found["path"] + ("/…" if found["rest"] else "")
        if found["path"] == "/case" and (fixed := self._as_result(text, found)):
            return self._finding(at, "path", name, _RESULT, edits=fixed)
        if not found["rest"] and not self._goes_on(text, found):
            advice = _MAKE
        else:
            advice = _CHANGE if _PATCH.search(self._call(text.node)) else _READ
        return self._finding(at, "path", name, advice.format(table=self._table), certain=own)

    def _as_result(self, text: Text, found: re.Match[str]) -> tuple[Edit, ...]:
        """`/case/` with the id of an execution behind it, and nothing else, is its result."""
        first, last = text.node.start_byte + found.start("path"), text.node.start_byte + found.end()
        holes = [hole for hole in text.holes if first <= hole.start_byte < last]
        rest = (found["rest"] or "").strip("/")
        if len(holes) != 1 or rest.strip("\0{}") or not _WORKFLOW.search(self._facts.of(holes[0])):
            return ()
        return Edit(first, first + len("/case"), "/workflows"), Edit(last, last, "/result")

    def _goes_on(self, text: Text, found: re.Match[str]) -> bool:
        """Whether something follows the literal: `"/case/" + id`."""
        return found["rest"] is not None or text.text[found.end("path") :][:1] == "/"

    def _call(self, node: Node) -> str:
        """The call that a literal stands in, without the rest of its function."""
        found = node
        for one in self._facts.around(node):
            found = one
            if "statement" in one.type or one.type in ("command", "object", "lexical_declaration", "local_declaration"):
                break
            if one.type in ("call", "call_expression", "method_invocation", "invocation_expression") and one != node:
                break
        return self._facts.of(found)

    def _request(self, node: Node) -> str:
        """Everything that belongs to a request: its function, or in a collection the request."""
        if self._facts.language.name != "Postman":
            return self._facts.of(self._facts.scope(node))
        found = node
        while found.parent is not None and '"method"' not in self._facts.of(found):
            found = found.parent
        return self._facts.of(found)

    def _finding(
        self, at: int, rule: str, found: str, instead: str, *, certain: bool = True, edits: tuple[Edit, ...] = ()
    ) -> Finding:
        line, column = self._facts.position(at)
        return Finding(self._facts.source.path, line, column, rule, found, instead, certain, edits)
