"""What can go wrong with an expression: when it is compiled, and when it runs."""

from __future__ import annotations

from collections.abc import Sequence


class ExpressionProblem(Exception):  # noqa: N818 - a finding for the author of the definition
    """An expression does not compile.

    message   what is wrong and what would be right
    offset    where, in characters from the start of the compiled text
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class TemplateProblem(Exception):  # noqa: N818 - as above
    """A template does not compile. Lists everything that is wrong, each with its path inside the value."""

    def __init__(self, problems: Sequence[tuple[tuple[str | int, ...], ExpressionProblem]]) -> None:
        super().__init__("; ".join(problem.message for _, problem in problems))
        self.problems = tuple(problems)


class ExpressionError(Exception):
    """An expression failed while it ran. Says which one and why; never shows the values it met."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(f"{expression}: {reason}")
        self.expression = expression
        self.reason = reason

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[str, str]]:
        return type(self), (self.expression, self.reason)


class Failure(Exception):  # noqa: N818 - becomes an ExpressionError where the expression is known
    """Inside this package: an evaluation failed. `reason` is a sentence without any value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
