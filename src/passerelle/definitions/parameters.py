"""Checks what an execution is started with against what its definition declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from passerelle.definitions.model import Definition, Parameter, ParameterType
from passerelle.definitions.words import TYPE_NAMES, is_a, suggest
from passerelle.kit.errors import Code, Problem
from passerelle.kit.json import Json, JsonObject

PARAMETER_REQUIRED: Final = Code("PARAMETER_REQUIRED", 400, "The definition requires a parameter that was not given.")
PARAMETER_TYPE: Final = Code("PARAMETER_TYPE", 400, "A parameter's value is not of the type that the definition says.")
PARAMETER_UNKNOWN: Final = Code("PARAMETER_UNKNOWN", 400, "The definition declares no parameter of that name.")

_TYPES: Final[Mapping[ParameterType, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "list": (list,),
}


def fits(value: Json, expected: ParameterType) -> bool:
    """Whether a value is of a parameter's type. As in JSON, true and false are no numbers, and null is of no type."""
    # By exact type, because Python's booleans are integers.
    return type(value) in _TYPES[expected]


def check_parameters(definition: Definition, given: JsonObject) -> tuple[JsonObject, tuple[Problem, ...]]:
    """The values with defaults filled in, and everything that is missing, mistyped or unknown.

    The values are meaningful only if there is no problem. A parameter that is not required, has no default and
    was not given has no value. Pointers are of a body that has the values under `parameters`.
    """
    declared = definition.parameters
    values = dict(given)
    problems = [_unknown(name, declared) for name in given if name not in declared]
    for name, parameter in declared.items():
        if name in given:
            if not fits(given[name], parameter.type):
                problems.append(_mistyped(parameter, given[name]))
        elif parameter.default is not None:
            values[name] = parameter.default
        elif parameter.required:
            problems.append(_missing(parameter))
    return values, tuple(problems)


def _unknown(name: str, declared: Mapping[str, Parameter]) -> Problem:
    hint = suggest(name, declared, "it declares")
    return PARAMETER_UNKNOWN.problem(f"the definition declares no parameter `{name}`; {hint}", _pointer(name))


def _mistyped(parameter: Parameter, value: Json) -> Problem:
    hint = "; leave it out instead" if value is None and not parameter.required else ""
    message = f"the parameter `{parameter.name}` must be {TYPE_NAMES[parameter.type]}, is {is_a(value)}{hint}"
    return PARAMETER_TYPE.problem(message, _pointer(parameter.name))


def _missing(parameter: Parameter) -> Problem:
    message = f"the parameter `{parameter.name}` is required; send {TYPE_NAMES[parameter.type]}"
    return PARAMETER_REQUIRED.problem(message, _pointer(parameter.name))


def _pointer(name: str) -> str:
    return "/parameters/" + name.replace("~", "~0").replace("/", "~1")
