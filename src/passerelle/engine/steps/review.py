"""`review`: a person decides. Its output is `{outcome, comment, by, at}`; under four eyes also every vote.

While it rests, its note holds what is to be decided, to whom it is assigned, who gets messages, the votes so far, and
its rules: they stay as they were when the decision was asked for, whatever the execution's revision says later. Only a
move that says so, by somebody who has not voted, gives it looser ones (`loosened`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext, TextTemplate
from passerelle.definitions.parts import part
from passerelle.definitions.readings import members
from passerelle.definitions.words import quoted
from passerelle.engine.kinds import Done, KeptWaiting, Refusal, StepFailure, Wait, WaitingKind
from passerelle.engine.user_kinds import in_text, rendered
from passerelle.kit.clock import iso
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.kit.mail.addresses import MailAddress

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
class Taking:
    """Somebody takes a review, is given it, or gives it back: `to` is `{id, name}`, None where nobody has it then.

    `instead_of`: the id of whoever has it as far as the asker knows; None for nobody.
    """

    to: JsonObject | None
    instead_of: str | None = None


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


class ReviewKind(WaitingKind[ReviewConfig]):
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

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> ReviewConfig:
        for at, given in _written_out(value):
            try:
                MailAddress.parse(given)
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

    def output_shape(self, config: ReviewConfig) -> JsonObject:
        votes = {"votes": {"type": "array"}} if config.four_eyes else {}
        return members({"outcome": {"enum": list(config.outcomes)}, "comment": {}, "by": {}, "at": {}, **votes})

    def wait(self, config: ReviewConfig, scope: Scope, now: datetime) -> Wait:
        assignee = _assignee(config, scope)
        given = config.notify.render(scope) if config.notify is not None else []
        note = {
            "title": rendered(config.title, scope),
            "assignTo": assignee,
            "notify": _receivers(given, assignee),
            "requestedAt": iso(now),
            "votes": [],
            "outcomes": list(config.outcomes),
            "fourEyes": config.four_eyes,
        }
        return Wait(
            until=now + config.within if config.within is not None else None,
            remind=self.remind_again(config, now),
            note=note,
        )

    def answer(self, config: ReviewConfig, note: KnownJson, answer: Vote | Taking, now: datetime) -> Done | KeptWaiting:
        if isinstance(answer, Taking):
            return KeptWaiting(_taken(note, answer, now), "assigned")
        _require_free(note, answer.by["id"])
        outcomes = _outcomes(config, note)
        if answer.outcome not in outcomes:
            allowed = ", ".join(f"`{outcome}`" for outcome in outcomes)
            raise Refusal("REVIEW_OUTCOME_UNKNOWN", f"`{answer.outcome}` cannot be decided here; send one of {allowed}")
        vote = answer.to_json(now)
        if not _four_eyes(config, note):
            return Done(vote)
        if answer.by["type"] == "key":
            raise Refusal(
                "REVIEW_NEEDS_PERSON", "under four eyes two persons decide: sign in, a key acts for a service"
            )
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
        return KeptWaiting({**note, "votes": votes, "takenBy": None}, "voted")

    def elapsed(self, config: ReviewConfig) -> Done:
        raise StepFailure(REVIEW_TIMEOUT, "nobody decided in time: see `within`")

    def remind_again(self, config: ReviewConfig, now: datetime) -> datetime | None:
        return now + config.remind_every if config.remind_every is not None else None

    def cannot_stay(self, config: ReviewConfig, event: str | None, note: KnownJson) -> str | None:
        gone = sorted({vote["outcome"] for vote in note["votes"]} - set(config.outcomes))
        return f"somebody decided {quoted(gone)} already, which is no outcome there" if gone else None

    def loosens(self, before: ReviewConfig, after: ReviewConfig, scope: Scope, note: KnownJson) -> str | None:
        more = sorted(set(after.outcomes) - set(_outcomes(before, note)))
        if _four_eyes(before, note) and not after.four_eyes:
            return "two persons have to decide it, and there one"
        if _assignee(after, scope) != note["assignTo"]:
            return "it is assigned to others there"
        return f"{quoted(more)} can be decided there, and cannot here" if more else None

    def loosened(self, config: ReviewConfig, scope: Scope, note: KnownJson) -> KnownJson:
        rules = {"outcomes": list(config.outcomes), "fourEyes": config.four_eyes, "assignTo": _assignee(config, scope)}
        return {**note, **rules}

    def has_receivers(self, config: ReviewConfig, note: KnownJson) -> bool:
        return bool(note["notify"])

    def facts(self, config: ReviewConfig, note: KnownJson, output: KnownJson = None) -> JsonObject:
        taken = note.get("takenBy")
        return {
            "assignTo": note["assignTo"],
            "takenBy": taken["id"] if taken else None,
            "outcome": output["outcome"] if output else None,
        }

    def waiting(self, config: ReviewConfig, note: KnownJson) -> JsonObject:
        return {
            "title": note["title"],
            "outcomes": _outcomes(config, note),
            "assignTo": note["assignTo"],
            "fourEyes": _four_eyes(config, note),
            "requestedAt": note["requestedAt"],
            "votes": note["votes"],
            "takenBy": note.get("takenBy"),
        }

    def described(self, config: ReviewConfig, note: KnownJson) -> KnownJson:
        return self.waiting(config, note)


def _assignee(config: ReviewConfig, scope: Scope) -> str | None:
    """Who decides. Raises `StepFailure`, `ExpressionError`."""
    assignee = config.assign_to.render(scope) if config.assign_to is not None else None
    if assignee is not None and (not isinstance(assignee, str) or not assignee.strip()):
        raise StepFailure("REVIEW_INVALID", "`assignTo` gave no text: it must be a role or an e-mail address")
    return assignee


def _outcomes(config: ReviewConfig, note: KnownJson) -> list[str]:
    """What may be decided: what could be when it was asked for, as far as the steps that follow know it.

    Reviews that began before their rules were kept have those of the revision.
    """
    return [outcome for outcome in note.get("outcomes", config.outcomes) if outcome in config.outcomes]


def _four_eyes(config: ReviewConfig, note: KnownJson) -> bool:
    return bool(note.get("fourEyes", config.four_eyes))


def _taken(note: JsonObject, taking: Taking, now: datetime) -> JsonObject:
    """The note once somebody else has the review. Raises `Refusal` where meanwhile another person got it."""
    _require_free(note, taking.instead_of)
    return {**note, "takenBy": None if taking.to is None else {**taking.to, "at": iso(now)}}


def _require_free(note: JsonObject, holder: str | None) -> None:
    """Raises `Refusal` where somebody else than `holder` has taken the review."""
    taken = note.get("takenBy")
    if taken is not None and taken["id"] != holder:
        raise Refusal("REVIEW_TAKEN", f"{taken['name']} has taken this review at {taken['at']}: take it over first")


def _last_votes(votes: list[JsonObject]) -> dict[tuple[str, str], JsonObject]:
    """What everybody who has voted says now."""
    return {_who(vote): vote for vote in votes}


def _who(vote: JsonObject) -> tuple[str, str]:
    return vote["by"]["type"], vote["by"]["id"]


def _template(key: str, value: JsonObject, path: Path, compiling: StepContext) -> Template | None:
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
        return list(dict.fromkeys(MailAddress.parse(str(receiver)).mailbox for receiver in receivers))
    except ValueError as error:
        raise StepFailure("REVIEW_INVALID", f"an address in `notify` or `assignTo` {error}") from None
