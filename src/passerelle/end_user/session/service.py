"""What the end user sees and does, whoever draws the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.form_answers import LARGEST, FieldFinding, unfit
from passerelle.definitions.model import Definition, Step
from passerelle.end_user.session import errors
from passerelle.end_user.session.asking import Asking
from passerelle.end_user.session.changes import Changes
from passerelle.end_user.session.evidence import Evidence, Reading
from passerelle.end_user.session.files import FORGET_JOB, EndUserFiles, FilePlace, not_current, submitted
from passerelle.end_user.session.limits import Pace
from passerelle.end_user.session.models import FieldProblem, Preview, Screen, Seen, StoredStep
from passerelle.end_user.session.repository import KEPT_HERE, EndUserRepository, stored_step
from passerelle.end_user.session.showing import hidden_fields, pointers, screen_of, user_step
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import OPEN, State
from passerelle.engine.signals import Submitted, WentBack
from passerelle.engine.steps.form import FormConfig
from passerelle.engine.steps.upload import ANY, DocumentConfig, UploadConfig, UploadKind
from passerelle.engine.transitions import NotCurrent, NoWayBack, scope_of
from passerelle.engine.user_kinds import AnswerRefused, UserKind
from passerelle.kit.clock import Clock
from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.http.fields import FIELD_INVALID, FIELD_REQUIRED, FIELD_TYPE, FIELD_UNKNOWN, pointer
from passerelle.kit.jobs import Handler
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.rates import Rates
from passerelle.resources.errors import RESOURCE_NOT_FOUND
from passerelle.resources.opening import Rendition
from passerelle.resources.service import StoredFile
from passerelle.workflows.service import Executions

DRAFTS_KEPT: Final = timedelta(days=90)

_CODES: Final[Mapping[str, Code]] = {"required": FIELD_REQUIRED, "type": FIELD_TYPE, "unknown": FIELD_UNKNOWN}


class EndUserSessions:
    """The end user's side of every execution. Who the end user is was settled before: by a link or a token."""

    def __init__(
        self,
        executions: Executions,
        repository: EndUserRepository,
        files: EndUserFiles,
        changes: Changes,
        clock: Clock,
        rates: Rates,
        evidence: Evidence,
    ) -> None:
        self._executions = executions
        self._repository = repository
        self._files = files
        self.changes = changes
        self.evidence = evidence
        self._clock = clock
        self._pace = Pace(rates)
        self._asking = Asking(executions, self._pace, clock)

    def jobs(self) -> Mapping[str, Handler]:
        """What the feature's job does."""
        return {FORGET_JOB: self._files.forget}

    async def screen(self, workspace_id: UUID, execution_id: UUID) -> Screen:
        """What the end user sees now. Raises WORKFLOW_NOT_FOUND."""
        loaded, definition = await self._executions.look(workspace_id, execution_id, KEPT_HERE)
        # What the step was called before is known only now.
        kept = stored_step(loaded.beside) if not loaded.state.renamings else None
        screen = await self._screen(definition, loaded.state, loaded.seq, kept=kept)
        return replace(screen, seen=(loaded, definition))

    async def require_copy(self, execution_id: UUID) -> None:
        """One more copy of a text is made. Raises TOO_MANY_SUBMISSIONS."""
        await self._pace.require("copy", execution_id)

    async def save(
        self,
        workspace_id: UUID,
        execution_id: UUID,
        step: str,
        visit: int,
        values: JsonObject,
        *,
        seen: Seen | None = None,
    ) -> None:
        """Keep what was typed, field by field, right or wrong; it is there when the end user comes back.

        `seen`: what `screen` just saw, which spares another look; whether the step is over meanwhile is found anyway.
        Raises STEP_NOT_CURRENT, DRAFT_TOO_LARGE, TOO_MANY_SUBMISSIONS, and FIELD_UNKNOWN or FIELD_INVALID for what
        the step does not ask for or that cannot be kept.
        """
        await self._pace.require("save", execution_id)
        loaded, definition = seen or await self._executions.look(workspace_id, execution_id)
        found = _asked(definition, loaded.state, step, visit)
        known = found.kind.fields(found.config)
        findings = [*unfit(values)] or [
            FieldFinding((name,), "unknown", "is not a field here") for name in values if name not in known
        ]
        if findings:
            raise _refused(findings)
        if values and not await self._repository.save(workspace_id, execution_id, step, visit, values, LARGEST):
            loaded, _ = await self._executions.look(workspace_id, execution_id)
            _asked(definition, loaded.state, step, visit)
            raise errors.DRAFT_TOO_LARGE.error(f"more than {LARGEST:,} bytes were typed: shorten it, then go on")

    async def submit(
        self,
        workspace_id: UUID,
        execution_id: UUID,
        step: str,
        visit: int,
        values: JsonObject,
        *,
        reading: Reading | None = None,
        language: str | None = None,
        seen: Seen | None = None,
    ) -> Screen:
        """Finish a step and go on up to the next one, or until something takes longer. Once answered, it is kept.

        The same submission again (a double click, a repeated request) changes nothing and gives the present screen.
        `reading` says what was read and by whom: a consent keeps it, sealed. `language` is what the step was read in:
        the messages that follow are in it. `seen` as in `save`.
        Raises STEP_NOT_CURRENT, TOO_MANY_SUBMISSIONS, and everything that is wrong with the values at once, as
        `FieldProblem`s.
        """
        await self._pace.require("submit", execution_id)
        loaded, definition = seen or await self._executions.look(workspace_id, execution_id)
        answer = await self._answer(definition, loaded.state, step, visit, values)
        if findings := await self._refuted(definition, loaded.state, step, visit, values):
            await self._keep_typed(definition, loaded.state, step, visit, values)
            raise _refused(findings)
        try:
            evidence = None if reading is None else await self.evidence.of(loaded.state, step, visit, answer, reading)
            submitted = Submitted(step, visit, answer, evidence, language)
            run = await self._executions.happen(workspace_id, execution_id, submitted, loaded)
        except NotCurrent:
            return await self._again(workspace_id, execution_id, step, visit, answer)
        except AnswerRefused as refused:
            await self._keep_typed(definition, loaded.state, step, visit, values)
            raise _refused(refused.findings) from None
        if evidence is not None:
            await self.evidence.told(workspace_id, execution_id, step, evidence)
        return await self._screen(run.definition, run.state, run.seq, over=(step, visit))

    async def look_up(self, screen: Screen, values: JsonObject, field: str) -> tuple[FieldProblem, ...]:
        """What the check at a field of a screen that was seen says, where it asks somebody outside. Keeps nothing.

        `field` is the JSON pointer of the value. Raises TOO_MANY_SUBMISSIONS.
        """
        found, scope = self._form(screen)
        kept, wrong = found.config.check.check(values, scope)
        place = (screen.workspace_id, screen.execution_id)
        without = {finding.path for finding in wrong}
        return _problems(await self._asking.findings(*place, found.config, kept, scope, without=without, only=field))

    async def back(self, workspace_id: UUID, execution_id: UUID) -> Screen:
        """Return to the step before, with everything that was typed there and here.

        Raises STEP_NOT_CURRENT where the end user is asked nothing, NO_WAY_BACK, TOO_MANY_SUBMISSIONS.
        """
        await self._pace.require("submit", execution_id)
        loaded, _ = await self._executions.look(workspace_id, execution_id)
        here = loaded.state.lanes.get(ROOT)
        if here is None or here.step is None:
            raise errors.STEP_NOT_CURRENT.error("the end user is asked nothing now")
        try:
            run = await self._executions.happen(workspace_id, execution_id, WentBack(here.step, here.visit))
        except NotCurrent:
            raise not_current(here.step) from None
        except NoWayBack as error:
            raise errors.NO_WAY_BACK.error(str(error)) from None
        return await self._screen(run.definition, run.state, run.seq)

    async def add_file(
        self,
        workspace_id: UUID,
        execution_id: UUID,
        step: str,
        visit: int,
        name: str,
        stream: AsyncIterator[bytes],
        *,
        document: str = ANY,
        replaces: UUID | None = None,
    ) -> JsonObject:
        """Keep a file for an `upload` step; a broken upload leaves nothing and can be sent again.

        document   which of the step's documents it is
        replaces   the file whose place it takes
        Raises STEP_NOT_CURRENT, DOCUMENT_UNKNOWN, TOO_MANY_SUBMISSIONS, and what `EndUserFiles.add` raises.
        """
        await self._pace.require("file", execution_id)
        loaded, definition = await self._executions.look(workspace_id, execution_id)
        asked = _document(_asked(definition, loaded.state, step, visit), document)
        return await self._files.add(FilePlace(loaded.state.identity, step, visit, asked, replaces), name, stream)

    async def preview_file(
        self, workspace_id: UUID, execution_id: UUID, step: str, visit: int, resource_id: UUID
    ) -> tuple[StoredFile, AsyncIterator[bytes]]:
        """A small picture of a file of the step. Raises STEP_NOT_CURRENT, RESOURCE_NOT_FOUND, FILES_UNAVAILABLE."""
        loaded, definition = await self._executions.look(workspace_id, execution_id)
        _asked(definition, loaded.state, step, visit)
        kept = await self._repository.kept(workspace_id, execution_id, step, [step])
        if not any(file["resourceId"] == str(resource_id) and file.get("preview") for file in kept.files):
            raise RESOURCE_NOT_FOUND.error(f"the step {step} has no picture {resource_id}")
        return await self._files.read(workspace_id, resource_id, Rendition.PREVIEW)

    async def remove_file(
        self, workspace_id: UUID, execution_id: UUID, step: str, visit: int, resource_id: UUID
    ) -> None:
        """Take a file back before the step is submitted. Raises STEP_NOT_CURRENT, RESOURCE_NOT_FOUND."""
        await self._pace.require("file", execution_id)
        loaded, definition = await self._executions.look(workspace_id, execution_id)
        _require_upload(_asked(definition, loaded.state, step, visit))
        await self._files.remove(loaded.state.identity, step, visit, resource_id)

    def preview(self, screen: Screen, values: JsonObject) -> Preview:
        """What the form of a screen that was seen would say to these values, while somebody types. Keeps nothing."""
        found, scope = self._form(screen)
        hidden, findings = found.config.check.look(values, scope)
        return Preview(pointers(hidden), _problems(findings))

    def hidden(self, screen: Screen, values: JsonObject) -> tuple[str, ...]:
        """The fields of the form of a screen that was seen which these values hide, as in `StepView`."""
        found, scope = self._form(screen)
        return hidden_fields(found, values, scope)

    async def changed(self, workspace_id: UUID, execution_id: UUID, seq: int, wait: float) -> int:
        """The screen's `seq`, as soon as it is another than this one; after `wait` seconds as it is."""
        return await self.changes.after(workspace_id, execution_id, seq, wait)

    async def forget_old(self) -> None:
        """Delete drafts that nobody has touched for a season (their executions failed and were left so), and files
        that were never submitted."""
        await self._files.forget_abandoned()
        before = self._clock() - DRAFTS_KEPT
        while await self._repository.forget(before, 1_000) == 1_000:
            pass

    def _form(self, screen: Screen) -> tuple[Step, Scope]:
        assert screen.seen is not None
        assert screen.step is not None
        loaded, definition = screen.seen
        return definition.by_id[screen.step.id], scope_of(definition, loaded.state, self._clock())

    async def _answer(self, definition: Definition, state: State, step: str, visit: int, values: JsonObject) -> Json:
        """What is submitted. Files were sent before, so they are looked up; the record gets them before anybody reads
        that the step is over, and not if they are refused."""
        found = definition.by_id.get(step)
        if found is None or not isinstance(found.kind, UploadKind):
            return values
        identity, here = state.identity, state.lanes.get(ROOT)
        kept = await self._repository.kept(identity.workspace_id, identity.id, step, state.names_of(step))
        files = [submitted(file) for file in kept.files]
        answer = {"files": files}
        if state.status in OPEN and here is not None and (here.step, here.visit) == (step, visit):
            try:
                found.kind.submit(found.config, {}, answer, None, self._clock())
            except AnswerRefused as refused:
                raise _refused(refused.findings) from None
            await self._files.attach(definition, identity, files)
        return answer

    async def _refuted(
        self, definition: Definition, state: State, step_id: str, visit: int, values: JsonObject
    ) -> list[FieldFinding]:
        """Everything that is wrong with a form, where somebody outside says that something is."""
        step, here = definition.by_id.get(step_id), state.lanes.get(ROOT)
        if step is None or not isinstance(step.config, FormConfig) or not step.config.outside:
            return []
        if state.status not in OPEN or here is None or (here.step, here.visit) != (step_id, visit):
            return []
        scope = scope_of(definition, state, self._clock())
        kept, wrong = step.config.check.check(values, scope)
        found = await self._asking.findings(
            *(state.identity.workspace_id, state.identity.id, step.config, kept, scope),
            without={finding.path for finding in wrong},
        )
        return [*wrong, *found] if found else []

    async def _keep_typed(
        self, definition: Definition, state: State, step: str, visit: int, values: JsonObject
    ) -> None:
        """What was sent and refused is kept as if it had been typed only: the page may be loaded again."""
        kind, identity = definition.by_id[step].kind, state.identity
        if isinstance(kind, UserKind) and not unfit(values):
            known = kind.fields(definition.by_id[step].config)
            typed = {name: value for name, value in values.items() if name in known}
            if typed:
                await self._repository.save(identity.workspace_id, identity.id, step, visit, typed, LARGEST)

    async def _again(self, workspace_id: UUID, execution_id: UUID, step: str, visit: int, answer: Json) -> Screen:
        """The present screen, if this very answer was taken before. Raises STEP_NOT_CURRENT."""
        over, output = await self._repository.submitted(workspace_id, execution_id, step, visit)
        loaded, definition = await self._executions.look(workspace_id, execution_id)
        if not over or not _same(definition, loaded.state, step, answer, output, self._clock()):
            raise not_current(step)
        return await self._screen(definition, loaded.state, loaded.seq)

    async def _screen(
        self,
        definition: Definition,
        state: State,
        seq: int,
        *,
        kept: StoredStep | None = None,
        over: tuple[str, int] | None = None,
    ) -> Screen:
        """What the end user sees. `kept`: what is kept of the step, if it was read; `over`: the step that was just
        submitted, and at which visit: its drafts go."""
        step = user_step(definition, state)
        if step is not None and kept is None:
            kept = await self._kept(state, step.id, over)
        elif over is not None:
            await self._repository.drop(state.identity.workspace_id, state.identity.id, *over)
        return screen_of(definition, state, seq, kept, scope_of(definition, state, self._clock()))

    async def _kept(self, state: State, step: str, over: tuple[str, int] | None) -> StoredStep:
        place = (state.identity.workspace_id, state.identity.id)
        names = state.names_of(step)
        if over is None:
            return await self._repository.kept(*place, step, names)
        return await self._repository.go_on(*place, over, step, names)


