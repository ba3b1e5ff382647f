"""The `Accept` header: what it says, and where it is missing.

A header can be put in beside `Authorization`, in the same way as that is written there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tree_sitter import Node

from passerelle_migrate_client.facts import Facts, Text
from passerelle_migrate_client.findings import Edit, Finding
from passerelle_migrate_client.postman import requests_without_accept

VERSION_2: Final = "application/json;version=2"
_OLD: Final = re.compile(r"\A\s*(?:\*/\*|application/json)\s*(?:;\s*version\s*=\s*\"?1\"?)?\s*\Z", re.IGNORECASE)
_NEW: Final = re.compile(r";\s*version\s*=\s*\"?2", re.IGNORECASE)
_ACCEPT_LINE: Final = re.compile(r"\A(?:[fFrRbBuU$@]*)[\"'`]?Accept\s*:\s*(?P<value>[^\"'`\x00]*)", re.IGNORECASE)
_AUTHORIZATION_LINE: Final = re.compile(r"\A(?:[fFrRbBuU$@]*)[\"'`]?Authorization\s*:", re.IGNORECASE)
_VERSIONED: Final = re.compile(r"/workflows/|/link\b|/token\b|caseId")
_ENDPOINT: Final = re.compile(
    r"(?:[\x00}\"'`\s]|://[^/\s\"'`\x00]+|\A)"
    r"(?P<path>/?workflows/[^\s\"'`?]+|/workflows(?=\Z|[\"'`])|/?link/send|/link|/token|(?<=[\"'`])(?:link|token))(?=[\s\"'`?]|\Z)"
)
"""The paths whose answers a version decides about."""
_OWN: Final = re.compile(
    rb"workflowDefinitionId|workflow_definition_id|parametersId|partyDetails|partyId|link/send|workflows/run"
)
"""What only clients of this API say."""
_ABSOLUTE: Final = re.compile(r"https?://[\w.-]+(?::\d+)?/[\w-]")
_API: Final = re.compile(r"workflows?\b|/link\b|/token\b|/cases?\b|caseId|workflowDefinitionId|parametersId")
_HELD: Final = re.compile(
    r"\A[\"'`\])\s]*(?:=>|:=|[:=,]|\bto\b|\()\s*(?P<name>[A-Za-z_$][\w$]*(?:(?:\.|::)\w+)*)\s*(?:[,;)}\]\n#]|//)"
)
"""A name in the place of the header's value."""
_GETS: Final = re.compile(
    r"\b(?P<name>[A-Za-z_]\w*)[\"']?\s*(?::\s*[\w.<>]+\s*)?(?::=|=>|[=:,])\s*[fFrRbBuU$@]*[\"'`](?P<value>[^\"'`\n]*(?:json|\*/\*)[^\"'`\n]*)[\"'`]"
)
"""Where a name gets what may be a value of the header."""
_IN_CONSTRUCTOR: Final = re.compile(r"\Anew\s+MediaTypeWithQualityHeaderValue\(\s*[\"'][^\"']*[\"']\s*\)\Z")
_CONTAINERS: Final = frozenset(
    {
        "dictionary", "object", "array", "array_creation_expression", "literal_value", "initializer_expression",
        "command",
    }
)  # fmt: skip
_ELEMENTS: Final = frozenset({"pair", "array_element_initializer", "keyed_element", "assignment_expression"})
_CALLS: Final = frozenset(
    {"call", "call_expression", "method_invocation", "invocation_expression", "member_call_expression"}
)
_SETS_CREDENTIALS: Final = re.compile(r"\A(?P<headers>[\w.]+Headers)\.Authorization\s*=")
"""C#'s own property for them."""
BEARERS: Final = {
    "setbearerauth": ("Java", "Kotlin"),
    "bearerauth": ("Kotlin",),
    "withtoken": ("PHP",),
}
"""Methods of Spring, Ktor and Laravel that send credentials, in small letters, and their languages."""
_SET_AT: Final = re.compile(
    r"\A(?P<at>[^=(]*(?:\[\s*(?P<quote>[\"'])Authorization[\"']\s*\]|\.Authorization))\s*=(?!=)", re.I
)
"""`headers["Authorization"] = …` and `headers.authorization = …`."""
_APPENDED: Final = re.compile(r"\A(?P<list>[^=]*\[\s*\])\s*=")
"""PHP's `$headers[] = …`."""
_JUST_BEFORE: Final = 200
"""Bytes before a call in which the header may have been set by another."""

