"""The feature's services, made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from passerelle.accounts.grant_schemas import Things
from passerelle.audit.trail import AuditTrail
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import Handler
from passerelle.kit.mail import Mail
from passerelle.kit.outgoing import Outgoing
from passerelle.kit.secrets import SecretBox
from passerelle.people.attempts import AttemptCounter
from passerelle.people.authenticator import SessionAuthenticator
from passerelle.people.emails import EMAIL_JOB, AccountEmails
from passerelle.people.enrolments import Enrolments
from passerelle.people.factors import Factors
from passerelle.people.groups import Groups
from passerelle.people.passkeys import Passkeys
from passerelle.people.passwords import Passwords
from passerelle.people.recovery import Recovery
from passerelle.people.roles import Roles
from passerelle.people.sessions import Sessions
from passerelle.people.signing_in import SigningIn
from passerelle.people.single_sign_on import SingleSignOn
from passerelle.people.users import Users

if TYPE_CHECKING:
    from passerelle.people.scim import Scim

_BATCH: Final = 5_000


@dataclass(frozen=True)
class PeopleServices:
    """What the rest of the product needs of it."""

    users: Users
    roles: Roles
    groups: Groups
    sessions: Sessions
    signing_in: SigningIn
    attempts: AttemptCounter
    factors: Factors
    recovery: Recovery
    enrolments: Enrolments
    emails: AccountEmails
    single_sign_on: SingleSignOn
    passkeys: Passkeys
    authenticator: SessionAuthenticator
    database: Database
    clock: Clock

    @cached_property
    def scim(self) -> Scim:
        """Provisioning. Its library takes a third of the time in which a process loads, and few are asked for it."""
        from passerelle.people.scim import Scim  # noqa: PLC0415

        return Scim(self.database, self.users, self.groups)

    def jobs(self) -> dict[str, Handler]:
        """What runs in the background."""
        return {EMAIL_JOB: self.emails.run}

    async def forget_old(self) -> int:
        """Delete sessions, resets and counts that are over. Returns how many."""
        total = 0
        async with self.database.shared() as connection:
            while gone := await connection.fetchval("SELECT forget_people($1, $2)", self.clock(), _BATCH):
                total += gone
        return total


def people_services(
    database: Database,
    box: SecretBox,
    clock: Clock,
    new_id: NewId,
    *,
    mail: Mail,
    outgoing: Outgoing,
    things: Things,
    public_url: str,
    idle: timedelta,
    lifetime: timedelta,
    trail: AuditTrail | None = None,
) -> PeopleServices:
    """Every service of the feature.

    `things`: what grants may be on; `public_url` says whether cookies travel over TLS only.
    """
    passwords = Passwords()
    sessions = Sessions(database, box, clock, new_id, idle=idle, lifetime=lifetime)
    attempts = AttemptCounter(database, clock)
    users = Users(database, passwords, clock, new_id)
    groups = Groups(database, clock, new_id)
    recovery = Recovery(database, users, attempts, clock)
    enrolments = Enrolments(database, users, passwords, box, clock, new_id)
    return PeopleServices(
        users=users,
        roles=Roles(database, clock, things),
        groups=groups,
        sessions=sessions,
        signing_in=SigningIn(database, sessions, passwords, attempts, trail),
        attempts=attempts,
        factors=Factors(database, box, attempts, clock),
        recovery=recovery,
        enrolments=enrolments,
        emails=AccountEmails(database, users, enrolments, recovery, mail, clock, public_url),
        passkeys=Passkeys(database, clock, new_id, public_url),
        single_sign_on=SingleSignOn(database, users, outgoing, box, clock, new_id, public_url),
        authenticator=SessionAuthenticator(database, sessions, clock, public_url),
        database=database,
        clock=clock,
    )
