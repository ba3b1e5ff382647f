"""What the feature is made of."""

from __future__ import annotations

from dataclasses import dataclass

from passerelle.operations.figures import Counting
from passerelle.operations.mailing import MailTrial, MailWatch
from passerelle.operations.presence import Presence
from passerelle.operations.sent import SentJournal
from passerelle.operations.standing import Overview


@dataclass(frozen=True)
class OperationsParts:
    """Its services."""

    overview: Overview
    presence: Presence
    mail: MailTrial
    sent: SentJournal
    mail_watch: MailWatch
    counting: Counting
