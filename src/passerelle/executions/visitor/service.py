"""What the end user sees and does, whoever draws the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.form_answers import LARGEST, FieldFinding, unfit
from passerelle.definitions.kinds import Path
from passerelle.definitions.model import Definition, Step
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import ENDED, OPEN, Phase, State, Status, Submitted, WentBack
from passerelle.engine.steps.form import FormConfig, FormKind
from passerelle.engine.steps.upload import UploadConfig, UploadKind
from passerelle.engine.transitions import NotCurrent, NoWayBack, scope_of, way_back
from passerelle.engine.user_kinds import Refused, UserKind
from passerelle.errors import Code, PasserelleError
from passerelle.executions.service import Executions
from passerelle.executions.visitor import errors
from passerelle.executions.visitor.changes import Changes
from passerelle.executions.visitor.files import VisitorFiles, not_current
from passerelle.executions.visitor.limits import Pace
from passerelle.executions.visitor.models import FieldProblem, Kept, Preview, Screen, Seen, StepView, UserStep
from passerelle.executions.visitor.repository import VisitorRepository
from passerelle.kit.clock import Clock
from passerelle.kit.http.fields import FIELD_INVALID, FIELD_REQUIRED, FIELD_TYPE, FIELD_UNKNOWN, pointer
from passerelle.kit.json import Json, JsonObject

DRAFTS_KEPT: Final = timedelta(days=90)

_CODES: Final[Mapping[str, Code]] = {"required": FIELD_REQUIRED, "type": FIELD_TYPE, "unknown": FIELD_UNKNOWN}


class Visitor:
    """The end user's side of every execution. Who the end user is was settled before: by a link or a token."""

    def __init__(
        self,
        executions: Executions,
        repository: VisitorRepository,
        files: VisitorFiles,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self._executions = executions
        self._repository = repository
        self._files = files
        self.changes = changes
        self._clock = clock
        self._pace = Pace()

    async def screen(self, workspace_id: UUID, execution_id: UUID) -> Screen:
        """What the end user sees now. Raises WORKFLOW_NOT_FOUND."""
        loaded, definition = await self._executions.look(workspace_id, execution_id)
        screen = await self._screen(definition, loaded.state, loaded.seq)
        return replace(screen, seen=(loaded, definition))

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
        self._pace.require("save", execution_id)
        loaded, definition = seen or await self._executions.look(workspace_id, execution_id)
        found = _asked(definition, loaded.state, step, visit)
        assert isinstance(found.kind, UserKind)
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
        by: str | None = None,
        seen: Seen | None = None,
    ) -> Screen:
        """Finish a step and go on up to the next one, or until something takes longer. Once answered, it is kept.

        The same submission again (a double click, a repeated request) changes nothing and gives the present screen.
        `by` says who it was, where that is known; a consent keeps it. `seen` as in `save`.
        Raises STEP_NOT_CURRENT, TOO_MANY_SUBMISSIONS, and everything that is wrong with the values at once, as
        `FieldProblem`s.
        """
        self._pace.require("submit", execution_id)
        loaded, definition = seen or await self._executions.look(workspace_id, execution_id)
        answer = await self._answer(definition, loaded.state, step, visit, values)
        try:
            run = await self._executions.happen(workspace_id, execution_id, Submitted(step, visit, answer, by))
        except NotCurrent:
            return await self._again(workspace_id, execution_id, step, visit, answer)
        except Refused as refused:
            await self._keep_typed(definition, loaded.state, step, visit, values)
            raise _refused(refused.findings) from None
        await self._repository.drop(workspace_id, execution_id, step)
        return await self._screen(run.definition, run.state, run.seq)

    async def back(self, workspace_id: UUID, execution_id: UUID) -> Screen:
        """Return to the step before, with everything that was typed there and here.

        Raises STEP_NOT_CURRENT where the end user is asked nothing, NO_WAY_BACK, TOO_MANY_SUBMISSIONS.
        """
        self._pace.require("submit", execution_id)
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
        self, workspace_id: UUID, execution_id: UUID, step: str, visit: int, name: str, stream: AsyncIterator[bytes]
    ) -> JsonObject:
        """Keep a file for an `upload` step; a broken upload leaves nothing and can be sent again.

        Raises STEP_NOT_CURRENT, TOO_MANY_SUBMISSIONS, and what `VisitorFiles.add` raises.
        """
        self._pace.require("file", execution_id)
        loaded, definition = await self._executions.look(workspace_id, execution_id)
        config = _upload_config(_asked(definition, loaded.state, step, visit))
        return await self._files.add(loaded.state.identity, step, visit, config, name, stream)

    async def remove_file(
        self, workspace_id: UUID, execution_id: UUID, step: str, visit: int, resource_id: UUID
    ) -> None:
        """Take a file back before the step is submitted. Raises STEP_NOT_CURRENT, RESOURCE_NOT_FOUND."""
        self._pace.require("file", execution_id)
        loaded, definition = await self._executions.look(workspace_id, execution_id)
        _upload_config(_asked(definition, loaded.state, step, visit))
        await self._files.remove(loaded.state.identity, step, visit, resource_id)

    def preview(self, screen: Screen, values: JsonObject) -> Preview:
        """What the form of a screen that was seen would say to these values, while somebody types. Keeps nothing."""
        found, scope = self._form(screen)
        hidden, findings = found.config.check.look(values, scope)
        return Preview(_pointers(hidden), _problems(findings))

    def hidden(self, screen: Screen, values: JsonObject) -> tuple[str, ...]:
        """The fields of the form of a screen that was seen which these values hide, as in `StepView`."""
        found, scope = self._form(screen)
        return _hidden(found, values, scope)

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

    async def close(self) -> None:
        """Let nobody wait any longer."""
        await self.changes.close()

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
        answer = {"files": list(kept.files)}
        if state.status in OPEN and here is not None and (here.step, here.visit) == (step, visit):
            try:
                found.kind.submit(found.config, {}, answer, None, self._clock())
            except Refused as refused:
                raise _refused(refused.findings) from None
            await self._files.attach(definition, identity, kept.files)
        return answer

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

    async def _screen(self, definition: Definition, state: State, seq: int) -> Screen:
        scope = scope_of(definition, state, self._clock())
        end = _end_page(definition, state, scope)
        return Screen(
            workspace_id=state.identity.workspace_id,
            execution_id=state.identity.id,
            locale=state.identity.locale,
            languages=definition.languages,
            title=definition.title,
            status=state.status,
            seq=seq,
            step=await self._step(definition, state, scope),
            end=end,
            background=_background(definition, state),
            progress=_progress(definition, state),
            redirect=end.config.get("redirect") if end is not None else None,
        )

    async def _step(self, definition: Definition, state: State, scope: Scope) -> StepView | None:
        position = state.lanes.get(ROOT)
        if state.status not in OPEN or position is None or position.phase is not Phase.WAITING:
            return None
        step = definition.by_id[str(position.step)]
        if not isinstance(step.kind, UserKind):
            return None
        kept = await self._repository.kept(
            state.identity.workspace_id, state.identity.id, step.id, state.names_of(step.id)
        )
        values = _values(step, kept, scope)
        return StepView(
            id=step.id,
            visit=position.visit,
            kind=_kind(step),
            config=step.kind.show(step.config, scope),
            schema=step.config.form.source if isinstance(step.config, FormConfig) else None,
            values=values,
            hidden=_hidden(step, values, scope),
            files=kept.files if isinstance(step.kind, UploadKind) else (),
            can_go_back=way_back(definition, state) is not None,
        )


