"""The CEL library without its command line.

`import cel` loads the library's interactive shell as well, and with it prompt_toolkit and Pygments: a second on a
small machine, against 40 ms for the rest. A stand-in takes the shell's place while the library loads; afterwards
`import cel.cli` finds the real one.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Final

_SHELL: Final = "cel.cli"

_stands_in = _SHELL not in sys.modules
if _stands_in:
    sys.modules[_SHELL] = ModuleType(_SHELL)
try:
    import cel
    from cel import stdlib
finally:
    if _stands_in:
        del sys.modules[_SHELL]

__all__ = ["cel", "stdlib"]
