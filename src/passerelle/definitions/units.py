"""How definitions write lengths of time and sizes of files."""

from __future__ import annotations

import re
from typing import Final

# As `passerelle.kit.durations` reads them.
DURATION_PATTERN: Final = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"
SIZE_PATTERN: Final = r"^[0-9]{1,12}(B|KB|MB|GB)$"

# As file managers count, so that a file shown as 10 MB passes a limit of 10MB.
_BYTES: Final = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_SIZE: Final = re.compile(r"([0-9]+)([A-Z]+)")


def parse_size(text: str) -> int:
    """The number of bytes that `text`, which fits `SIZE_PATTERN`, says."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no size of a file")
    return int(found.group(1)) * _BYTES[found.group(2)]
