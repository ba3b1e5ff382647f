"""One presenter a user-facing kind: its page, and how the answer is read from it."""

from __future__ import annotations

from passerelle.end_user.pages.presenters.base import FRESHLY, PageProblem, Presenter, Submission
from passerelle.end_user.pages.presenters.registry import presenters

__all__ = ["FRESHLY", "PageProblem", "Presenter", "Submission", "presenters"]
