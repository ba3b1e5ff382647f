"""Links against a model: whatever is done to them in whatever order, they are in the state that the model says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.links.models import LIVE, EndUserSession, LinkState, MadeLink
from tests.integration.links.gatehouse import Gatehouse, code_of, secret_of

T = TypeVar("T")

CODES = {
    LinkState.SPENT: "LINK_SPENT",
    LinkState.EXPIRED: "LINK_EXPIRED",
    LinkState.SUPERSEDED: "LINK_SUPERSEDED",
    LinkState.DELETED: "LINK_DELETED",
    LinkState.CANCELLED: "LINK_CANCELLED",
    LinkState.FINISHED: "LINK_FINISHED",
}
ENDED = {
    "COMPLETED": LinkState.FINISHED,
    "FAILED": LinkState.FINISHED,
    "CANCELLED": LinkState.CANCELLED,
    "EXPIRED": LinkState.EXPIRED,
}


@dataclass
class Modelled:
    """What the model knows of a link."""

    made: MadeLink
    record: UUID | None
    status: str = "RUNNING"
    activated: bool = False
    superseded: bool = False
    deleted: bool = False
    holder: str | None = None
    """The secret of the browser that has the execution."""
    told: list[str] = field(default_factory=lambda: ["link.created"])
    early_challenge: str | None = None

    def state(self, now: datetime) -> LinkState:
        if self.deleted:
            return LinkState.DELETED
        if self.status == "CANCELLED" and self.superseded and not self.activated:
            return LinkState.SUPERSEDED
        if self.status != "RUNNING":
            return ENDED[self.status]
        if self.superseded:
            return LinkState.SUPERSEDED
        if now >= self.made.expires_at:
            return LinkState.EXPIRED
        return LinkState.SPENT if self.activated else LinkState.FRESH

    def bind(self, session: EndUserSession) -> None:
        self.holder = session.secret
        if not self.activated:
            self.activated = True
            self.told.append("link.activated")


class Machine(RuleBasedStateMachine):
    """Rules are what people, scanners and integrators do."""

    runner: ClassVar[asyncio.Runner]
    database: ClassVar[Database]
    key: ClassVar[RSAPrivateKey]

    links = Bundle("links")

    def __init__(self) -> None:
        super().__init__()
        self.house = Gatehouse(self.database, new_id())
        self.do(self.house.furnish(self.key))
        self.all: list[Modelled] = []
        self.sessions: set[str] = set()
        self.records = [None, uuid4(), uuid4()]

    def do(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return self.runner.run(run())

    def state(self, link: Modelled) -> LinkState:
        return link.state(self.house.clock())

    @rule(target=links, record=st.integers(0, 2))
    def create(self, record: int) -> Modelled:
        link = Modelled(self.do(self.house.link(record_id=self.records[record])), self.records[record])
        for older in self.all:
            if older.record is not None and older.record == link.record and not (older.superseded or older.deleted):
                if self.state(older) in LIVE:
                    older.told.append("link.superseded")
                older.superseded, older.holder = True, None
        self.all.append(link)
        return link

    @rule(link=links)
    def look(self, link: Modelled) -> None:
        view = self.do(self.house.links.look(secret_of(link.made)))
        assert view.state is self.state(link)
        if view.state in LIVE and "link.opened" not in link.told:
            link.told.append("link.opened")

    @rule(link=links)
    def open_the_page(self, link: Modelled) -> None:
        """Its script fetches a challenge, and nobody presses the button yet."""
        challenge = self.house.links.challenge(secret_of(link.made))
        if self.state(link) is LinkState.FRESH:
            link.early_challenge = self.do(challenge)
        else:
            assert self.do(code_of(challenge)) == CODES[self.state(link)]

    @rule(link=links)
    def press_start(self, link: Modelled) -> None:
        challenge, link.early_challenge = link.early_challenge, None
        self.activate(link, challenge, good=challenge is not None)

    @rule(link=links)
    def open_and_press_start(self, link: Modelled) -> None:
        if self.state(link) is LinkState.FRESH:
            self.activate(link, self.do(self.house.links.challenge(secret_of(link.made))), good=True)

    @rule(link=links, challenge=st.sampled_from([None, "", "invented"]))
    def submit_every_form_without_script(self, link: Modelled, challenge: str | None) -> None:
        self.activate(link, challenge, good=False)

    def activate(self, link: Modelled, challenge: str | None, *, good: bool) -> None:
        activating = self.house.links.activate(secret_of(link.made), challenge)
        state = self.state(link)
        if state is not LinkState.FRESH:
            assert self.do(code_of(activating)) == CODES[state]
        elif not good:
            assert self.do(code_of(activating)) == "CHALLENGE_REQUIRED"
        else:
            session = self.do(activating)
            self.sessions.add(session.secret)
            link.bind(session)

    @rule(link=links)
    def go_on_elsewhere_by_a_code(self, link: Modelled) -> None:
        self.pass_days(1)
        sending = self.house.links.send_code(secret_of(link.made))
        if self.state(link) not in LIVE:
            assert self.do(code_of(sending)) == CODES[self.state(link)]
            return
        self.do(sending)
        session = self.do(self.house.links.enter_code(secret_of(link.made), self.code_of(link)))
        self.sessions.add(session.secret)
        link.bind(session)

    def code_of(self, link: Modelled) -> str:
        """The code as the message would have it."""

        async def salt() -> bytes:
            async with self.database.workspace(self.house.workspace_id) as connection:
                query = "SELECT salt FROM link_code WHERE link_id = $1"
                found: bytes = await connection.fetchval(query, link.made.id)
                return found

        return self.house.credentials.code(link.made.id, self.do(salt()))

    @rule(link=links, asked=st.booleans())
    def guess_a_code(self, link: Modelled, asked: bool) -> None:
        if asked and self.state(link) in LIVE:
            self.pass_days(1)
            if self.state(link) in LIVE:
                self.do(self.house.links.send_code(secret_of(link.made)))
        expected = "CODE_WRONG" if self.state(link) in LIVE else CODES[self.state(link)]
        assert self.do(code_of(self.house.links.enter_code(secret_of(link.made), "0"))) == expected

    @rule(link=links)
    def delete(self, link: Modelled) -> None:
        self.do(self.house.links.delete(self.house.workspace_id, link.made.id))
        link.deleted, link.holder = True, None

    @rule(link=links, status=st.sampled_from(sorted(ENDED)))
    def end(self, link: Modelled, status: str) -> None:
        # What nobody had begun has ended with its link, and ends only once.
        if link.status == "RUNNING" and (link.activated or not (link.superseded or link.deleted)):
            self.do(self.house.end_execution(link.made.execution_id, status))
            link.status = status

    @rule(days=st.integers(1, 4))
    def wait(self, days: int) -> None:
        self.pass_days(days)

    def pass_days(self, days: int) -> None:
        """Time passes, and with it the life of every challenge."""
        self.house.clock.move(timedelta(days=days))
        for link in self.all:
            link.early_challenge = None

    @rule()
    def sweep(self) -> None:
        now = self.house.clock()
        self.do(self.house.links.sweep())
        for link in self.all:
            untouched = not (link.activated or link.superseded or link.deleted)
            if untouched and link.made.expires_at <= now and "swept" not in link.told:
                link.told += ["link.expired", "swept"] if link.status in ("RUNNING", "EXPIRED") else ["swept"]

    @invariant()
    def one_browser_has_each_execution(self) -> None:
        now = self.house.clock()
        holders = {link.holder for link in self.all if link.made.expires_at > now}
        alive = {secret for secret in self.sessions if self.do(self.house.links.session(secret)) is not None}
        assert alive == holders - {None}

    def teardown(self) -> None:
        rows = self.do(self.house.event_rows())
        for link in self.all:
            told = [row["type"] for row in rows if row["data"]["linkId"] == str(link.made.id)]
            assert sorted(told) == sorted(set(link.told) - {"swept"})


def test_links_do_what_the_model_says(
    house_url: str, private_key: RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asyncio.Runner() as runner:
        database = runner.run(Database.open(house_url, size=2))
        for name, value in (("runner", runner), ("database", database), ("key", private_key)):
            monkeypatch.setattr(Machine, name, value, raising=False)
        try:
            # Without shrinking: ids are random, and a smaller example costs minutes.
            chosen = settings(
                max_examples=25, stateful_step_count=25, deadline=None, phases=[Phase.explicit, Phase.generate]
            )
            run_state_machine_as_test(Machine, settings=chosen)
        finally:
            runner.run(database.close())
