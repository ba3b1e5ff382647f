"""What the end user sees of an execution: the page, how far they have come, and what goes on without them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.kinds import Path
from passerelle.definitions.model import Definition, Step, Text
from passerelle.end_user.session.models import Agreed, Screen, StepView, StoredStep
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import ENDED, OPEN, State, Status
from passerelle.engine.positions import Phase
from passerelle.engine.steps.consent import ConsentKind
from passerelle.engine.steps.form import FormConfig, FormKind
from passerelle.engine.steps.upload import UploadKind
from passerelle.engine.transitions import way_back
from passerelle.engine.user_kinds import UserKind, rendered
from passerelle.kit.http.fields import pointer
from passerelle.kit.json import Json, JsonObject


def screen_of(definition: Definition, state: State, seq: int, kept: StoredStep | None, scope: Scope) -> Screen:
    """What the end user sees. `kept`: what is kept of the step at which the execution waits for them."""
    step = user_step(definition, state)
    end = _end_page(definition, state, scope)
    return Screen(
        workspace_id=state.identity.workspace_id,
        execution_id=state.identity.id,
        locale=state.identity.locale,
        language=state.language,
        languages=definition.languages,
        title=definition.title,
        status=state.status,
        seq=seq,
        step=_shown(definition, state, step, kept, scope) if step is not None and kept is not None else None,
        end=end,
        background=_background(definition, state),
        progress=_progress(definition, state, scope),
        redirect=end.config.get("redirect") if end is not None else None,
        agreed=tuple(_agreed(definition, state, scope)),
    )


def user_step(definition: Definition, state: State) -> Step[UserKind] | None:
    """The step at which the execution waits for the end user."""
    position = state.lanes.get(ROOT)
    if state.status not in OPEN or position is None or position.phase is not Phase.WAITING:
        return None
    step = definition.by_id[str(position.step)]
    return step.of(UserKind) if isinstance(step.kind, UserKind) else None


def _shown(definition: Definition, state: State, step: Step[UserKind], kept: StoredStep, scope: Scope) -> StepView:
    position, values = state.lanes[ROOT], _values(step, kept, scope)
    return StepView(
        id=step.id,
        visit=position.visit,
        kind=step.kind.name,
        config=step.kind.show(step.config, scope),
        schema=step.config.form.source if isinstance(step.config, FormConfig) else None,
        values=values,
        hidden=hidden_fields(step, values, scope),
        asked=pointers(step.config.outside) if isinstance(step.config, FormConfig) else (),
        files=kept.files if isinstance(step.kind, UploadKind) else (),
        wish=position.note["asked"]["note"] if position.note else "",
        can_go_back=way_back(definition, state) is not None,
    )


def _values(step: Step[UserKind], kept: StoredStep, scope: Scope) -> dict[str, Json]:
    """Drafts over what was submitted before, over what is filled in beforehand."""
    known = step.kind.fields(step.config)
    start: JsonObject = kept.earlier if isinstance(kept.earlier, dict) else step.kind.initial(step.config, scope)
    layers = [start, *kept.drafts]
    return {name: value for layer in layers for name, value in layer.items() if name in known}


def hidden_fields(step: Step, values: JsonObject, scope: Scope) -> tuple[str, ...]:
    """Pointers to the fields that are not shown while the form has these values."""
    if not isinstance(step.kind, FormKind):
        return ()
    return pointers(step.config.check.hidden(values, scope))


def pointers(places: Iterable[Path]) -> tuple[str, ...]:
    """The places as JSON pointers, sorted."""
    return tuple(sorted(map(pointer, places)))


def _end_page(definition: Definition, state: State, scope: Scope) -> StepView | None:
    """The end page that the execution has passed, if the end user has nothing else to do."""
    if state.status not in (Status.AWAITING, Status.COMPLETED):
        return None
    visits = state.visits.get(ROOT, {})
    passed = [step for step in definition.steps if step.id in definition.user_part.end_pages and visits.get(step.id)]
    shown = [view for step in passed if (view := _ended(step.of(UserKind), visits[step.id], scope)) is not None]
    return shown[-1] if shown else None


def _ended(step: Step[UserKind], visit: int, scope: Scope) -> StepView | None:
    if not _is_met(step, scope):
        return None
    try:
        return StepView(step.id, visit, step.kind.name, step.kind.show(step.config, scope))
    except ExpressionError:  # as above
        return None


def _agreed(definition: Definition, state: State, scope: Scope) -> Iterator[Agreed]:
    visits = state.visits.get(ROOT, {})
    for step in definition.steps:
        output = state.outputs.get(step.id)
        if not isinstance(step.kind, ConsentKind) or not isinstance(output, dict) or not output.get("accepted"):
            continue
        with suppress(ExpressionError):  # it reads what was undone since
            yield Agreed(step.id, visits.get(step.id, 1), rendered(step.config.title, scope))


def _background(definition: Definition, state: State) -> tuple[Text, ...]:
    """What goes on: the steps under way that do not wait for the end user."""
    if state.status not in OPEN:
        return ()
    here = dict.fromkeys(position.step for position in state.lanes.values() if position.step is not None)
    return tuple(_titled(step) for name in here if not (step := definition.by_id[name]).kind.user_facing)


def _titled(step: Step) -> Text:
    return step.id if step.title is None else step.title


def _progress(definition: Definition, state: State, scope: Scope) -> tuple[int, int]:
    """Pages that the end user has come to, and as many as there may be in all.

    What a branch leaves out shortens the whole; the number of the page goes on by one.
    """
    position = state.lanes.get(ROOT)
    over = state.status in ENDED or state.status is Status.AWAITING or position is None
    here = position.step if position is not None and not over else None
    end = definition.positions.get(here, len(definition.steps)) if here is not None else len(definition.steps)
    asked = [definition.by_id[step] for step in definition.user_part.asked]
    before = sum(1 for step in asked if definition.positions[step.id] < end and _passed(step, state, scope))
    if here is None:
        return before, before
    all_ = before + (here in definition.user_part.asked) + definition.user_part.ahead.get(here, 0)
    return min(before + 1, all_), all_


def _passed(step: Step, state: State, scope: Scope) -> bool:
    """Whether the end user was asked: a step that was skipped counts as reached, too."""
    if step.id in state.outputs:
        return True
    # A page without an answer has no output.
    return bool(state.visits.get(ROOT, {}).get(step.id)) and _is_met(step, scope)


def _is_met(step: Step, scope: Scope) -> bool:
    try:
        return step.when is None or step.when.evaluate(scope) is True
    except ExpressionError:  # it was not shown then either: the step failed, and the workflow went on
        return False
