"""What a scheduler runs each night: starts the batch over the API, waits for its end and prints what came of it.

    python examples/nightly-batch/nightly.py --token pso_… --definition 0198…

Needs nothing but Python. Started twice on one day, it starts one batch: the day is the `Idempotency-Key`.
"""

from __future__ import annotations

import argparse
import json
import time
import urllib.request
from datetime import date
from pathlib import Path
from typing import Any

COMPANIES = Path(__file__).with_name("companies.json")


def call(url: str, token: str, body: Any = None, key: str | None = None) -> Any:
    """One call of the API; its answer."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json;version=2"}
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    headers |= {"Idempotency-Key": key} if key is not None else {}
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, content, headers)  # noqa: S310 - the address is the caller's own
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description="Start the nightly batch and wait for its end.")
    parser.add_argument("--url", default="http://localhost:8080")
    parser.add_argument("--token", required=True, help="an organization token")
    parser.add_argument("--definition", required=True, help="the id of nightly-batch")
    parser.add_argument("--register", help="where the register is, if not where the definition says")
    options = parser.parse_args()
    companies = [{name: one[name] for name in ("nip", "name")} for one in json.loads(COMPANIES.read_text("utf-8"))]
    parameters = {"companies": companies, **({"registerUrl": options.register} if options.register else {})}
    body = {"workflowDefinitionId": options.definition, "parameters": parameters}
    started = call(f"{options.url}/workflows", options.token, body, key=f"nightly-batch-{date.today()}")
    where = f"{options.url}/workflows/{started['id']}"
    begun = time.monotonic()
    while (status := call(where, options.token)["status"]) in ("RUNNING", "AWAITING"):
        time.sleep(1)
    print(f"{status} after {time.monotonic() - begun:.0f} s: {where}")
    if status == "COMPLETED":
        print(json.dumps(call(f"{where}/result", options.token)["result"], indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
