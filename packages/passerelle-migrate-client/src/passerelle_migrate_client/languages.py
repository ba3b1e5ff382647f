"""The languages that clients are written in: their grammars, and where in each a name is sent or read.

The place of a name is told by the chain of nodes above it, written `type@field<type@field…` from the leaf upwards;
the patterns below are matched against it from its beginning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final, Literal

from tree_sitter import Language as Grammar
from tree_sitter import Parser

Role = Literal["sent", "read", "declared", "call", "other"]
"""What a name stands for: a key that is sent, one that is read, a field of a type, an argument of a call."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language. Node names are those of its tree-sitter grammar."""

    name: str
    suffixes: tuple[str, ...]
    module: str
    literals: frozenset[str]
    holes: frozenset[str]
    """Interpolations: what stands in a literal and is no text of it."""
    scopes: frozenset[str]
    """Functions and types: what is said in one of them belongs together."""
    places: tuple[tuple[Role, re.Pattern[str]], ...]
    function: str = "language"
    statement_end: str = ";"
    shebangs: tuple[str, ...] = field(default=())

    def parser(self) -> Parser:
        """A parser for it."""
        return Parser(_grammar(self.module, self.function))

    def role(self, chain: str) -> Role:
        """What a name with this chain of nodes stands for."""
        return next((role for role, pattern in self.places if pattern.match(chain)), "other")


@cache
def _grammar(module: str, function: str) -> Grammar:
    return Grammar(getattr(import_module(module), function)())


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _places(**patterns: str) -> tuple[tuple[Role, re.Pattern[str]], ...]:
    roles: tuple[Role, ...] = ("sent", "read", "declared", "call")
    return tuple((role, re.compile(patterns[role])) for role in roles if role in patterns)


_JAVASCRIPT_PLACES: Final = _places(
    sent=r"property_identifier@key<pair<object|string_fragment<string@key<pair<object"
    r"|shorthand_property_identifier<object|property_identifier@property<member_expression@left<assignment"
    r"|string_fragment<string@index<subscript_expression@left<assignment"
    r"|property_identifier@name<property_signature<",
    read=r"property_identifier@property<member_expression|shorthand_property_identifier_pattern"
    r"|property_identifier@key<pair_pattern|string_fragment<string@index<subscript_expression",
    declared=r"property_identifier@name<public_field_definition",
    call=r"string_fragment<string<arguments",
)
_JAVASCRIPT_SCOPES: Final = _set(
    "function_declaration function_expression method_definition arrow_function interface_declaration class_declaration "
    "type_alias_declaration generator_function_declaration"
)

