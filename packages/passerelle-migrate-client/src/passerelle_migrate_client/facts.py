"""What a source says, the same for every language: its literals, and the names that matter with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tree_sitter import Node

from passerelle_migrate_client.languages import Language, Role
from passerelle_migrate_client.sources import Source

NAMES: Final = frozenset(
    {
        "caseId", "CaseId", "case_id", "partyId", "PartyId", "party_id", "partyDetails", "PartyDetails",
        "party_details", "Accept", "accept", "Authorization", "authorization", "setBearerAuth", "bearerAuth",
        "withToken",
    }
)  # fmt: skip
_CHAIN: Final = 7
_READERS: Final = frozenset(
    "get pop path at has opt optString getString getAsString findValue getProperty tryGetProperty selectToken value "
    "containsKey asText getOrDefault".lower().split()
)
_PART_OF_PATH: Final = re.compile(r"@?Path(?:Variable|Param)?\b")
"""Annotations of a value that is put into an address."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name that matters: an identifier, or the whole content of a literal."""

    text: str
    role: Role
    node: Node

    @property
    def is_literal(self) -> bool:
        """Whether it is a literal's content, not an identifier."""
        return "identifier" not in self.node.type and self.node.type != "name"


@dataclass(frozen=True, slots=True)
class Text:
    """A literal with its quotes; `holes` are masked by as many NUL characters as they have bytes."""

    text: str
    node: Node
    holes: tuple[Node, ...]

    @property
    def content(self) -> str:
        """Without quotes, prefixes and escapes of quotes."""
        return self.text.lstrip("fFrRbBuU$@").strip("\"'`")


class Facts:
    """One parsed source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.language: Language = source.language
        self._tree = self.language.parser().parse(source.text)
        self.names: list[Name] = []
        self.texts: list[Text] = []
        self._walk()

    @cached_property
    def broken(self) -> int | None:
        """The line at which the source cannot be parsed; None where it can."""
        root = self._tree.root_node
        if not root.has_error:
            return None
        wrong = next((one for one in _nodes(root) if one.is_error or one.is_missing), root)
        return wrong.start_point[0] + 1

    def of(self, node: Node) -> str:
        """A node's source."""
        return self.source.text[node.start_byte : node.end_byte].decode(errors="replace")

    def between(self, start: int, end: int) -> str:
        """The source between two bytes."""
        return self.source.text[start:end].decode(errors="replace")

    def position(self, byte: int) -> tuple[int, int]:
        """Line and column, both from 1, the column in characters."""
        before = self.source.text[:byte]
        line = before.count(b"\n") + 1
        return line, len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1

    def scope(self, node: Node) -> Node:
        """The function or type around a node; outside of any, the statement of the file."""
        found = node
        while found.parent is not None and found.parent.parent is not None:
            found = found.parent
            if found.type in self.language.scopes:
                return found
        return found

    def around(self, node: Node) -> Iterator[Node]:
        """The node and those around it, up to its scope."""
        scope, found = self.scope(node), node
        while found is not None and found != scope:
            yield found
            found = found.parent  # type: ignore[assignment] # the scope comes before the root
        yield scope

    def _walk(self) -> None:
        pending = [self._tree.root_node]
        while pending:
            node = pending.pop()
            if "comment" in node.type or self._is_documentation(node):
                continue
            if node.type in self.language.literals:
                self._take_literal(node)
                pending += list(_holes(node, self.language.holes))
            elif node.child_count == 0 and node.is_named:
                self._take_name(node, self.of(node))
            else:
                pending += reversed(node.children)
        self.names.sort(key=lambda name: name.node.start_byte)
        self.texts.sort(key=lambda text: text.node.start_byte)

    def _is_documentation(self, node: Node) -> bool:
        """A text that stands alone does nothing."""
        return (
            self.language.name == "Python"
            and node.type == "expression_statement"
            and (node.child_count == 1 and node.children[0].type == "string")
        )

    def _take_literal(self, node: Node) -> None:
        holes = tuple(_holes(node, self.language.holes))
        text = bytearray(self.source.text[node.start_byte : node.end_byte])
        for hole in holes:
            first, last = hole.start_byte - node.start_byte, hole.end_byte - node.start_byte
            text[first:last] = b"\0" * (last - first)
        # One character for one byte, so that places in the text are places in the file.
        found = Text(text.decode("latin-1"), node, holes)
        self.texts.append(found)
        content = next(
            (child for child in node.named_children if "content" in child.type or "fragment" in child.type), node
        )
        if found.content in NAMES:
            self._take_name(content, found.content)

    def _take_name(self, node: Node, text: str) -> None:
        if text not in NAMES:
            return
        role = self.language.role(chain(node))
        if role == "sent" and _PART_OF_PATH.match(self._annotation(node)):
            return
        if role == "call":
            role = self._role_in_call(node)
        if self.language.name == "C#" and role == "sent" and node.type == "identifier" and _is_value(node):
            role = "other"
        if self.language.name == "PHP" and role == "sent" and _is_php_value(node):
            role = "other"
        if self.language.name == "Kotlin" and role == "sent" and _is_right_of_to(node):
            role = "other"
        self.names.append(Name(text, role, node))

    def _role_in_call(self, node: Node) -> Role:
        """A key that a function is given: with its value behind it, or else to find one."""
        name = (self.called(node) or "").lower()
        if name == "compact":  # of PHP: the key is a variable's name, too
            return "other"
        return "sent" if name not in _READERS and _has_next(node) else "read"

    def _annotation(self, node: Node) -> str:
        """The annotation that a node stands in; nothing where it stands in none."""
        found: Node | None = node
        while found is not None and found.type != "annotation":
            found = found.parent if "argument" in found.type or "string" in found.type or found == node else None
        return self.of(found) if found is not None else ""

    def called(self, node: Node) -> str | None:
        """The name of the function, or of the annotation, that a node is an argument of."""
        found: Node | None = node
        while found is not None and not _is_arguments(found):
            found = found.parent
        if found is None or found.parent is None:
            return None
        before = self.between(found.parent.start_byte, found.start_byte)
        names: list[str] = re.findall(r"\w+", before)
        return names[-1] if names else None


