"""`email`: a message through the configured SMTP server. Its output is `{messageId, to}`.

A message has one `Message-ID` however often it is attempted: it is made of the step's idempotency key.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import ClassVar, Final, Literal
from uuid import NAMESPACE_URL, uuid5

from passerelle.definitions.expressions import ExpressionError, Scope, Template
from passerelle.definitions.expressions.values import text_of
from passerelle.definitions.kinds import Insert, Path, StepContext, TextTemplate
from passerelle.definitions.model import Retry
from passerelle.definitions.parts import part
from passerelle.definitions.readings import members
from passerelle.engine.kinds import Announcement, OutsideKind, StepFailure, Tools
from passerelle.engine.user_kinds import in_markdown
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.kit.language_choice import best
from passerelle.kit.mail import SEND_SECONDS, Mail, MailError, MailLater, MailTimeout, Message, NoMail
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.letters import Letter, UnwritableError, letter

ADDRESSED: Final = ("to", "cc", "bcc", "replyTo")
Format = Literal["text", "markdown"]
FORMATS: Final[tuple[Format, ...]] = ("text", "markdown")
MOST_RECEIVERS: Final = 100
"""RFC 5321 (4.5.3.1.8): what every server takes at once."""


def _addresses(description: str) -> JsonObject:
    return {
        "type": ["string", "array"],
        "description": description,
        "minLength": 1,
        "minItems": 1,
        "items": {"type": "string", "minLength": 1},
        "examples": ["${steps.company.email}", ["compliance@example.com"]],
    }


@dataclass(frozen=True, slots=True)
class EmailConfig:
    """To whom, and what."""

    addresses: dict[str, Template]
    """By `to`, `cc`, `bcc` and `replyTo`, those that are given."""
    subject: TextTemplate
    body: TextTemplate
    format: Format
    html: TextTemplate | None


class EmailKind(OutsideKind[EmailConfig]):
    """Sends a message. It goes out in the execution's language where the step has it, else in its first one."""

    name = "email"
    own_languages = True
    default_retry = Retry(on=("timeout", "connection", "4xx"))
    """With SMTP it is 4yz that is temporary (RFC 5321, 4.2.1), and 5yz that is final."""
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Sends a message through the configured SMTP server.",
        "additionalProperties": False,
        "required": ["to", "subject", "body"],
        "properties": {
            "to": _addresses("The receiver's address, or several."),
            "cc": _addresses("Who gets a copy."),
            "bcc": _addresses("Who gets a copy without the others knowing."),
            "replyTo": _addresses("Where answers go."),
            "subject": part("text", "The subject; `${…}` in it is replaced."),
            "body": part("text", "The message; `${…}` in it is replaced."),
            "format": {
                "enum": list(FORMATS),
                "default": "text",
                "description": "How `body` is written. `markdown` goes out as HTML and as plain text, with headings, "
                "lists, links, bold and italics; what values put in is text in any case.",
            },
            "html": part("text", "The message as HTML beside `body`; values are escaped."),
        },
        "examples": [{"to": "${steps.company.email}", "subject": "Welcome", "body": "Your account is ready."}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> EmailConfig:
        def text(key: str, insert: Insert = _insert_text) -> TextTemplate:
            return compiling.text_template(value[key], (*path, key), insert=insert)

        written: Format = value.get("format", "text")
        if written == "markdown" and "html" in value:
            compiling.problem((*path, "html"), "`format: markdown` makes the HTML of `body`; leave one of them out")
        return EmailConfig(
            addresses={key: _receivers(value[key], (*path, key), compiling) for key in ADDRESSED if key in value},
            subject=text("subject"),
            body=text("body", in_markdown if written == "markdown" else _insert_text),
            format=written,
            html=text("html", _insert_html) if "html" in value else None,
        )

    def output_shape(self, config: EmailConfig) -> JsonObject:
        return members({"messageId": {"type": "string"}, "to": {}})

    def describe(self, config: EmailConfig, scope: Scope) -> Json:
        written = letter_of(config, scope)
        return {**addresses_of(config, scope), "subject": written.subject, "body": written.text}

    async def call(self, config: EmailConfig, scope: Scope, tools: Tools, idempotency_key: str) -> Json:
        message = _message(config, scope, tools, idempotency_key)
        seconds = tools.timeout.total_seconds() if tools.timeout is not None else SEND_SECONDS
        mail: Mail = tools.mail or NoMail()
        try:
            taken = await mail.send(message, timeout_seconds=seconds)
        except MailError as error:
            raise _failure(error) from None
        return {"messageId": taken.message_id, "to": [address.mailbox for address in message.to]}

    def announce(self, idempotency_key: str, failure: StepFailure | None) -> Announcement:
        return email_event(idempotency_key, None if failure is None else _told(failure))


def email_event(key: str, error: str | None) -> Announcement:
    """The event that tells what became of a message of an execution, whose id stands at the start of its key."""
    data = {"emailId": str(uuid5(NAMESPACE_URL, key)), "workflowId": key.partition(":")[0], "linkId": None}
    return Announcement("email.sent" if error is None else "email.failed", {**data, "error": error})


def _told(failure: StepFailure) -> str:
    """Without anybody's data: the reply of the server has no addresses, and expressions show no values."""
    reply = (failure.details or {}).get("reply")
    return f"{failure.code}: {reply or failure.message}"


def addresses_of(config: EmailConfig, scope: Scope) -> dict[str, Json]:
    """Whom it is for, as the definition says it: addresses that are none as well. Raises `ExpressionError`."""
    return {key: template.render(scope) for key, template in config.addresses.items()}


def letter_of(config: EmailConfig, scope: Scope) -> Letter:
    """What it says, in the language that the end user reads. Raises `ExpressionError`."""
    wanted = scope["execution"]["language"]
    subject, body = _in_language(config.subject, wanted, scope), _in_language(config.body, wanted, scope)
    if config.format == "markdown":
        try:
            return letter(subject, body, _language_of(config.body, wanted) or wanted or "")
        except UnwritableError as error:
            raise ExpressionError("body", str(error)) from None
    html = _in_language(config.html, wanted, scope) if config.html is not None else None
    return Letter(subject, body, html)


def _message(config: EmailConfig, scope: Scope, tools: Tools, key: str) -> Message:
    addresses = {
        name: _parsed(name, config.addresses[name].render(scope)) if name in config.addresses else ()
        for name in ADDRESSED
    }
    written = letter_of(config, scope)
    message = Message(
        key=key,
        date=tools.now,
        to=addresses["to"],
        cc=addresses["cc"],
        bcc=addresses["bcc"],
        reply_to=addresses["replyTo"],
        subject=written.subject,
        text=written.text,
        html=written.html,
        workspace_id=tools.workspace_id,
    )
    if len(message.receivers) > MOST_RECEIVERS:
        raise _invalid(f"it has {len(message.receivers)} receivers, and {MOST_RECEIVERS} are the most: use `each`")
    return message


def _parsed(key: str, rendered: Json) -> tuple[MailAddress, ...]:
    """The addresses under `to`, `cc`…: one text, or a list of them."""
    given = rendered if isinstance(rendered, list) else [rendered]
    if not given:
        raise _invalid(f"`{key}` is an empty list")
    return tuple(_address(key if len(given) == 1 else f"{key}[{at}]", item) for at, item in enumerate(given))


def _address(where: str, given: Json) -> MailAddress:
    if not isinstance(given, str) or not given.strip():
        raise _invalid(f"`{where}` has no address")
    try:
        return MailAddress.parse(given)
    except ValueError as error:
        raise _invalid(f"`{where}` {error}") from None


def _in_language(text: TextTemplate, wanted: str | None, scope: Scope) -> str:
    """Filled in, in the language that is wanted, else in the first one that the step has."""
    code = _language_of(text, wanted)
    template = text if isinstance(text, Template) else text[str(code)]
    rendered: str = template.render(scope)
    return rendered


def _language_of(text: TextTemplate, wanted: str | None) -> str | None:
    """The language that it is written in; None where it does not say."""
    return None if isinstance(text, Template) else best((wanted,), text) or next(iter(text))


def _insert_text(_: str, value: Json) -> str:
    return text_of(value)


def _insert_html(_: str, value: Json) -> str:
    return escape(text_of(value))


def _receivers(value: KnownJson, path: Path, compiling: StepContext) -> Template:
    """What stands in the definition itself is checked at once."""
    for at, given in enumerate(value if isinstance(value, list) else [value]):
        try:
            if "${" not in given:
                MailAddress.parse(given)
        except ValueError as error:
            compiling.problem((*path, at) if isinstance(value, list) else path, f"{error}")
    return compiling.template(value, path)


def _failure(error: MailError) -> StepFailure:
    details: JsonObject | None = {"reply": f"{error.code} {error.reply}"} if error.code is not None else None
    if not isinstance(error, MailLater):
        reason = None if error.code is None else str(error.code)
        return StepFailure("EMAIL_REFUSED", error.message, reason=reason, details=details)
    reason = "timeout" if isinstance(error, MailTimeout) else "connection" if error.code is None else str(error.code)
    return StepFailure("EMAIL_NOT_TAKEN", error.message, reason=reason, details=details)


def _invalid(reason: str) -> StepFailure:
    return StepFailure("EMAIL_INVALID", f"There is no message to send: {reason}.")
