"""Making links and tokens, and letting end users in by them."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.executions.openings import Opening
from passerelle.executions.repository import ExecutionView
from passerelle.executions.service import Executions, StartRequest
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import NewId
from passerelle.links import emails, repository
from passerelle.links.codes import Codes
from passerelle.links.credentials import Credentials, could_be_secret, digest, masked, new_salt
from passerelle.links.emails import Email
from passerelle.links.errors import CHALLENGE_REQUIRED, LINK_NOT_FOUND, WIDGET_TOKEN_SPENT, WORKFLOW_NEEDS_NO_USER
from passerelle.links.models import (
    LIVE,
    Link,
    LinkRequest,
    LinkState,
    LinkView,
    MadeLink,
    MadeToken,
    Session,
)
from passerelle.links.repository import Kept
from passerelle.links.states import refusal
from passerelle.links.tokens import TOKEN_LIFETIME, TokenClaims, WidgetTokens, invalid
from passerelle.links.visits import Visits, tell
from passerelle.revisions.service import Revisions

SEND_FOR: Final = timedelta(days=1)
"""How long sending a link is tried."""
FORGET_AFTER: Final = timedelta(days=30)
"""How long after their end tokens, visits, e-mails and addresses are kept."""

_BATCH: Final = 500


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

    async def of(self, view: ExecutionView) -> Opening:
        """A link and a token for an execution that was just started."""
        made, token = await self._make(view, None), await self._token(view)
        return Opening(made.url, token.token)

    async def delete(self, workspace_id: UUID, link_id: UUID) -> None:
        """Make a link invalid, and end the visit that began with it. Raises LINK_NOT_FOUND."""
        now = self._clock()
        async with self._database.transaction(workspace_id) as connection:
            execution_id = await repository.delete(connection, workspace_id, link_id, now)
            if execution_id is None:
                raise LINK_NOT_FOUND.error(f"this workspace has no link {link_id}")
            await repository.end_visits(connection, workspace_id, execution_id, now)

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
        title = None
        if link.revision_id is not None:
            title = (await self._revisions.compiled(link.workspace_id, link.revision_id)).title
        reachable = link.email is not None and state in LIVE
        return LinkView(
            state=state,
            workspace_id=link.workspace_id,
            execution_id=link.execution_id,
            link_id=link.id,
            title=title,
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

    async def activate(self, secret: str, challenge: str | None) -> Session:
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

    async def send_code(self, secret: str) -> str | None:
        """Send a one-time code to the address that is known; that address, masked. None where none is known.

        Raises CODES_TOO_MANY with `Retry-After`, or the error of the link's state unless it is FRESH or SPENT.
        """
        return await self._codes.send(await self._required(secret), self._public_url)

    async def enter_code(self, secret: str, code: str) -> Session:
        """Bind the execution to the browser that has the code; the one before is out.

        Raises CODE_WRONG, or the error of the link's state unless it is FRESH or SPENT.
        """
        return await self._codes.enter(await self._required(secret), code)

    async def open_token(self, token: str, workspace_id: UUID | None = None) -> Session:
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

    async def session(self, secret: str) -> Session | None:
        """Whose browser this is, by what it keeps; None once the visit has ended or its time is over."""
        if not could_be_secret(secret):
            return None
        async with self._database.shared() as connection:
            row = await repository.visiting(connection, digest(secret), self._clock())
        if row is None:
            return None
        return Session(secret, row["workspace_id"], row["execution_id"], row["expires_at"], row["kind"])

    # By the clock.

    async def sweep(self) -> None:
        """Tell of links that ran out unused."""
        while await self._in_batches(repository.expire, self._clock()) == _BATCH:
            pass

    async def forget_old(self) -> None:
        """Delete what is left of visits, tokens and e-mails that ended long ago."""
        while await self._in_batches(repository.forget, self._clock() - FORGET_AFTER) == _BATCH:
            pass

    async def _in_batches(self, act: repository.InBatches, moment: datetime) -> int:
        async with self._database.shared() as connection:
            return await act(connection, moment, _BATCH)

    # Making.

    async def _start(self, workspace_id: UUID, request: LinkRequest, origin: str) -> ExecutionView:
        published = await self._revisions.published(workspace_id, request.definition_id)
        if published.definition.execution_type != "INTERACTIVE":
            raise WORKFLOW_NEEDS_NO_USER.error(
                f"{published.definition.name} has no steps for an end user: run it with POST /workflows/run",
                "/workflowDefinitionId",
            )
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
        async with self._database.transaction(view.workspace_id) as connection:
            await repository.take_turn(connection, f"link {view.definition_id} {view.record_id or view.id}")
            known = await repository.of_execution(connection, view.workspace_id, view.id)
            if known is None:
                known = await self._insert(connection, view, email, now)
                if send:
                    await emails.queue_email(connection, self._email(known[0], now))
        link, kept = known
        return MadeLink(link.id, link.execution_id, link.expires_at, self._url(link, kept))

    async def _insert(
        self, connection: Connection, view: ExecutionView, email: str | None, now: datetime
    ) -> tuple[Link, Kept]:
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
        kept = Kept(salt, digest(self._credentials.secret("link", link.id, salt)))
        if view.record_id is not None:
            await self._supersede(connection, link, view.record_id, now)
        await repository.insert(connection, link, kept)
        await tell(connection, "link.created", link, self._new_id(), now)
        return link, kept

    async def _supersede(self, connection: Connection, link: Link, record_id: UUID, now: datetime) -> None:
        older = await repository.supersede(connection, link.workspace_id, link.definition_id, record_id, now)
        for one in older:
            await repository.end_visits(connection, one.workspace_id, one.execution_id, now)
            if one.state(now) in LIVE:
                await tell(connection, "link.superseded", one, self._new_id(), now)

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
        return Email(link.workspace_id, self._new_id(), link.id, "link", self._public_url, None, 0, now, until)

    def _url(self, link: Link, kept: Kept) -> str:
        return f"{self._public_url}/l/{self._credentials.secret('link', link.id, kept.salt, kept.secret_hash)}"

    # Finding.

    async def _find(self, secret: str) -> Link | None:
        if not could_be_secret(secret):
            return None
        async with self._database.shared() as connection:
            return await repository.by_secret(connection, digest(secret))

    async def _required(self, secret: str) -> Link:
        link = await self._find(secret)
        if link is None:
            raise refusal(None, self._clock())
        return link

    async def _note_opened(self, link: Link, now: datetime) -> None:
        async with self._database.transaction(link.workspace_id) as connection:
            if await repository.open_first(connection, link.workspace_id, link.id, now):
                await tell(connection, "link.opened", link, self._new_id(), now)

    async def _repeated(self, connection: Connection, link: Link | None, given: bytes, now: datetime) -> Session | None:
        """The session of the browser that spent the link, if it is the one that asks again."""
        if link is None or link.state(now) is not LinkState.SPENT:
            return None
        challenge, visit_id = await repository.activated_by(connection, link.workspace_id, link.id)
        if challenge is None or visit_id is None or not hmac.compare_digest(challenge, given):
            return None
        return await self._visits.again(connection, link.workspace_id, visit_id)
