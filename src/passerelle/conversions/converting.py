"""A file of any kind as a definition."""

from __future__ import annotations

from passerelle.conversions import csv_file, json_schema, openapi
from passerelle.conversions.bpmn.converting import convert as convert_bpmn
from passerelle.conversions.models import ConversionError, Converted, Kind, Sketch, Wish
from passerelle.conversions.reading import document_of, kind_of, refuse_large
from passerelle.conversions.writing import finished
from passerelle.definitions.kinds import KindRegistry
from passerelle.engine.registry import load_kinds


def convert(content: bytes, kind: Kind | None, wish: Wish, file_name: str) -> Converted:
    """What a file holds, as a definition that passes `check`. Raises `ConversionError`.

    kind       what it is; found out where it is None
    file_name  what things are called where the file names nothing
    """
    refuse_large(content)
    kinds = load_kinds()
    known = kind or kind_of(content)
    if known == "bpmn":
        return _bpmn(content, wish, file_name, kinds)
    draft: Sketch
    if known == "csv":
        draft = csv_file.convert(content, wish, file_name)
    elif known == "openapi":
        draft = openapi.convert(document_of(content), wish, file_name)
    else:
        draft = json_schema.convert(document_of(content), wish, file_name)
    return finished(draft, known, kinds)


def _bpmn(content: bytes, wish: Wish, file_name: str, kinds: KindRegistry) -> Converted:
    """With conditions as far as they pass `check`; where they do not, people decide at every gateway."""
    try:
        return finished(convert_bpmn(content, wish, file_name), "bpmn", kinds)
    except ConversionError:
        return finished(convert_bpmn(content, wish, file_name, asking=True), "bpmn", kinds)
