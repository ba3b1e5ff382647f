"""`make fuzz`: Atheris looks for texts that reach new lines, and holds them against the properties of `tests/unit/fuzz`.

Hypothesis makes texts up by chance; Atheris keeps those that led somewhere new and changes them on. Each property is a
process of its own, as the fuzzer ends its process. A text that breaks one is kept in Hypothesis's database: the next
`pytest tests/unit/fuzz` shows it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from types import FunctionType
from typing import Any

import atheris

MEMORY = 2_048
"""MiB that a property may take: a text that makes it take more is a finding, too."""


def properties() -> dict[str, Any]:
    """What is looked into, by name."""
    from tests.unit.fuzz import test_made_up_texts as texts

    return {
        name: one for name, one in vars(texts).items() if name.startswith("test_") and isinstance(one, FunctionType)
    }


def look_into(name: str, seconds: int) -> None:
    """Look for a text that breaks this property. Ends the process, with 0 if there is none."""
    with atheris.instrument_imports(include=["passerelle"]):
        wanted = properties()[name]
    with tempfile.TemporaryDirectory(prefix="passerelle-fuzz-") as folder:
        arguments = [
            f"-max_total_time={seconds}",
            f"-rss_limit_mb={MEMORY}",
            f"-artifact_prefix={folder}/",
            "-timeout=20",
            "-len_control=0",  # short ones make nothing up
        ]
        atheris.Setup(
            [sys.argv[0], *arguments, "-print_final_stats=1", "-verbosity=0", folder], wanted.hypothesis.fuzz_one_input
        )
        atheris.Fuzz()


def main(seconds: int) -> int:
    """Each property in turn; the exit status."""
    broken = 0
    for name in properties():
        command = [sys.executable, "-m", "tests.fuzz_texts", str(seconds), name]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        said = (ended.stdout + ended.stderr).splitlines()
        texts = next((line.split()[-1] for line in said if "number_of_executed_units" in line), "?")
        print(f"{name}: {texts} texts, {'good' if ended.returncode == 0 else 'BROKEN'}", flush=True)
        if ended.returncode:
            print("\n".join(said[-60:]), flush=True)
            broken += 1
    return 1 if broken else 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        look_into(sys.argv[2], int(sys.argv[1]))
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
