"""`review`: a person decides. Its output is `{outcome, comment, by, at}`; under four eyes also every vote.

While it rests, its note holds what is to be decided, to whom it is assigned, who gets messages, and the votes so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Compiling, Path, TextTemplate
from passerelle.definitions.parts import part
from passerelle.definitions.words import quoted
from passerelle.engine.kinds import Done, Kept, Refusal, StepFailure, Wait, WaitingKind
from passerelle.engine.user_kinds import in_text, rendered
from passerelle.kit.clock import iso
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.mail.addresses import Address

REVIEW_TIMEOUT: Final = "REVIEW_TIMEOUT"
SHORTEST_REMINDER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Vote:
    """What somebody decided. `by` is `{type, id, name}`: two with one type and id are the same."""

    outcome: str
    comment: str | None
    by: JsonObject

    def to_json(self, now: datetime) -> JsonObject:
        """As outputs and lists show it."""
        return {"outcome": self.outcome, "comment": self.comment, "by": self.by, "at": iso(now)}


@dataclass(frozen=True, slots=True)
class ReviewConfig:
    """What is to be decided, by whom, and how long they have."""

    title: TextTemplate
    outcomes: tuple[str, ...]
    assign_to: Template | None
    notify: Template | None
    four_eyes: bool
    within: timedelta | None
    remind_every: timedelta | None


class ReviewKind(WaitingKind):
    """Rests until a person has decided, or two of them have decided the same."""

    name = "review"
    subject = "review"
    own_languages = True
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Waits for a person's decision: `POST /workflows/{id}/reviews/{step}`.",
        "additionalProperties": False,
        "required": ["title", "outcomes"],
        "properties": {
            "title": part("text", "What is to be decided; `${…}` in it is replaced."),
            "outcomes": {
                "type": "array",
                "description": "What may be decided; later steps read `steps.<id>.outcome`.",
                "minItems": 2,
                "maxItems": 20,
                "uniqueItems": True,
                "items": {"type": "string", "minLength": 1, "maxLength": 100},
                "examples": [["approve", "reject"]],
            },
            "assignTo": {
                "type": "string",
                "minLength": 1,
                "description": "The role that decides, or a person's e-mail address; without it, every key may decide.",
                "examples": ["compliance", "${parameters.manager}"],
            },
            "notify": {
                "type": ["string", "array"],
                "description": "Addresses that get a message when a decision is wanted, and the reminders.",
                "minLength": 1,
                "minItems": 1,
                "items": {"type": "string", "minLength": 1},
                "examples": [["compliance@example.com"]],
            },
            "fourEyes": {
                "type": "boolean",
                "default": False,
                "description": "Two different people must decide the same.",
            },
            "within": part("duration", "How long they have; then the step fails with REVIEW_TIMEOUT: see `onError`."),
            "remindEvery": part("duration", "How often they are reminded; a minute at least, never by default."),
        },
        "examples": [{"title": "Manual check", "outcomes": ["approve", "reject"], "within": "2d"}],
    }

    def compile(self, value: Json, path: Path, compiling: Compiling) -> ReviewConfig:
        for at, given in _written_out(value):
            try:
                Address.parse(given)
            except ValueError as error:
                compiling.problem((*path, *at), f"{error}")
        every = compiling.duration(value["remindEvery"], (*path, "remindEvery")) if "remindEvery" in value else None
        if every is not None and every < SHORTEST_REMINDER:
            compiling.problem((*path, "remindEvery"), "is too often: people are reminded once a minute at the most")
        return ReviewConfig(
            title=compiling.text_template(value["title"], (*path, "title"), insert=in_text),
            outcomes=tuple(value["outcomes"]),
            assign_to=_template("assignTo", value, path, compiling),
            notify=_template("notify", value, path, compiling),
            four_eyes=value.get("fourEyes", False),
            within=compiling.duration(value["within"], (*path, "within")) if "within" in value else None,
            remind_every=every,
        )

    def wait(self, config: ReviewConfig, scope: Scope, now: datetime) -> Wait:
        assignee = config.assign_to.render(scope) if config.assign_to is not None else None
        if assignee is not None and (not isinstance(assignee, str) or not assignee.strip()):
            raise StepFailure("REVIEW_INVALID", "`assignTo` gave no text: it must be a role or an e-mail address")
        given = config.notify.render(scope) if config.notify is not None else []
        note = {
            "title": rendered(config.title, scope),
            "assignTo": assignee,
            "notify": _receivers(given, assignee),
            "requestedAt": iso(now),
            "votes": [],
        }
        return Wait(
            until=now + config.within if config.within is not None else None,
            remind=self.remind_again(config, now),
            note=note,
        )

    def answer(self, config: ReviewConfig, note: Json, answer: Vote, now: datetime) -> Done | Kept:
        if answer.outcome not in config.outcomes:
            allowed = ", ".join(f"`{outcome}`" for outcome in config.outcomes)
            raise Refusal("REVIEW_OUTCOME_UNKNOWN", f"`{answer.outcome}` cannot be decided here; send one of {allowed}")
        vote = answer.to_json(now)
        if not config.four_eyes:
            return Done(vote)
        votes = [*note["votes"], vote]
        last = _last_votes(note["votes"])
        mine = last.pop(_who(vote), None)
        if mine is not None and (not last or mine["outcome"] == answer.outcome):
            raise Refusal(
                "REVIEW_NEEDS_ANOTHER",
                f"you decided `{mine['outcome']}` already: under four eyes somebody else has to decide now",
            )
        if any(other["outcome"] == answer.outcome for other in last.values()):
            return Done({**vote, "votes": votes})
        return Kept({**note, "votes": votes}, "voted")

    def elapsed(self, config: ReviewConfig) -> Done:
        raise StepFailure(REVIEW_TIMEOUT, "nobody decided in time: see `within`")

    def remind_again(self, config: ReviewConfig, now: datetime) -> datetime | None:
        return now + config.remind_every if config.remind_every is not None else None

    def cannot_stay(self, config: ReviewConfig, event: str | None, note: Json) -> str | None:
        gone = sorted({vote["outcome"] for vote in note["votes"]} - set(config.outcomes))
        return f"somebody decided {quoted(gone)} already, which is no outcome there" if gone else None

    def has_receivers(self, config: ReviewConfig, note: Json) -> bool:
        return bool(note["notify"])

    def facts(self, config: ReviewConfig, note: Json, output: Json = None) -> JsonObject:
        return {"assignTo": note["assignTo"], "outcome": output["outcome"] if output else None}

    def waiting(self, config: ReviewConfig, note: Json) -> JsonObject:
        return {
            "title": note["title"],
            "outcomes": list(config.outcomes),
            "assignTo": note["assignTo"],
            "fourEyes": config.four_eyes,
            "requestedAt": note["requestedAt"],
            "votes": note["votes"],
        }

    def described(self, config: ReviewConfig, note: Json) -> Json:
        return self.waiting(config, note)


def _last_votes(votes: list[JsonObject]) -> dict[tuple[str, str], JsonObject]:
    """What everybody who has voted says now."""
    return {_who(vote): vote for vote in votes}


def _who(vote: JsonObject) -> tuple[str, str]:
    return vote["by"]["type"], vote["by"]["id"]


def _template(key: str, value: JsonObject, path: Path, compiling: Compiling) -> Template | None:
    return compiling.template(value[key], (*path, key)) if key in value else None


def _written_out(value: JsonObject) -> list[tuple[tuple[str | int, ...], str]]:
    """The addresses that stand in the definition itself, with their places."""
    notify = value.get("notify", [])
    placed: list[tuple[tuple[str | int, ...], str]] = (
        [(("notify", at), given) for at, given in enumerate(notify)]
        if isinstance(notify, list)
        else [(("notify",), notify)]
    )
    if "@" in value.get("assignTo", ""):
        placed.append((("assignTo",), value["assignTo"]))
    return [(place, given) for place, given in placed if "${" not in given]


def _receivers(given: Json, assignee: str | None) -> list[str]:
    """Everybody who gets a message, each once; the person to whom it is assigned is one of them."""
    receivers = given if isinstance(given, list) else [given]
    if assignee is not None and "@" in assignee:
        receivers = [*receivers, assignee]
    try:
        return list(dict.fromkeys(Address.parse(str(receiver)).mailbox for receiver in receivers))
    except ValueError as error:
        raise StepFailure("REVIEW_INVALID", f"an address in `notify` or `assignTo` {error}") from None
