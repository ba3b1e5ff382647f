"""What an `email` step sends, shown while it is written: made by what sends it, for sample values."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.revisions.service import Revisions
from passerelle.drafts.steps import step_in
from passerelle.drafts.try_schemas import LetterAnswer, LetterBody
from passerelle.engine.steps.email import EmailConfig, EmailKind, addresses_of, letter_of
from passerelle.kit.clock import iso
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.work import HERE_STEPS, Meter, WorkError, metered
from passerelle.themes.service import Themes


class Letters:
    """Writes messages that are not sent. `sender`: the installation's."""

    def __init__(self, revisions: Revisions, themes: Themes, sender: MailAddress) -> None:
        self._revisions = revisions
        self._themes = themes
        self._sender = sender

    async def written(self, workspace_id: UUID, body: LetterBody) -> LetterAnswer:
        """The message of a step. Raises STEP_NOT_TRIED, DEFINITION_TOO_HEAVY."""
        step = await step_in(self._revisions, workspace_id, body.text, body.step, EmailKind)
        brand = (await self._themes.of(workspace_id)).brand
        sender = MailAddress(brand.sender_address or self._sender.mailbox, brand.sender_name or self._sender.name)
        return _answer(step.config, _scope(body), f"{sender.name} <{sender.mailbox}>".strip())


def _answer(config: EmailConfig, scope: JsonObject, sender: str) -> LetterAnswer:
    try:
        with metered(Meter(each=HERE_STEPS, total=HERE_STEPS)):
            receivers = {key: _listed(value) for key, value in addresses_of(config, scope).items()}
            letter = letter_of(config, scope)
    except (ExpressionError, WorkError) as error:
        return LetterAnswer(sender=sender, receivers={}, subject="", text="", html=None, problem=str(error))
    return LetterAnswer(
        sender=sender,
        receivers=receivers,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        problem=None,
    )


def _listed(value: Json) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _scope(body: LetterBody) -> JsonObject:
    now = datetime.now(UTC)
    given = body.values.get("execution")
    execution = {
        "now": iso(now),
        "today": now.date().isoformat(),
        **(given if isinstance(given, dict) else {}),
        "language": body.language,
        "locale": body.language,
    }
    return {"parameters": {}, "steps": {}, "record": {}, "case": {}, **body.values, "execution": execution}
