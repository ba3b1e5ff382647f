"""`/sign-in`, `/sign-out`, `/forgot`, `/reset/…`, `/invitation/…`: pages that work without script.

Looking changes nothing, however often a mail scanner does it; what a form sends does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from passerelle.accounts.errors import TOO_MANY_ATTEMPTS
from passerelle.kit.clock import Clock
from passerelle.kit.connections import NO_WORKSPACE
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.permissions import Public
from passerelle.kit.ids import parse_id
from passerelle.languages.language import Language
from passerelle.people.attempts import PER_NETWORK
from passerelle.people.errors import (
    EMAIL_IN_USE,
    PASSWORD_WEAK,
    REQUEST_FORGED,
    SIGN_IN_FAILED,
    SINGLE_SIGN_ON_FAILED,
    USER_EMAIL_INVALID,
)
from passerelle.people.models import User
from passerelle.people.passwords import LONGEST, SHORTEST
from passerelle.people.services import PeopleServices
from passerelle.people.sessions import network_of
from passerelle.people.signing_in import SignInStep
from passerelle.people.single_sign_on import CALLBACK
from passerelle.sign_in.forms import SignInForms, carried
from passerelle.sign_in.pages import InputProblem, Pages, SignInWay, safe_next, wait_of

_FRESH_FOR: Final = 600
"""Seconds for which a sign-in is good enough for what needs a fresh one."""

Handler = Callable[[Request], Awaitable[Response]]


def router(people: PeopleServices, pages: Pages, clock: Clock) -> APIRouter:
    """Every page of this feature that needs no session."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])
    entry = _SignInPages(people, pages, clock)
    looks: dict[str, Handler] = {
        "/sign-in": entry.sign_in,
        "/sign-in/code": entry.code,
        "/sign-in/organization": entry.organization,
        "/sign-out": entry.sign_out,
        "/forgot": entry.forgot,
        "/reset/{secret}": entry.reset,
        "/invitation/{secret}": entry.invitation,
    }
    sends: dict[str, Handler] = {
        "/sign-in": entry.send_sign_in,
        "/sign-in/code": entry.send_code,
        "/sign-in/organization": entry.send_organization,
        "/sign-out": entry.send_sign_out,
        "/forgot": entry.send_forgot,
        "/reset/{secret}": entry.send_reset,
        "/invitation/{secret}": entry.send_invitation,
    }
    routes.add_api_route("/sign-in/with/{provider_id}", entry.on_a_page(entry.begin_elsewhere), methods=["GET"])
    routes.add_api_route(CALLBACK, entry.on_a_page(entry.come_back), methods=["GET"])
    for path, look in looks.items():
        routes.add_api_route(path, entry.on_a_page(look), methods=["GET", "HEAD"])
    for path, send in sends.items():
        routes.add_api_route(path, entry.on_a_page(send, back=looks[path]), methods=["POST"])
    return routes


