"""Bodies and answers of this feature."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from passerelle.kit.durations import format_duration
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.bodies import Body
from passerelle.retention.kinds import ARCHIVED, LEAST, ArchivedKind, Kept
from passerelle.retention.service import Wanted, WouldGo

_LONG = 20


def _keep(what: str) -> str | None:
    text: str | None = Field(
        default=None,
        max_length=_LONG,
        description=f"{what} `400d`, or `ever`; null: as the installation says.",
    )
    return text


class RetentionBody(Body):
    """How long a workspace keeps what it decides on."""

    executions: str | None = _keep("Executions that completed, expired or were cancelled, with their steps and links:")
    events: str | None = _keep("Events: at least `7d`, such as")
    deliveries: str | None = _keep("Deliveries of webhooks: at least `7d`, such as")
    drafts: str | None = _keep("What end users typed and have not sent:")
    audit: str | None = _keep("The audit: at least `30d`, such as")

    archive: list[ArchivedKind] = Field(
        default_factory=list,
        max_length=len(ARCHIVED),
        description="What is written to the store of files before it is removed: compressed JSON lines.",
    )

    def wanted(self) -> Wanted:
        """What the workspace says itself."""
        given = self.model_dump(exclude={"archive"})
        return Wanted({kind: text for kind, text in given.items() if text is not None}, self.archive)


class KeptAnswer(Answer):
    """How long one kind of data is kept."""

    kind: str = Field(examples=["events"])
    """What is kept."""
    lasts: str | None = Field(description="How long; null for good.", examples=["30d"])
    since: str = Field(description="From when on that is counted.")
    setting: str | None = Field(description="The setting that decides it; null where none does.")
    own: bool = Field(description="Whether the workspace says it itself.")
    usual: str | None = Field(description="How long it is kept where a workspace says nothing; null for good.")
    archive: bool = Field(description="Whether it is written to the store of files before it is removed.")
    least: str | None = Field(description="The shortest that a workspace may say; null: it does not decide on this.")


class RetentionAnswer(Answer):
    """How long everything is kept."""

    data: list[KeptAnswer]
    """By kind, those first that the workspace decides on."""


class WouldGoAnswer(Answer):
    """What is over of one kind."""

    kind: str
    """What is kept."""
    lasts: str | None = Field(description="How long it would be kept; null for good.")
    removed: int = Field(description="How many would be removed next.")
    held: int = Field(description="How many more are over and stay, because a legal hold keeps them.")
    more: bool = Field(description="Whether there are more: no more than 20,000 of a kind are looked at.")


class RetentionPreviewAnswer(Answer):
    """What would be removed."""

    data: list[WouldGoAnswer]
    """By kind."""


def kept_answer(one: Kept) -> KeptAnswer:
    """One line of the list."""
    least = {str(kind): length for kind, length in LEAST.items()}.get(one.kind)
    return KeptAnswer.made_from(
        one, lasts=_length(one.lasts), usual=_length(one.lasts if least is None else one.usual), least=_length(least)
    )


def would_go_answer(one: WouldGo) -> WouldGoAnswer:
    """One line of what would be removed."""
    return WouldGoAnswer.made_from(one, lasts=_length(one.lasts))


def _length(length: timedelta | None) -> str | None:
    return None if length is None else format_duration(length)
