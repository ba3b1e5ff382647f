"""Single sign-on: OpenID Connect by discovery, with any provider that speaks the code flow.

What a provider says is believed only of people of the organization that named it, and only after state, nonce, PKCE,
issuer, audience, times and signature are right. Every request to it passes the guarded client.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

import asyncpg
import orjson
import structlog
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database, take_turn
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import NewId
from passerelle.kit.outgoing import Outgoing, OutgoingError
from passerelle.kit.secrets import SecretBox
from passerelle.kit.storable import unstorable
from passerelle.people import identity_provider_repository, repository
from passerelle.people.errors import (
    IDENTITY_PROVIDER_EXISTS,
    IDENTITY_PROVIDER_INVALID,
    IDENTITY_PROVIDER_NOT_FOUND,
    SINGLE_SIGN_ON_FAILED,
)
from passerelle.people.models import NewUser, Provider, User
from passerelle.people.users import Users
from passerelle.people.values import checked_email, checked_organization_role

CALLBACK: Final = "/sign-in/callback"

# Signatures with the client's secret, and none at all, are not among them.
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_SECONDS: Final = 10.0
_MOST_BYTES: Final = 500_000
_NONSENSE: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What the libraries fail with where a provider sends values of other types than it should."""
_LEEWAY: Final = 60
"""Seconds that the provider's clock may be off."""

log = structlog.get_logger("passerelle.single_sign_on")


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a provider's discovery document says."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    scopes: Sequence[str]
    claims: Sequence[str]
    says_pkce: bool
    """Whether it says that it takes PKCE; many do without saying so."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page of sign-in shows."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that the provider goes on with: where, and what must be remembered until the answer comes."""

    address: str
    pending: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Person:
    """Whom a provider vouches for."""

    idp_id: str
    """The provider and its own name for the person."""
    proved_email: str | None
    first_name: str
    last_name: str
    role: str | None
    """The role in the organization; None: they may not enter."""


