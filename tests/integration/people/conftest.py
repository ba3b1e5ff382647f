"""The whole product with people in it: a workspace, its organization, and browsers that sign in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from passerelle.people.models import NewUser, User
from passerelle.people.services import PeopleServices
from tests.integration.people.browsing import PASSWORD, Tab
from tests.integration.secrets.product import BASE_URL, Product, joined, opened


@dataclass
class Home:
    """A product with a person in its first workspace's organization."""

    product: Product
    people: PeopleServices
    owner: User

    def tab(self, **headers: str) -> Tab:
        """A browser that has never been here."""
        transport = httpx.ASGITransport(self.product.app)
        return Tab(httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers))

    async def signed_in(self, email: str = "anna@example.com", password: str = PASSWORD) -> Tab:
        """A browser in which somebody has signed in."""
        tab = self.tab()
        answer = await tab.sign_in(email, password)
        assert answer.status_code == 303, answer.text
        return tab


@pytest.fixture
async def home(server_url: str, template: str) -> AsyncIterator[Home]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        people = services.people
        organization_id = await people.users.organization_of(product.workspace_id)
        owner = await people.users.make(
            organization_id, NewUser("anna@example.com", "owner", "Anna", "Nowak"), PASSWORD
        )
        yield Home(product, people, owner)