def _asked(definition: Definition, state: State, step_id: str, visit: int) -> Step[UserKind]:
    """The step at which the execution waits for the end user. Raises STEP_NOT_CURRENT."""
    step = user_step(definition, state)
    if step is None or (step.id, state.lanes[ROOT].visit) != (step_id, visit):
        raise not_current(step_id)
    return step.of(UserKind)


def _require_upload(step: Step) -> UploadConfig:
    if not isinstance(step.config, UploadConfig):
        raise not_current(step.id)
    return step.config


def _document(step: Step, name: str) -> DocumentConfig:
    """One of the documents of an `upload` step. Raises DOCUMENT_UNKNOWN."""
    found = _require_upload(step).document(name)
    if found is None:
        raise errors.DOCUMENT_UNKNOWN.error(f"the step {step.id} asks for no document `{name}`: load the page again")
    return found


def _same(definition: Definition, state: State, step_id: str, answer: Json, output: Json, now: datetime) -> bool:
    """Whether an answer says what was taken before: whoever sends something else must learn that it is too late."""
    step = definition.by_id.get(step_id)
    if step is None or not isinstance(step.kind, UserKind):
        return False  # the execution has been moved to a revision that has no such step
    try:
        again = step.kind.submit(step.config, scope_of(definition, state, now), answer, None, now).output
    except (AnswerRefused, ExpressionError):
        return False
    moment = {"at": None}
    return again == output or (
        isinstance(again, dict) and isinstance(output, dict) and {**again, **moment} == {**output, **moment}
    )


def _refused(findings: Sequence[FieldFinding]) -> PasserelleError:
    return PasserelleError(400, _problems(findings))


def _problems(findings: Sequence[FieldFinding]) -> tuple[FieldProblem, ...]:
    return tuple(
        FieldProblem(
            code=_CODES.get(finding.keyword, FIELD_INVALID).name,
            message=f"`{'.'.join(map(str, finding.path))}` {finding.message}" if finding.path else finding.message,
            pointer=pointer(finding.path),
            keyword=finding.keyword,
            parameters=finding.parameters,
        )
        for finding in findings
    )
