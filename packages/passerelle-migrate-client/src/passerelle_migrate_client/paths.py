"""Paths of the Case API, and links sent without an address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from passerelle_migrate_client.facts import Facts, Text
from passerelle_migrate_client.findings import Edit, Finding

_CASES: Final = re.compile(
    r"(?:[\x00}\"'`\s]|%s|%v|\$\w+|://[^/\s\"'\x00]+|\A)(?P<path>/cases?)(?P<rest>/[^\s\"'`?]*)?(?=[\s\"'`?]|\Z)"
)
_RELATIVE: Final = re.compile(r"\A[fFrRbBuU$@]*[\"'`](?P<path>cases?)(?P<rest>/[^\s\"'`?]*)?(?=[\"'`?])")
"""For clients with a base address: `post("cases")`."""
_ADDRESSES: Final = re.compile(r"get|post|patch|put|fetch|request|send|call|path|segment|url|uri|route", re.IGNORECASE)
"""What functions are called that take an address."""
_LINK_SEND: Final = re.compile(r"(?:/|(?<=[\"'`]))link/send(?=[\s\"'`?]|\Z)|\A[\"'`]/send(?=[\"'`])")
_OWN_WORDS: Final = re.compile(r"workflowDefinitionId|parametersId|partyDetails|partyId|\blink/send|\bworkflows/")
"""What only clients of this API say."""
_WORKFLOW: Final = re.compile(r"workflow|execution", re.IGNORECASE)
_EMAIL: Final = re.compile(r"(?:\b|_)email(?:\b|_)|e_?mail\\?[\"']", re.IGNORECASE)
_PERSON: Final = re.compile(r"first_?name|last_?name|personal_?number|/cases\b", re.IGNORECASE)
"""What stands beside the address of a person, which is no address to send to."""
_STATEMENT: Final = re.compile(r"statement\Z|declaration\Z|\Acommand\Z|\Aassignment\Z")
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
            relative = _RELATIVE.match(text.text) if own else None
            if relative is not None and (relative["rest"] or _ADDRESSES.search(self._facts.called(text.node) or "")):
                yield self._case(text, relative, own)
            for found in _LINK_SEND.finditer(text.text):
                if self._is_of_links(found) and not self._says_email(text.node):
                    at, named = text.node.start_byte + found.start(), self._is_named(text.node)
                    yield self._finding(at, "email", "/link/send", _SEND_EMAIL, certain=not named)

    def _case(self, text: Text, found: re.Match[str], own: bool) -> Finding:
        at = text.node.start_byte + found.start("path")
        name = found["path"] + ("/…" if found["rest"] else "")
        if found["path"].endswith("case") and (fixed := self._as_result(text, found)):
            return self._finding(at, "path", name, _RESULT, edits=fixed)
        if found["path"].endswith("cases") and not found["rest"] and not self._goes_on(text, found):
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
        start = first + len(found["path"]) - len("case")
        return Edit(start, start + len("case"), "workflows"), Edit(last, last, "/result")

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

    def _is_named(self, node: Node) -> bool:
        """Whether the literal only gets a name, outside of all functions: where it is used is not known."""
        scopes = self._facts.language.scopes
        inside = any(re.search("function|method|lambda|arrow", one.type) for one in self._facts.around(node))
        calls = any(re.search("call|invocation|command", one.type) for one in self._facts.around(node))
        return bool(scopes) and not inside and not calls and "annotation" not in (node.parent or node).type

    def _is_of_links(self, found: re.Match[str]) -> bool:
        """`/send` alone is put behind `/link` somewhere."""
        return "link" in found[0] or b"/link" in self._facts.source.text

    def _says_email(self, node: Node) -> bool:
        """Whether the request says whom the message goes to: in its call, or in a statement of its function."""
        if self._facts.language.name == "Postman":
            found = node
            while found.parent is not None and '"method"' not in self._facts.of(found):
                found = found.parent
            return _EMAIL.search(self._facts.of(found)) is not None
        scope = self._facts.scope(node)
        if scope.type not in self._facts.language.scopes and scope.parent is not None:
            scope = scope.parent  # a script's own statements
        return any(_EMAIL.search(said) and not _PERSON.search(said) for said in self._statements(scope))

    def _statements(self, scope: Node) -> Iterator[str]:
        """The smallest statements of a function, its head, and whatever else is in none."""
        pending = [scope]
        while pending:
            node = pending.pop()
            if node != scope and _STATEMENT.search(node.type) and not _holds_statements(node):
                yield self._facts.of(node)
            elif node.named_child_count and _holds_statements(node):
                pending += node.named_children
            else:
                yield self._facts.of(node)

    def _finding(
        self, at: int, rule: str, found: str, instead: str, *, certain: bool = True, edits: tuple[Edit, ...] = ()
    ) -> Finding:
        line, column = self._facts.position(at)
        return Finding(self._facts.source.path, line, column, rule, found, instead, certain, edits)


def _holds_statements(node: Node) -> bool:
    pending = list(node.named_children)
    while pending:
        found = pending.pop()
        if _STATEMENT.search(found.type):
            return True
        pending += found.named_children
    return False
