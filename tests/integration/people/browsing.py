"""A browser without script: it fills in forms and keeps cookies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx

PASSWORD = "lampa wieloryb rower"

_TOKEN = re.compile(r'name="_token" value="([0-9a-f]+)"')


@dataclass
class Tab:
    """One browser."""

    client: httpx.AsyncClient

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Open a page and send its form."""
        return await self.submit_to(path, path.partition("?")[0], **fields)

    async def submit_to(self, path: str, action: str, **fields: str) -> httpx.Response:
        """Open a page and send its form to another address."""
        page = await self.client.get(path)
        found = _TOKEN.search(page.text)
        assert found is not None, f"{path} shows no form: {page.status_code} {page.text[:300]}"
        return await self.client.post(action, data={"_token": found[1], **fields})

    async def sign_in(self, email: str, password: str, **more: str) -> httpx.Response:
        """Sign in as far as a password leads."""
        return await self.submit("/sign-in", email=email, password=password, **more)

    async def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the API as the dashboard does."""
        headers = {"X-Passerelle-Client": "test", **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **more)
