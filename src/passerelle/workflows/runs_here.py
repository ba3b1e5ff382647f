"""Executions that go on in the process that got the request, beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final
from uuid import UUID

import structlog

from passerelle.engine.model import State
from passerelle.engine.runner import Run

log = structlog.get_logger("passerelle.workflows")

HERE_AT_ONCE: Final = 64
"""Executions of one workspace; further ones wait for their turn at the workers, where workspaces are served round by
round."""
ENDS_WITHIN: Final = 10.0
"""Seconds that what is under way has once the process was told to stop, as at a worker: a call that is cut off is made
again elsewhere."""


class RunsHere:
    """What is under way in this process."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[State]] = set()
        self._of_workspace: Counter[UUID] = Counter()

    def has_room(self, workspace_id: UUID) -> bool:
        """Whether another one of the workspace's may go on here."""
        return self._of_workspace[workspace_id] < HERE_AT_ONCE

    def spawn(self, run: Run) -> asyncio.Task[State]:
        """Let an execution go on beside the caller; gives the state at which it stops."""
        task = asyncio.create_task(_go_on(run))
        self._tasks.add(task)
        workspace_id = run.state.identity.workspace_id
        self._of_workspace[workspace_id] += 1

        def over(ended: asyncio.Task[State]) -> None:
            self._tasks.discard(ended)
            self._of_workspace[workspace_id] -= 1
            if not self._of_workspace[workspace_id]:
                del self._of_workspace[workspace_id]

        task.add_done_callback(over)
        return task

    async def close(self) -> None:
        """Give what is under way, such as a call to somebody outside, the time to reach its next commit."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=ENDS_WITHIN)
        for task in self._tasks:
            task.cancel()


async def _go_on(run: Run) -> State:
    try:
        return await run.go_on()
    except Exception as error:  # the lease runs out, and a worker goes on from the last commit
        log.warning("execution.interrupted", execution=str(run.state.identity.id), error=repr(error))
        return run.state
