"""The end user's part against a model: whatever somebody does in whatever order, the screen is the one that the model
shows, with everything that was typed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from passerelle.end_user.session.models import Screen
from passerelle.engine.model import Status
from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from tests.integration.end_user.guests import House
from tests.integration.end_user.guests import house as opened

T = TypeVar("T")

PAGES = """
name: pages
title: Pages
expiresAfter: 2h
steps:
  - id: first
    form: {title: First, schema: {type: object, required: [a], properties: {a: {type: string}, b: {type: string}}}}
  - id: between
    set: {length: "${size(steps.first.a)}"}
  - id: second
    form: {title: Second, schema: {type: object, required: [a], properties: {a: {type: string}, b: {type: string}}}}
  - id: gate
    event: {within: 30d}
  - id: third
    form: {title: Third, schema: {type: object, required: [a], properties: {a: {type: string}, b: {type: string}}}}
  - id: bye
    message: {title: Bye, text: Done.}
"""
AFTER = {"first": "second", "second": "gate", "gate": "third", "third": "done"}
FORMS = ("first", "second", "third")
OVER = {"done": Status.COMPLETED, "cancelled": Status.CANCELLED, "expired": Status.EXPIRED}
TEXTS = st.sampled_from(["x", "Łódź", "<b>", "0"])
FIELDS = st.sampled_from(["a", "b"])
Values = dict[str, Any]


class Machine(RuleBasedStateMachine):
    """Rules are what somebody does with one tab, two tabs, or a bad network."""

    runner: ClassVar[asyncio.Runner]
    house: ClassVar[House]

    def __init__(self) -> None:
        super().__init__()
        self.here = "first"
        self.visits = {"first": 1}
        self.typed: dict[str, Values] = {name: {} for name in FORMS}
        self.sent: dict[str, Values] = {}
        self.taken: list[tuple[str, int, Values]] = []
        self.place = replace(self.house, workspace_id=new_id())
        self.do(self._begin())

    def do(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return self.runner.run(run())

    async def _begin(self) -> None:
        async with self.place.database.workspace(self.place.workspace_id) as connection:
            await connection.execute(
                "INSERT INTO workspace (workspace_id, name) VALUES ($1, 'Acme')", self.place.workspace_id
            )
        self.execution = await self.place.start(PAGES)

    def refused(self, work: Awaitable[object]) -> str:
        with pytest.raises(PasserelleError) as caught:
            self.do(work)
        return caught.value.problems[0].code

    def go(self, where: str) -> None:
        self.here = where
        self.visits[where] = self.visits.get(where, 0) + 1

    def present(self, screen: Screen) -> None:
        """The screen is where the model is, with what was typed there."""
        if self.here in FORMS:
            assert screen.step is not None
            assert (screen.step.id, screen.step.visit) == (self.here, self.visits[self.here])
            assert screen.step.values == {**self.sent.get(self.here, {}), **self.typed[self.here]}
            assert screen.step.can_go_back is (self.here == "second")
        else:
            assert screen.step is None
        assert screen.status is OVER.get(self.here, Status.RUNNING)

    # What somebody does.

    @rule(step=st.sampled_from(FORMS), name=FIELDS, text=TEXTS)
    def type(self, step: str, name: str, text: str) -> None:
        saving = self.place.save(self.execution, step, {name: text}, self.visits.get(step, 1))
        if step != self.here:
            assert self.refused(saving) == "STEP_NOT_CURRENT"
            return
        self.do(saving)
        self.typed[step][name] = text

    @rule(a=TEXTS, b=st.none() | TEXTS)
    def submit(self, a: str, b: str | None) -> None:
        step = self.here if self.here in FORMS else "first"
        values = {"a": a} | ({"b": b} if b is not None else {})
        visit = self.visits[step]
        submitting = self.place.submit(self.execution, step, values, visit)
        if self.here not in FORMS:
            if (step, visit, values) in self.taken:
                self.present(self.do(submitting))
            else:
                assert self.refused(submitting) == "STEP_NOT_CURRENT"
            return
        self.taken.append((step, visit, values))
        self.sent[step], self.typed[step] = values, {}
        self.go(AFTER[step])
        self.present(self.do(submitting))

    @precondition(lambda self: self.here in FORMS)
    @rule(b=TEXTS, extra=st.booleans())
    def submit_too_little(self, b: str, extra: bool) -> None:
        values = {"b": b} | ({"invented": "x"} if extra else {})
        submitting = self.place.submit(self.execution, self.here, values, self.visits[self.here])
        assert self.refused(submitting) in ("FIELD_REQUIRED", "FIELD_UNKNOWN")
        self.typed[self.here]["b"] = b

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), changed=st.booleans())
    def submit_again(self, data: st.DataObject, changed: bool) -> None:
        """A double click, a repeated request, or another tab that is late."""
        step, visit, values = data.draw(st.sampled_from(self.taken))
        if changed:
            late = self.place.submit(self.execution, step, {**values, "a": "something else"}, visit)
            assert self.refused(late) == "STEP_NOT_CURRENT"
        else:
            self.present(self.do(self.place.submit(self.execution, step, values, visit)))

    @rule()
    def go_back(self) -> None:
        going = self.place.back(self.execution)
        if self.here == "second":
            self.go("first")
            self.present(self.do(going))
        else:
            expected = "NO_WAY_BACK" if self.here in FORMS else "STEP_NOT_CURRENT"
            assert self.refused(going) in (expected, "NO_WAY_BACK" if self.here == "gate" else expected)

    # What happens beside.

    @precondition(lambda self: self.here == "gate")
    @rule()
    def the_outside_answers(self) -> None:
        self.do(self.place.executions.receive(self.place.workspace_id, self.execution, "gate", None, new_id()))
        self.go("third")

    @precondition(lambda self: len(self.taken) > 1 and self.here not in OVER)
    @rule()
    def cancel(self) -> None:
        self.do(self.place.executions.cancel(self.place.workspace_id, self.execution, None))
        self.here = "cancelled"

    @precondition(lambda self: len(self.taken) > 1)
    @rule()
    def time_is_over(self) -> None:
        self.do(self.place.due(self.execution, timedelta(hours=3)))
        if self.here not in OVER:
            self.here = "expired"

    @invariant()
    def the_screen_is_the_models(self) -> None:
        self.present(self.do(self.place.screen(self.execution)))

    @invariant()
    def everything_was_recorded_once(self) -> None:
        rows = self.do(self.place.rows("SELECT step, visit, output FROM step_run WHERE status = 'COMPLETED'"))
        found = [(row["step"], row["visit"], row["output"]) for row in rows if row["step"] in FORMS]
        assert sorted(found, key=str) == sorted(self.taken, key=str)

    def teardown(self) -> None:
        if self.here in OVER:
            assert self.do(self.place.value("SELECT count(*) FROM visitor_draft")) == 0


def test_the_end_users_part_does_what_the_model_says(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with asyncio.Runner() as runner:
        database = runner.run(Database.open(database_url, size=2))
        holding = opened(database, database_url, new_id())
        house = runner.run(holding.__aenter__())
        for name, value in (("runner", runner), ("house", house)):
            monkeypatch.setattr(Machine, name, value, raising=False)
        try:
            # Without shrinking: ids are random, and a smaller example costs minutes.
            chosen = settings(
                max_examples=15, stateful_step_count=20, deadline=None, phases=[Phase.explicit, Phase.generate]
            )
            run_state_machine_as_test(Machine, settings=chosen)
        finally:
            runner.run(holding.__aexit__(None, None, None))
            runner.run(database.close())
