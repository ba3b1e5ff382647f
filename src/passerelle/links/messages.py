"""The e-mails that carry links and codes: HTML and text, in the chosen language, in the workspace's looks.

Nothing in an e-mail is loaded from anywhere, so that nobody learns when it is read.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from passerelle.definitions.revisions.service import Revisions
from passerelle.kit.database import Database
from passerelle.kit.mail import Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.markdown import markdown
from passerelle.languages.language import Language
from passerelle.languages.service import Languages
from passerelle.links import repository
from passerelle.links.credentials import Credentials
from passerelle.links.emails import Email
from passerelle.links.models import Link
from passerelle.themes.service import Themes

FOLDER: Final = Path(__file__).parent

_CODE_GROUP: Final = 4


class LinkMessages:
    """Writes e-mails."""

    def __init__(
        self, database: Database, revisions: Revisions, credentials: Credentials, themes: Themes, languages: Languages
    ) -> None:
        self._database = database
        self._revisions = revisions
        self._credentials = credentials
        self._themes = themes
        self._languages = languages
        self._templates = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["markdown"] = markdown

    async def write(self, email: Email, link: Link, address: str) -> Message:
        """The message; the same row gives the same one, secrets included."""
        language = self._languages.words((email.language, link.locale))
        theme = await self._themes.of(link.workspace_id)
        # Without line breaks: what stands in a subject must not begin another header.
        title = email.content["title"] if email.content else await self._title(link, language)
        facts = {"name": " ".join(theme.name.split()), "title": " ".join(title.split())}
        texts = {key: text.format_map(facts) for key, text in language.emails[email.kind].items()}
        shown = {
            "language": language.code,
            "direction": language.direction,
            "name": facts["name"],
            "colours": theme.colours.light,
            "texts": texts,
            "until": language.moment(link.expires_at, theme.brand.zone),
            "contact": theme.brand.contact,
            "asked": await self._asked(link),
            **(email.content or await self._secret(email, link)),
        }
        return Message(
            key=str(email.id),
            date=email.created_at,
            to=(MailAddress.parse(address),),
            subject=texts["subject"],
            text=self._templates.get_template(f"{email.kind}.txt").render(shown),
            html=self._templates.get_template(f"{email.kind}.html").render(shown),
            workspace_id=link.workspace_id,
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

    async def _asked(self, link: Link) -> str:
        """What somebody who reviews wrote to the end user, who is asked again."""
        async with self._database.workspace(link.workspace_id) as connection:
            waiting: list[dict[str, Any]] | None = await connection.fetchval(
                "SELECT waiting_for FROM execution WHERE workspace_id = $1 AND id = $2",
                link.workspace_id,
                link.execution_id,
            )
        return next((str(one["asked"]["note"]) for one in waiting or () if "asked" in one), "")

    async def _title(self, link: Link, language: Language) -> str:
        if link.revision_id is None:
            return ""
        definition = await self._revisions.compiled(link.workspace_id, link.revision_id)
        return " ".join(language.of(definition.title or definition.name).split())
