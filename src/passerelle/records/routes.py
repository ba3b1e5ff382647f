"""Every endpoint of tables and records, as the application includes them."""

from __future__ import annotations

from fastapi import APIRouter

import passerelle.records.attachment_endpoints
import passerelle.records.change_endpoints
import passerelle.records.duplicate_endpoints
import passerelle.records.endpoints
import passerelle.records.finding_endpoints
import passerelle.records.history_endpoints
import passerelle.records.transfer_endpoints
import passerelle.resources.endpoints
import passerelle.tables.endpoints
from passerelle.kit.http.pages import Cursors
from passerelle.records.parts import RecordServices


def routers(parts: RecordServices, cursors: Cursors) -> list[APIRouter]:
    """The routers. `parts` is asked only when an endpoint is called."""
    return [
        passerelle.records.endpoints.router(parts),
        passerelle.records.finding_endpoints.router(parts),
        passerelle.records.change_endpoints.router(parts),
        passerelle.records.history_endpoints.router(parts, cursors),
        passerelle.records.duplicate_endpoints.router(parts),
        passerelle.records.attachment_endpoints.router(parts, cursors),
        passerelle.records.transfer_endpoints.router(parts),
        passerelle.tables.endpoints.router(parts, cursors),
        passerelle.resources.endpoints.router(parts),
    ]