LANGUAGES: Final = (
    Language(
        "Python",
        (".py", ".pyw"),
        "tree_sitter_python",
        _set("string"),
        _set("interpolation"),
        _set("function_definition class_definition"),
        _places(
            sent=r"string_content<string@key<pair|identifier@name<keyword_argument|string_content<string@value<keyword_"
            r"|string_content<string@subscript<subscript@left<assignment|identifier@attribute<attribute@left<assignment",
            read=r"string_content<string@subscript<subscript|identifier@attribute<attribute",
            declared=r"identifier@left<assignment<(expression_statement<)?block@body<class_definition",
            call=r"string_content<string<argument_list",
        ),
        statement_end="",
        shebangs=("python",),
    ),
    Language(
        "JavaScript",
        (".js", ".mjs", ".cjs", ".jsx"),
        "tree_sitter_javascript",
        _set("string template_string"),
        _set("template_substitution"),
        _JAVASCRIPT_SCOPES,
        _JAVASCRIPT_PLACES,
        shebangs=("node",),
    ),
    Language(
        "TypeScript",
        (".ts", ".mts", ".cts"),
        "tree_sitter_typescript",
        _set("string template_string"),
        _set("template_substitution"),
        _JAVASCRIPT_SCOPES,
        _JAVASCRIPT_PLACES,
        function="language_typescript",
    ),
    Language(
        "TypeScript",
        (".tsx",),
        "tree_sitter_typescript",
        _set("string template_string"),
        _set("template_substitution"),
        _JAVASCRIPT_SCOPES,
        _JAVASCRIPT_PLACES,
        function="language_tsx",
    ),
    Language(
        "Java",
        (".java",),
        "tree_sitter_java",
        _set("string_literal"),
        _set("string_interpolation"),
        _set("method_declaration constructor_declaration record_declaration class_declaration interface_declaration"),
        _places(
            sent=r"string_fragment<string_literal<annotation_argument_list|string_fragment<string_literal@value<element_",
            declared=r"identifier@name<formal_parameter<formal_parameters@parameters<record_declaration"
            r"|identifier@name<variable_declarator@declarator<field_declaration",
            call=r"string_fragment<string_literal<argument_list",
        ),
    ),
    Language(
        "Kotlin",
        (".kt", ".kts"),
        "tree_sitter_kotlin",
        _set("string_literal multiline_string_literal"),
        _set("interpolation"),
        _set("function_declaration class_declaration object_declaration"),
        _places(
            sent=r"string_content<(multiline_)?string_literal<(infix_expression|value_argument<value_arguments<"
            r"constructor_invocation<annotation|index_expression@left<)",
            read=r"string_content<(multiline_)?string_literal<index_expression",
            declared=r"identifier<class_parameter",
            call=r"string_content<(multiline_)?string_literal<value_argument",
        ),
        statement_end="",
    ),
    Language(
        "PHP",
        (".php", ".phtml"),
        "tree_sitter_php",
        _set("string encapsed_string heredoc nowdoc"),
        _set("variable_name dynamic_variable_name member_access_expression subscript_expression"),
        _set("function_definition method_declaration class_declaration anonymous_function arrow_function"),
        _places(
            sent=r"string_content<(encapsed_)?string<array_element_initializer"
            r"|string_content<(encapsed_)?string<subscript_expression@left<assignment|name@name<member_access_expression@left<assignment",
            read=r"string_content<(encapsed_)?string<subscript_expression|name@name<(nullsafe_)?member_access_expression",
            declared=r"name<variable_name@name<(property_promotion_parameter|property_element)",
            call=r"string_content<(encapsed_)?string<argument<",
        ),
        function="language_php",
        shebangs=("php",),
    ),
    Language(
        "C#",
        (".cs",),
        "tree_sitter_c_sharp",
        _set("string_literal verbatim_string_literal raw_string_literal interpolated_string_expression"),
        _set("interpolation"),
        _set(
            "method_declaration constructor_declaration record_declaration class_declaration struct_declaration "
            "local_function_statement"
        ),
        _places(
            sent=r"string_literal_content<string_literal<(attribute_argument|initializer_expression"
            r"|argument<(element_binding_expression|bracketed_argument_list@\w+<element_access_expression@left<assignment))"
            r"|identifier<anonymous_object_creation_expression",
            read=r"string_literal_content<string_literal<argument<bracketed_argument_list"
            r"|identifier@name<(member_access_expression|member_binding_expression)",
            declared=r"identifier@name<property_declaration|identifier@name<parameter<parameter_list\S*<record_declaration",
            call=r"string_literal_content<string_literal<argument<argument_list",
        ),
        shebangs=(),
    ),
    Language(
        "Go",
        (".go",),
        "tree_sitter_go",
        _set("interpreted_string_literal raw_string_literal"),
        frozenset(),
        _set("function_declaration method_declaration type_declaration func_literal"),
        _places(
            sent=r"\w+_content<\w+_literal<literal_element@key"
            r"|\w+_content<\w+_literal@index<index_expression<expression_list@left<assignment",
            read=r"\w+_content<\w+_literal@index<index_expression",
            call=r"\w+_content<\w+_literal<argument_list",
        ),
        statement_end="",
    ),
    Language(
        "shell",
        (".sh", ".bash", ".zsh", ".ksh", ".curl"),
        "tree_sitter_bash",
        _set("string raw_string ansi_c_string heredoc_body word"),
        _set("simple_expansion expansion command_substitution"),
        _set("function_definition command redirected_statement"),
        (),
        shebangs=("sh", "bash", "zsh", "ksh"),
    ),
)
POSTMAN: Final = Language(
    "Postman", (), "tree_sitter_json", _set("string"), frozenset(), frozenset(), (), statement_end=""
)
"""A collection: JSON whose texts hold addresses, bodies and scripts."""
POSTMAN_SCHEMA: Final = re.compile(rb'"schema"\s*:\s*"https?://schema\.(get)?postman\.com/')

_BY_SUFFIX: Final = {suffix: language for language in LANGUAGES for suffix in language.suffixes}
_BY_SHEBANG: Final = {name: language for language in LANGUAGES for name in language.shebangs}
_SHEBANG: Final = re.compile(rb"#!\s*(?:\S*/env\s+(?:-\S+\s+)*)?(?:\S*/)?([a-z]+)[\d.]*(?:\s|$)")


def language_named(path: Path) -> Language | None:
    """The language that a file's name tells; `.env` and its kind hold assignments as a shell reads them."""
    if path.suffix.lower() == ".env" or path.name.startswith(".env"):
        return _BY_SUFFIX[".sh"]
    return _BY_SUFFIX.get(path.suffix.lower())


def may_be_source(path: Path) -> bool:
    """Whether the content of a file with this name may have to be looked at."""
    return (
        path.suffix == ""
        or path.name.startswith(".env")
        or path.suffix.lower() == ".json"
        or language_named(path) is not None
    )


def language_of(path: Path, content: bytes) -> Language | None:
    """The language of a file: by its name, a Postman collection by its schema, a script by its first line."""
    if path.suffix.lower() == ".json":
        return POSTMAN if POSTMAN_SCHEMA.search(content) else None
    if path.suffix == "" and not path.name.startswith(".env"):
        found = _SHEBANG.match(content)
        return _BY_SHEBANG.get(found[1].decode()) if found else None
    return language_named(path)
