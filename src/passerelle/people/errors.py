"""The error codes of this feature."""

from __future__ import annotations

from typing import Final

from passerelle.accounts.errors import unauthorized
from passerelle.kit.errors import Code, PasserelleError

USER_NOT_FOUND: Final = Code("USER_NOT_FOUND", 404, "Your organization has no user with this id.")
USER_EMAIL_INVALID: Final = Code("USER_EMAIL_INVALID", 400, "The text is no e-mail address.")
EMAIL_IN_USE: Final = Code("EMAIL_IN_USE", 409, "A user of your organization has this e-mail address already.")
LAST_OWNER: Final = Code(
    "LAST_OWNER", 409, "An organization keeps at least one active owner. Make another user owner first."
)
OWNERS_ONLY: Final = Code("OWNERS_ONLY", 403, "Only an owner makes, changes or deactivates an owner.")
ROLE_UNKNOWN: Final = Code("ROLE_UNKNOWN", 400, "There is no role with this name; the message names those there are.")
ROLE_NOT_FOUND: Final = Code("ROLE_NOT_FOUND", 404, "The workspace has no role with this name.")
ROLE_EXISTS: Final = Code("ROLE_EXISTS", 409, "The workspace has a role with this name already.")
ROLE_BUILT_IN: Final = Code("ROLE_BUILT_IN", 409, "Roles that are built in cannot be changed or deleted.")
ROLE_IN_USE: Final = Code("ROLE_IN_USE", 409, "Members have this role. Give them another one first.")
PERMISSION_UNKNOWN: Final = Code("PERMISSION_UNKNOWN", 400, "There is no permission with this name here.")
PERMISSION_EXCEEDED: Final = Code(
    "PERMISSION_EXCEEDED", 403, "Nobody gives a permission that they do not have themselves."
)
WORKSPACE_NOT_FOUND: Final = Code(
    "WORKSPACE_NOT_FOUND", 404, "There is no workspace with this id, or you are no member of it."
)
MEMBERSHIP_NOT_FOUND: Final = Code("MEMBERSHIP_NOT_FOUND", 404, "The user is no direct member of the workspace.")
ENROLLMENT_NOT_FOUND: Final = Code("ENROLLMENT_NOT_FOUND", 404, "Your organization has no enrolment with this id.")
ENROLLMENT_OVER: Final = Code(
    "ENROLLMENT_OVER", 409, "The invitation was accepted or cancelled, so it cannot be changed or sent again."
)
GROUP_NOT_FOUND: Final = Code("GROUP_NOT_FOUND", 404, "Your organization has no group with this id.")
GROUP_EXISTS: Final = Code("GROUP_EXISTS", 409, "Your organization has a group with this name already.")
GROUP_MEMBER_UNKNOWN: Final = Code(
    "GROUP_MEMBER_UNKNOWN", 400, "Your organization has no such users: provision them before the group."
)
GROUP_ROLE_INVALID: Final = Code("GROUP_ROLE_INVALID", 400, "A group cannot give this role in the organization.")
ORGANIZATION_NOT_FOUND: Final = Code(
    "ORGANIZATION_NOT_FOUND", 404, "In this browser you have not proved who you are in such an organization."
)
SESSION_OVER: Final = Code("SESSION_OVER", 401, "The browser is not signed in, or not any more. Sign in again.")
SESSION_NOT_FOUND: Final = Code("SESSION_NOT_FOUND", 404, "You have no session with this id.")
PASSKEYS_TOO_MANY: Final = Code(
    "PASSKEYS_TOO_MANY", 409, "You have as many passkeys as one person may. Take one away before you add another."
)
PASSKEY_NOT_FOUND: Final = Code("PASSKEY_NOT_FOUND", 404, "You have no passkey with this id.")
SESSION_REQUIRED: Final = Code(
    "SESSION_REQUIRED", 403, "Only a person who is signed in can do this; a key acts for a service."
)
REQUEST_FORGED: Final = Code(
    "REQUEST_FORGED",
    403,
    "A request with the cookie of a session comes from another site, or from a program that does not send "
    "`X-Passerelle-Client`.",
)
SIGN_IN_FAILED: Final = Code("SIGN_IN_FAILED", 401, "Address, password or code are not right.")
PASSWORD_WEAK: Final = Code("PASSWORD_WEAK", 400, "The password is too short, too long or too easy to guess.")
LANGUAGE_UNKNOWN: Final = Code("LANGUAGE_UNKNOWN", 400, "The pages do not speak this language.")
TIME_ZONE_UNKNOWN: Final = Code("TIME_ZONE_UNKNOWN", 400, "There is no time zone with this name.")
IDENTITY_PROVIDER_NOT_FOUND: Final = Code(
    "IDENTITY_PROVIDER_NOT_FOUND", 404, "Your organization has no identity provider with this id."
)
IDENTITY_PROVIDER_EXISTS: Final = Code(
    "IDENTITY_PROVIDER_EXISTS", 409, "Your organization has an identity provider with this name already."
)
IDENTITY_PROVIDER_INVALID: Final = Code(
    "IDENTITY_PROVIDER_INVALID", 400, "The provider's discovery document cannot be read or is not right, or the roles."
)
SINGLE_SIGN_ON_FAILED: Final = Code(
    "SINGLE_SIGN_ON_FAILED", 403, "The identity provider's answer was not taken; the server's log says why."
)


def over() -> PasserelleError:
    """SESSION_OVER."""
    return unauthorized(SESSION_OVER, "you are not signed in here, or not any more: sign in at `/sign-in`")
