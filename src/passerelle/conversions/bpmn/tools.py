"""What Camunda's tools add to BPMN, as far as it is carried over: fields of forms, and where services are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element

from passerelle.conversions.bpmn.reading import children, tag
from passerelle.conversions.models import Sketch
from passerelle.conversions.names import as_title, identifier, one_line, unique
from passerelle.kit.json import loads

CAMUNDA: Final = "http://camunda.org/schema/1.0/bpmn"
ZEEBE: Final = "http://camunda.org/schema/zeebe/1.0"
MOST_FIELDS: Final = 100

_TYPES: Final[dict[str, dict[str, Any]]] = {
    "string": {"type": "string"},
    "long": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "textfield": {"type": "string"},
    "textarea": {"type": "string", "format": "multiline"},
    "number": {"type": "number"},
    "checkbox": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date"},
}


class Used:
    """The elements that were carried over, so that all others can be told."""

    def __init__(self) -> None:
        self._seen: dict[int, Element] = {}

    def mark(self, element: Element) -> Element:
        """Note an element as carried over."""
        self._seen[id(element)] = element
        return element

    def __contains__(self, element: Element) -> bool:
        return id(element) in self._seen


def extensions(element: Element, used: Used) -> Iterator[Element]:
    """What a tool wrote into an element."""
    for around in children(element, "extensionElements"):
        used.mark(around)
        yield from around


def form_fields(element: Element, root: Element, used: Used, draft: Sketch) -> dict[str, Any] | None:
    """The schema of a user task's form; None where the file does not hold it."""
    for one in extensions(element, used):
        if tag(one) == "formData":
            used.mark(one)
            return _schema(_camunda_fields(one, used, draft))
        if tag(one) == "formDefinition" and (document := _form_document(one, root, used)):
            used.mark(one)
            return _schema(_form_js_fields(document, one.get("formKey") or "form", draft))
    return None


def _schema(fields: Iterator[tuple[str, dict[str, Any], bool]]) -> dict[str, Any] | None:
    properties: dict[str, Any] = {}
    required = []
    for wanted, field, needed in fields:
        if len(properties) >= MOST_FIELDS:
            break
        name = unique(identifier(wanted, "field"), properties)
        properties[name] = field
        if needed:
            required.append(name)
    if not properties:
        return None
    return {"type": "object", **({"required": required} if required else {}), "properties": properties}


def _camunda_fields(data: Element, used: Used, draft: Sketch) -> Iterator[tuple[str, dict[str, Any], bool]]:
    for field in data:
        if tag(field) != "formField":
            continue
        used.mark(field)
        identity, kind = field.get("id") or "field", field.get("type") or "string"
        values = [used.mark(one) for one in field if tag(one) == "value"]
        carried: dict[str, Any] = dict(_TYPES.get(kind, _TYPES["string"]))
        if values:
            carried = {
                "oneOf": [
                    {
                        "const": one.get("id") or one.get("name") or "",
                        "title": as_title(one.get("name") or one.get("id") or "-"),
                    }
                    for one in values[:200]
                ]
            }
        elif kind not in _TYPES:
            draft.leave(identity, f"there is no type `{one_line(kind, 40)}` of fields, so it is a text")
        carried["title"] = as_title(field.get("label") or identity)
        yield identity, carried, _constrained(field, carried, used, draft, identity)


def _constrained(field: Element, carried: dict[str, Any], used: Used, draft: Sketch, identity: str) -> bool:
    """Carry the constraints of a field over; whether it is required."""
    required = False
    keywords = {"min": "minimum", "max": "maximum", "minlength": "minLength", "maxlength": "maxLength"}
    for one in field.iter():
        if tag(one) == "validation":
            used.mark(one)
        if tag(one) != "constraint":
            continue
        used.mark(one)
        name, config = one.get("name") or "", (one.get("config") or "").strip()
        fits = name in keywords and re.fullmatch(r"-?\d{1,9}", config) and ("type" in carried)
        of_text = carried.get("type") == "string"
        if name == "required":
            required = config.lower() != "false"
        elif fits and of_text == name.endswith("length"):
            carried[keywords[name]] = int(config)
        elif name != "readonly":
            draft.leave(identity, f"the rule `{one_line(name, 40)}` is not carried over")
    return required


def _form_document(definition: Element, root: Element, used: Used) -> dict[str, Any] | None:
    """The form that a task names and the file itself holds."""
    key = (definition.get("formKey") or "").rpartition(":")[2]
    for one in root.iter(f"{{{ZEEBE}}}userTaskForm"):
        if one.get("id") == key and one.text:
            try:
                found = loads(one.text)
            except ValueError:
                return None
            used.mark(one)
            return found if isinstance(found, dict) else None
    return None


def _form_js_fields(document: dict[str, Any], place: str, draft: Sketch) -> Iterator[tuple[str, dict[str, Any], bool]]:
    components = document.get("components")
    for one in components if isinstance(components, list) else ():
        if not isinstance(one, dict):
            continue
        kind, key = str(one.get("type")), one.get("key")
        options = _options(one.get("values"))
        if not isinstance(key, str) or (kind not in _TYPES and not options):
            draft.leave(
                place,
                f"the form's `{one_line(kind, 40)}` `{one_line(key or one.get('id') or '', 60)}` is not carried over",
            )
            continue
        validate = one.get("validate")
        rules: dict[str, Any] = validate if isinstance(validate, dict) else {}
        field: dict[str, Any] = {"oneOf": options} if options else dict(_TYPES[kind])
        label = one.get("label")
        yield (
            key,
            {**field, "title": as_title(label if isinstance(label, str) and label else key)},
            rules.get("required") is True,
        )
        if others := sorted(rules.keys() - {"required"}):
            draft.leave(
                place, f"`{one_line(key, 60)}`: its rules ({one_line(', '.join(others), 80)}) are not carried over"
            )


def _options(values: Any) -> list[dict[str, Any]]:
    given = [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
    return [
        {"const": one["value"], "title": as_title(one.get("label") or one["value"])}
        for one in given[:200]
        if isinstance(one.get("value"), str | int)
    ]


def address(element: Element, used: Used) -> tuple[str, str] | None:
    """Method and URL of a service task that an HTTP connector calls; None where the file does not say them plainly."""
    found: dict[str, str] = {}
    for one in (inner for extension in extensions(element, used) for inner in extension.iter()):
        name, value = one.get("name") or one.get("target"), (one.text or one.get("source") or "").strip()
        if name in ("url", "method") and value:
            found[name] = value.strip('="')
            used.mark(one)
    url = found.get("url", "")
    if not re.fullmatch(r"https?://[^\s$#{}\"]+", url):
        return None
    method = found.get("method", "GET").upper()
    return (method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "POST"), url


def assignee(element: Element) -> str | None:
    """Who does a user task: a group or an address, where it is written plainly."""
    for name in ("candidateGroups", "assignee", "candidateUsers"):
        value = next(
            (element.get(f"{{{space}}}{name}") for space in (CAMUNDA, ZEEBE) if element.get(f"{{{space}}}{name}")), None
        )
        if value is None:
            value = next(
                (one.get(name) for one in element.iter() if tag(one) == "assignmentDefinition" and one.get(name)), None
            )
        if value is not None:
            return value
    return None
