"""People by command, beside a running `passerelle dev`: who signs in with what was printed."""

from __future__ import annotations

import json
import re
import subprocess

import httpx

from tests.acceptance.running import PASSERELLE, Dev

TOKEN = re.compile(r'name="_token" value="(\w+)"')


def user(dev: Dev, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PASSERELLE), "user", *arguments, "--data-dir", str(dev.folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def of_the_demo(dev: Dev, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on the database, where other tests may have made organizations, too."""
    with dev.api() as api:
        organization = api.get("/me").json()["organization"]["id"]
    return user(dev, *arguments, "--organization", organization)


def signed_in(dev: Dev, email: str, password: str) -> int:
    with httpx.Client(base_url=dev.demo["baseUrl"]) as browser:
        token = TOKEN.search(browser.get("/sign-in").text)
        assert token is not None
        form = {"_token": token[1], "email": email, "password": password}
        answer = browser.post("/sign-in", data=form)
        return browser.get("/me").status_code if answer.status_code == 303 else answer.status_code


def test_the_user_that_dev_prints_signs_in(dev: Dev) -> None:
    assert signed_in(dev, **dev.demo["user"]) == 200


def test_a_user_is_made_joins_gets_another_password_and_is_deactivated(dev: Dev) -> None:
    made = of_the_demo(dev, "create", "ola@example.com", "--role", "member", "--first-name", "Ola")
    assert made.returncode == 0, made.stderr
    assert signed_in(dev, "ola@example.com", json.loads(made.stdout)["password"]) == 200
    assert user(dev, "member", "OLA@example.com", "reviewer").returncode == 0
    assert "ola@example.com" in of_the_demo(dev, "list").stdout

    reset = json.loads(of_the_demo(dev, "reset", "ola@example.com").stdout)
    assert signed_in(dev, "ola@example.com", json.loads(made.stdout)["password"]) == 401
    assert signed_in(dev, "ola@example.com", reset["password"]) == 200

    assert of_the_demo(dev, "deactivate", "ola@example.com").returncode == 0
    assert signed_in(dev, "ola@example.com", reset["password"]) == 401
    again = of_the_demo(dev, "create", "Ola@example.com")
    assert (again.returncode, "has this e-mail address already" in again.stderr) == (1, True)


def test_a_person_is_invited(dev: Dev) -> None:
    invited = user(dev, "invite", "iga@example.com", "--workspace-role", "operator")
    assert invited.returncode == 0, invited.stderr
    refused = user(dev, "invite", "iga@example.com", "--workspace-role", "wizard")
    assert (refused.returncode, "the workspace has no role `wizard`" in refused.stderr) == (1, True)
