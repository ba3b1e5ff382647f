"""What somebody wrote in Markdown as a letter: HTML that looks the same in every mail program, and text alone.

Nothing in it is loaded from anywhere, and it names no colours: mail programs that are dark show it dark.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final

from passerelle.kit.markdown import both


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message says. `html`: None where it is text alone."""

    subject: str
    text: str
    html: str | None


LONGEST: Final = 20_000
"""Characters: reading Markdown takes its time, and others wait meanwhile."""


class UnwritableError(ValueError):
    """No letter can be made of a text; says why."""


def letter(subject: str, source: str, language: str) -> Letter:
    """A letter with `source` as its text. `language`: its code, or empty where nobody knows.

    Raises `UnwritableError`.
    """
    if len(source) > LONGEST:
        raise UnwritableError(f"a text in Markdown has at most {LONGEST:,} characters, this one has {len(source):,}")
    try:
        body, text = both(source)
    except RecursionError:
        raise UnwritableError("in the Markdown too many things stand within one another") from None
    html = _PAGE.format(language=escape(language), title=escape(" ".join(subject.split())), body=body)
    return Letter(subject, text, html)


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
