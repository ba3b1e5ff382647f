"""`passerelle theme`: how a workspace looks to its end users, over the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from passerelle.errors import CommandError
from passerelle.remote import DEMO_DIR, URL, DemoDir, Token, Url, connected, require_success

app = typer.Typer(help="Name, logo, colours and allowed sites of a workspace's pages.", no_args_is_help=True)

_ONLY_SHOWN = ("updatedDate", "updatedBy")


@app.command("show")
def show_theme(url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Print the theme as JSON, in the form that `set` takes."""
    with connected(url, token, data_dir) as client:
        answer = client.get("/theme")
        require_success(answer)
    theme = {name: value for name, value in answer.json().items() if name not in _ONLY_SHOWN}
    typer.echo(json.dumps(theme, indent=2, ensure_ascii=False))


@app.command("set")
def set_theme(file: Path, url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Set the theme from a YAML or JSON file. Its `logo` may name an image file beside it."""
    theme = _read(file)
    with connected(url, token, data_dir) as client:
        answer = client.put("/theme", json=theme)
        require_success(answer)
    typer.echo(f"the theme of {answer.json()['name']} is set")


def _read(file: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - a command loads only what it needs

    try:
        theme = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise CommandError(f"{file} is not YAML: {error}") from None
    if not isinstance(theme, dict):
        raise CommandError(f"{file} must hold a theme: `name`, `logo`, `font`, `colours`, …")
    logo = theme.get("logo")
    if isinstance(logo, str) and not logo.startswith(("data:", "http:", "https:")):
        theme["logo"] = _data_url(file.parent / logo)
    return theme


def _data_url(path: Path) -> str:
    from base64 import b64encode  # noqa: PLC0415 - as above

    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    # What it is, the server tells by the content.
    return f"data:image/any;base64,{b64encode(content).decode()}"