_SAY: Final = f"send `Accept: {VERSION_2}`: without it a request is one of version 1, which wants `caseId`"


def named_values(sources: Iterable[bytes]) -> Mapping[str, frozenset[str]]:
    """What names hold that may be a value of the header, in all sources of a client."""
    found: dict[str, set[str]] = {}
    for source in sources:
        for one in _GETS.finditer(source.decode(errors="replace")):
            found.setdefault(one["name"], set()).add(one["value"])
    return {name: frozenset(values) for name, values in found.items()}


_HOLDS: Final = f"`{{name}}` holds `{{values}}` and must hold `{VERSION_2}`: see who else uses it, then change it there"
_UNSEEN: Final = f"what `{{name}}` holds is not seen here: it must be `{VERSION_2}`"


class HeaderRules:
    """The findings about the header in one source. `named`: what names of the client hold."""

    def __init__(self, facts: Facts, named: Mapping[str, frozenset[str]]) -> None:
        self._facts = facts
        self._named = named

    def requests(self) -> list[Node]:
        """Where the source names a path whose answers a version decides about, if it is a client of this API."""
        if _OWN.search(self._facts.source.text) is None:
            return []
        return [text.node for text in self._facts.texts if _ENDPOINT.search(text.text)]

    def says(self) -> bool:
        """Whether the source sends an `Accept` header of its own, of whatever version."""
        return (
            bool(self._values())
            or any(self._held())
            or any(_ACCEPT_LINE.match(text.text) for text in self._facts.texts)
        )

    def old(self) -> Iterator[Finding]:
        """Headers that name version 1, or no version."""
        for text, start, end in self._values():
            value = self._facts.between(start, end)
            if _OLD.match(value) and not self._foreign(text.node):
                yield self._old(text, start, end)
        for node, name in self._held():
            if (values := self._named.get(name)) is None:
                yield self._finding(node.start_byte, name, _UNSEEN.format(name=name), certain=False)
            elif not all(map(_NEW.search, values)) and not self._foreign(node):
                yield self._finding(node.start_byte, name, _HOLDS.format(name=name, values=", ".join(sorted(values))))

    def _held(self) -> Iterator[tuple[Node, str]]:
        """Each name that stands in the place of the header's value, and its last part."""
        for name in self._facts.names:
            if name.text.lower() == "accept" and name.role != "read" and self._value_of(name.node) is None:
                held = _HELD.match(self._facts.between(name.node.end_byte, name.node.end_byte + 120))
                if held is not None:
                    yield name.node, re.split(r"\.|::", held["name"])[-1]

    def _foreign(self, node: Node) -> bool:
        """Whether what stands around a header is sent to another host only, and says nothing of this API."""
        said = self._facts.of(self._facts.scope(node))
        return _ABSOLUTE.search(said) is not None and _API.search(said) is None

    def missing(self) -> list[Finding]:
        """Where credentials are sent without the header beside them."""
        if self._facts.language.name == "Postman":
            without = requests_without_accept(self._facts, VERSION_2)
            return [self._finding(node.start_byte, "no Accept", _SAY, edits) for node, edits in without]
        said = [
            self._put_beside(node)
            for node in self._credentials()
            if not self._accompanied(node) and not self._foreign(node)
        ]
        return said + list(self._commands())

    def _commands(self) -> Iterator[Finding]:
        """Calls of curl whose credentials stand in a variable."""
        for text in self._facts.texts if self._facts.language.name == "shell" else ():
            command = text.node.parent.parent if text.node.parent is not None else None
            if text.text != "curl" or command is None or command.type != "command":
                continue
            said = self._facts.of(self._with_redirections(command))
            if _VERSIONED.search(said) and not re.search(r"\b(?:accept|authorization)\s*:", said, re.IGNORECASE):
                edit = Edit(text.node.end_byte, text.node.end_byte, f' -H "Accept: {VERSION_2}"')
                yield self._finding(text.node.start_byte, "no Accept", _SAY, (edit,))

    def absent(self, node: Node) -> Finding:
        """That a request is sent without the header, and nothing shows where headers are made."""
        return self._finding(node.start_byte, "no Accept", _SAY)

    def _values(self) -> list[tuple[Text, int, int]]:
        """Each value of the header: its literal, and where it begins and ends."""
        found: list[tuple[Text, int, int]] = []
        for name in self._facts.names:
            if name.text.lower() == "accept" and (value := self._value_of(name.node)) is not None:
                start = value.node.start_byte + value.text.index(value.content)
                found.append((value, start, start + len(value.content)))
        for text in self._facts.texts:
            if (line := _ACCEPT_LINE.match(text.text)) is not None and line["value"].strip():
                start = text.node.start_byte + line.start("value")
                found.append((text, start, text.node.start_byte + line.end("value")))
        return found

    def _value_of(self, name: Node) -> Text | None:
        """The literal that follows the header's name, at most a few signs behind it."""
        after = [text for text in self._facts.texts if text.node.start_byte > name.end_byte]
        for text in after[:2]:
            between = self._facts.between(name.end_byte, text.node.start_byte)
            if len(between) <= 60 and between.count("\n") <= 1 and "/" in text.content:
                return text
            if text.content.lower() != "value":
                return None
        return None

    def _old(self, text: Text, start: int, end: int) -> Finding:
        creation = text.node
        for _ in range(3):
            if creation.parent is not None and not _IN_CONSTRUCTOR.match(self._facts.of(creation)):
                creation = creation.parent
        if _IN_CONSTRUCTOR.match(self._facts.of(creation)):
            edit = Edit(creation.start_byte, creation.end_byte, f'MediaTypeWithQualityHeaderValue.Parse("{VERSION_2}")')
        else:
            edit = Edit(start, end, VERSION_2)
        return self._finding(start, self._facts.between(start, end), _SAY, (edit,))

    def _credentials(self) -> Iterator[Node]:
        for name in self._facts.names:
            kind = name.text.lower()
            header = kind == "authorization" and (name.role != "read" or self._is_set(name.node))
            if header or self._facts.language.name in BEARERS.get(kind, ()):
                yield name.node
        for text in self._facts.texts:
            if _AUTHORIZATION_LINE.match(text.text):
                yield text.node

    def _is_set(self, node: Node) -> bool:
        statement = _statement_of(node)
        return statement is not None and _SETS_CREDENTIALS.match(self._facts.of(statement)) is not None

    def _accompanied(self, node: Node) -> bool:
        """Whether the header stands beside the credentials, or what they are sent with needs none."""
        around = next((one for one in self._facts.around(node) if one.type in _CONTAINERS), self._facts.scope(node))
        before = max(0, node.start_byte - _JUST_BEFORE) if around.type not in _CONTAINERS else around.start_byte
        said = self._facts.between(before, node.start_byte) + self._facts.of(around)
        if re.search(r"\baccept\b", said, re.IGNORECASE):
            return True
        if around.type == "variable_assignment":  # of a shell: the calls that use it are looked at
            return True
        return around.type == "command" and not _VERSIONED.search(self._facts.of(self._with_redirections(around)))

    def _with_redirections(self, command: Node) -> Node:
        parent = command.parent
        return parent if parent is not None and parent.type == "redirected_statement" else command

    def _put_beside(self, node: Node) -> Finding:
        edit = (
            self._as_bearer(node)
            or self._in_command(node)
            or self._as_statement(node)
            or self._in_literal(node)
            or self._as_call(node)
        )
        return self._finding(node.start_byte, "no Accept", _SAY, (edit,) if edit is not None else ())

    def _in_command(self, node: Node) -> Edit | None:
        """`-H 'Authorization: …'`."""
        option = node.prev_named_sibling
        if self._facts.language.name != "shell" or option is None or self._facts.of(option) not in ("-H", "--header"):
            return None
        return Edit(option.start_byte, option.start_byte, f'{self._facts.of(option)} "Accept: {VERSION_2}" ')

    def _as_bearer(self, node: Node) -> Edit | None:
        """`headers.setBearerAuth(…)`, `bearerAuth(…)` and `Http::withToken(…)`, each in its framework's own way."""
        name = self._facts.of(node)
        call = next((one for one in self._facts.around(node) if one.type in _CALLS), None)
        if name == "withToken":
            return Edit(node.start_byte, node.start_byte, f"accept('{VERSION_2}')->")
        if name not in ("setBearerAuth", "bearerAuth") or call is None or not _stands_alone(call):
            return None
        begin = self._facts.between(call.start_byte, node.start_byte)
        setter = "set" if name == "setBearerAuth" else "header"
        return self._before(call, f'{begin}{setter}("Accept", "{VERSION_2}"){self._facts.language.statement_end}')

    def _as_statement(self, node: Node) -> Edit | None:
        """`headers["Authorization"] = …`, `client.DefaultRequestHeaders.Authorization = …`, `$headers[] = '…'`."""
        statement = _statement_of(node)
        if statement is None:
            return None
        said = self._facts.of(statement)
        if (headers := _SETS_CREDENTIALS.match(said)) is not None:
            return self._before(statement, f'{headers["headers"]}.Accept.ParseAdd("{VERSION_2}");')
        if self._facts.language.name == "PHP" and (added := _APPENDED.match(said)) is not None:
            return self._before(statement, f"{added['list']} = 'Accept: {VERSION_2}';")
        if self._facts.language.name not in ("Go", "C#") and (put := _SET_AT.match(said)) is not None:
            place = re.sub("authorization", _as_in(put["at"]), put["at"], flags=re.IGNORECASE)
            quote = put["quote"] or '"'
            end = self._facts.language.statement_end if said.endswith(";") else ""
            return self._before(statement, f"{place} = {quote}{VERSION_2}{quote}{end}")
        return None

    def _before(self, statement: Node, new: str) -> Edit | None:
        """A statement on a line of its own before another; None where that does not begin its line."""
        start = statement.start_byte
        column = start - (self._facts.source.text.rfind(b"\n", 0, start) + 1)
        indent = self._facts.between(start - column, start)
        if indent.strip():
            return None
        line_end = "\r\n" if b"\r\n" in self._facts.source.text else "\n"
        return Edit(start, start, f"{new}{line_end}{indent}")

    def _in_literal(self, node: Node) -> Edit | None:
        """`{"Authorization": …}` and `["Authorization: …"]`."""
        element = next((one for one in self._facts.around(node) if one.type in _ELEMENTS), None)
        if element is None or element.parent is None or element.parent.type not in _CONTAINERS:
            return None
        quote = self._quote_of(node)
        if _AUTHORIZATION_LINE.match(self._facts.of(node)):
            return Edit(element.start_byte, element.start_byte, f"{quote}Accept: {VERSION_2}{quote}, ")
        values = [child for child in element.children if child.start_byte >= node.end_byte and child.is_named]
        if not values:
            return None
        key = self._facts.between(element.start_byte, values[0].start_byte)
        new = re.sub("authorization", _as_in(key), key, count=1, flags=re.IGNORECASE)
        return Edit(element.start_byte, element.start_byte, f"{new}{quote}{VERSION_2}{quote}, ")

    def _as_call(self, node: Node) -> Edit | None:
        """`.header("Authorization", …)` in a chain of calls, or as a statement."""
        call = next((one for one in self._facts.around(node) if one.type in _CALLS), None)
        if call is None:
            return None
        text, offset = self._facts.of(call), node.start_byte - call.start_byte
        head = text.encode()[:offset].decode(errors="replace")
        opened = re.search(r"(?P<gap>\s*)(?P<call>[.\w]*\w\((?P<quote>[\"'`]?))\Z", head)
        if opened is None:
            return None
        quote = opened["quote"] or '"'
        new = f"{quote}Accept{quote}, {quote}{VERSION_2}{quote})"
        if call.parent is not None and _stands_alone(call):
            begin = self._facts.between(call.start_byte, node.start_byte).removesuffix(opened["quote"])
            return self._before(call, f"{begin}{new}{self._facts.language.statement_end}")
        dot = opened["call"].rfind(".")
        if dot < 0:
            return None
        at = call.start_byte + len(head[: opened.start("call") + dot].encode())
        method = opened["call"][dot:].removesuffix(opened["quote"])
        return Edit(at, at, f"{method}{new}{opened['gap']}")

    def _quote_of(self, node: Node) -> str:
        text = self._facts.of(node).lstrip("fFrRbBuU$@")
        if text[:1] in "\"'`" and text:
            return text[0]
        before = self._facts.between(node.start_byte - 1, node.start_byte)
        return before if before in ('"', "'") else '"'

    def _finding(
        self, at: int, found: str, instead: str, edits: tuple[Edit, ...] = (), *, certain: bool = True
    ) -> Finding:
        line, column = self._facts.position(at)
        return Finding(self._facts.source.path, line, column, "accept", found, instead, certain, edits)


def _as_in(key: str) -> str:
    return "accept" if "authorization" in key else "Accept"


def _statement_of(node: Node) -> Node | None:
    """The statement around a node; None where it is in none, or a function stands between."""
    found: Node | None = node
    while found is not None and found.type != "expression_statement":
        found = None if "function" in found.type or "lambda" in found.type else found.parent
    return found


def _stands_alone(call: Node) -> bool:
    """Whether the call is a statement of its own: nothing is done with what it gives."""
    parent = call.parent
    return parent is not None and (
        parent.type in ("expression_statement", "block", "statements", "lambda_literal", "function_body")
    )
