"""Markdown that somebody wrote for people. HTML in it is shown, not obeyed; images, which would be requests, are left
out."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup


def markdown(text: str) -> Markup:
    """The text as HTML."""
    return Markup(_markdown().render(text))  # noqa: S704 - the renderer escapes


def parsed(text: str) -> SyntaxTreeNode:
    """The same, for what is no HTML."""
    return SyntaxTreeNode(_markdown().parse(text))


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).disable("image")
