"""`caseId` where it is sent, `caseId` and the party where they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tree_sitter import Node

from passerelle_migrate_client.facts import Facts, Name, Text
from passerelle_migrate_client.findings import Edit, Finding
from passerelle_migrate_client.headers import BEARERS

_ABOUT_RUNS: Final = re.compile(
    r"workflow_?definition_?id|\bworkflows/run|[\"'`/\x00]link(?:/send)?[\"'`]|/link\b|/token\b|parametersId",
    re.IGNORECASE,
)
"""What stands beside `caseId` in every body that takes it, or where it is sent to."""
_CONVERTERS: Final = re.compile(
    r"alias_generator|to_?camel|camelize|SnakeCase|SNAKE_CASE|snake_?case|CamelCase|humps", re.IGNORECASE
)
_KEY_IN_TEXT: Final = re.compile(r"(?P<quote>\\*[\"'])(?P<key>caseId)(?P=quote)\s*:")
_KEY_OF_JQ: Final = re.compile(r"[{,]\s*(?P<key>caseId)\s*:")
_TAG: Final = re.compile(r"\bjson:\"(?P<key>caseId|partyId|partyDetails)\b")
_READ_IN_TEXT: Final = re.compile(r"\.(?P<key>caseId|partyId|partyDetails)\b")

_PARTY_NAMES: Final = re.compile(r"party_?(?:id|details)", re.IGNORECASE)

_SEND: Final = "send `recordId` with the same value: the id of a case is the id of its record"
_NAMED: Final = (
    f"where this names a field of a body of this API: {_SEND}; where it names one of an answer, read `recordId`"
)
_ANSWER: Final = (
    "answers of version 2 have `recordId`; `POST /tables/{table}/records`, which makes what `POST /cases` made, "
    "answers with `id`"
)
_PARTY: Final = (
    "read the record instead: `GET /tables/{table}/records/{{recordId}}` has the person's values as flat fields"
)


_OBJECTS: Final = frozenset(
    {
        "dictionary", "object", "array_creation_expression", "literal_value", "initializer_expression",
        "anonymous_object_creation_expression", "argument_list", "arguments", "value_arguments",
    }
)  # fmt: skip
_OF_ANSWERS: Final = re.compile(r"\b(?:createdDate|completedDate|partyId|partyDetails)\b[\"']?\s*(?:[:=,]|to\b)")
_GIVES: Final = re.compile(
    r"(?:\b(?:reply|jsonify|respond\w*|fulfill|mock(?:Resolved|Return)Value(?:Once)?|thenReturn|willReturn|returns)"
    r"|\bres(?:ponse)?(?:\.\w+\([^()]*\))*\.(?:json|send))\s*\([^()]{0,60}\Z"
)


class KeyRules:
    """The findings about keys in one source."""

    def __init__(self, facts: Facts, table: str) -> None:
        self._facts = facts
        self._table = table

    def findings(self) -> Iterator[Finding]:
        """All of them."""
        for name in self._facts.names:
            yield from self._of_name(name)
        for text in self._facts.texts:
            yield from self._in_text(text)

    def sent(self) -> Iterator[Node]:
        """Where a `caseId` is certainly sent."""
        for name in self._facts.names:
            if (
                name.text == "caseId"
                and name.role == "sent"
                and self._about_runs(name.node)
                and not self._answers(name.node)
            ):
                yield name.node
        for text in self._facts.texts:
            if _KEY_IN_TEXT.search(text.text) and self._about_runs(text.node):
                yield text.node

    def _of_name(self, name: Name) -> Iterator[Finding]:
        kind = name.text.replace("_", "").lower()
        if kind in ("accept", "authorization", *BEARERS):
            return
        if kind in ("partyid", "partydetails"):
            if name.role != "other":
                yield self._finding(name.node.start_byte, "party", name.text, _PARTY)
        elif name.role == "read" and name.text == "caseId":
            yield self._finding(name.node.start_byte, "answer-key", name.text, _ANSWER)
        elif name.role == "sent":
            yield from self._sent(name)
        elif name.role == "declared" and name.text != "case_id" and self._of_a_party(name.node):
            yield self._finding(name.node.start_byte, "answer-key", name.text, _ANSWER)
        elif name.role == "declared" and self._about_runs(name.node):
            yield from self._declared(name)
        elif name.role == "other" and name.text == "caseId" and name.is_literal and self._facts.language.places:
            yield self._finding(name.node.start_byte, "payload-key", "caseId", _NAMED, certain=False)

    def _sent(self, name: Name) -> Iterator[Finding]:
        node, certain = name.node, self._about_runs(name.node)
        if name.text == "caseId":
            if self._of_a_party(node) or self._answers(node):
                yield self._finding(node.start_byte, "answer-key", "caseId", _ANSWER)
            elif _is_of_parameter(node):
                return
            elif certain:
                edit = Edit(node.start_byte, node.end_byte, _renamed(self._facts, node))
                yield self._finding(node.start_byte, "payload-key", "caseId", _SEND, edits=(edit,))
            elif node.parent is not None and node.parent.type == "property_signature":
                yield self._finding(node.start_byte, "answer-key", "caseId", _ANSWER, certain=False)
            else:
                yield self._finding(
                    node.start_byte, "payload-key", "caseId", f"if a body of this API: {_SEND}", certain=False
                )
        elif certain and self._converts() and node.type != "identifier":
            yield self._finding(node.start_byte, "payload-key", name.text, _converted(name.text))

    def _declared(self, name: Name) -> Iterator[Finding]:
        if name.text == "caseId" and self._annotated(name.node):
            return
        if name.text == "case_id" and (self._annotated(name.node) or not self._converts()):
            return
        if name.text == "CaseId" and self._annotated(name.node):
            return
        yield self._finding(
            name.node.start_byte,
            "payload-key",
            name.text,
            f"the field is sent under its name: rename it, or let it be written as `recordId`; {_SEND}",
        )

    def _in_text(self, text: Text) -> Iterator[Finding]:
        start = text.node.start_byte
        patterns = (_KEY_IN_TEXT, _KEY_OF_JQ) if self._facts.language.name == "shell" else (_KEY_IN_TEXT,)
        for found in (found for pattern in patterns for found in pattern.finditer(text.text)):
            certain = self._about_runs(text.node)
            at = start + found.start("key"), start + found.end("key")
            edits = (Edit(*at, "recordId"),) if certain else ()
            advice = _SEND if certain else f"if a body of this API: {_SEND}"
            yield self._finding(at[0], "payload-key", "caseId", advice, certain=certain, edits=edits)
        for found in _TAG.finditer(text.text):
            yield self._of_tag(text, found)
        if self._facts.language.name in ("shell", "Postman"):
            for found in _READ_IN_TEXT.finditer(text.text):
                rule, advice = ("answer-key", _ANSWER) if found["key"] == "caseId" else ("party", _PARTY)
                yield self._finding(start + found.start("key"), rule, found["key"], advice)

    def _of_tag(self, text: Text, found: re.Match[str]) -> Finding:
        at = text.node.start_byte + found.start("key"), text.node.start_byte + found.end("key")
        if found["key"] != "caseId":
            return self._finding(at[0], "party", found["key"], _PARTY)
        if self._about_runs(text.node):
            return self._finding(at[0], "payload-key", "caseId", _SEND, edits=(Edit(*at, "recordId"),))
        return self._finding(at[0], "answer-key", "caseId", _ANSWER)

    def _about_runs(self, node: Node) -> bool:
        return any(_ABOUT_RUNS.search(self._facts.of(one)) for one in self._facts.around(node)) or self._fills(node)

    def _fills(self, node: Node) -> bool:
        """Whether the key is put into what gets a `workflowDefinitionId` elsewhere: `form.caseId = id`."""
        target = node.parent
        while target is not None and target.type in ("string", "encapsed_string", "string_literal"):
            target = target.parent
        if target is None or not target.named_children or target.parent is None:
            return False
        if "assignment" not in target.parent.type or target.parent.child_by_field_name("left") != target:
            return False
        name = re.escape(self._facts.of(target.named_children[0]))
        said = self._facts.source.text.decode()
        return re.search(name + r"\b[^;{}\n]{0,80}[{\[(.\s\"']+workflowDefinitionId", said) is not None

    def _of_a_party(self, node: Node) -> bool:
        """Whether a type has the key beside the party: then it is what `POST /cases` answers."""
        scope = self._facts.scope(node)
        return _is_type(scope) and _PARTY_NAMES.search(self._facts.of(scope)) is not None

    def _answers(self, node: Node) -> bool:
        """Whether the object is an answer, not a body: it has what only answers have, or is what a server gives."""
        around = next((one for one in self._facts.around(node) if one.type in _OBJECTS), None)
        if around is None:
            return False
        before = self._facts.between(max(0, around.start_byte - 120), around.start_byte)
        return _OF_ANSWERS.search(self._facts.of(around)) is not None or _GIVES.search(before) is not None

    def _converts(self) -> bool:
        return _CONVERTERS.search(self._facts.source.text.decode()) is not None

    def _annotated(self, node: Node) -> bool:
        """Whether the field's declaration says itself what it is written as."""
        declaration = node
        for _ in range(3):
            if declaration.parent is not None and declaration.parent.type not in ("block", "declaration_list"):
                declaration = declaration.parent
                if re.search(r"caseId[\"']|recordId[\"']", self._facts.of(declaration)):
                    return True
        return False

    def _finding(
        self, at: int, rule: str, found: str, instead: str, *, certain: bool = True, edits: tuple[Edit, ...] = ()
    ) -> Finding:
        line, column = self._facts.position(at)
        advice = instead.format(table=self._table) if rule in ("answer-key", "party") else instead
        return Finding(self._facts.source.path, line, column, rule, found, advice, certain, edits)


def _renamed(facts: Facts, node: Node) -> str:
    """The key's new text; a key that is its own value keeps the value."""
    if node.type == "shorthand_property_identifier":
        return "recordId: caseId"
    after = node.next_sibling
    if node.type == "identifier" and facts.language.name == "C#" and (after is None or after.type != "="):
        return "recordId = caseId"
    return "recordId"


def _is_type(node: Node) -> bool:
    return re.search(r"class|record|struct|interface|type_", node.type) is not None


def _is_of_parameter(node: Node) -> bool:
    """Whether the key belongs to the type of a function's parameter: what the function does with it is not known."""
    found: Node | None = node
    while found is not None and found.type not in ("required_parameter", "optional_parameter", "statement_block"):
        found = found.parent
    return found is not None and node.parent is not None and node.parent.type == "property_signature"


def _converted(name: str) -> str:
    return f"this source turns `{name}` into `caseId` when it is sent: rename it to `record_id`; {_SEND}"