class _SignInPages:
    def __init__(self, people: PeopleServices, pages: Pages, clock: Clock) -> None:
        self._people = people
        self._pages = pages
        self._clock = clock
        self._forms = SignInForms(people, pages, clock)

    def on_a_page(self, handler: Handler, back: Handler | None = None) -> Handler:
        """What goes wrong is said on a page; a form that was not ours is shown again, with why."""

        async def wrapped(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as raised:
                if back is not None and _code(raised) == REQUEST_FORGED.name:
                    request.scope["state"]["problem"] = "sign_in.stale"
                    response = await back(request)
                    response.status_code = 403
                    return response
                return await self._forms.say_trouble(request, raised)

        return wrapped

    async def sign_in(self, request: Request) -> Response:
        """Ask for address and password; who is signed in already goes on."""
        target = safe_next(request.query_params.get("next"))
        again = "again" in request.query_params
        session = await self._people.sessions.find(self._pages.browser(request).secret)
        if session is not None and session.authenticated_at is not None:
            age = (self._clock() - session.authenticated_at).total_seconds()
            if not again or age < _FRESH_FOR:
                return self._pages.go(target)
        return await self._forms.ask_password(request, self._pages.language(request), target, again=again)

    async def send_sign_in(self, request: Request) -> Response:
        """Take address and password."""
        posted = await self._pages.posted(request)
        t, target = self._pages.language(request), safe_next(posted.get("next"))
        email, password = posted.get("email", "").strip(), posted.get("password", "")
        missing = [InputProblem(t("problem.required"), name) for name in ("email", "password") if not posted.get(name)]
        if missing:
            return await self._forms.ask_password(request, t, target, email=email, problems=missing, status=400)
        try:
            step = await self._people.signing_in.with_password(self._pages.browser(request), email, password)
        except PasserelleError as error:
            return await self._refused(request, t, target, email, error)
        return self._entered(step, target)

    async def begin_elsewhere(self, request: Request) -> Response:
        """Go to the identity provider; what its answer must match is kept in a session of nobody yet."""
        browser = self._pages.browser(request)
        await self._people.attempts.count((PER_NETWORK, network_of(browser.address)))
        provider_id = parse_id(request.path_params["provider_id"])
        provider = await self._people.single_sign_on.find(provider_id or NO_WORKSPACE)
        begun = await self._people.single_sign_on.begin(provider, safe_next(request.query_params.get("next")))
        opened = await self._people.sessions.open(browser.address, browser.user_agent, pending=begun.pending)
        response = self._pages.go(begun.address)
        self._pages.bind(response, opened)
        return response

    async def come_back(self, request: Request) -> Response:
        """Take the identity provider's answer, once, in the browser that had asked."""
        browser = self._pages.browser(request)
        session = await self._people.sessions.find(browser.secret)
        pending = None if session is None else self._people.sessions.pending(session)
        if pending is None or "provider" not in pending or browser.secret is None:
            return self._pages.go("/sign-in")
        # Whatever comes of it: the same answer is not taken a second time.
        await self._people.sessions.end(browser.secret)
        provider_id = parse_id(pending["provider"])
        provider = await self._people.single_sign_on.find(provider_id or NO_WORKSPACE)
        try:
            user = await self._people.single_sign_on.finish(provider, pending, dict(request.query_params))
        except PasserelleError as error:
            reason = next(iter(getattr(error, "__notes__", ())), _code(error))
            await self._people.signing_in.refused_elsewhere(provider.organization_id, str(provider.id), reason)
            t = self._pages.language(request)
            problem = InputProblem(t("sign_in.sso_failed", name=provider.name))
            page = await self._forms.ask_password(
                request, t, safe_next(pending["next"]), problems=[problem], status=403
            )
            self._pages.unbind(page)
            if _code(error) != SINGLE_SIGN_ON_FAILED.name:
                raise
            return page
        return self._entered(await self._people.signing_in.proved(browser, user, "oidc"), safe_next(pending["next"]))

    async def code(self, request: Request) -> Response:
        """Ask for the second factor."""
        t = self._pages.language(request)
        session = await self._people.sessions.find(self._pages.browser(request).secret)
        if session is None or session.user_id is None:
            return self._pages.go("/sign-in")
        target = safe_next(request.query_params.get("next"))
        if session.authenticated_at is not None:
            return self._pages.go(target)
        return await self._forms.ask_code(request, t, target)

    async def send_code(self, request: Request) -> Response:
        """Take the second factor."""
        posted = await self._pages.posted(request)
        t, target = self._pages.language(request), safe_next(posted.get("next"))
        browser = self._pages.browser(request)
        session = await self._people.sessions.find(browser.secret)
        user = await self._people.signing_in.user_of(session)
        if session is None or user is None or session.authenticated_at is not None:
            return await self._forms.ask_password(
                request, t, target, problems=[InputProblem(t("code.over"))], status=401
            )
        try:
            factor = await self._people.factors.check(user, posted.get("code", ""))
        except PasserelleError as error:
            await self._people.signing_in.refused(user, "code")
            if _code(error) == TOO_MANY_ATTEMPTS.name:
                problem = InputProblem(t("sign_in.too_many", wait=wait_of(error)))
            else:
                problem = InputProblem(t("code.wrong"), "code")
            return _with(await self._forms.ask_code(request, t, target, [problem], error.status), error)
        opened = await self._people.signing_in.completed(browser, session, user, factor)
        response = self._pages.go(target)
        self._pages.bind(response, opened)
        return response

    async def organization(self, request: Request) -> Response:
        """Ask which of the organizations is meant in which somebody has this address and password."""
        t, target = self._pages.language(request), safe_next(request.query_params.get("next"))
        choices = await self._choices(request)
        if not choices:
            return self._pages.go("/sign-in")
        return await self._pages.ask(
            request,
            t,
            t("organization.title"),
            lead=t("organization.lead"),
            action="/sign-in/organization",
            problems=carried(request, t),
            choices=[(str(user.organization_id), name) for user, name in choices],
            next_path=target,
        )

    async def send_organization(self, request: Request) -> Response:
        """Take the organization."""
        posted = await self._pages.posted(request)
        t, target = self._pages.language(request), safe_next(posted.get("next"))
        chosen = [
            user for user, _ in await self._choices(request) if str(user.organization_id) == posted.get("organization")
        ]
        if not chosen:
            return await self._forms.ask_password(
                request, t, target, problems=[InputProblem(t("code.over"))], status=401
            )
        step = await self._people.signing_in.chosen(self._pages.browser(request), chosen[0])
        return self._entered(step, target)

    async def _choices(self, request: Request) -> list[tuple[User, str]]:
        session = await self._people.sessions.find(self._pages.browser(request).secret)
        return await self._people.signing_in.choices(session)

    async def sign_out(self, request: Request) -> Response:
        """Ask whether to sign out: a link alone must not do it."""
        t = self._pages.language(request)
        return await self._pages.ask(
            request, t, t("out.title"), lead=t("out.lead"), action="/sign-out", button=t("out.button")
        )

    async def send_sign_out(self, request: Request) -> Response:
        """End the session."""
        await self._pages.posted(request)
        secret = self._pages.browser(request).secret
        if secret is not None:
            await self._people.sessions.sign_out(secret)
            self._people.authenticator.forget()
        response = self._pages.go("/sign-in?signed-out")
        self._pages.unbind(response)
        return response

    async def forgot(self, request: Request) -> Response:
        """Ask for the address whose password was forgotten."""
        t = self._pages.language(request)
        return await self._forms.ask_address(request, t, carried(request, t))

    async def send_forgot(self, request: Request) -> Response:
        """Take an address. The answer, and what is done before it, is the same whether somebody has it."""
        posted = await self._pages.posted(request)
        t = self._pages.language(request)
        email = posted.get("email", "").strip()
        if not email:
            return await self._forms.ask_address(request, t, [InputProblem(t("problem.required"), "email")], 400)
        try:
            await self._people.recovery.ask(email, self._pages.browser(request).address, t.code)
        except PasserelleError as error:
            if _code(error) != TOO_MANY_ATTEMPTS.name:
                raise
            problem = InputProblem(t("sign_in.too_many", wait=wait_of(error)))
            return _with(await self._forms.ask_address(request, t, [problem], error.status), error)
        back = [SignInWay("/sign-in", t("forgot.back"))]
        return await self._pages.ask(
            request, t, t("forgot.sent"), lead=t("forgot.sent_lead"), picture="mail", links=back
        )

    async def reset(self, request: Request) -> Response:
        """Ask for the new password."""
        user = await self._people.recovery.user_of(request.path_params["secret"])
        t = self._pages.language(request, None if user is None else user.language)
        if user is None:
            return await self._forms.say_over(request, t)
        return await self._forms.ask_new_password(request, t, user.email, carried(request, t))

    async def send_reset(self, request: Request) -> Response:
        """Take the new password: it ends every session of the person and the link."""
        posted = await self._pages.posted(request)
        secret = request.path_params["secret"]
        user = await self._people.recovery.user_of(secret)
        t = self._pages.language(request, None if user is None else user.language)
        if user is None:
            return await self._forms.say_over(request, t)
        try:
            changed = await self._people.recovery.use(secret, posted.get("password", ""))
        except PasserelleError as error:
            return await self._forms.ask_new_password(request, t, user.email, [_weak(error, t, posted)], error.status)
        if changed is None:
            return await self._forms.say_over(request, t)
        self._people.authenticator.forget()
        return self._entered(
            await self._people.signing_in.proved(self._pages.browser(request), changed, "password"), safe_next(None)
        )

    async def invitation(self, request: Request) -> Response:
        """Show who invites, and ask for name and password."""
        found = await self._people.enrolments.by_secret(request.path_params["secret"])
        t = self._pages.language(request, None if found is None else found.language)
        if found is None or found.status(self._clock()) != "PENDING":
            return await self._forms.say_not_open(request, t, found)
        return await self._forms.ask_newcomer(request, t, found, carried(request, t))

    async def send_invitation(self, request: Request) -> Response:
        """Take up an invitation: the user is made, and is signed in."""
        posted = await self._pages.posted(request)
        secret = request.path_params["secret"]
        found = await self._people.enrolments.by_secret(secret)
        t = self._pages.language(request, None if found is None else found.language)
        if found is None or found.status(self._clock()) != "PENDING":
            return await self._forms.say_not_open(request, t, found)
        try:
            user = await self._people.enrolments.accept(
                secret,
                first_name=posted.get("first_name", "").strip()[:100],
                last_name=posted.get("last_name", "").strip()[:100],
                password=posted.get("password", ""),
                language=t.code,
            )
        except PasserelleError as error:
            problem = _weak(error, t, posted)
            return await self._forms.ask_newcomer(request, t, found, [problem], posted, error.status)
        if user is None:
            return await self._forms.say_not_open(request, t, await self._people.enrolments.by_secret(secret))
        return self._entered(
            await self._people.signing_in.proved(self._pages.browser(request), user, "password"), safe_next(None)
        )

    def _entered(self, step: SignInStep, target: str) -> Response:
        path = target if step.needs == "nothing" else _next_path(step.needs, target)
        response = self._pages.go(path)
        self._pages.bind(response, step.opened)
        return response

    async def _refused(
        self, request: Request, t: Language, target: str, email: str, error: PasserelleError
    ) -> Response:
        code = _code(error)
        if code == TOO_MANY_ATTEMPTS.name:
            problem = InputProblem(t("sign_in.too_many", wait=wait_of(error)))
        elif code == SIGN_IN_FAILED.name:
            problem = InputProblem(t("sign_in.wrong"), "email")
        else:
            raise error
        page = await self._forms.ask_password(request, t, target, email=email, problems=[problem], status=error.status)
        return _with(page, error)


def _next_path(needs: str, target: str) -> str:
    return f"/sign-in/{needs}?next={quote(target, safe='/')}"


def _weak(error: PasserelleError, t: Language, posted: dict[str, str]) -> InputProblem:
    """What to say of a new password. Raises `error` where it is about something else."""
    code, length = _code(error), len(posted.get("password", ""))
    if code in (EMAIL_IN_USE.name, USER_EMAIL_INVALID.name):
        return InputProblem(t("invitation.taken"))
    if code != PASSWORD_WEAK.name:
        raise error
    key = "weak_short" if length < SHORTEST else "weak_long" if length > LONGEST else "weak"
    return InputProblem(t(f"problem.{key}"), "password")


def _with(response: Response, error: PasserelleError) -> Response:
    if "Retry-After" in error.headers:
        response.headers["Retry-After"] = error.headers["Retry-After"]
    return response


def _code(raised: Any) -> str:
    return raised.problems[0].code if isinstance(raised, PasserelleError) else ""
