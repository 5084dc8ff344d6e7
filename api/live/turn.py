"""A turn at a subscription: the work by which it begins, until it ends or begins anew."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from api.problems import Problem

T = TypeVar("T")
_AGAIN_S: Final = 0.1


class Turn:
    """`room` returns once more can be sent; `is_current` is false once another turn has begun, or none is left.

    Whatever is awaited here ends by `CancelledError` then: a cancelling alone may get lost in `asyncio.wait_for`, by
    which redis-py writes, before Python 3.12.
    """

    def __init__(self, room: Callable[[], Awaitable[None]], is_current: Callable[[], bool]) -> None:
        self._room = room
        self._is_current = is_current

    async def of(self, work: Awaitable[T]) -> T:
        found = await work
        if not self._is_current():
            raise asyncio.CancelledError
        return found

    async def room(self) -> None:
        await self.of(self._room())

    async def pause(self) -> None:
        await self.of(asyncio.sleep(_AGAIN_S))

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Asked again while a store is away."""
        while True:
            try:
                return await self.of(ask())
            except Problem:
                await self.pause()
