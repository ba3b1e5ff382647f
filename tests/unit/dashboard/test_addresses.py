"""The dashboard may live under a path: no address of the server's is written down without it."""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = Path(__file__).parents[3] / "web" / "src"
BARE = re.compile(r"""(?:fetch|EventSource|assign|replace|open)\(\s*["'`]/|(?:href|src|action)=(?:\{\s*)?["'`]/""")


def test_every_address_goes_through_under() -> None:
    files = [path for end in ("*.ts", "*.tsx") for path in SOURCES.rglob(end)]
    assert len(files) > 50
    bare = [
        f"{path.relative_to(SOURCES)}: {found[0]}"
        for path in files
        for found in BARE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert bare == [], "write `under(…)` of app/prefix around them"
