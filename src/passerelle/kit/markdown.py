"""Markdown that somebody wrote for people. HTML in it is shown, not obeyed; images, which would be requests, are left
out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from textwrap import indent

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup


def markdown(text: str) -> Markup:
    """The text as HTML."""
    return Markup(_markdown().render(text))  # noqa: S704 - the renderer escapes


def parsed(text: str) -> SyntaxTreeNode:
    """The same, for what is no HTML."""
    return SyntaxTreeNode(_markdown().parse(text))


def both(text: str) -> tuple[Markup, str]:
    """The text as HTML, and as text alone: lists have their dashes and numbers, links say where they lead."""
    reader = _markdown()
    tokens = reader.parse(text)
    html = Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - the renderer escapes
    return html, _blocks(SyntaxTreeNode(tokens).children)


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> str:
    # What stands close together in a list does so here.
    written = [_block(node) for node in nodes]
    parts = [("\n" if node.hidden else "\n\n") + block for node, block in zip(nodes, written, strict=True) if block]
    return "".join(parts).lstrip("\n")


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return indent(_blocks(node.children), "> ", lambda _: True)
        case "fence" | "code_block":
            return indent(node.content.rstrip("\n"), "    ")
        case "hr":
            return "---"
    return "".join(_words(one) for inline in node.children for one in inline.children)


def _list(node: SyntaxTreeNode) -> str:
    first = int(node.attrs.get("start", 1))
    items = []
    for place, item in enumerate(node.children):
        mark = f"{first + place}. " if node.type == "ordered_list" else "- "
        items.append(mark + indent(_blocks(item.children), " " * len(mark)).lstrip(" "))
    return "\n".join(items)


def _words(node: SyntaxTreeNode) -> str:
    match node.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "text" | "code_inline":
            return node.content
    words = "".join(map(_words, node.children))
    target = str(node.attrs.get("href", "")) if node.type == "link" else ""
    return words if target in ("", words, f"mailto:{words}") else f"{words} ({target})"


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).disable("image")
