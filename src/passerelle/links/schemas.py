"""Bodies and answers of the endpoints of links and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from passerelle.executions import errors as executions
from passerelle.executions.schemas import ONLY_IN_VERSION_2, RENAME, USE_VERSION_2, OptionalId
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.fields import FIELD_UNKNOWN, Explanations
from passerelle.links.credentials import masked
from passerelle.links.errors import EMAIL_REQUIRED
from passerelle.links.listing import ListedLink, SendingStatus
from passerelle.links.models import LinkState

Lang = Field(
    default=None,
    pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$",
    max_length=35,
    description="The end user's language, such as `pl` or `en-GB`; English where there is no text in it.",
)
ADDRESS: Final = "Where one-time codes are sent to, so that the end user can go on in another browser."


class OpeningBodyV1(Body):
    """A link or a token for a case (deprecated)."""

    when_missing: ClassVar[Explanations] = {
        "caseId": (
            executions.CASE_ID_REQUIRED,
            f"version 1 of this endpoint needs caseId; to go without a case, {USE_VERSION_2}",
        )
    }
    when_unknown: ClassVar[Explanations] = {
        **ONLY_IN_VERSION_2,
        "email": (
            FIELD_UNKNOWN,
            f"`email` belongs to version 2 of this endpoint: {USE_VERSION_2}; version 1 knows the case's address",
        ),
    }

    case_id: UUID
    workflow_definition_id: UUID
    parameters_id: OptionalId = None
    lang: Annotated[str | None, BeforeValidator(lambda given: None if given == "" else given)] = Lang


class TokenBody(Body):
    """A token for the widget."""

    when_unknown: ClassVar[Explanations] = {"caseId": (executions.CASE_ID_REMOVED, RENAME)}

    workflow_definition_id: UUID
    record_id: UUID | None = None
    parameters_id: UUID | None = None
    parameters: dict[str, Any] | None = None
    lang: str | None = Lang


class LinkBody(TokenBody):
    """A link."""

    email: str | None = Field(default=None, max_length=320, description=ADDRESS)


class SendBody(TokenBody):
    """A link that is sent by e-mail."""

    when_missing: ClassVar[Explanations] = {
        "email": (EMAIL_REQUIRED, "version 2 of this endpoint needs email: the address that the link is sent to")
    }

    email: str = Field(max_length=320, description=f"Where the link is sent to. {ADDRESS}")


class LinkAnswerV1(Answer):
    """A link (version 1)."""

    link: str


class LinkAnswer(Answer):
    """A link; `link` is shown this once."""

    link: str
    link_id: UUID
    workflow_id: UUID
    expires_at: Moment


class SendingAnswer(Answer):
    """What came of the message that carries a link."""

    status: SendingStatus
    attempts: int
    error: str | None = Field(description="What the mail server said last, if it refused; it shows no address.")


class ListedLinkAnswer(Answer):
    """Where a link stands. The link itself was shown when it was made."""

    link_id: UUID
    workflow_id: UUID
    workflow_definition_id: UUID
    record_id: UUID | None
    state: LinkState
    email: str | None = Field(description="Where it was sent and codes go to, masked: `a•••@example.com`.")
    created_date: Moment
    expires_at: Moment
    opened_date: Moment | None
    activated_date: Moment | None
    sending: SendingAnswer | None = Field(
        description="Null for a link that was not to be sent, and thirty days after it was."
    )


def listed_answer(listed: ListedLink, now: datetime) -> ListedLinkAnswer:
    """A link as lists show it."""
    link, sending = listed.link, listed.sending
    return ListedLinkAnswer(
        link_id=link.id,
        workflow_id=link.execution_id,
        workflow_definition_id=link.definition_id,
        record_id=link.record_id,
        state=link.state(now),
        email=masked(link.email) if link.email is not None else None,
        created_date=link.created_at,
        expires_at=link.expires_at,
        opened_date=link.opened_at,
        activated_date=link.activated_at,
        sending=SendingAnswer(status=sending.status, attempts=sending.attempts, error=sending.error)
        if sending
        else None,
    )


class TokenAnswerV1(Answer):
    """A token (version 1)."""

    token: str
    expiry_duration: int = Field(description="Seconds that it is good for.")
    token_type: Literal["Bearer"]


class TokenAnswer(TokenAnswerV1):
    """A token for the widget, shown this once."""

    workflow_id: UUID