def chain(node: Node) -> str:
    """The node and those around it, as `type@field<type@field<`."""
    parts: list[str] = []
    found = node
    while found.parent is not None and len(parts) < _CHAIN:
        parts.append(found.type + _field(found.parent, found))
        found = found.parent
    return "<".join(parts) + "<"


def _field(parent: Node, child: Node) -> str:
    for index in range(parent.child_count):
        if parent.child(index) == child:
            name = parent.field_name_for_child(index)
            return f"@{name}" if name else ""
    return ""


def _holes(literal: Node, types: frozenset[str]) -> Iterator[Node]:
    pending = list(reversed(literal.children))
    while pending:
        node = pending.pop()
        if node.type in types:
            yield node
        else:
            pending += reversed(node.children)


def _nodes(root: Node) -> Iterator[Node]:
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(node.children)


def _is_arguments(node: Node) -> bool:
    return "arguments" in node.type or "argument_list" in node.type


def _has_next(node: Node) -> bool:
    """Whether another argument follows the one that a node is."""
    found = node
    while found.parent is not None and not _is_arguments(found.parent):
        found = found.parent
    return found.next_named_sibling is not None


def _is_value(node: Node) -> bool:
    """In `new { a = b }`, `b`; in `new { a }`, nothing."""
    before = node.prev_sibling
    return before is not None and before.type == "="


def _is_php_value(node: Node) -> bool:
    """In `[a => b]`, `b`; in `[a]`, `a`."""
    found: Node | None = node
    while found is not None and found.parent is not None and found.parent.type != "array_element_initializer":
        if found.type == "member_access_expression":
            return False
        found = found.parent
    return (
        found is not None
        and found.parent is not None
        and (found.parent.child_count == 1 or found.prev_sibling is not None)
    )


def _is_right_of_to(node: Node) -> bool:
    parent = node.parent
    return (
        parent is not None
        and parent.parent is not None
        and parent.parent.type == "infix_expression"
        and parent.prev_sibling is not None
    )
