"""What the feature is made of."""

from __future__ import annotations

from dataclasses import dataclass

from passerelle.app.settings import Settings
from passerelle.operations.mailing import MailTrial
from passerelle.operations.presence import Presence
from passerelle.operations.standing import Overview


@dataclass(frozen=True)
class OperationsParts:
    """Its services."""

    settings: Settings
    overview: Overview
    presence: Presence
    mail: MailTrial