def _asked(definition: Definition, state: State, step_id: str, visit: int) -> Step:
    """The step at which the execution waits for the end user. Raises STEP_NOT_CURRENT."""
    position = state.lanes.get(ROOT)
    if state.status not in OPEN or position is None or position.phase is not Phase.WAITING:
        raise not_current(step_id)
    if (position.step, position.visit) != (step_id, visit):
        raise not_current(step_id)
    step = definition.by_id[step_id]
    if not isinstance(step.kind, UserKind):
        raise not_current(step_id)
    return step


def _upload_config(step: Step) -> UploadConfig:
    if not isinstance(step.config, UploadConfig):
        raise not_current(step.id)
    return step.config


def _kind(step: Step) -> UserStep:
    return cast("UserStep", step.kind.name)


def _values(step: Step, kept: Kept, scope: Scope) -> dict[str, Json]:
    """Drafts over what was submitted before, over what is filled in beforehand."""
    assert isinstance(step.kind, UserKind)
    known = step.kind.fields(step.config)
    start: JsonObject = kept.earlier if isinstance(kept.earlier, dict) else step.kind.initial(step.config, scope)
    layers = [start, *kept.drafts]
    return {name: value for layer in layers for name, value in layer.items() if name in known}


def _hidden(step: Step, values: JsonObject, scope: Scope) -> tuple[str, ...]:
    if not isinstance(step.kind, FormKind):
        return ()
    return _pointers(step.config.check.hidden(values, scope))


def _pointers(places: Iterable[Path]) -> tuple[str, ...]:
    return tuple(sorted(map(pointer, places)))


def _end_page(definition: Definition, state: State, scope: Scope) -> StepView | None:
    """The end page that the execution has passed, if the end user has nothing else to do."""
    if state.status not in (Status.AWAITING, Status.COMPLETED):
        return None
    visits = state.visits.get(ROOT, {})
    passed = [step for step in definition.steps if step.id in definition.user_part.end_pages and visits.get(step.id)]
    shown = [view for step in passed if (view := _ended(step, visits[step.id], scope)) is not None]
    return shown[-1] if shown else None


def _ended(step: Step, visit: int, scope: Scope) -> StepView | None:
    assert isinstance(step.kind, UserKind)
    try:
        if step.when is not None and step.when.evaluate(scope) is not True:
            return None
        return StepView(step.id, visit, _kind(step), step.kind.show(step.config, scope))
    except ExpressionError:  # it was not shown then either: the step failed, and the workflow went on
        return None


def _background(definition: Definition, state: State) -> tuple[Any, ...]:
    """What goes on: the steps under way that do not wait for the end user."""
    if state.status not in OPEN:
        return ()
    here = dict.fromkeys(position.step for position in state.lanes.values() if position.step is not None)
    return tuple(_titled(step) for name in here if not (step := definition.by_id[name]).kind.user_facing)


def _titled(step: Step) -> Any:
    return step.id if step.title is None else step.title


def _progress(definition: Definition, state: State) -> tuple[int, int]:
    asked = definition.user_part.asked
    position = state.lanes.get(ROOT)
    if state.status in ENDED or state.status is Status.AWAITING or position is None or position.step is None:
        return len(asked), len(asked)
    here = definition.positions[position.step] if position.step in definition.by_id else len(definition.steps)
    before = sum(1 for step in asked if definition.positions[step] < here)
    return min(before + 1, len(asked)), len(asked)


def _same(definition: Definition, state: State, step_id: str, answer: Json, output: Json, now: datetime) -> bool:
    """Whether an answer says what was taken before: whoever sends something else must learn that it is too late."""
    step = definition.by_id.get(step_id)
    if step is None or not isinstance(step.kind, UserKind):
        return False  # the execution has been moved to a revision that has no such step
    try:
        again = step.kind.submit(step.config, scope_of(definition, state, now), answer, None, now).output
    except (Refused, ExpressionError):
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
