"""Waiting in tests: a condition is polled until a deadline."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

_LOOK_S: Final = 0.02


def until(condition: Callable[[], bool], within_s: float = 20, what: str = "the condition comes true") -> None:
    """Returns once the condition holds; fails with `what` where it does not in time."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s:.0f} s: {what}"
        time.sleep(_LOOK_S)


async def until_async(condition: Callable[[], bool], within_s: float = 10, what: str = "the condition") -> None:
    """The same, where what is waited for runs in the same loop."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s:.0f} s: {what}"
        await asyncio.sleep(0.002)
