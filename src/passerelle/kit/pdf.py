"""Texts for people to keep, as PDF: in any of our languages, right to left too, and tagged for screen readers."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from markdown_it.tree import SyntaxTreeNode

from passerelle.kit.markdown import parsed

DEEPEST: Final = 16
"""Lists and quotations within one another; what is deeper stands beside them."""
_TEXTS: Final = ("paragraph", "heading")
_TEMPLATE: Final = Path(__file__).with_suffix(".typ")


@dataclass(frozen=True, slots=True)
class Note:
    """A line below the text, in a language of its own."""

    text: str
    language: str
    rtl: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on it. `name` is whose it is, `text` Markdown."""

    name: str
    title: str
    text: str
    language: str
    rtl: bool
    notes: tuple[Note, ...] = ()


class UnprintableError(Exception):
    """The typesetter makes nothing of the text."""


def can_print() -> bool:
    """Whether the typesetter is installed, which is an extra (`passerelle[pdf]`)."""
    return find_spec("typst") is not None and find_spec("fontpkg_amiri") is not None


def printed(paper: Paper) -> bytes:
    """The paper as PDF/UA. Its cost grows with the text: have it made in a workshop. Raises `UnprintableError`."""
    import fontpkg_amiri  # type: ignore[import-untyped]  # noqa: PLC0415 - needed by few processes, and large
    import typst  # noqa: PLC0415

    facts = asdict(paper) | {"language": _short(paper.language), "blocks": _even(_blocks(parsed(paper.text).children))}
    facts["notes"] = [{**note, "language": _short(note["language"])} for note in facts["notes"]]
    fonts = typst.Fonts(include_system_fonts=True, font_paths=[str(fontpkg_amiri.ROOT / "files")])
    given = {"paper": json.dumps(facts)}
    try:
        return typst.compile(_TEMPLATE, font_paths=fonts, sys_inputs=given, format="pdf", pdf_standards="ua-1")
    except typst.TypstError:  # such as a heading without words; it can be read nevertheless
        with suppress(typst.TypstError):
            return typst.compile(_TEMPLATE, font_paths=fonts, sys_inputs=given, format="pdf")
    raise UnprintableError


def _short(code: str) -> str:
    """The language alone, which is what the typesetter takes; `und` where it is none."""
    short = code.partition("-")[0].lower()
    return short if short.isascii() and short.isalpha() and len(short) in (2, 3) else "und"


def _even(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Headings below the title that leave out no level, which PDF/UA does not allow."""
    deepest = 1
    for block in blocks:
        if block["kind"] == "heading":
            deepest = block["level"] = min(block["level"] + 1, deepest + 1)
    return blocks


def _blocks(nodes: list[SyntaxTreeNode]) -> list[dict[str, Any]]:
    return [block for node in nodes for block in ([_block(node)] if node.level < DEEPEST else _flat(node))]


def _flat(node: SyntaxTreeNode) -> list[dict[str, Any]]:
    """What the typesetter would not nest any deeper: its paragraphs."""
    return [_block(each) for each in node.walk() if each.type in (*_TEXTS, "fence", "code_block")]


def _block(node: SyntaxTreeNode) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": "paragraph", "parts": _inline(node) if node.type in _TEXTS else []}
    match node.type:
        case "heading":
            made |= {"kind": "heading", "level": int(node.tag[1:])}
        case "bullet_list":
            made = {"kind": "list", "items": [_blocks(item.children) for item in node.children]}
        case "ordered_list":
            items = [_blocks(item.children) for item in node.children]
            made = {"kind": "enum", "start": int(node.attrs.get("start", 1)), "items": items}
        case "blockquote":
            made = {"kind": "quote", "blocks": _blocks(node.children)}
        case "fence" | "code_block":
            made = {"kind": "code", "text": node.content.rstrip("\n")}
        case "hr":
            made = {"kind": "rule"}
    return made


def _inline(node: SyntaxTreeNode) -> list[dict[str, Any]]:
    parts = [one for part in node.children for one in (part.children if part.type == "inline" else [part])]
    return [span for part in parts for span in _spans(part, 0)]


def _spans(node: SyntaxTreeNode, depth: int) -> list[dict[str, Any]]:
    inner = [span for each in node.children for span in _spans(each, depth + 1)]
    match node.type:
        case "softbreak" | "hardbreak":
            return [{"kind": "break"}]
        case "code_inline":
            return [{"kind": "code", "text": node.content}]
        case "strong" | "em":
            return [{"kind": node.type, "parts": inner}] if depth < DEEPEST else inner
        case "link":
            to = str(node.attrs["href"])
            return [{"kind": "link", "to": to, "parts": inner, "shows": inner != [{"kind": "text", "text": to}]}]
    return [{"kind": "text", "text": node.content}]
