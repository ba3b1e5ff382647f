"""An organization's users, its workspaces' members and roles; and that no other organization sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from passerelle.accounts.grant_schemas import GrantAnswer, GrantBody
from passerelle.accounts.permissions import EVERYTHING, WORKSPACE_ROLES
from passerelle.accounts.service import Accounts
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database, fetch_one
from passerelle.kit.errors import PasserelleError
from passerelle.kit.grants import Granted
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import new_id
from passerelle.kit.mail import NoMail
from passerelle.kit.outgoing.fake import FakeOutgoing, canned
from passerelle.kit.secrets import SecretBox
from passerelle.people.models import NewUser, Role, User
from passerelle.people.services import PeopleServices, people_services

PASSWORD = "lampa wieloryb rower"


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


class NoThings:
    """Grants are nothing of this file's."""

    async def resolved(
        self, workspace_id: UUID, wanted: Sequence[GrantBody], besides: frozenset[str]
    ) -> tuple[Granted, ...]:
        return ()

    async def answers(
        self, workspace_id: UUID, granted: Mapping[str, Sequence[Granted]]
    ) -> dict[str, list[GrantAnswer]]:
        return {name: [] for name in granted}


@pytest.fixture
def people(database: Database, clock: MovedClock) -> PeopleServices:
    box = SecretBox(["a-key-for-tests-of-thirty-two-characters"])
    return people_services(
        database,
        box,
        clock,
        new_id,
        mail=NoMail(),
        outgoing=FakeOutgoing(canned()),
        things=NoThings(),
        public_url="http://passerelle.test",
        idle=timedelta(hours=12),
        lifetime=timedelta(days=7),
    )


@pytest.fixture
async def organization_id(people: PeopleServices, workspace_id: UUID) -> UUID:
    return await people.users.organization_of(workspace_id)


@pytest.fixture
async def owner(people: PeopleServices, organization_id: UUID) -> User:
    return await people.users.make(organization_id, NewUser("Anna@Example.com", "owner", "Anna", "Nowak"), PASSWORD)


def acting(user: User, workspace_id: UUID, permissions: frozenset[str] = EVERYTHING) -> Principal:
    return Principal(
        workspace_id, user.id, user.name, roles=frozenset({user.role}), permissions=permissions, kind="user",
        organization_id=user.organization_id,
    )  # fmt: skip


def code_of(error: pytest.ExceptionInfo[PasserelleError]) -> str:
    return error.value.problems[0].code


async def test_nobody_has_two_addresses_that_differ_in_case_alone(
    people: PeopleServices, organization_id: UUID, owner: User
) -> None:
    assert (await people.users.by_email(organization_id, "ANNA@example.COM")) == owner
    with pytest.raises(PasserelleError) as refused:
        await people.users.make(organization_id, NewUser("anna@example.com", "member"))
    assert code_of(refused) == "EMAIL_IN_USE"


@pytest.mark.parametrize("password", ["short", "password1234", "aaaaaaaaaaaaaaaa", "anna@example.com", "x" * 201])
async def test_a_password_that_is_easy_to_guess_is_refused(
    people: PeopleServices, organization_id: UUID, password: str
) -> None:
    with pytest.raises(PasserelleError) as refused:
        await people.users.make(organization_id, NewUser("anna@example.com", "member"), password)
    assert code_of(refused) == "PASSWORD_WEAK"


async def test_two_owners_cannot_leave_at_once(people: PeopleServices, workspace_id: UUID, owner: User) -> None:
    other = await people.users.make(owner.organization_id, NewUser("jan@example.com", "owner"))

    outcomes = await asyncio.gather(
        people.users.deactivate(acting(owner, workspace_id), owner.organization_id, other.id),
        people.users.set_role(acting(other, workspace_id), owner.id, "member"),
        return_exceptions=True,
    )

    refused = [one for one in outcomes if isinstance(one, PasserelleError)]
    assert [one.problems[0].code for one in refused] == ["LAST_OWNER"]


async def test_only_an_owner_touches_owners(people: PeopleServices, workspace_id: UUID, owner: User) -> None:
    admin = await people.users.make(owner.organization_id, NewUser("jan@example.com", "admin"))
    by = acting(admin, workspace_id)
    for attempt in (
        people.users.set_role(by, admin.id, "owner"),
        people.users.set_role(by, owner.id, "member"),
        people.users.deactivate(by, owner.organization_id, owner.id),
        people.users.reset_factors(by, owner.id),
    ):
        with pytest.raises(PasserelleError) as refused:
            await attempt
        assert code_of(refused) == "OWNERS_ONLY"


