"""Descriptions of fields, read from the docstrings below them when a document asks for a model's schema.

Pydantic reads them as each class is made (`use_attribute_docstrings`), a fifth of the time in which a process starts.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from sys import modules
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """Base of models whose fields are described by docstrings."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        shown = handler(core_schema)
        properties: dict[str, dict[str, Any]] = handler.resolve_ref_schema(shown).get("properties", {})
        for base in cls.__mro__:
            for name, text in _in_module(base.__module__).get(base.__qualname__, {}).items():
                field = cls.model_fields.get(name)
                if field is not None and (known := properties.get(field.alias or name)) is not None:
                    known.setdefault("description", text)
        return shown


@cache
def _in_module(name: str) -> Mapping[str, Mapping[str, str]]:
    """The docstrings of fields, by the class and the field."""
    if not name.startswith("passerelle"):
        return {}
    return dict(_classes(ast.parse(inspect.getsource(modules[name])), ""))


def _classes(node: ast.AST, within: str) -> list[tuple[str, Mapping[str, str]]]:
    found = []
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.ClassDef):
            found += [(within + one.name, _docstrings(one)), *_classes(one, f"{within}{one.name}.")]
    return found


def _docstrings(made: ast.ClassDef) -> Mapping[str, str]:
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(made.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
