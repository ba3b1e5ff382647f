"""The other side of every call that a scenario's execution makes: the scenario's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from passerelle.definitions.model import Step
from passerelle.engine.kinds import StepFailure
from passerelle.engine.lanes import split_path
from passerelle.kit.clock import Clock, iso
from passerelle.kit.json import Json, dumps
from passerelle.kit.outgoing import (
    AnswerTooLarge,
    OutgoingAnswer,
    OutgoingError,
    OutgoingRefused,
    OutgoingTimeout,
    OutgoingUnreachable,
    OutgoingUnreadable,
)
from passerelle.kit.outgoing.fake import FakeOutgoing, SentRequest
from passerelle.kit.outgoing.target import origin_of, target_of
from passerelle.scenarios.models import Answer, Answers, Failing, FakedFailure, NoReply, Output, Reply, Unset

_FAILING: Final[Mapping[Failing, tuple[type[OutgoingError], str]]] = {
    "timeout": (OutgoingTimeout, "did not answer in time"),
    "connection": (OutgoingUnreachable, "could not be reached"),
    "unreadable": (OutgoingUnreadable, "sent an answer that cannot be read"),
    "tooLarge": (AnswerTooLarge, "answered too much"),
    "refused": (OutgoingRefused, "may not be asked"),
}


class ScriptedOutside:
    """Gives the answers of one scenario, notes what was sent, and what had no answer."""

    def __init__(self, answers: Mapping[str, Answers]) -> None:
        self.requests: list[tuple[str, SentRequest]] = []
        self.problems: list[str] = []
        self._answers = answers
        self._taken = dict.fromkeys(answers, 0)

    def instead(self, step: Step, path: str, clock: Clock) -> Callable[[], Json] | None:
        """What is called in the place of the step's kind; None where the kind is to be called."""
        answer = self.next(path)
        if answer is None:
            self._note(path)
            raise LookupError(path)
        if isinstance(answer, Output | FakedFailure):
            self.took(path)
            return lambda: _given(step, answer, clock)
        return None

    def outgoing(self, path: str) -> FakeOutgoing:
        """The client that the step's kind gets."""

        def respond(request: SentRequest) -> OutgoingAnswer:
            self.requests.append((path, request))
            answer = self.next(path)
            if not isinstance(answer, Reply | NoReply):
                self._note(path)
                raise OutgoingRefused("The scenario has no answer.")
            self.took(path)
            return _replied(request, answer)

        return FakeOutgoing(respond)

    def next(self, path: str) -> Answer | None:
        """What the step at `path` is answered next, if anything."""
        name = self._name(path)
        answers = self._answers.get(name)
        if answers is None:
            return None
        number = 0 if answers.alone else self._taken[name]
        return answers.items[number] if number < len(answers.items) else None

    def serves_every_call(self, path: str) -> bool:
        """Whether the answer for this step stands alone."""
        return self._answers[self._name(path)].alone

    def took(self, path: str) -> None:
        """What `next` told has been given."""
        self._taken[self._name(path)] += 1

    def unused(self) -> Iterator[str]:
        """What the scenario gives and nobody asked for: most likely the flow went another way than was meant."""
        for step, answers in self._answers.items():
            left = (0 if self._taken[step] else 1) if answers.alone else len(answers.items) - self._taken[step]
            if left > 0 and not answers.optional:
                given = "its answer" if len(answers.items) == 1 else f"{left} of its {len(answers.items)} answers"
                yield f"`{step}` did not ask for {given}: remove what is not needed, or look at the path"

    def _name(self, path: str) -> str:
        """Under which name the scenario answers a step: its place, else its id."""
        return path if path in self._answers else split_path(path)[1]

    def _note(self, step: str) -> None:
        count = self._taken.get(self._name(step), 0)
        if count == 0:
            self.problems.append(f"`{step}` asks the outside, and the scenario has no answer: write one in `answers`")
        else:
            given = "1 answer" if count == 1 else f"{count} answers"
            self.problems.append(f"`{step}` asks once more than the {given} that the scenario has: add one to its list")


def _given(step: Step, answer: Output | FakedFailure, clock: Clock) -> Json:
    if isinstance(answer, FakedFailure):
        raise StepFailure(answer.code, answer.message, reason=answer.reason)
    if step.kind.name != "check" or not isinstance(answer.value, dict):
        return answer.value
    # A scenario says as little of a check's output as it needs; steps read all of it.
    passed = answer.value.get("status", "valid") == "valid"
    whole = {"passed": passed, "status": "valid", "reasons": [], "data": {}, "source": "scenario"}
    return {**whole, "checkedAt": iso(clock()), **answer.value}


def _replied(request: SentRequest, answer: Reply | NoReply) -> OutgoingAnswer:
    if isinstance(answer, NoReply):
        error, said = _FAILING[answer.failing]
        raise error(f"{origin_of(target_of(request.url))} {said}.")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if isinstance(answer.body, Unset):
        return OutgoingAnswer(answer.status, headers, b"")
    text = answer.body if isinstance(answer.body, str) else None
    headers.setdefault("content-type", "application/json" if text is None else "text/plain; charset=utf-8")
    return OutgoingAnswer(answer.status, headers, (dumps(answer.body) if text is None else text).encode())
