"""The command line in the test's own process: as the command, but without the second that its start takes."""

from __future__ import annotations

from dataclasses import dataclass

from typer.testing import CliRunner

from passerelle.cli.main import whole
from passerelle.kit.errors import CommandError
from tests.acceptance.running import Dev


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def passerelle(dev: Dev, *arguments: str) -> Done:
    """Run a command against a running Passerelle."""
    options = ("--url", dev.demo["baseUrl"], "--token", dev.demo["organizationToken"])
    result = CliRunner().invoke(whole(), [*arguments, *options])
    error = result.exception
    if error is not None and not isinstance(error, CommandError | SystemExit):
        raise error
    told = str(error).splitlines() if isinstance(error, CommandError) else []
    return Done(result.exit_code, result.stdout, result.stderr + "".join(f"passerelle: {line}\n" for line in told))
