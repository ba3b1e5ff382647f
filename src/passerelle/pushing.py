"""`passerelle push`: definitions from files to a running Passerelle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from passerelle.errors import CommandError
from passerelle.remote import connected, messages_of


def push_files(files: list[Path], url: str, token: str | None, data_dir: Path, *, publish: bool) -> Iterator[str]:
    """Push each file; one line for each that is in. Raises `CommandError` with everything that is wrong."""
    problems: list[str] = []
    with connected(url, token, data_dir) as client:
        for file in files:
            try:
                text = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{file}: {error}")
                continue
            answer = client.post(
                "/definitions",
                params={"publish": str(publish).lower()},
                content=text.encode(),
                headers={"Content-Type": "application/yaml"},
            )
            if answer.is_success:
                yield _line(file, answer.json(), made=answer.status_code == 201)
            else:
                problems += [f"{file}:{message}" for message in messages_of(answer)]
    if problems:
        raise CommandError("\n".join(problems))


def _line(file: Path, pushed: dict[str, Any], *, made: bool) -> str:
    state = "published" if pushed["published"] else "draft"
    news = "" if made else ", unchanged"
    return f"{file}: {pushed['name']} revision {pushed['revision']} ({state}{news}), id {pushed['id']}"
