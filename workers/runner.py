"""Runs asyncio code from blocking code, always on one loop: a driver's connections belong to their loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Runner:
    """One event loop of one thread, made at first use."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs to the end and gives the result."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(work)

    def close(self) -> None:
        """Closes the loop and what still runs on it."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None
