"""Making links and tokens, and letting end users in by them."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.definitions.model import StartTexts, Text
from passerelle.definitions.revisions.service import Published, Revisions
from passerelle.engine.model import OPEN
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database, take_turn
from passerelle.kit.ids import NewId
from passerelle.links import emails, repository
from passerelle.links.codes import Codes
from passerelle.links.copies import Copies
from passerelle.links.credentials import Credentials, could_be_secret, digest, masked, new_salt
from passerelle.links.emails import Email
from passerelle.links.errors import (
    CHALLENGE_REQUIRED,
    LINK_NOT_FOUND,
    LINK_UNADDRESSED,
    WIDGET_TOKEN_SPENT,
    WORKFLOW_NEEDS_NO_USER,
    refusal,
)
from passerelle.links.handovers import Handovers
from passerelle.links.models import (
    LIVE,
    EndUserSession,
    Link,
    LinkRequest,
    LinkState,
    LinkView,
    MadeLink,
    MadeToken,
    Renewal,
)
from passerelle.links.repository import StoredSecret
from passerelle.links.tokens import TOKEN_LIFETIME, TokenClaims, WidgetTokens, invalid
from passerelle.links.visits import Visits, tell
from passerelle.workflows.models import EndUserAccess, ExecutionView
from passerelle.workflows.service import Executions, StartRequest

SEND_FOR: Final = timedelta(days=1)
"""How long sending a link is tried."""
FORGET_AFTER: Final = timedelta(days=30)
"""How long after their end tokens, visits, e-mails and addresses are kept."""

_BATCH: Final = 500
_UNUSED: Final = "nobody used its link or token, and nobody can use it any more"


class Links:
    """Every link and token of every workspace.

    `public_url` is what links begin with.
    """

    def __init__(
        self,
        database: Database,
        executions: Executions,
        revisions: Revisions,
        credentials: Credentials,
        tokens: WidgetTokens,
        clock: Clock,
        new_id: NewId,
        public_url: str,
    ) -> None:
        self._database = database
        self._executions = executions
        self._revisions = revisions
        self._credentials = credentials
        self._tokens = tokens
        self._visits = Visits(credentials, new_id)
        self._codes = Codes(database, credentials, self._visits, clock, new_id)
        self._clock = clock
        self._new_id = new_id
        self._public_url = public_url.rstrip("/")
        self.copies = Copies(database, clock, new_id, self._public_url)
        self.handovers = Handovers(database, credentials, clock, new_id, self._public_url)

    # For integrators.

    async def create(self, workspace_id: UUID, request: LinkRequest) -> MadeLink:
        """Start an execution and make the link that leads to it; an older one for the same record ends.

        Raises WORKFLOW_NEEDS_NO_USER, and whatever starting raises.
        """
        view = await self._start(workspace_id, request, "LINK")
        return await self._make(view, request.email)

    async def send(self, workspace_id: UUID, request: LinkRequest) -> MadeLink:
        """As `create`, and send it to `request.email`, which must be there. The message is queued with the link."""
        if request.email is None:
            raise ValueError("there is no address to send the link to")
        view = await self._start(workspace_id, request, "LINK")
        return await self._make(view, request.email, send=True)

    async def token(self, workspace_id: UUID, request: LinkRequest) -> MadeToken:
        """Start an execution and make the token that opens it in the widget. Raises as `create` does."""
        return await self._token(await self._start(workspace_id, request, "TOKEN"))

    async def of(self, view: ExecutionView) -> EndUserAccess:
        """A link and a token for an execution that was just started."""
        made, token = await self._make(view, None), await self._token(view)
        return EndUserAccess(made.url, token.token)

    async def resend(self, workspace_id: UUID, link_id: UUID, renewal: Renewal) -> MadeLink:
        """Send a link again: the same one if nobody has used it, else a new one in its place.

        Raises LINK_NOT_FOUND, LINK_UNADDRESSED, or the error of its state where what it leads to is over.
        """
        async with self._database.workspace(workspace_id) as connection:
            link = await repository.by_id(connection, workspace_id, link_id)
        if link is None:
            raise LINK_NOT_FOUND.error(f"this workspace has no link {link_id}")
        return await self.renew(workspace_id, link.execution_id, renewal)

    async def require_address(self, workspace_id: UUID, execution_id: UUID, renewal: Renewal) -> None:
        """Raises LINK_UNADDRESSED where a renewed link could not be sent."""
        async with self._database.workspace(workspace_id) as connection:
            known = await repository.of_execution(connection, workspace_id, execution_id)
        _require_address(renewal.email or (known[0].email if known else None), renewal)

    async def renew(self, workspace_id: UUID, execution_id: UUID, renewal: Renewal) -> MadeLink:
        """The link that leads to an execution from now on. Raises LINK_UNADDRESSED, or that the execution is over."""
        view, now = await self._executions.find(workspace_id, execution_id), self._clock()
        superseded: list[UUID] = []
        async with self._database.transaction(workspace_id) as connection:
            await take_turn(connection, f"link {view.definition_id} {view.record_id or view.id}")
            known = await repository.of_execution(connection, workspace_id, execution_id)
            if known is None:
                _require_address(renewal.email, renewal)
                link, kept = await self._insert(connection, view, renewal.email, now, superseded)
            else:
                link, kept = await self._renewed(connection, known, renewal, now, superseded)
            if renewal.send:
                await emails.queue_email(connection, self._email(link, now))
        await self._end_unused(workspace_id, superseded)
        sent_to = link.email if renewal.send else None
        return MadeLink(link.id, link.execution_id, link.expires_at, self._url(link, kept), sent_to)

    async def _renewed(
        self, connection: Connection, known: tuple[Link, StoredSecret], renewal: Renewal, now: datetime,
        superseded: list[UUID],
    ) -> tuple[Link, StoredSecret]:  # fmt: skip
        before, kept = known
        if before.status not in OPEN:
            raise refusal(before, now)
        until = max(before.expires_at, renewal.until or before.expires_at)
        link = replace(before, email=renewal.email or before.email, expires_at=until)
        _require_address(link.email, renewal)
        if before.state(now) is LinkState.FRESH and not renewal.anew:
            await repository.address(connection, link)
            return link, kept
        if until <= now:
            raise refusal(replace(before, deleted_at=None, superseded_at=None), now)
        if link.record_id is not None and (before.superseded_at or before.deleted_at) is not None:
            superseded += await self._supersede(connection, link, link.record_id, now)
        salt = new_salt()
        kept = StoredSecret(salt, digest(self._credentials.secret("link", link.id, salt)))
        await repository.renew(connection, link, kept)
        renewed = replace(link, opened_at=None, activated_at=None, superseded_at=None, deleted_at=None)
        await tell(connection, "link.created", renewed, self._new_id(), now)
        return renewed, kept

    async def delete(self, workspace_id: UUID, link_id: UUID) -> None:
        """Make a link invalid, and end the visit that began with it. Raises LINK_NOT_FOUND."""
        now = self._clock()
        async with self._database.transaction(workspace_id) as connection:
            execution_id = await repository.delete(connection, workspace_id, link_id, now)
            if execution_id is None:
                raise LINK_NOT_FOUND.error(f"this workspace has no link {link_id}")
            await repository.end_visits(connection, workspace_id, execution_id, now)
        await self._end_unused(workspace_id, [execution_id])

    # For end users.

    async def look(self, secret: str) -> LinkView:
        """What the page at a link shows. However often it is asked, nothing changes; the first time is noted."""
        link = await self._find(secret)
        if link is None:
            return LinkView(LinkState.UNKNOWN)
        now = self._clock()
        state = link.state(now)
        if link.opened_at is None and state in LIVE:
            await self._note_opened(link, now)
        title: Text | None = None
        start: StartTexts | None = None
        languages: tuple[str, ...] = ()
        if link.revision_id is not None:
            definition = await self._revisions.compiled(link.workspace_id, link.revision_id)
            title, start, languages = definition.title, definition.start, definition.languages
        reachable = link.email is not None and state in LIVE
        return LinkView(
            state=state,
            workspace_id=link.workspace_id,
            execution_id=link.execution_id,
            link_id=link.id,
            title=title,
            start=start,
            languages=languages,
            locale=link.locale,
            masked_email=masked(link.email) if reachable and link.email else None,
        )

    async def challenge(self, secret: str) -> str:
        """What the page's script fetches on a pointer or key event, and sends with *Start*; good for ten minutes.

        Raises the error of the link's state unless it is FRESH.
        """
        link, now = await self._find(secret), self._clock()
        if link is None or link.state(now) is not LinkState.FRESH:
            raise refusal(link, now)
        return self._credentials.challenge(link.id, now)

    async def activate(self, secret: str, challenge: str | None) -> EndUserSession:
        """Bind the execution to the browser that asks, and spend the link: of many at once exactly one does.

        The same challenge again, as after a double click or a lost answer, gets the same session.
        Raises CHALLENGE_REQUIRED without a challenge for this link, or the error of the link's state.
        """
        link, now = await self._find(secret), self._clock()
        if link is None:
            raise refusal(None, now)
        if challenge is None or not self._credentials.is_challenge(link.id, challenge, now):
            if link.state(now) is not LinkState.FRESH:
                raise refusal(link, now)
            raise CHALLENGE_REQUIRED.error("press the button on the page itself, or ask for a code by e-mail")
        given = digest(challenge)
        async with self._database.transaction(link.workspace_id) as connection:
            current = await repository.locked(connection, link.workspace_id, link.id)
            if current is not None and current.state(now) is LinkState.FRESH:
                return (await self._visits.begin_by_link(connection, current, now, given))[1]
            session = await self._repeated(connection, current, given, now)
        if session is None:
            raise refusal(current, now)
        return session

    async def send_code(self, secret: str, language: str | None = None) -> str | None:
        """Send a one-time code to the address that is known; that address, masked. None where none is known.

        `language` is the one of the page on which somebody asks for it.
        Raises CODES_TOO_MANY with `Retry-After`, or the error of the link's state unless it is FRESH or SPENT.
        """
        return await self._codes.send(await self._required(secret), self._public_url, language)

    async def enter_code(self, secret: str, code: str) -> EndUserSession:
        """Bind the execution to the browser that has the code; the one before is out.

        Raises CODE_WRONG, or the error of the link's state unless it is FRESH or SPENT.
        """
        return await self._codes.enter(await self._required(secret), code)

    async def open_token(self, token: str, workspace_id: UUID | None = None) -> EndUserSession:
        """Bind the execution to the frame that has the token, once; `workspace_id`: the only one that it may be of.

        Raises WIDGET_TOKEN_INVALID, WIDGET_TOKEN_EXPIRED or WIDGET_TOKEN_SPENT.
        """
        now = self._clock()
        claims = await self._tokens.read(token, now)
        if workspace_id not in (None, claims.workspace_id):
            raise invalid()
        async with self._database.transaction(claims.workspace_id) as connection:
            spent = await repository.spend_token(connection, claims.workspace_id, claims.id, now)
            if spent is None:
                raise invalid()
            if not spent:
                raise WIDGET_TOKEN_SPENT.error("the token has opened the widget before: get another with `POST /token`")
            until = await repository.execution_end(connection, claims.workspace_id, claims.execution_id)
            _, session = await self._visits.begin(
                connection, claims.workspace_id, claims.execution_id, "token", now, until or claims.expires_at
            )
        return session

    async def session(self, secret: str) -> EndUserSession | None:
        """Whose browser this is, by what it keeps; None once the visit has ended or its time is over."""
        if not could_be_secret(secret):
            return None
        row = await repository.visiting(self._database, digest(secret), self._clock())
        if row is None:
            return None
        return EndUserSession(secret, **row)

    # By the clock.

    async def sweep(self) -> None:
        """Tell of links that ran out unused, and end what nobody has begun and nobody can begin any more."""
        while await self._in_batches(repository.expire, self._clock()) == _BATCH:
            pass
        async with self._database.shared() as connection:
            found = await repository.unused(connection, self._clock(), _BATCH)
        for workspace_id, execution_id in found:
            await self._executions.end_unused(workspace_id, execution_id, _UNUSED)

    async def forget_old(self) -> None:
        """Delete what is left of visits, tokens and e-mails that ended long ago."""
        while await self._in_batches(repository.forget, self._clock() - FORGET_AFTER) == _BATCH:
            pass

    async def _in_batches(self, act: repository.InBatches, moment: datetime) -> int:
        async with self._database.shared() as connection:
            return await act(connection, moment, _BATCH)

    # Making.

    async def _start(self, workspace_id: UUID, request: LinkRequest, origin: str) -> ExecutionView:
        await self._revisions.judged(workspace_id, request.definition_id, _require_user)
        wanted = StartRequest(
            id=request.id,
            definition_id=request.definition_id,
            parameters=request.parameters,
            parameters_id=request.parameters_id,
            record_id=request.record_id,
            locale=request.locale,
            origin=origin,
        )
        return await self._executions.start(workspace_id, wanted)

    async def _make(self, view: ExecutionView, email: str | None, *, send: bool = False) -> MadeLink:
        """The link of an execution; the one that it has, if this request came before."""
        now = self._clock()
        superseded: list[UUID] = []
        async with self._database.transaction(view.workspace_id) as connection:
            await take_turn(connection, f"link {view.definition_id} {view.record_id or view.id}")
            known = await repository.of_execution(connection, view.workspace_id, view.id)
            if known is None:
                known = await self._insert(connection, view, email, now, superseded)
                if send:
                    await emails.queue_email(connection, self._email(known[0], now))
        link, kept = known
        await self._end_unused(view.workspace_id, superseded)
        return MadeLink(link.id, link.execution_id, link.expires_at, self._url(link, kept))

    async def _insert(
        self, connection: Connection, view: ExecutionView, email: str | None, now: datetime, superseded: list[UUID]
    ) -> tuple[Link, StoredSecret]:
        link = Link(
            workspace_id=view.workspace_id,
            id=self._new_id(),
            execution_id=view.id,
            definition_id=view.definition_id,
            record_id=view.record_id,
            email=email,
            locale=view.locale,
            status=view.status,
            created_at=now,
            expires_at=view.expires_at or now + TOKEN_LIFETIME,
        )
        salt = new_salt()
        kept = StoredSecret(salt, digest(self._credentials.secret("link", link.id, salt)))
        if view.record_id is not None:
            superseded += await self._supersede(connection, link, view.record_id, now)
        await repository.insert(connection, link, kept)
        await tell(connection, "link.created", link, self._new_id(), now)
        return link, kept

    async def _supersede(self, connection: Connection, link: Link, record_id: UUID, now: datetime) -> list[UUID]:
        """The executions that the older links led to."""
        ids = await self._executions.known_as(link.workspace_id, record_id, connection)
        older = await repository.supersede(connection, link.workspace_id, link.definition_id, ids, now)
        for one in older:
            await repository.end_visits(connection, one.workspace_id, one.execution_id, now)
            if one.state(now) in LIVE:
                await tell(connection, "link.superseded", one, self._new_id(), now)
        return [one.execution_id for one in older]

    async def _end_unused(self, workspace_id: UUID, executions: Sequence[UUID]) -> None:
        """End those that nobody has begun and nothing leads to any more; what a crash leaves here the clock finds."""
        if not executions:
            return
        async with self._database.transaction(workspace_id) as connection:
            found = await repository.unused_of(connection, workspace_id, executions, self._clock())
        for execution_id in found:
            await self._executions.end_unused(workspace_id, execution_id, _UNUSED)

    async def _token(self, view: ExecutionView) -> MadeToken:
        now = self._clock()
        until = (now + TOKEN_LIFETIME).replace(microsecond=0)
        async with self._database.transaction(view.workspace_id) as connection:
            token_id, until = await repository.keep_token(
                connection, view.workspace_id, self._new_id(), view.id, now, until
            )
        claims = TokenClaims(view.workspace_id, token_id, view.id, until)
        return MadeToken(view.id, until, await self._tokens.sign(claims, view.locale))

    def _email(self, link: Link, now: datetime) -> Email:
        until = min(now + SEND_FOR, link.expires_at)
        return Email(
            link.workspace_id, self._new_id(), link.id, "link", self._public_url, None, 0, now, until, link.locale
        )

    def _url(self, link: Link, kept: StoredSecret) -> str:
        return f"{self._public_url}/l/{self._credentials.secret('link', link.id, kept.salt, kept.secret_hash)}"

    # Finding.

    async def _find(self, secret: str) -> Link | None:
        if not could_be_secret(secret):
            return None
        return await repository.by_secret(self._database, digest(secret))

    async def _required(self, secret: str) -> Link:
        link = await self._find(secret)
        if link is None:
            raise refusal(None, self._clock())
        return link

    async def _note_opened(self, link: Link, now: datetime) -> None:
        async with self._database.transaction(link.workspace_id) as connection:
            if await repository.open_first(connection, link.workspace_id, link.id, now):
                await tell(connection, "link.opened", link, self._new_id(), now)

    async def _repeated(
        self, connection: Connection, link: Link | None, given: bytes, now: datetime
    ) -> EndUserSession | None:
        """The session of the browser that spent the link, if it is the one that asks again."""
        if link is None or link.state(now) is not LinkState.SPENT:
            return None
        challenge, visit_id = await repository.activated_by(connection, link.workspace_id, link.id)
        if challenge is None or visit_id is None or not hmac.compare_digest(challenge, given):
            return None
        return await self._visits.again(connection, link.workspace_id, visit_id)


def _require_address(email: str | None, renewal: Renewal) -> None:
    if renewal.send and email is None:
        raise LINK_UNADDRESSED.error("nobody knows an address to send the link to: name one as `email`", "/email")


async def _require_user(published: Published) -> None:
    if published.definition.execution_type != "INTERACTIVE":
        raise WORKFLOW_NEEDS_NO_USER.error(
            f"{published.definition.name} has no steps for an end user: run it with POST /workflows/run",
            "/workflowDefinitionId",
        )