async def test_a_role_of_ones_own_gives_no_more_than_its_maker_has(
    people: PeopleServices, workspace_id: UUID, owner: User
) -> None:
    limited = acting(owner, workspace_id, WORKSPACE_ROLES["reviewer"].permissions)
    wanted = Role("clerk", "Types.", frozenset({"can_edit_data", "can_read_data"}), built_in=False)
    with pytest.raises(PasserelleError) as refused:
        await people.roles.create(owner.organization_id, workspace_id, wanted, limited)
    assert code_of(refused) == "PERMISSION_EXCEEDED"
    assert "`can_edit_data`" in str(refused.value)
    assert "`can_read_data`" not in str(refused.value)


async def test_a_role_that_members_have_stays(people: PeopleServices, workspace_id: UUID, owner: User) -> None:
    by = acting(owner, workspace_id)
    clerk = Role("clerk", "Types.", frozenset({"can_edit_data"}), built_in=False)
    await people.roles.create(owner.organization_id, workspace_id, clerk, by)
    await people.users.put_member(owner.organization_id, workspace_id, owner.id, "clerk", by)
    with pytest.raises(PasserelleError) as refused:
        await people.roles.delete(by, workspace_id, "clerk")
    assert code_of(refused) == "ROLE_IN_USE"

    await people.users.remove_member(by, workspace_id, owner.id)
    await people.roles.delete(by, workspace_id, "clerk")
    assert "clerk" not in {role.name for role in await people.roles.all(owner.organization_id, workspace_id)}


async def test_members_get_what_their_role_says_and_admins_everything_everywhere(
    database: Database, people: PeopleServices, workspace_id: UUID, owner: User
) -> None:
    second = (await Accounts(database, SecretBox(["x" * 40])).create_workspace("second", owner.organization_id)).id
    member = await people.users.make(owner.organization_id, NewUser("jan@example.com", "member"))
    await people.users.put_member(owner.organization_id, second, member.id, "viewer")

    assert {place.workspace_id: place.permissions for place in await people.users.places(member)} == {
        second: WORKSPACE_ROLES["viewer"].permissions
    }
    assert {place.workspace_id: place.permissions for place in await people.users.places(owner)} == {
        workspace_id: EVERYTHING,
        second: EVERYTHING,
    }
    direct, count = await people.users.members(owner.organization_id, second, 0, 20, inherited=False)
    assert ([one.user_id for one in direct], count) == ([member.id], 1)
    everybody, _ = await people.users.members(owner.organization_id, second, 0, 20, inherited=True)
    assert [(one.user_id, one.role, one.type) for one in everybody] == [
        (owner.id, "owner", "INHERITED"),
        (member.id, "viewer", "DIRECT"),
    ]


async def test_another_organization_finds_none_of_it(
    database: Database, people: PeopleServices, workspace_id: UUID, owner: User
) -> None:
    other = await Accounts(database, SecretBox(["x" * 40])).create_workspace("other")
    stranger = await people.users.organization_of(other.id)
    with pytest.raises(PasserelleError) as refused:
        await people.users.get(stranger, owner.id)
    assert code_of(refused) == "USER_NOT_FOUND"
    assert await people.users.page(stranger, 0, 20) == ([], 0)
    with pytest.raises(PasserelleError) as refused:
        await people.users.put_member(stranger, workspace_id, owner.id, "viewer")
    assert code_of(refused) == "WORKSPACE_NOT_FOUND"
    # The same address is free there: that it is taken elsewhere is nobody's business.
    assert await people.users.make(stranger, NewUser("anna@example.com", "member"))
    for table in ("app_user", "membership", "workspace_role", "enrolment", "user_session", "organization"):
        async with database.workspace(workspace_id) as connection:
            seen = await connection.fetchval(f"SELECT count(*) FROM {table}")
        assert table in ("membership", "workspace_role") or seen == 0, table


async def test_lists_count_the_organizations_own_whoever_asks(
    people: PeopleServices, database: Database, workspace_id: UUID, owner: User
) -> None:
    """The counts go around row-level security: they look at the connection's organization themselves."""
    other = await Accounts(database, SecretBox(["x" * 40])).create_workspace("other")
    beta = await people.users.organization_of(other.id)
    guest = await people.users.make(owner.organization_id, NewUser("ewa@example.com", "member"))
    await people.users.put_member(owner.organization_id, workspace_id, guest.id, "viewer")
    counted = "SELECT count_users(), count_members($1, '{}') AS direct, count_members($1, '{owner,admin}') AS every"
    for organization_id, expected in ((owner.organization_id, (2, 1, 2)), (beta, (0, 0, 0))):
        async with database.organization(organization_id) as connection:
            assert tuple(await fetch_one(connection, counted, workspace_id)) == expected
    async with database.shared() as connection:
        assert tuple(await fetch_one(connection, counted, workspace_id)) == (0, 0, 0)
