"""`make fuzz [seconds=60]`: each role's requests, made up from the API's document and chained by what answers give.

Whatever is sent, no answer may be a 500. Schemathesis makes the requests up, in an environment of its own; what the server
logs as failed decides, so that nothing is missed that a report leaves out. Hypothesis does the same for what reads texts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from passerelle.accounts.permissions import EVERYTHING, WORKSPACE_ROLES
from tests.acceptance.running import PASSERELLE, Dev, start_dev

DOCUMENT = Path(__file__).parents[1] / "docs" / "reference" / "openapi-v2.json"
SCHEMATHESIS = ("tool", "run", "--quiet", "--from", "schemathesis>=4.32,<5", "schemathesis")
ROLES: Mapping[str, Iterable[str]] = {
    "everything": EVERYTHING,
    **{name: role.permissions for name, role in WORKSPACE_ROLES.items()},
}
WAITS = "^/events$|/wait$"
"""What waits on purpose, and would take all the time there is."""


def token(dev: Dev, permissions: Iterable[str]) -> str:
    """Of a key with these permissions and no others."""
    named = [word for name in sorted(permissions) for word in ("--permission", name)]
    command = [PASSERELLE, "key", "create", dev.demo["workspaceId"], "--token", "--data-dir", str(dev.folder), *named]
    made = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return str(made["organizationToken"])


def attacked(dev: Dev, role: str, seconds: int) -> str:
    """Send for so many seconds; the end of what Schemathesis says."""
    command = [
        str(PASSERELLE.with_name("uv")), *SCHEMATHESIS, "run", str(DOCUMENT), "--url", dev.demo["baseUrl"],
        "--header", f"Authorization: Bearer {token(dev, ROLES[role])}",
        "--checks", "not_a_server_error", "--phases", "coverage,fuzzing,stateful", "--max-time", str(seconds),
        "--exclude-path-regex", WAITS, "--request-timeout", "20", "--continue-on-failure", "--warnings", "off",
        "--workers", "2", "--no-color",
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds * 4 + 300, check=False)
    return ended.stdout[-3000:] + ended.stderr[-1000:]


def failed(log: Path) -> Counter[str]:
    """What was answered by 500, by method, path and the last line of the traceback."""
    found: Counter[str] = Counter()
    for line in log.read_text().splitlines():
        facts = json.loads(line) if line.startswith("{") else {}
        if facts.get("event") == "request failed" and facts.get("status", 0) >= 500:
            why = str(facts.get("exception", facts.get("error", ""))).strip().splitlines()[-1:]
            found[f"{facts['method']} {facts['path']}: {facts['status']} {''.join(why)[:300]}"] += 1
    return found


def main(seconds: int, only: str | None = None) -> int:
    """Every role in turn; the exit status."""
    with tempfile.TemporaryDirectory(prefix="passerelle-fuzz-") as name:
        folder, log = Path(name) / "data", Path(name) / "log"
        Path(name).chmod(0o711)
        dev = start_dev(folder, environment={"PASSERELLE_LOG_LEVEL": "warning", **os.environ}, log=log)
        try:
            for role in [only] if only else ROLES:
                print(f"== {role}\n{attacked(dev, role, seconds)}", flush=True)
        finally:
            dev.stop()
        found = failed(log)
    for what, times in found.most_common():
        print(f"{times} times {what}")
    print(f"{sum(found.values())} answers by 500")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60, *sys.argv[2:3]))
