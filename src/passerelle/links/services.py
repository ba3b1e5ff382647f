"""What the feature consists of, as the composition root makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from passerelle.accounts.signing_keys import SigningKeys
from passerelle.definitions.revisions.service import Revisions
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import Handler
from passerelle.kit.mail import Mail
from passerelle.kit.secrets import SecretBox
from passerelle.languages.service import Languages
from passerelle.links.credentials import Credentials
from passerelle.links.emails import EMAIL_JOB
from passerelle.links.listing import LinkList
from passerelle.links.messages import LinkMessages
from passerelle.links.sending import LinkMail
from passerelle.links.service import Links
from passerelle.links.tokens import WidgetTokens
from passerelle.themes.service import Themes
from passerelle.workflows.service import Executions


@dataclass(frozen=True)
class LinkServices:
    """The service, and what its jobs do."""

    links: Links
    listing: LinkList
    mail: LinkMail

    def jobs(self) -> Mapping[str, Handler]:
        """What the feature's jobs do."""
        return {EMAIL_JOB: self.mail.run}


def link_services(
    database: Database,
    executions: Executions,
    revisions: Revisions,
    themes: Themes,
    keys: SigningKeys,
    box: SecretBox,
    mail: Mail,
    clock: Clock,
    new_id: NewId,
    *,
    public_url: str,
    environment: str,
    languages: Languages,
) -> LinkServices:
    """The feature on a database. `public_url` is what links begin with, `environment` what tokens say."""
    credentials = Credentials(box)
    tokens = WidgetTokens(keys, environment, public_url)
    messages = LinkMessages(database, revisions, credentials, themes, languages)
    return LinkServices(
        Links(database, executions, revisions, credentials, tokens, clock, new_id, public_url),
        LinkList(database, clock),
        LinkMail(database, mail, messages, clock, new_id),
    )
