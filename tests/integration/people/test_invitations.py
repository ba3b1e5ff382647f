"""Invitations and forgotten passwords: letters, links that scanners may open, and that each is good once."""

from __future__ import annotations

import re
from typing import Any

import httpx

from passerelle.kit.mail import Message
from passerelle.kit.mail.fake import FakeMail
from passerelle.people.models import NewUser
from tests.integration.people.browsing import PASSWORD
from tests.integration.people.conftest import Home
from tests.integration.people.test_signing_in import NEXT_PASSWORD, code_of, sql

INVITED = {"email": "Ewa@Example.com", "roleId": "member", "firstName": "Ewa", "language": "pl"}


async def emails(home: Home) -> list[Message]:
    """Run the jobs that wait, as a worker does; what was sent."""
    from passerelle.kit.jobs import JobRunning
    from passerelle.kit.json import loads
    from passerelle.people.emails import EMAIL_JOB

    mail = FakeMail()
    home.people.emails._mail = mail
    async with home.people.database.shared() as connection:
        rows = await connection.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING id, payload", EMAIL_JOB)
    for row in rows:
        await home.people.emails.run(JobRunning(row["id"], loads(row["payload"])))
    return list(mail.sent)


def link_in(message: Message) -> str:
    found = re.search(r"https?://[^/\s]+(/(?:invitation|reset)/\S+)", message.text)
    assert found is not None, message.text
    return found[1]


async def invite(home: Home, **more: Any) -> httpx.Response:
    return await home.product.api.post("/organizations/enrollments", json=INVITED | more)


async def test_an_invitation_makes_a_user_with_its_role_and_workspaces(home: Home) -> None:
    workspace_id = str(home.product.workspace_id)
    made = await invite(home, workspaces=[{"workspaceId": workspace_id, "roleId": "operator"}])
    assert (made.status_code, made.json()["status"]) == (201, "PENDING")
    (email,) = await emails(home)
    assert "zaprasza" in email.subject
    path, tab = link_in(email), home.tab()
    # Scanners open links, however often.
    for _ in range(3):
        assert (await home.tab().client.get(path)).status_code == 200

    weak = await tab.submit(path, first_name="Ewa", last_name="Lis", password="password1234")
    assert weak.status_code == 400
    entered = await tab.submit(path, first_name="Ewa", last_name="Lis", password=NEXT_PASSWORD)

    assert (entered.status_code, entered.headers["location"]) == (303, "/app")
    me = (await tab.client.get("/me")).json()
    assert (me["email"], me["name"], me["role"], me["language"]) == ("Ewa@example.com", "Ewa Lis", "member", "pl")
    assert [(one["id"], one["role"]) for one in me["workspaces"]] == [(workspace_id, "operator")]
    (enrolled,) = (await home.product.api.get("/organizations/enrollments?status=ACCEPTED")).json()["content"]
    assert enrolled["enrollmentId"] == made.json()["enrollmentId"]


async def test_an_invitation_that_was_taken_up_cannot_be_replayed(home: Home) -> None:
    await invite(home)
    path = link_in((await emails(home))[0])
    tab = home.tab()
    page = (await tab.client.get(path)).text
    fields = {"_token": re.search(r'name="_token" value="(\w+)"', page)[1], "first_name": "E", "last_name": "L"}  # type: ignore[index]
    assert (await tab.client.post(path, data=fields | {"password": NEXT_PASSWORD})).status_code == 303

    again = await tab.client.post(path, data=fields | {"password": "inne haslo parasol lampa"})

    assert again.status_code == 410
    assert (await home.tab().client.get(path)).status_code == 410
    assert (await home.tab().sign_in("ewa@example.com", "inne haslo parasol lampa")).status_code == 401
    enrollment_id = (await home.product.api.get("/organizations/enrollments")).json()["content"][0]["enrollmentId"]
    for change in ("resend", "cancel"):
        answer = await home.product.api.post(f"/organizations/enrollments/{enrollment_id}/{change}")
        assert code_of(answer) == "ENROLLMENT_OVER"


