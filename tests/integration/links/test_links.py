"""Links: what opens one, what does not, and what others hear of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox
from passerelle.links.models import EndUserSession, LinkRequest, LinkState
from tests.integration.links.gatehouse import ADDRESS, LIFE, PUBLIC_URL, Gatehouse, code_of, secret_of


async def activated(gatehouse: Gatehouse, secret: str) -> EndUserSession:
    return await gatehouse.links.activate(secret, await gatehouse.links.challenge(secret))


async def test_a_new_link_is_fresh_and_says_where_it_leads(gatehouse: Gatehouse) -> None:
    made = await gatehouse.link(locale="pl")
    assert made.url.startswith(f"{PUBLIC_URL}/l/")
    assert made.expires_at == gatehouse.clock() + LIFE
    view = await gatehouse.links.look(secret_of(made))
    assert (view.state, view.link_id, view.execution_id) == (LinkState.FRESH, made.id, made.execution_id)
    assert (view.locale, view.title) == ("pl", {"en": "Your company", "pl": "Twoja firma"})
    assert view.masked_email == "a•••@example.com"


async def test_looking_ten_times_changes_nothing_and_is_told_once(gatehouse: Gatehouse) -> None:
    """A scanner that fetches the link again and again, many at once, does not burn it."""
    secret = secret_of(await gatehouse.link())
    views = await asyncio.gather(*(gatehouse.links.look(secret) for _ in range(10)))
    assert {view.state for view in views} == {LinkState.FRESH}
    assert await gatehouse.events() == ["link.created", "link.opened"]
    await activated(gatehouse, secret)


async def test_a_scanner_that_submits_the_form_without_script_is_turned_away(gatehouse: Gatehouse) -> None:
    secret = secret_of(await gatehouse.link())
    for challenge in (None, "", "x", "A" * 75, "ż" * 75):
        assert await code_of(gatehouse.links.activate(secret, challenge)) == "CHALLENGE_REQUIRED"
    assert (await gatehouse.links.look(secret)).state is LinkState.FRESH
    await activated(gatehouse, secret)


async def test_a_challenge_is_for_one_link_and_ten_minutes(gatehouse: Gatehouse) -> None:
    one, other = secret_of(await gatehouse.link()), secret_of(await gatehouse.link())
    challenge = await gatehouse.links.challenge(one)
    assert await code_of(gatehouse.links.activate(other, challenge)) == "CHALLENGE_REQUIRED"
    gatehouse.clock.move(timedelta(minutes=10))
    assert await code_of(gatehouse.links.activate(one, challenge)) == "CHALLENGE_REQUIRED"


async def test_of_fifty_browsers_at_once_one_gets_in(gatehouse: Gatehouse) -> None:
    secret = secret_of(await gatehouse.link())
    challenges = [await gatehouse.links.challenge(secret) for _ in range(50)]
    results = await asyncio.gather(
        *(gatehouse.links.activate(secret, challenge) for challenge in challenges), return_exceptions=True
    )
    sessions = [result for result in results if isinstance(result, EndUserSession)]
    refusals = [result.problems[0].code for result in results if isinstance(result, PasserelleError)]
    assert (len(sessions), set(refusals), len(refusals)) == (1, {"LINK_SPENT"}, 49)
    assert await gatehouse.links.session(sessions[0].secret) == sessions[0]
    assert await gatehouse.events("link.activated") == ["link.activated"]


async def test_fifty_clicks_in_one_browser_are_one_activation_and_all_get_its_session(gatehouse: Gatehouse) -> None:
    """A double click cancels the first answer: the second must carry the same cookie."""
    secret = secret_of(await gatehouse.link())
    challenge = await gatehouse.links.challenge(secret)
    sessions = await asyncio.gather(*(gatehouse.links.activate(secret, challenge) for _ in range(50)))
    assert len({session.secret for session in sessions}) == 1
    assert await gatehouse.events("link.activated") == ["link.activated"]
    gatehouse.clock.move(timedelta(minutes=11))
    assert await code_of(gatehouse.links.activate(secret, challenge)) == "LINK_SPENT"


async def test_a_visit_goes_on_until_the_execution_s_time_is_over(gatehouse: Gatehouse) -> None:
    made = await gatehouse.link()
    session = await activated(gatehouse, secret_of(made))
    assert (session.execution_id, session.kind) == (made.execution_id, "link")
    gatehouse.clock.move(LIFE - timedelta(seconds=1))
    assert await gatehouse.links.session(session.secret) is not None
    gatehouse.clock.move(timedelta(seconds=1))
    assert await gatehouse.links.session(session.secret) is None
    assert (await gatehouse.links.look(secret_of(made))).state is LinkState.EXPIRED


@pytest.mark.parametrize("secret", ["", "x", "A" * 43, "ż" * 43, "A" * 100_000, "../../etc/passwd", "\x00" * 43])
async def test_an_invented_secret_opens_nothing(gatehouse: Gatehouse, secret: str) -> None:
    view = await gatehouse.links.look(secret)
    assert (view.state, view.execution_id, view.masked_email) == (LinkState.UNKNOWN, None, None)
    assert await code_of(gatehouse.links.challenge(secret)) == "LINK_NOT_FOUND"
    assert await code_of(gatehouse.links.activate(secret, "x")) == "LINK_NOT_FOUND"
    assert await code_of(gatehouse.links.send_code(secret)) == "LINK_NOT_FOUND"
    assert await code_of(gatehouse.links.enter_code(secret, "12345678")) == "LINK_NOT_FOUND"
    assert await gatehouse.links.session(secret) is None


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        ("COMPLETED", LinkState.FINISHED, "LINK_FINISHED"),
        ("FAILED", LinkState.FINISHED, "LINK_FINISHED"),
        ("CANCELLED", LinkState.CANCELLED, "LINK_CANCELLED"),
        ("EXPIRED", LinkState.EXPIRED, "LINK_EXPIRED"),
    ],
)
async def test_what_an_execution_came_to_shows_at_its_link(
    gatehouse: Gatehouse, status: str, state: LinkState, code: str
) -> None:
    made = await gatehouse.link()
    secret = secret_of(made)
    challenge = await gatehouse.links.challenge(secret)
    await gatehouse.end_execution(made.execution_id, status)
    view = await gatehouse.links.look(secret)
    assert (view.state, view.masked_email) == (state, None)
    assert await code_of(gatehouse.links.activate(secret, challenge)) == code
    assert await code_of(gatehouse.links.send_code(secret)) == code


async def test_a_deleted_link_is_no_longer_valid_and_its_visit_is_over(gatehouse: Gatehouse) -> None:
    made = await gatehouse.link()
    session = await activated(gatehouse, secret_of(made))
    await gatehouse.links.delete(gatehouse.workspace_id, made.id)
    await gatehouse.links.delete(gatehouse.workspace_id, made.id)
    assert (await gatehouse.links.look(secret_of(made))).state is LinkState.DELETED
    assert await gatehouse.links.session(session.secret) is None
    assert await code_of(gatehouse.links.enter_code(secret_of(made), "12345678")) == "LINK_DELETED"


async def test_a_link_of_another_workspace_cannot_be_deleted(gatehouse: Gatehouse) -> None:
    made = await gatehouse.link()
    for owner, link in ((new_id(), made.id), (gatehouse.workspace_id, new_id())):
        assert await code_of(gatehouse.links.delete(owner, link)) == "LINK_NOT_FOUND"
    assert (await gatehouse.links.look(secret_of(made))).state is LinkState.FRESH


# A newer link.


async def test_a_newer_link_for_the_same_record_makes_the_one_before_invalid(gatehouse: Gatehouse) -> None:
    record = uuid4()
    first = await gatehouse.link(record_id=record)
    session = await activated(gatehouse, secret_of(first))
    second = await gatehouse.link(record_id=record)
    assert (await gatehouse.links.look(secret_of(first))).state is LinkState.SUPERSEDED
    assert await gatehouse.links.session(session.secret) is None
    assert await code_of(gatehouse.links.activate(secret_of(first), None)) == "LINK_SUPERSEDED"
    assert (await gatehouse.links.look(secret_of(second))).state is LinkState.FRESH
    (told,) = await gatehouse.event_rows("link.superseded")
    assert told["data"]["linkId"] == str(first.id)
    assert told["execution_id"] == first.execution_id


async def test_what_nobody_has_begun_ends_with_its_link(gatehouse: Gatehouse) -> None:
    record = uuid4()
    unused, used = await gatehouse.link(record_id=record), await gatehouse.link(record_id=uuid4())
    await activated(gatehouse, secret_of(used))
    newer = await gatehouse.link(record_id=record)
    assert await gatehouse.status(unused.execution_id) == "CANCELLED"
    assert (await gatehouse.links.look(secret_of(unused))).state is LinkState.SUPERSEDED
    for link, status in ((newer, "CANCELLED"), (used, "RUNNING")):
        await gatehouse.links.delete(gatehouse.workspace_id, link.id)
        assert await gatehouse.status(link.execution_id) == status


async def test_what_a_token_was_made_for_ends_with_the_token_unless_somebody_has_begun_it(gatehouse: Gatehouse) -> None:
    """Every view of a page with the widget asks for a token; most are never used."""
    unused, used, fresh = await gatehouse.token(), await gatehouse.token(), None
    await gatehouse.links.open_token(used.token)
    gatehouse.clock.move(timedelta(minutes=59))
    fresh = await gatehouse.token()
    await gatehouse.links.sweep()
    assert await gatehouse.status(unused.execution_id) == "RUNNING"
    gatehouse.clock.move(timedelta(minutes=2))
    await gatehouse.links.sweep()
    assert [await gatehouse.status(one.execution_id) for one in (unused, used, fresh)] == [
        "CANCELLED", "RUNNING", "RUNNING",
    ]  # fmt: skip


async def test_links_without_a_record_or_for_another_definition_are_independent(gatehouse: Gatehouse) -> None:
    record = uuid4()
    links = [
        await gatehouse.link(),
        await gatehouse.link(),
        await gatehouse.link(record_id=record),
        await gatehouse.link(record_id=record, definition_id=new_id()),
        await gatehouse.link(record_id=uuid4()),
    ]
    assert {(await gatehouse.links.look(secret_of(link))).state for link in links} == {LinkState.FRESH}


async def test_of_links_that_are_made_at_once_one_is_valid(gatehouse: Gatehouse) -> None:
    record = uuid4()
    made = await asyncio.gather(*(gatehouse.link(record_id=record) for _ in range(8)))
    states = [(await gatehouse.links.look(secret_of(link))).state for link in made]
    assert sorted(states) == [LinkState.FRESH] + [LinkState.SUPERSEDED] * 7
    assert len(await gatehouse.events("link.superseded")) == 7


async def test_a_finished_link_is_superseded_in_silence_and_still_says_that_it_is_finished(
    gatehouse: Gatehouse,
) -> None:
    record = uuid4()
    first = await gatehouse.link(record_id=record)
    await gatehouse.end_execution(first.execution_id, "COMPLETED")
    await gatehouse.link(record_id=record)
    assert (await gatehouse.links.look(secret_of(first))).state is LinkState.FINISHED
    assert await gatehouse.events("link.superseded") == []


# Requests that come again, and keys that change.


async def test_a_request_that_is_sent_again_gets_the_same_link_even_under_a_new_key(gatehouse: Gatehouse) -> None:
    execution = new_id()
    first = await gatehouse.sent(id=execution, record_id=uuid4())
    rotated = Gatehouse(gatehouse.database, gatehouse.workspace_id, SecretBox(["n" * 40, "k" * 40]))
    again = await rotated.sent(id=execution)
    assert again == first
    assert await gatehouse.events() == ["link.created"]
    await rotated.work()
    assert len(rotated.mail.sent) == 1
    assert first.url in rotated.mail.sent[0].text


async def test_nothing_in_the_database_opens_a_link(gatehouse: Gatehouse) -> None:
    made = await gatehouse.sent()
    secret = secret_of(made)
    session = await activated(gatehouse, secret)
    await gatehouse.links.send_code(secret)
    async with gatehouse.database.workspace(gatehouse.workspace_id) as connection:
        for table in ("link", "visit", "link_code", "link_email", "event", "execution"):
            text = str(await connection.fetch(f"SELECT * FROM {table}"))
            assert secret not in text
            assert session.secret not in text
    assert secret not in repr(made)
    assert session.secret not in repr(session)


async def test_there_is_nothing_to_open_without_steps_for_an_end_user(gatehouse: Gatehouse) -> None:
    gatehouse.definitions.interactive = False
    assert await code_of(gatehouse.link()) == "WORKFLOW_NEEDS_NO_USER"
    assert await code_of(gatehouse.token()) == "WORKFLOW_NEEDS_NO_USER"


async def test_sending_needs_an_address(gatehouse: Gatehouse) -> None:
    with pytest.raises(ValueError, match="no address"):
        await gatehouse.links.send(gatehouse.workspace_id, LinkRequest(new_id(), new_id()))
    assert ADDRESS not in str(await gatehouse.event_rows(""))


# By the clock.


async def test_a_link_that_runs_out_unused_is_told_once(gatehouse: Gatehouse) -> None:
    unused, used, cancelled, deleted = [await gatehouse.link() for _ in range(4)]
    await activated(gatehouse, secret_of(used))
    await gatehouse.end_execution(cancelled.execution_id, "CANCELLED")
    await gatehouse.links.delete(gatehouse.workspace_id, deleted.id)
    await gatehouse.links.sweep()
    assert await gatehouse.events("link.expired") == []
    gatehouse.clock.move(LIFE)
    await asyncio.gather(*(gatehouse.links.sweep() for _ in range(5)))
    (told,) = await gatehouse.event_rows("link.expired")
    assert told["data"] == {
        "linkId": str(unused.id),
        "workflowId": str(unused.execution_id),
        "workflowDefinitionId": str((await gatehouse.event_rows("link.created"))[0]["data"]["workflowDefinitionId"]),
        "recordId": None,
    }


async def test_what_ended_long_ago_is_forgotten(gatehouse: Gatehouse) -> None:
    made, token = await gatehouse.sent(), await gatehouse.token()
    await activated(gatehouse, secret_of(made))
    await gatehouse.links.open_token(token.token)
    await gatehouse.work()
    gatehouse.clock.move(timedelta(days=31))
    await gatehouse.links.forget_old()
    async with gatehouse.database.workspace(gatehouse.workspace_id) as connection:
        counts = [await connection.fetchval(f"SELECT count(*) FROM {t}") for t in ("widget_token", "visit", "link")]
        assert counts == [0, 2, 1]
        gatehouse.clock.move(timedelta(days=8))
        await gatehouse.links.forget_old()
        assert await connection.fetchval("SELECT count(*) FROM visit") == 0
        assert await connection.fetchval("SELECT email FROM link") is None
