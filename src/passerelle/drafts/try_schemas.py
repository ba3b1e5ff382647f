"""Bodies and answers of the endpoints that try a step while it is written."""

from __future__ import annotations

from typing import Any

from pydantic import Field as Described

from passerelle.drafts.schemas import LONGEST
from passerelle.engine.http.trying import HttpTrial
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.bodies import Body


class HttpTryBody(Body):
    """A step to try, and sample values for what it reads."""

    text: str = Described(max_length=LONGEST, description="The definition, as YAML or JSON. It is not kept.")
    step: str = Described(max_length=100, description="The id of the `http` step")
    values: dict[str, Any] = Described(
        default_factory=dict,
        description="Values by the first name of what is read: `parameters`, `steps`… Secrets are the workspace's own.",
    )


class TriedRequestAnswer(Answer):
    """A request as it went out; in the place of secrets stands `•••`."""

    method: str
    """The method."""
    url: str
    """Where to, with the query."""
    headers: dict[str, str]
    """The headers that the step and Passerelle set."""
    body: str | None
    """What was sent, at most its first 20,000 characters; null: nothing."""


class TriedResponseAnswer(Answer):
    """What the other side answered; in the place of secrets stands `•••`."""

    status: int
    """The status."""
    headers: dict[str, str]
    """The headers, by names in small letters; those that identify somebody are masked."""
    body: str
    """The body as text, at most its first 20,000 characters."""
    size: int
    """Bytes of the whole body."""
    is_cut: bool
    """Whether there is more of the body than stands here."""


class TriedFailureAnswer(Answer):
    """How the step would fail."""

    code: str
    """The code that the execution would show."""
    message: str
    """What went wrong, in one sentence."""
    retried: bool
    """Whether a run would try it again; a try does not."""


class HttpTryAnswer(Answer):
    """What came of a try: `output`, or `failure`."""

    request: TriedRequestAnswer | None
    """What went out; null: there was nothing to send."""
    response: TriedResponseAnswer | None
    """What came back; null: nothing, or nothing that could be read."""
    milliseconds: int
    """How long it took."""
    output: Any
    """What later steps would read of this one."""
    failure: TriedFailureAnswer | None
    """How the step would fail; null: it would not."""


class LetterBody(Body):
    """An `email` step to look at, and sample values for what it reads."""

    text: str = Described(max_length=LONGEST, description="The definition, as YAML or JSON. It is not kept.")
    step: str = Described(max_length=100, description="The id of the `email` step")
    language: str = Described(default="en", max_length=35, description="What its receiver reads")
    values: dict[str, Any] = Described(
        default_factory=dict, description="Values by the first name of what is read: `parameters`, `steps`…"
    )


class LetterAnswer(Answer):
    """A message as it would be sent."""

    sender: str
    """Whom it comes from."""
    receivers: dict[str, list[str]]
    """Whom it is for, by `to`, `cc`, `bcc` and `replyTo`."""
    subject: str
    """The subject."""
    text: str
    """The part for those who read text alone."""
    html: str | None
    """The part as HTML; null: it has none."""
    problem: str | None
    """Why these values make no message; null: they do."""


def try_answer(trial: HttpTrial, retried: bool) -> HttpTryAnswer:
    """What came of a try."""
    return HttpTryAnswer.made_from(
        trial,
        request=trial.request and TriedRequestAnswer.made_from(trial.request),
        response=trial.response and TriedResponseAnswer.made_from(trial.response),
        failure=trial.failure and TriedFailureAnswer.made_from(trial.failure, retried=retried),
    )