async def test_an_invitation_runs_out_is_renewed_and_withdrawn(home: Home) -> None:
    enrollment_id = (await invite(home)).json()["enrollmentId"]
    path = link_in((await emails(home))[0])
    await sql(home, "UPDATE enrolment SET expires_at = now() - interval '1 minute'")
    assert (await home.tab().client.get(path)).status_code == 410
    assert (await home.product.api.get("/organizations/enrollments")).json()["content"][0]["status"] == "EXPIRED"

    resent = await home.product.api.post(f"/organizations/enrollments/{enrollment_id}/resend")
    assert resent.json()["status"] == "PENDING"
    assert link_in((await emails(home))[0]) == path
    assert (await home.tab().client.get(path)).status_code == 200

    assert (await home.product.api.post(f"/organizations/enrollments/{enrollment_id}/cancel")).status_code == 200
    assert (await home.tab().client.get(path)).status_code == 410
    assert (await home.tab().client.get(path[:-4] + "AAAA")).status_code == 404


async def test_a_second_invitation_takes_the_place_of_the_first(home: Home) -> None:
    await invite(home)
    first = link_in((await emails(home))[0])
    await invite(home, email="ewa@example.com", roleId="admin")
    second = link_in((await emails(home))[0])
    assert (await home.tab().client.get(first)).status_code == 410
    assert (await home.tab().client.get(second)).status_code == 200
    assert code_of(await invite(home, email="ANNA@example.com")) == "EMAIL_IN_USE"


async def test_a_forgotten_password_is_chosen_anew_by_an_email(home: Home) -> None:
    signed_in = await home.signed_in()
    answer = await home.tab().submit("/forgot", email="Anna@example.com")
    assert answer.status_code == 200
    (email,) = await emails(home)
    path, tab = link_in(email), home.tab()
    assert (await home.tab().client.get(path)).status_code == 200
    assert (await tab.submit(path, password="short")).status_code == 400

    assert (await tab.submit(path, password=NEXT_PASSWORD)).status_code == 303

    assert (await tab.client.get("/me")).json()["email"] == "anna@example.com"
    assert code_of(await signed_in.client.get("/me")) == "SESSION_OVER"
    assert (await home.tab().client.get(path)).status_code == 410
    assert (await home.tab().sign_in("anna@example.com", PASSWORD)).status_code == 401


async def test_asking_for_an_email_does_not_tell_who_has_an_address(home: Home) -> None:
    known = await home.tab().submit("/forgot", email="anna@example.com")
    unknown = await home.tab().submit("/forgot", email="nobody@example.com")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert [one.to[0].mailbox for one in await emails(home)] == ["anna@example.com"]
    for email in ("anna@example.com", "nobody@example.com"):
        statuses = [(await home.tab().submit("/forgot", email=email)).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 200, 429]


async def test_who_was_deactivated_gets_no_email(home: Home) -> None:
    gone = await home.people.users.make(home.owner.organization_id, NewUser("gone@example.com", "member"), PASSWORD)
    tab = await home.signed_in("gone@example.com")
    ended = await home.product.api.post(f"/organizations/users/{gone.id}/terminate")
    assert ended.json()["status"] == "TERMINATED"
    assert code_of(await tab.client.get("/me")) == "SESSION_OVER"
    await home.tab().submit("/forgot", email="gone@example.com")
    assert await emails(home) == []

    assert (await home.product.api.post(f"/organizations/users/{gone.id}/reinstate")).json()["status"] == "ACTIVE"
    assert (await home.tab().sign_in("gone@example.com", PASSWORD)).status_code == 303


async def test_lists_have_the_page_shape_that_clients_know(home: Home) -> None:
    for number in range(3):
        new = NewUser(f"user{number}@example.com", "member")
        await home.people.users.make(home.owner.organization_id, new)
    page = (await home.product.api.get("/organizations/users?page=1&size=3")).json()
    assert {name: page[name] for name in ("totalElements", "totalPages", "size", "number")} == {
        "totalElements": 4, "totalPages": 2, "size": 3, "number": 1,
    }  # fmt: skip
    assert [one["email"] for one in page["content"]] == ["user2@example.com"]
    roles = (await home.product.api.get("/organizations/roles")).json()["content"]
    assert {one["name"] for one in roles} == {"owner", "admin", "member"}
    workspace_id = home.product.workspace_id
    inherited = (await home.product.api.get(f"/organizations/workspaces/{workspace_id}/memberships")).json()
    assert [(one["email"], one["role"]["type"]) for one in inherited["content"]] == [("anna@example.com", "INHERITED")]
    assert (await home.product.api.get(f"/workspaces/{workspace_id}/memberships")).json()["content"] == []
