"""What version 1 is refused with, and what can be wrong with its mode."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

V1_BROWNOUT: Final = Code(
    "V1_BROWNOUT",
    410,
    "Version 1 is refused for a while, to find whoever still uses it. `Retry-After` says for how long.",
)
V1_REMOVED: Final = Code("V1_REMOVED", 410, "Version 1 has ended here. The message says what takes its place.")
BROWNOUTS_INVALID: Final = Code(
    "BROWNOUTS_INVALID", 400, "`brownouts` is not times such as `tue 09:00-10:00, 2026-12-01T09:00Z/2026-12-01T10:00Z`."
)
V1_MODE_LOOSER: Final = Code(
    "V1_MODE_LOOSER", 403, "A workspace's key can end version 1 earlier than the installation does, not later."
)
