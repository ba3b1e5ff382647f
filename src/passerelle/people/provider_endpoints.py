"""An organization's identity providers over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.permissions import Requires
from passerelle.people.models import Provider
from passerelle.people.services import PeopleServices

ProviderId = Annotated[UUID, Path(description="The provider's id")]
Manages = Annotated[Principal, Requires("can_manage_users", fresh=True)]


class ProviderFacts(Body):
    """A provider of OpenID Connect, as it knows us."""

    name: str = Field(min_length=1, max_length=60, description="What the page of sign-in says.", examples=["Acme"])
    issuer: str = Field(max_length=500, description="Its discovery document is read.", examples=["https://id.acme.com"])
    client_id: str = Field(min_length=1, max_length=500, description="How the provider calls us.")
    scopes: list[str] = Field(default=["profile", "email"], max_length=20, description="Besides `openid`.")
    group_claim: str | None = Field(default=None, max_length=200, description="The claim that lists a person's groups.")
    group_roles: dict[str, str] = Field(
        default_factory=dict,
        description="Roles in the organization by group.",
        examples=[{"passerelle-admins": "admin"}],
    )
    default_role: str | None = Field(
        default="member", max_length=64, description="Of people in none of these groups; null: they stay out."
    )


class ProviderBody(ProviderFacts):
    """A provider of OpenID Connect, as it knows us, with what we prove that by."""

    client_secret: str = Field(min_length=1, max_length=2000, repr=False, description="Kept encrypted.")


class ProviderChangeBody(ProviderFacts):
    """What a provider is from now on."""

    client_secret: str | None = Field(
        default=None, min_length=1, max_length=2000, repr=False, description="Without it, the one that is kept stays."
    )


class DiscoveryBody(Body):
    """A provider to look at."""

    issuer: str = Field(max_length=500, description="Its discovery document is read.", examples=["https://id.acme.com"])


class DiscoveryAnswer(Answer):
    """What a provider says of itself."""

    issuer: str = Field(description="What it calls itself: the same as was asked for.")
    authorization_endpoint: str = Field(description="Where people sign in.")
    token_endpoint: str = Field(description="Where codes are exchanged.")
    jwks_uri: str = Field(description="Where its keys are.")
    scopes: list[str] = Field(description="The scopes that it names.")
    claims: list[str] = Field(description="The claims that it names.")
    says_pkce: bool = Field(description="Whether it says that it takes PKCE; many do without saying so.")


class ProviderAnswer(Answer):
    """An identity provider, without its secret."""

    id: UUID = Field(description="Names it in addresses.")
    name: str = Field(description="What the page of sign-in says.")
    issuer: str = Field(description="Whose word is believed.")
    client_id: str = Field(description="How the provider calls us.")
    scopes: list[str] = Field(description="What is asked for besides `openid`.")
    group_claim: str | None = Field(description="The claim that lists a person's groups.")
    group_roles: dict[str, str] = Field(description="Roles in the organization by group.")
    default_role: str | None = Field(description="Of people in none of these groups; null: they stay out.")
    sign_in_path: str = Field(description="The address that signs people in, for those who cannot see it on the page.")
    created_at: Moment = Field(description="When it was made.")


class ProviderList(Answer):
    """Every identity provider of the organization."""

    data: list[ProviderAnswer] = Field(description="By name.")
    callback: str = Field(description="The redirect address that each provider must know.")


def router(people: PeopleServices) -> APIRouter:
    """Everything under `/organizations/identity-providers`."""
    routes = APIRouter(tags=["Users and roles"], route_class=ApiRoute)

    @routes.get("/organizations/identity-providers")
    async def list_identity_providers(caller: Annotated[Principal, Requires("can_manage_users")]) -> ProviderList:
        """Where the organization's people sign in besides here."""
        found = await people.single_sign_on.all(caller.organization)
        return ProviderList(data=[_answer(one) for one in found], callback=people.single_sign_on.callback)

    @routes.post("/organizations/identity-providers/discovery")
    @unaudited("it changes nothing")
    async def discover_identity_provider(
        caller: Annotated[Principal, Requires("can_manage_users")], body: JsonBody[DiscoveryBody]
    ) -> DiscoveryAnswer:
        """Try a provider: read its discovery document, and say what it says."""
        found = await people.single_sign_on.discover(body.issuer)
        return DiscoveryAnswer.made_from(found, scopes=list(found.scopes), claims=list(found.claims))

    @routes.post("/organizations/identity-providers", status_code=201)
    async def create_identity_provider(
        caller: Manages, body: JsonBody[ProviderBody], new_id: IdempotentId
    ) -> ProviderAnswer:
        """Let people sign in with a provider of OpenID Connect."""
        given = _given(people, caller, new_id, body)
        return _answer(await people.single_sign_on.create(caller, given))

    @routes.put("/organizations/identity-providers/{provider_id}")
    async def change_identity_provider(
        caller: Manages, provider_id: ProviderId, body: JsonBody[ProviderChangeBody]
    ) -> ProviderAnswer:
        """Say what a provider is from now on."""
        return _answer(await people.single_sign_on.change(_given(people, caller, provider_id, body)))

    @routes.delete("/organizations/identity-providers/{provider_id}", status_code=204)
    async def delete_identity_provider(caller: Manages, provider_id: ProviderId) -> None:
        """Forget a provider. Who signed in with it needs another way in."""
        await people.single_sign_on.delete(caller.organization, provider_id)

    return routes


def _given(
    people: PeopleServices, caller: Principal, provider_id: UUID, body: ProviderBody | ProviderChangeBody
) -> Provider:
    return Provider(
        caller.organization,
        provider_id,
        body.name,
        body.issuer,
        body.client_id,
        tuple(body.scopes),
        body.group_claim,
        body.group_roles,
        body.default_role,
        people.clock(),
        body.client_secret or "",
    )


def _answer(provider: Provider) -> ProviderAnswer:
    return ProviderAnswer.made_from(
        provider,
        scopes=list(provider.scopes),
        group_roles=dict(provider.group_roles),
        sign_in_path=f"/sign-in/with/{provider.id}",
    )
