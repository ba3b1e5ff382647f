"""What somebody does at a step: submit it, go back, add to a list, take a file back, change the language."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from passerelle.end_user.pages.form_steps import about_of, form_of, parsed
from passerelle.end_user.pages.forms.model import Control, FormField
from passerelle.end_user.pages.forms.parsing import Parsed
from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.pages.forms.problems import sentences
from passerelle.end_user.pages.forms.view import element_id
from passerelle.end_user.pages.presenters import FRESHLY, Submission, presenters
from passerelle.end_user.session.errors import DRAFT_TOO_LARGE, NO_WAY_BACK, TOO_MANY_SUBMISSIONS
from passerelle.end_user.session.models import FieldProblem, Screen, StepView
from passerelle.end_user.session.service import EndUserSessions
from passerelle.kit.errors import PasserelleError
from passerelle.kit.json import Json
from passerelle.kit.language_choice import in_order
from passerelle.languages.language import Language
from passerelle.links.copies import Copies, TermsCopy
from passerelle.links.errors import COPIES_TOO_MANY
from passerelle.resources.errors import RESOURCE_NOT_FOUND


@dataclass(frozen=True)
class SubmissionOutcome:
    """What came of it.

    screen     the screen, where it is known already
    redirects  whether a browser without script loads the screen by its address: so that loading it again is harmless
    anchor     the element to go to, with `#`
    language   what the switch was set to
    """

    screen: Screen | None = None
    attempt: Submission = FRESHLY
    status: int = 200
    redirects: bool = True
    anchor: str = ""
    language: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_Act = Callable[[Screen, StepView, str, Posted, Language], Awaitable[SubmissionOutcome]]


class StepActions:
    """Everything that a step's form can ask for."""

    def __init__(self, sessions: EndUserSessions, copies: Copies) -> None:
        self._sessions = sessions
        self._copies = copies
        self._acts: Mapping[str, _Act] = {
            "back": self._back,
            "add": self._add,
            "remove": self._remove,
            "remove-file": self._remove_file,
            "language": self._language,
            "copy": self._copy,
        }

    async def act(self, screen: Screen, step: StepView, posted: Posted, language: Language) -> SubmissionOutcome:
        """Do what the pressed button says. Raises STEP_NOT_CURRENT, and what cannot be shown at the step."""
        name, _, about = (posted.last("_action") or "").partition(":")
        try:
            return await self._acts.get(name, self._submit)(screen, step, about, posted, language)
        except PasserelleError as error:
            code = error.problems[0].code
            if code == TOO_MANY_SUBMISSIONS.name:
                sentence = language("problem.too_fast", seconds=error.headers.get("Retry-After", "60"))
            elif code == DRAFT_TOO_LARGE.name:
                sentence = language("problem.too_large_page")
            else:
                raise
            values = {**step.values, **draft_of(step, posted, language)}
            attempt = Submission(values=values, general=[sentence])
            return SubmissionOutcome(screen, attempt, error.status, redirects=False, headers=error.headers)

    async def _submit(
        self, screen: Screen, step: StepView, _: str, posted: Posted, language: Language
    ) -> SubmissionOutcome:
        form = form_of(step)
        if form is None:
            return await self._submit_plain(screen, step, posted, language)
        found = parsed(form, posted, language, keep_blank=False)
        place = (screen.workspace_id, screen.execution_id, step.id, step.visit)
        shown = frozenset(posted.all("_shown") or ())
        hidden = self._sessions.hidden(screen, found.values)
        if _conditional(form) - set(hidden) - shown:
            await self._keep(screen, step, found)
            attempt = self._typed(step, found, hidden=hidden, notice=language("form.more"))
            return SubmissionOutcome(screen, attempt, redirects=False)
        try:
            return SubmissionOutcome(
                await self._sessions.submit(*place, found.values, language=language.page, seen=screen.seen)
            )
        except PasserelleError as error:
            if not all(isinstance(one, FieldProblem) for one in error.problems):
                raise
            told = [one for one in error.problems if isinstance(one, FieldProblem)]
            problems = sentences(form, told, language, found.values, about_of(step))
            await self._keep_what_can_be_kept(screen, step, found)
            attempt = self._typed(step, found, hidden=hidden, problems=problems)
            return SubmissionOutcome(screen, attempt, error.status, redirects=False)

    async def _submit_plain(
        self, screen: Screen, step: StepView, posted: Posted, language: Language
    ) -> SubmissionOutcome:
        presenter = presenters()[step.kind]
        values = presenter.read(step, posted, language)
        place = (screen.workspace_id, screen.execution_id, step.id, step.visit)
        try:
            return SubmissionOutcome(
                await self._sessions.submit(
                    *place,
                    values,
                    reading=presenter.reading(step, language, screen.proof),
                    language=language.page,
                    seen=screen.seen,
                )
            )
        except PasserelleError as error:
            problems = [one for one in error.problems if isinstance(one, FieldProblem)]
            if len(problems) < len(error.problems):
                raise
            said = {one.pointer or "": presenter.sentence(step, one, language) for one in reversed(problems)}
            attempt = Submission(values=values, problems=dict(reversed(said.items())))
            return SubmissionOutcome(screen, attempt, error.status, redirects=False)

    async def _back(
        self, screen: Screen, step: StepView, _: str, posted: Posted, language: Language
    ) -> SubmissionOutcome:
        await self._save(screen, step, draft_of(step, posted, language))
        try:
            return SubmissionOutcome(await self._sessions.back(screen.workspace_id, screen.execution_id))
        except PasserelleError as error:
            if error.problems[0].code != NO_WAY_BACK.name:
                raise
            return SubmissionOutcome()

    async def _add(
        self, screen: Screen, step: StepView, pointer: str, posted: Posted, language: Language
    ) -> SubmissionOutcome:
        """One more item of a list."""

        def add(items: list[Json], listed: FormField, _: int | None) -> int:
            item = listed.item
            items.append({} if item is not None and item.control is Control.GROUP else "")
            return len(items) - 1

        return await self._in_list(screen, step, pointer, None, posted, language, add)

    async def _remove(
        self, screen: Screen, step: StepView, pointer: str, posted: Posted, language: Language
    ) -> SubmissionOutcome:
        """One item of a list less."""
        around, _, number = pointer.rpartition("/")

        def remove(items: list[Json], _: FormField, index: int | None) -> int:
            if index is not None and index < len(items):
                items.pop(index)
            return max(0, min(index or 0, len(items) - 1))

        index = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else None
        return await self._in_list(screen, step, around, index, posted, language, remove)

    async def _in_list(
        self,
        screen: Screen,
        step: StepView,
        pointer: str,
        index: int | None,
        posted: Posted,
        language: Language,
        change: Callable[[list[Json], FormField, int | None], int],
    ) -> SubmissionOutcome:
        form = form_of(step)
        draft = draft_of(step, posted, language)
        found = _list_at(form, draft, pointer) if form is not None else None
        anchor = ""
        if found is not None:
            items, listed = found
            anchor = f"#{element_id(f'{pointer}/{change(items, listed, index)}')}"
        await self._save(screen, step, draft)
        return SubmissionOutcome(anchor=anchor)

    async def _remove_file(
        self, screen: Screen, step: StepView, about: str, _: Posted, __: Language
    ) -> SubmissionOutcome:
        place = (screen.workspace_id, screen.execution_id, step.id, step.visit)
        try:
            await self._sessions.remove_file(*place, UUID(about))
        except ValueError:
            pass  # nobody has such a button
        except PasserelleError as error:
            if error.problems[0].code != RESOURCE_NOT_FOUND.name:
                raise
        return SubmissionOutcome()

    async def _language(
        self, screen: Screen, step: StepView, code: str, posted: Posted, language: Language
    ) -> SubmissionOutcome:
        await self._save(screen, step, draft_of(step, posted, language))
        return SubmissionOutcome(language=code if in_order(code) else None)

    async def _copy(
        self, screen: Screen, step: StepView, _: str, posted: Posted, language: Language
    ) -> SubmissionOutcome:
        """What is agreed to, by e-mail."""
        if step.kind != "consent":
            return SubmissionOutcome()
        config, place = step.config, (screen.workspace_id, screen.execution_id)
        copy = TermsCopy(language.of(config["title"]), language.of(config["text"]), config["version"], language.page)
        try:
            notice = language("consent.mailed", email=await self._copies.send(*place, copy))
        except PasserelleError as error:
            if error.problems[0].code != COPIES_TOO_MANY.name:
                raise
            notice = language("consent.mailed_before", email=await self._copies.address(*place))
        values = {**step.values, **draft_of(step, posted, language)}
        return SubmissionOutcome(screen, Submission(values=values, notice=notice), redirects=False)

    async def _keep(self, screen: Screen, step: StepView, found: Parsed) -> None:
        await self._save(screen, step, found.draft())

    async def _keep_what_can_be_kept(self, screen: Screen, step: StepView, found: Parsed) -> None:
        """What was refused is shown again in any case; too much, or characters that nothing can store, only there."""
        try:
            await self._keep(screen, step, found)
        except PasserelleError as error:
            if not all(isinstance(one, FieldProblem) for one in error.problems):
                raise

    async def _save(self, screen: Screen, step: StepView, draft: dict[str, Json]) -> None:
        if draft:
            place = (screen.workspace_id, screen.execution_id, step.id, step.visit)
            await self._sessions.save(*place, draft, seen=screen.seen)

    def _typed(self, step: StepView, found: Parsed, **facts: Any) -> Submission:
        return Submission(values={**step.values, **found.draft()}, **facts)


def draft_of(step: StepView, posted: Posted, language: Language) -> dict[str, Json]:
    """What to keep of a step that is not submitted yet."""
    return presenters()[step.kind].read(step, posted, language)


def _conditional(form: FormField) -> set[str]:
    return {one.source for one in form.walk() if "visibleWhen" in one.schema}


def _list_at(form: FormField, draft: dict[str, Json], pointer: str) -> tuple[list[Json], FormField] | None:
    """The list that a pointer names within a draft, made where it was empty; None where the form has none there."""
    here: Any = draft
    around: FormField | None = form
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for number, part in enumerate(parts):
        if around is None:
            return None
        if isinstance(here, list):
            index = int(part) if part.isascii() and part.isdigit() and len(part) < 4 else len(here)
            if index >= len(here):
                return None
            here, around = here[index], around.item
            continue
        around = next((one for one in around.fields if one.name == part), None)
        if around is None or not isinstance(here, dict):
            return None
        if here.get(part) is None:
            here[part] = [] if number == len(parts) - 1 else {}
        here = here[part]
    return (here, around) if isinstance(here, list) and around is not None and around.item is not None else None
