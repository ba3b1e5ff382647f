"""What somebody wrote in Markdown as a letter: HTML that looks the same in every mail program, and text alone.

Nothing in it is loaded from anywhere, and it names no colours: mail programs that are dark show it dark.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from passerelle.kit.markdown import markdown, plain


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message says. `html`: None where it is text alone."""

    subject: str
    text: str
    html: str | None


def letter(subject: str, source: str, language: str) -> Letter:
    """A letter with `source` as its text. `language`: its code, or empty where nobody knows."""
    html = _PAGE.format(language=escape(language), title=escape(" ".join(subject.split())), body=markdown(source))
    return Letter(subject, plain(source), html)


_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
</head>
<body dir="auto" style="margin:0;padding:24px 16px;\
font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5">
<div style="max-width:600px;margin:0 auto">
{body}</div>
</body>
</html>
"""
