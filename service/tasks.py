"""What nobody waits for any more."""

import asyncio
from typing import Any


async def stopped(task: "asyncio.Future[Any]") -> None:
    """Ends a task, if it has not ended, and looks at how it did: it is not reported as forgotten."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
