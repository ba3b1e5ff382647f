"""The forms of signing in, and what stands on a page where there is none to fill in."""

from __future__ import annotations

from fastapi import Request, Response

from passerelle.kit.clock import Clock
from passerelle.kit.http.errors import answer
from passerelle.languages.language import Language
from passerelle.people.models import Enrolment
from passerelle.people.passwords import LONGEST
from passerelle.people.services import PeopleServices
from passerelle.sign_in.pages import InputField, InputProblem, Pages, SignInWay


class SignInForms:
    """Every form, empty or with what was typed and what is wrong with it."""

    def __init__(self, people: PeopleServices, pages: Pages, clock: Clock) -> None:
        self._people = people
        self._pages = pages
        self._clock = clock

    async def ask_password(
        self,
        request: Request,
        t: Language,
        target: str,
        *,
        email: str = "",
        again: bool = False,
        problems: list[InputProblem] | None = None,
        status: int = 200,
    ) -> Response:
        notice = t("sign_in.again") if again else t("sign_in.signed_out") if _signed_out(request) else ""
        return await self._pages.ask(
            request,
            t,
            t("sign_in.title"),
            action="/sign-in",
            button=t("sign_in.button"),
            fields=[
                InputField("email", t("field.email"), "email", "username", email, longest=320),
                InputField("password", t("field.password"), "password", "current-password"),
            ],
            problems=[*(problems or []), *carried(request, t)],
            notice=notice,
            links=[SignInWay("/forgot", t("sign_in.forgot"))],
            providers=await self._people.single_sign_on.offers(),
            passkey=True,
            next_path=target,
            status=status,
        )

    async def ask_code(
        self, request: Request, t: Language, target: str, problems: list[InputProblem] | None = None, status: int = 200
    ) -> Response:
        return await self._pages.ask(
            request,
            t,
            t("code.page"),
            action="/sign-in/code",
            button=t("code.button"),
            fields=[
                InputField("code", t("field.code"), "text", "one-time-code", hint=t("field.code_hint"), longest=40)
            ],
            problems=[*(problems or []), *carried(request, t)],
            picture="shield",
            next_path=target,
            status=status,
        )

    async def ask_address(
        self, request: Request, t: Language, problems: list[InputProblem], status: int = 200
    ) -> Response:
        return await self._pages.ask(
            request,
            t,
            t("forgot.title"),
            lead=t("forgot.lead"),
            action="/forgot",
            button=t("forgot.button"),
            fields=[InputField("email", t("field.email"), "email", "username", longest=320)],
            problems=problems,
            links=[SignInWay("/sign-in", t("forgot.back"))],
            status=status,
        )

    async def ask_new_password(
        self, request: Request, t: Language, email: str, problems: list[InputProblem], status: int = 200
    ) -> Response:
        return await self._pages.ask(
            request,
            t,
            t("reset.title"),
            lead=t("reset.lead"),
            action=request.url.path,
            button=t("reset.button"),
            fields=[_new_password(t)],
            problems=problems,
            status=status,
        )

    async def say_over(self, request: Request, t: Language) -> Response:
        again = [SignInWay("/forgot", t("reset.again"))]
        return await self._pages.ask(
            request, t, t("reset.over"), lead=t("reset.over_lead"), picture="clock", links=again, status=410
        )

    async def ask_newcomer(
        self,
        request: Request,
        t: Language,
        found: Enrolment,
        problems: list[InputProblem],
        typed: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        organization = await self._people.users.organization(found.organization_id)
        typed = typed or {"first_name": found.first_name or "", "last_name": found.last_name or ""}
        return await self._pages.ask(
            request,
            t,
            t("invitation.title", name=organization.name),
            lead=t("invitation.lead", by=found.invited_by, email=found.email),
            action=request.url.path,
            button=t("invitation.button"),
            fields=[
                InputField(
                    "first_name", t("field.first_name"), "text", "given-name", typed.get("first_name", ""), longest=100
                ),
                InputField(
                    "last_name", t("field.last_name"), "text", "family-name", typed.get("last_name", ""), longest=100
                ),
                _new_password(t),
            ],
            problems=problems,
            status=status,
        )

    async def say_not_open(self, request: Request, t: Language, found: Enrolment | None) -> Response:
        state = "unknown" if found is None else found.status(self._clock()).lower()
        # Between two looks it may have been taken up.
        state = "accepted" if state == "pending" else state
        links = [SignInWay("/sign-in", t("sign_in.title"))] if state == "accepted" else []
        return await self._pages.ask(
            request,
            t,
            t(f"invitation.{state}"),
            lead=t(f"invitation.{state}_lead"),
            picture="check" if state == "accepted" else "link",
            links=links,
            status=404 if found is None else 410,
        )

    async def say_trouble(self, request: Request, raised: Exception) -> Response:
        plain = answer(request.scope, raised)
        t = self._pages.language(request)
        return await self._pages.ask(
            request, t, t("trouble.title"), lead=t("trouble.lead"), picture="alert", status=plain.status_code
        )


def _new_password(t: Language) -> InputField:
    hint = t("field.new_password_hint")
    return InputField("password", t("field.new_password"), "password", "new-password", hint=hint, longest=LONGEST)


def carried(request: Request, t: Language) -> list[InputProblem]:
    """Why a form is shown again."""
    key: str | None = request.scope["state"].get("problem")
    return [] if key is None else [InputProblem(t(key))]


def _signed_out(request: Request) -> bool:
    return "signed-out" in request.query_params and request.method != "POST"
