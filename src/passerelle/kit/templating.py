"""Templates of pages and e-mails: values are escaped but in plain text, and a name that is not there is an error."""

from __future__ import annotations

from pathlib import Path

from jinja2 import BaseLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape


def environment(source: Path | BaseLoader) -> Environment:
    """The templates of a folder, or of a loader."""
    return Environment(
        loader=FileSystemLoader(source) if isinstance(source, Path) else source,
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
