"""Copies of what an end user has agreed to, as PDF: made of the statement that the consent has sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.end_user.session.errors import CONSENT_NOT_FOUND, CONSENT_NOT_READABLE, PDF_NOT_INSTALLED
from passerelle.end_user.session.evidence import Consent
from passerelle.end_user.session.service import EndUserSessions
from passerelle.kit.language_choice import direction_of
from passerelle.kit.pdf import Note, Paper, UnprintableError, can_print, printed
from passerelle.kit.workshop import WorkKilledError, Workshop
from passerelle.languages.language import Language
from passerelle.languages.service import Languages
from passerelle.themes.models import Theme
from passerelle.themes.service import Themes

LONGEST: Final = 200_000
"""Characters of a text of which a PDF is made: some seventy pages."""


@dataclass(frozen=True, slots=True)
class AgreedCopy:
    """A file. `title` is the text's."""

    title: str
    pdf: bytes


class AgreedTexts:
    """Makes the copies."""

    def __init__(self, sessions: EndUserSessions, themes: Themes, languages: Languages, workshop: Workshop) -> None:
        self._sessions = sessions
        self._themes = themes
        self._languages = languages
        self._workshop = workshop

    async def copy(self, workspace_id: UUID, execution_id: UUID, step: str, visit: int) -> AgreedCopy:
        """What was agreed to at that step.

        Raises WORKFLOW_NOT_FOUND, CONSENT_NOT_FOUND, CONSENT_NOT_READABLE, PDF_NOT_INSTALLED.
        """
        consents = await self._sessions.evidence.read(workspace_id, execution_id, personal=True)
        found = next((one for one in consents if (one.step, one.visit) == (step, visit) and one.accepted), None)
        if found is None:
            raise CONSENT_NOT_FOUND.error(f"nobody has agreed to anything at step `{step}`, visit {visit}")
        if not found.facts:
            raise CONSENT_NOT_READABLE.error("the text was erased, or is encrypted with a key that is gone")
        if len(found.facts["text"]) > LONGEST:
            raise CONSENT_NOT_READABLE.error(f"a PDF is made of at most {LONGEST:,} characters")
        if not can_print():
            raise PDF_NOT_INSTALLED.error("no PDF can be made here: an administrator installs passerelle[pdf]")
        paper = _paper(found, await self._themes.of(workspace_id), self._languages)
        try:
            return AgreedCopy(paper.title, await self._workshop.run(workspace_id, printed, paper))
        except (WorkKilledError, UnprintableError):
            raise CONSENT_NOT_READABLE.error("the text is too long, or too nested, for a PDF") from None


def _paper(consent: Consent, theme: Theme, languages: Languages) -> Paper:
    facts = consent.facts
    read = str(facts["language"])
    words = languages.words([read])
    when = words.moment(datetime.fromisoformat(consent.at), theme.brand.zone)
    said = (
        facts["label"],
        words("consent.version", version=consent.version),
        words("consent.agreed", when=when),
        words("consent.fingerprint", hash=consent.hash),
    )
    return Paper(
        theme.name, facts["title"], facts["text"], read, direction_of(read) == "rtl", tuple(_notes(said, words, read))
    )


def _notes(said: tuple[str, ...], words: Language, read: str) -> list[Note]:
    label, *ours = said
    mine = [Note(text, words.code, words.direction == "rtl") for text in ours]
    return [Note(label, read, direction_of(read) == "rtl"), *mine]
