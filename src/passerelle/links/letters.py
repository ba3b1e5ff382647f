"""The e-mails that carry links and codes: HTML and text, in the chosen language, in the workspace's looks.

Texts are one file a language under `texts`, complete or the tests fail. Nothing in a letter is loaded from anywhere,
so that nobody learns when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from babel.dates import format_datetime
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from passerelle.kit.database import Database
from passerelle.kit.mail import Message
from passerelle.kit.mail.addresses import Address
from passerelle.links import repository
from passerelle.links.credentials import Credentials
from passerelle.links.emails import Email
from passerelle.links.models import Link
from passerelle.revisions.service import Revisions
from passerelle.themes.service import Themes

FOLDER: Final = Path(__file__).parent
FALLBACK: Final = "en"

_CODE_GROUP: Final = 4


class Letters:
    """Writes letters."""

    def __init__(self, database: Database, revisions: Revisions, credentials: Credentials, themes: Themes) -> None:
        self._database = database
        self._revisions = revisions
        self._credentials = credentials
        self._themes = themes
        self._templates = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def write(self, email: Email, link: Link, address: str) -> Message:
        """The message; the same row gives the same one, secrets included."""
        language = language_of(link.locale)
        theme = await self._themes.of(link.workspace_id)
        # Without line breaks: what stands in a subject must not begin another header.
        facts = {"name": " ".join(theme.name.split()), "title": await self._title(link, language)}
        texts = {key: text.format_map(facts) for key, text in texts_in(language)[email.kind].items()}
        shown = {
            "language": language,
            "name": facts["name"],
            "colours": theme.colours.light,
            "texts": texts,
            "until": _moment(link.expires_at, language),
            **await self._secret(email, link),
        }
        return Message(
            key=str(email.id),
            date=email.created_at,
            to=(Address.parse(address),),
            subject=texts["subject"],
            text=self._templates.get_template(f"{email.kind}.txt").render(shown),
            html=self._templates.get_template(f"{email.kind}.html").render(shown),
        )

    async def _secret(self, email: Email, link: Link) -> dict[str, Any]:
        if email.kind == "code" and email.salt is not None:
            code = self._credentials.code(link.id, email.salt)
            minutes = round((email.send_until - email.created_at) / timedelta(minutes=1))
            return {"code": f"{code[:_CODE_GROUP]} {code[_CODE_GROUP:]}", "minutes": minutes}
        async with self._database.workspace(link.workspace_id) as connection:
            kept = await repository.kept_of(connection, link.workspace_id, link.id)
        secret = self._credentials.secret("link", link.id, kept.salt, kept.secret_hash)
        return {"url": f"{email.base_url}/l/{secret}"}

    async def _title(self, link: Link, language: str) -> str:
        if link.revision_id is None:
            return ""
        definition = await self._revisions.compiled(link.workspace_id, link.revision_id)
        title = definition.title or definition.name
        if isinstance(title, Mapping):
            title = title.get(language) or title.get(FALLBACK) or next(iter(title.values()))
        return " ".join(title.split())


def _moment(moment: datetime, language: str) -> str:
    """`28 November 2026, 15:54 UTC`, as the language writes it."""
    written = format_datetime(moment.astimezone(UTC), "d MMMM y, HH:mm", locale=language.replace("-", "_"))
    return f"{written} UTC"


def language_of(locale: str | None) -> str:
    """The language that letters have for a locale: `pl` for `pl-PL`, English where there is none."""
    wanted = (locale or FALLBACK).replace("_", "-").lower()
    while wanted:
        if wanted in languages():
            return wanted
        wanted = wanted.rpartition("-")[0]
    return FALLBACK


@cache
def languages() -> frozenset[str]:
    """The languages that there are files of."""
    return frozenset(path.stem for path in (FOLDER / "texts").glob("*.yaml"))


@cache
def texts_in(language: str) -> Mapping[str, Mapping[str, str]]:
    """The texts of a language, by kind of letter and name."""
    texts: Mapping[str, Mapping[str, str]] = yaml.safe_load(
        (FOLDER / "texts" / f"{language}.yaml").read_text(encoding="utf-8")
    )
    return texts
