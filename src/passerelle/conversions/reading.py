"""From the bytes of a file to what it says, within bounds; and what kind of file it is."""

from __future__ import annotations

from typing import Final

from passerelle.conversions.models import ConversionError, Kind
from passerelle.definitions.source import read_source
from passerelle.definitions.yaml_text import MAX_BYTES, Genre
from passerelle.kit.json import KnownJson, loads

LARGEST: Final = 5_000_000
"""Bytes of a file; of YAML, which takes longest to read, only as many as a definition may have."""
DEEPEST: Final = 60
"""Levels of objects and lists."""
MOST_VALUES: Final = 300_000
"""Values of a document, each counted once."""

_GENRE: Final = Genre("document", "`openapi` or `properties`", "send it as JSON")
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_FALLBACK: Final = "cp1250"


def kind_of(content: bytes) -> Kind:
    """What kind of file it is, by what it says. Raises `ConversionError` where that cannot be told."""
    begin = text_of(content[:4_000], anything=True)[0].lstrip()
    if any(ord(sign) < 32 and not sign.isspace() for sign in begin):
        raise ConversionError("this is no text: it must be a JSON Schema, CSV, OpenAPI document or BPMN file")
    if begin.startswith("<"):
        return "bpmn"
    if begin.startswith(("{", "[")) or "openapi:" in begin or "swagger:" in begin or "properties:" in begin:
        document = document_of(content)
        if isinstance(document, dict) and document.keys() & {"openapi", "swagger"}:
            return "openapi"
        if isinstance(document, dict) and document.keys() & {"properties", "$ref", "$defs", "definitions", "allOf"}:
            return "json-schema"
        raise ConversionError(
            "this is neither a JSON Schema (with `properties`) nor an OpenAPI document (with `openapi`): say in `kind`"
            " what it is"
        )
    if any(sign in begin.partition("\n")[0] for sign in ",;\t|") or begin.count("\n") > 0:
        return "csv"
    raise ConversionError(
        "this is no JSON Schema, CSV, OpenAPI document or BPMN file, by its looks: say in `kind` what it is"
    )


def text_of(content: bytes, *, anything: bool = False) -> tuple[str, str]:
    """A file's text, and the encoding that it was read in. Raises `ConversionError`.

    anything   whether what is no Unicode is taken for Central European letters, as older office programs write them
    """
    refuse_large(content)
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError as error:
        if not anything:
            raise ConversionError(f"byte {error.start} is not {encoding.upper()}: save the file in UTF-8") from None
    return content.decode(_FALLBACK, errors="replace"), "Windows-1250"


def refuse_large(content: bytes) -> None:
    """Raises `ConversionError` for a file that is empty or too large."""
    if not content.strip():
        raise ConversionError("the file is empty")
    if len(content) > LARGEST:
        raise ConversionError(f"the file has {len(content):,} bytes; {LARGEST:,} are the most")


def document_of(content: bytes) -> KnownJson:
    """The value of a JSON or YAML file, within bounds. Raises `ConversionError`."""
    text, _ = text_of(content)
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = loads(text)
        except ValueError as error:
            raise ConversionError(f"this is not JSON: {error}") from None
    else:
        if len(content) > MAX_BYTES:
            raise ConversionError(f"YAML may have {MAX_BYTES:,} bytes: send it as JSON")
        source = read_source(text, _GENRE)
        if not source.readable:
            raise ConversionError("; ".join(f"line {one.line}: {one.message}" for one in source.problems))
        value = source.value
    _refuse_much(value)
    return value


def _refuse_much(value: KnownJson) -> None:
    count, todo = 0, [(value, 1)]
    while todo:
        part, depth = todo.pop()
        count += 1
        if depth > DEEPEST:
            raise ConversionError(f"the file is nested deeper than {DEEPEST} levels")
        if count > MOST_VALUES:
            raise ConversionError(f"the file has more than {MOST_VALUES:,} values")
        names = part.keys() if isinstance(part, dict) else ()
        if any("\0" in text for text in (*names, part) if isinstance(text, str)):
            raise ConversionError("a text in the file contains the character NUL: take it out")
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        todo.extend((one, depth + 1) for one in inner)
