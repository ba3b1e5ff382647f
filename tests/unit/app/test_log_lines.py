"""What the processes log: one line of JSON for each event, whatever callers have put into it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta

PROGRAM = r"""
import logging, structlog
from passerelle.app.logs import configure
configure("info")
forged = 'x\n{"event": "forged"}\r\n\u2028\x1b[31m\x00'
structlog.get_logger().info("request", path=forged, **{forged: 1})
logging.getLogger("library").error("failed: %s", forged)
"""


def test_no_text_of_a_caller_forges_a_line() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert done.stdout == b""
    lines = done.stderr.split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == 2
    assert not any(byte in line for line in lines for byte in (b"\r", b"\x1b", b"\x00"))
    first, second = (json.loads(line) for line in lines)
    assert (first["event"], first["level"]) == ("request", "info")
    assert first["path"].startswith('x\n{"event": "forged"}')
    assert (second["logger"], second["level"]) == ("library", "error")
    for line in (first, second):
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta()
