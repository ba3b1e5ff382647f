"""Bodies and answers of the endpoints of links and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.fields import FIELD_UNKNOWN, Explanations
from passerelle.links.credentials import masked
from passerelle.links.errors import EMAIL_REQUIRED
from passerelle.links.listing import ListedLink, SendingStatus
from passerelle.links.models import LinkState
from passerelle.workflows import errors as executions
from passerelle.workflows.schemas import ONLY_IN_VERSION_2, RENAME, USE_VERSION_2, OptionalId

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
    """The case that it concerns."""
    workflow_definition_id: UUID
    """The definition to start."""
    parameters_id: OptionalId = None
    """Parameters that `POST /parameters` stored."""
    lang: Annotated[str | None, BeforeValidator(lambda given: None if given == "" else given)] = Lang


class TokenBody(Body):
    """A token for the widget."""

    when_unknown: ClassVar[Explanations] = {"caseId": (executions.CASE_ID_REMOVED, RENAME)}

    workflow_definition_id: UUID
    """The definition to start."""
    record_id: UUID | None = None
    """The record that it concerns; any id of yours where the definition names no table."""
    parameters_id: UUID | None = None
    """Parameters that `POST /parameters` stored."""
    parameters: dict[str, Any] | None = None
    """The parameters by name, instead of `parametersId`."""
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


class ResendBody(Body):
    """Where a link is sent again."""

    email: str | None = Field(default=None, max_length=320, description=f"Instead of where it went before. {ADDRESS}")


class LinkAnswerV1(Answer):
    """A link (version 1)."""

    link: str
    """Where the end user goes."""


class LinkAnswer(Answer):
    """A link; `link` is shown this once."""

    link: str
    """Where the end user goes; shown this once."""
    link_id: UUID
    """The link's id, to look at it and to withdraw it."""
    workflow_id: UUID
    """The execution that it leads to."""
    expires_at: Moment
    """When the link ends."""


class SendingAnswer(Answer):
    """What came of the message that carries a link."""

    status: SendingStatus
    """Where the message stands."""
    attempts: int
    """How often it was tried."""
    error: str | None = Field(description="What the mail server said last, if it refused; it shows no address.")


class ListedLinkAnswer(Answer):
    """Where a link stands. The link itself was shown when it was made."""

    link_id: UUID
    """The link's id."""
    workflow_id: UUID
    """The execution that it leads to."""
    workflow_definition_id: UUID
    """The definition that the execution runs."""
    record_id: UUID | None
    """The record that the execution concerns; null where there is none."""
    state: LinkState
    """Where the link stands."""
    email: str | None = Field(description="Where it was sent and codes go to, masked: `a•••@example.com`.")
    created_date: Moment
    """When it was made."""
    expires_at: Moment
    """When it ends."""
    opened_date: Moment | None
    """When its page was first looked at; null until then."""
    activated_date: Moment | None
    """When a browser was bound to it; null until then."""
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
    """A signed JWT, for the widget."""
    expiry_duration: int = Field(description="Seconds that it is good for.")
    token_type: Literal["Bearer"]
    """How the token is sent."""


class TokenAnswer(TokenAnswerV1):
    """A token for the widget, shown this once."""

    workflow_id: UUID
    """The execution that it opens."""
