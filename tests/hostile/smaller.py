"""`python -m tests.hostile.smaller dev …`: the command line with a part of the work that the product grants.

What is bounded, and how, is the same; a text that is made to spend everything that it may does so sooner. What may be
done between two requests stays as it is.
"""

from __future__ import annotations

from passerelle.kit import work

PART = 10

work.EVALUATION_STEPS //= PART  # type: ignore[misc]
work.EXECUTION_STEPS //= PART  # type: ignore[misc]
given = work.Meter.__init__.__kwdefaults__
assert given is not None
given["each"] = work.EVALUATION_STEPS

if __name__ == "__main__":
    from passerelle.cli.main import main

    main()
