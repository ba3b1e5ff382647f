"""`passerelle theme`: how a workspace looks to its end users, over the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from passerelle.cli.api_client import command, require_success
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

_FILES = ("logo", "darkLogo", "favicon", "fontFile")
"""What may name a file beside the theme's own."""
_ONLY_SHOWN = ("version", "updatedDate", "updatedBy")


@command(app, "show")
def show_theme(client: httpx.Client) -> None:
    """Print the theme as JSON, in the form that `set` takes."""
    answer = client.get("/theme")
    require_success(answer)
    theme = {name: value for name, value in answer.json().items() if name not in _ONLY_SHOWN}
    typer.echo(json.dumps(theme, indent=2, ensure_ascii=False))


@command(app, "set")
def set_theme(client: httpx.Client, file: Path) -> None:
    """Set the theme from a YAML or JSON file. `logo`, `darkLogo`, `favicon` and `fontFile` may name files beside it."""
    theme = _read(file)
    answer = client.put("/theme", json=theme)
    require_success(answer)
    typer.echo(f"the theme of {answer.json()['name']} is set")


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        theme = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise CommandError(f"{file} is not YAML: {error}") from None
    if not isinstance(theme, dict):
        raise CommandError(f"{file} must hold a theme: `name`, `logo`, `font`, `colours`, …")
    for name in _FILES:
        given = theme.get(name)
        if isinstance(given, str) and not given.startswith(("data:", "http:", "https:")):
            theme[name] = _data_url(file.parent / given)
    return theme


def _data_url(path: Path) -> str:
    from base64 import b64encode

    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    # What it is, the server tells by the content.
    return f"data:image/any;base64,{b64encode(content).decode()}"
