"""Messages to those who are to decide: one when the review begins, and the reminders.

They are jobs, written in the commit that made them necessary. A server that does not take a message now is asked
again for a day, as long as the decision is still wanted; what became of it is an event.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote
from uuid import UUID

from passerelle.definitions.model import Definition, Text
from passerelle.engine.lanes import path_of, renamed_lane
from passerelle.engine.model import OPEN, State
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.runner import Runner
from passerelle.engine.steps.email import email_event
from passerelle.engine.steps.review import ReviewKind
from passerelle.engine.store import Gone
from passerelle.events.models import Event
from passerelle.kit.clock import Clock
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import JsonObject
from passerelle.kit.mail import Mail, MailError, MailLater, Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.reviews.repository import ReviewRepository

GIVEN_UP_AFTER: Final = timedelta(days=1)


class Notices:
    """Sends them."""

    def __init__(
        self, runner: Runner, repository: ReviewRepository, mail: Mail, clock: Clock, new_id: NewId, public_url: str
    ) -> None:
        self._runner = runner
        self._repository = repository
        self._mail = mail
        self._clock = clock
        self._new_id = new_id
        self._public_url = public_url

    async def run(self, job: JobRunning) -> None:
        """Send one, if it is still wanted. Raises `MailLater` where it is to be tried again."""
        notice: JsonObject = job.payload
        workspace_id, execution_id = UUID(notice["workspaceId"]), UUID(notice["executionId"])
        try:
            state, definition = await self._runner.look(workspace_id, execution_id)
        except Gone:
            return
        notice = _renamed(state, notice)
        position = state.lanes.get(notice["lane"])
        if position is None or not _waits(state, position, notice):
            return
        message = self._message(definition, state, position, notice)
        try:
            await self._mail.send(message)
        except MailLater as error:
            if self._clock() - datetime.fromisoformat(notice["at"]) < GIVEN_UP_AFTER:
                raise
            await self._tell(workspace_id, message.key, _said(error))
        except MailError as error:
            await self._tell(workspace_id, message.key, _said(error))
        else:
            await self._tell(workspace_id, message.key, None)

    async def _tell(self, workspace_id: UUID, key: str, error: str | None) -> None:
        event = email_event(key, error)
        assert event.data is not None
        await self._repository.tell(Event(workspace_id, self._new_id(), event.type, event.data, self._clock()))

    def _message(self, definition: Definition, state: State, position: LanePosition, notice: JsonObject) -> Message:
        step = definition.by_id[notice["step"]].of(ReviewKind)
        facts = step.kind.waiting(step.config, position.note)
        path = path_of(notice["lane"], notice["step"])
        title = _text(position.note["title"])
        about = _text(definition.title) if definition.title is not None else definition.name
        wanted = [
            f"Wanted is a decision on: {title}",
            "",
            f"Workflow   {about}",
            f"Execution  {state.identity.id}",
            f"Step       {path}",
            f"Outcomes   {', '.join(facts['outcomes'])}",
            *([f"Until      {position.ends:%Y-%m-%d %H:%M} UTC"] if position.ends is not None else []),
            *(["", "Two different people have to decide the same."] if facts["fourEyes"] else []),
            "",
            f"Decide at {self._public_url}/app/reviews/{state.identity.id}/{quote(path, safe='')}",
            f"or with: passerelle reviews decide {state.identity.id} '{path}' OUTCOME",
        ]
        return Message(
            key=f"{state.identity.id}:{path}:{notice['visit']}-{notice['attempt']}:{notice['at']}",
            date=self._clock(),
            to=tuple(MailAddress(mailbox) for mailbox in position.note["notify"]),
            subject=f"{'Reminder: ' if notice['reminder'] else ''}{title} ({about})",
            text="\n".join(wanted) + "\n",
        )


def _renamed(state: State, notice: JsonObject) -> JsonObject:
    """The notice with the names that its step has now, if that was renamed since the notice was written."""
    names = [notice["lane"], notice["step"]]
    for renaming in state.renamings:
        position = state.lanes.get(names[0])
        if position is not None and _waits(state, position, {**notice, "step": names[1]}):
            break
        names = [renamed_lane(names[0], renaming.names), renaming.names.get(names[1], names[1])]
    return {**notice, "lane": names[0], "step": names[1]}


def _waits(state: State, position: LanePosition, notice: JsonObject) -> bool:
    same = (position.step, position.visit, position.attempt) == (notice["step"], notice["visit"], notice["attempt"])
    return state.status in OPEN and same and position.phase is Phase.WAITING


def _text(text: Text) -> str:
    """In the first language that it has: nobody knows the reviewers'."""
    return text if isinstance(text, str) else next(iter(text.values()))


def _said(error: MailError) -> str:
    return f"{error.code} {error.reply}" if error.code is not None else error.message