class SingleSignOn:
    """The feature's service for single sign-on."""

    def __init__(
        self,
        database: Database,
        users: Users,
        outgoing: Outgoing,
        box: SecretBox,
        clock: Clock,
        new_id: NewId,
        public_url: str,
    ) -> None:
        self._database = database
        self._users = users
        self._outgoing = outgoing
        self._box = box
        self._clock = clock
        self._new_id = new_id
        self._callback = public_url + CALLBACK

    async def offers(self) -> list[Offer]:
        """The providers that anybody may see: those of the only organization."""
        async with self._database.shared() as connection:
            offered = await identity_provider_repository.offered(connection)
        return [Offer(f"/sign-in/with/{provider_id}", name) for provider_id, name in offered]

    async def all(self, organization_id: UUID) -> list[Provider]:
        """An organization's providers by name."""
        async with self._database.organization(organization_id) as connection:
            return await identity_provider_repository.all_providers(connection, self._box)

    @property
    def callback(self) -> str:
        """The address that a provider has to send people back to."""
        return self._callback

    async def discover(self, issuer: str) -> Discovery:
        """What a provider says of itself. Raises IDENTITY_PROVIDER_INVALID."""
        metadata = await self._metadata(issuer)
        return Discovery(
            metadata["issuer"],
            metadata["authorization_endpoint"],
            metadata["token_endpoint"],
            metadata["jwks_uri"],
            _texts(metadata.get("scopes_supported")),
            _texts(metadata.get("claims_supported")),
            "S256" in _texts(metadata.get("code_challenge_methods_supported")),
        )

    async def change(self, given: Provider) -> Provider:
        """Write what a provider is from now on; without a secret it keeps the one that it has.

        Raises IDENTITY_PROVIDER_NOT_FOUND, and as `create`.
        """
        _require_roles(given)
        async with self._database.organization(given.organization_id) as connection:
            issuer = await identity_provider_repository.issuer_of(connection, given.id)
        if issuer is None:
            raise _unknown()
        if issuer != given.issuer and not given.client_secret:
            # Or whoever changes the issuer would be sent the secret of another one.
            raise IDENTITY_PROVIDER_INVALID.error("another issuer needs its own `clientSecret`", "/clientSecret")
        await self._metadata(given.issuer)
        try:
            async with self._database.organization(given.organization_id) as connection:
                changed = await identity_provider_repository.update(connection, given, self._box, self._clock())
        except asyncpg.UniqueViolationError:
            raise _exists(given.name) from None
        if changed is None:
            raise _unknown()
        return changed

    async def create(self, by: Principal, given: Provider) -> Provider:
        """Keep a provider, after its discovery document was read.

        Raises IDENTITY_PROVIDER_INVALID, IDENTITY_PROVIDER_EXISTS or ROLE_UNKNOWN.
        """
        _require_roles(given)
        await self._metadata(given.issuer)
        async with self._database.organization(given.organization_id) as connection:
            if not await identity_provider_repository.insert(connection, given, self._box, self._clock()):
                raise _exists(given.name)
        log.info("identity_provider.created", provider=str(given.id), by=by.name)
        return given

    async def delete(self, organization_id: UUID, provider_id: UUID) -> None:
        """Forget a provider; who signed in with it needs another way in. Raises IDENTITY_PROVIDER_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            if not await identity_provider_repository.delete(connection, provider_id):
                raise _unknown()

    async def find(self, provider_id: UUID) -> Provider:
        """A provider of any organization. Raises IDENTITY_PROVIDER_NOT_FOUND."""
        async with self._database.shared() as connection:
            found = await identity_provider_repository.find(connection, provider_id, self._box)
        if found is None:
            raise IDENTITY_PROVIDER_NOT_FOUND.error("there is no such provider")
        return found

    async def begin(self, provider: Provider, next_path: str) -> Begun:
        """Where the browser goes. Raises IDENTITY_PROVIDER_INVALID where the provider does not answer as it must."""
        metadata = await self._metadata(provider.issuer)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        address = add_params_to_uri(
            metadata["authorization_endpoint"],
            [
                ("response_type", "code"),
                ("client_id", provider.client_id),
                ("redirect_uri", self._callback),
                ("scope", " ".join(dict.fromkeys(["openid", *provider.scopes]))),
                ("state", state),
                ("nonce", nonce),
                ("code_challenge", create_s256_code_challenge(verifier)),
                ("code_challenge_method", "S256"),
            ],
        )
        pending = {
            "provider": str(provider.id),
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "next": next_path,
        }
        return Begun(address, pending)

    async def finish(self, provider: Provider, pending: Mapping[str, str], answer: Mapping[str, str]) -> User:
        """Who the provider says it is. Raises SINGLE_SIGN_ON_FAILED, which is logged with the reason."""
        if not hmac.compare_digest(answer.get("state", "").encode(), pending["state"].encode()):
            raise _failed(provider, "the answer belongs to another sign-in (state)")
        if "iss" in answer and answer["iss"] != provider.issuer:
            raise _failed(provider, "the answer comes from another issuer")
        if "error" in answer or not answer.get("code"):
            raise _failed(provider, f"the provider answered {answer.get('error', 'nothing')[:80]}")
        try:
            metadata = await self._metadata(provider.issuer)
            tokens = await self._exchange(provider, metadata, answer["code"], pending["verifier"])
            person = _person(provider, await self._claims(provider, metadata, tokens, pending["nonce"]))
        except (PasserelleError, OutgoingError, JoseError, *_NONSENSE) as error:
            raise _failed(provider, str(error) or repr(error)) from None
        return await self._user(provider, person)

    async def _exchange(self, provider: Provider, metadata: Any, code: str, verifier: str) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        ways = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" in ways:
            pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        content = urlencode(fields).encode()
        return await self._json("POST", metadata["token_endpoint"], headers, content)

    async def _claims(
        self, provider: Provider, metadata: Any, tokens: Mapping[str, Any], nonce: str
    ) -> Mapping[str, Any]:
        """What the id token says, once everything about it is right."""
        known = await self._json("GET", metadata["jwks_uri"], {}, None)
        keys = KeySet.import_key_set({"keys": known["keys"]})
        supported = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        algorithms = [one for one in _ALGORITHMS if one in supported]
        token = jwt.decode(tokens["id_token"], keys, algorithms=algorithms)
        registry = JWTClaimsRegistry(
            now=int(self._clock().timestamp()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": provider.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(token.claims)
        audience = token.claims["aud"]
        must_name_us = (isinstance(audience, list) and len(audience) > 1) or "azp" in token.claims
        if must_name_us and token.claims.get("azp") != provider.client_id:
            raise ValueError("the id token was made for another client (azp)")
        return token.claims if "email" in token.claims else await self._with_userinfo(metadata, tokens, token.claims)

    async def _with_userinfo(
        self, metadata: Any, tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "Accept": "application/json"}
        found = await self._json("GET", metadata["userinfo_endpoint"], headers, None)
        if found.get("sub") != claims["sub"]:
            raise ValueError("the provider's userinfo is about somebody else (sub)")
        return {**found, **claims}

    async def _user(self, provider: Provider, person: _Person) -> User:
        """The user that is meant: known by the provider's own name for the person, else by a proved address."""
        role = person.role
        if role is None:
            raise _failed(provider, "the person is in no group that may enter")
        now = self._clock()
        async with self._database.organization(provider.organization_id) as connection:
            await take_turn(connection, f"identity {person.idp_id}")  # they may come in two browsers at once
            user = await repository.user_by_idp_id(connection, person.idp_id)
            if user is None:
                user = await self._linked(connection, provider, person, role)
            if user.state != "active":
                raise _failed(provider, "the user was deactivated")
            # Owners are made by owners, and stay what they are.
            if provider.group_claim is not None and user.role not in ("owner", role):
                user = await repository.change_user(connection, user.id, now, {"role": role}) or user
        return user

    async def _linked(self, connection: Connection, provider: Provider, person: _Person, role: str) -> User:
        if person.proved_email is None:
            raise _failed(provider, "the provider does not say that the address is proved (email_verified)")
        found = await repository.user_by_email(connection, person.proved_email)
        if found is None:
            new = NewUser(person.proved_email, role, person.first_name, person.last_name, idp_id=person.idp_id)
            return await self._users.insert(connection, provider.organization_id, new)
        if found.role == "owner":
            # Else whoever may name a provider could become an owner with one of their own.
            raise _failed(provider, "owners sign in here")
        if found.idp_id is not None:
            raise _failed(provider, "the address belongs to a user who signs in as somebody else there")
        changed = await repository.change_user(connection, found.id, self._clock(), {"idp_id": person.idp_id})
        assert changed is not None
        return changed

    async def _metadata(self, issuer: str) -> Any:
        """The discovery document. Raises IDENTITY_PROVIDER_INVALID."""
        try:
            address = get_well_known_url(issuer, external=True)
            found = await self._json("GET", address, {}, None)
            if found.get("issuer") != issuer:
                raise ValueError(f"it calls itself {str(found.get('issuer'))[:200]}")
            metadata = OpenIDProviderMetadata(found)
            if issuer.startswith("https:"):
                metadata.validate()
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not isinstance(found.get(name), str):
                    raise ValueError(f"it names no {name}")
        except (OutgoingError, *_NONSENSE) as error:
            message = f"`{issuer[:200]}` is no provider of OpenID Connect: {error}"
            raise IDENTITY_PROVIDER_INVALID.error(message, "/issuer") from None
        return metadata

    async def _json(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> dict[str, Any]:
        answer = await self._outgoing.request(
            method, url, headers=headers, content=content, timeout_seconds=_SECONDS, max_bytes=_MOST_BYTES
        )
        if answer.status != 200:
            raise ValueError(f"the provider answered {answer.status}")
        found = orjson.loads(answer.body)
        if not isinstance(found, dict):
            raise ValueError("the provider answered something else than an object")
        return found


def _require_roles(given: Provider) -> None:
    for role in (*given.group_roles.values(), *filter(None, [given.default_role])):
        checked_organization_role(role, "/groupRoles")
    if "owner" in given.group_roles.values() or given.default_role == "owner":
        raise IDENTITY_PROVIDER_INVALID.error("no group makes owners: an owner makes them", "/groupRoles")


def _exists(name: str) -> PasserelleError:
    return IDENTITY_PROVIDER_EXISTS.error(f"there is a provider `{name}` already", "/name")


def _unknown() -> PasserelleError:
    return IDENTITY_PROVIDER_NOT_FOUND.error("your organization has no such provider")


def _texts(found: object) -> list[str]:
    """The texts of a list that somebody else wrote; not without an end."""
    return [one[:200] for one in found[:200] if isinstance(one, str)] if isinstance(found, list) else []


def _person(provider: Provider, claims: Mapping[str, Any]) -> _Person:
    """Raises `ValueError`, USER_EMAIL_INVALID."""
    is_proved = claims.get("email_verified") is True and "email" in claims
    person = _Person(
        f"{provider.id}:{claims['sub']}",
        checked_email(str(claims["email"])) if is_proved else None,
        str(claims.get("given_name") or claims.get("name") or "")[:100],
        str(claims.get("family_name") or "")[:100],
        _role(provider, claims),
    )
    if (problem := unstorable([person.idp_id, person.proved_email, person.first_name, person.last_name])) is not None:
        raise ValueError(f"a claim of the id token {problem}")
    return person


def _role(provider: Provider, claims: Mapping[str, Any]) -> str | None:
    """The highest role that one of the person's groups gives."""
    groups = claims.get(provider.group_claim) if provider.group_claim is not None else None
    names = {str(one) for one in groups} if isinstance(groups, list) else set()
    given = {provider.group_roles[name] for name in names & provider.group_roles.keys()}
    return next((role for role in ("admin", "member") if role in given), provider.default_role)


def _failed(provider: Provider, reason: str) -> PasserelleError:
    log.warning("single_sign_on.failed", provider=str(provider.id), reason=reason[:500])
    error = SINGLE_SIGN_ON_FAILED.error(f"{provider.name} did not sign you in")
    # For the audit and the log; whoever tries to sign in does not learn it.
    error.add_note(reason[:200])
    return error
