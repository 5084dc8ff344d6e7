"""Whether a store answers at all, asked once a call has waited in vain: who calls a silent store soon knows.

A call that has waited `DOUBT_S`, while the store has answered nobody, brings the question: a round trip over a
connection of its own. Where that is not answered either, and not a second time, the store is away: all who wait for it
are told so, and who comes is told at once, until the store answers again: that is asked twice a second. A store that is
slow, or a query that takes long, is not away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

DOUBT_S: Final = 1.0
ANSWER_S: Final = 2.0  # for the round trip
TIMES: Final = 2
AGAIN_S: Final = 0.5
NOTICED_S: Final = DOUBT_S + TIMES * ANSWER_S


class Probe(NamedTuple):
    """`ask`: the round trip, raising where there is no answer; `forget`: lets go of the connections that there are, of
    which nobody uses one."""

    ask: Callable[[], Awaitable[object]]
    forget: Callable[[], Awaitable[object]]


class Doubt:
    """About one store, in one event loop."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._waiting: set[asyncio.Timeout] = set()
        self._answered = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._is_away = False

    @contextmanager
    def calling(self, limit: asyncio.Timeout) -> Generator[None]:
        """Around a call whose time `limit` bounds: it ends now where the store is away."""
        if self._is_away:
            raise TimeoutError("it has answered nobody since it went away")
        loop = asyncio.get_running_loop()
        doubting = loop.call_later(DOUBT_S, self._ask_unless_answered, loop.time())
        self._waiting.add(limit)
        try:
            yield
            self._answered = loop.time()
        finally:
            self._waiting.discard(limit)
            doubting.cancel()

    def _ask_unless_answered(self, since: float) -> None:
        if self._answered < since and (self._asking is None or self._asking.done()):
            self._asking = asyncio.ensure_future(self._ask(since))

    async def _ask(self, since: float) -> None:
        for _ in range(TIMES):
            if await self._answers() or self._answered >= since:
                return
        self._give_up()
        while not await self._answers():  # noqa: ASYNC110  nobody here could say when it is back
            await asyncio.sleep(AGAIN_S)
        with suppress(Exception):  # a connection that cannot even be closed
            async with asyncio.timeout(ANSWER_S):
                await self._probe.forget()
        self._is_away = False

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._probe.ask()
        except Exception:  # whatever it is, it is no answer
            return False
        return True

    def _give_up(self) -> None:
        self._is_away = True
        now = asyncio.get_running_loop().time()
        for limit in self._waiting:
            if not limit.expired():
                limit.reschedule(now)
