"""Dead letters over the real stores. Kafka's client blocks: it is asked in a thread, one at a time."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from api.admin import letters
from api.problems import Problem
from api.reads.audit import AuditReads
from api.reads.away import RETRY_AFTER
from api.reads.known import Connections
from api.reads.letter_port import Replay
from db.kafka.letters import Original
from db.letters import held, originals, recorded, sending
from db.letters.causes import Dead
from db.letters.held import Bounds
from db.letters.sending import Wanted
from db.postgres import idempotency, replays
from db.postgres.changes import By, Performed
from db.postgres.idempotency import Once
from db.postgres.replays import Attempt
from service import clock

T = TypeVar("T")
_READ: Final = Bounds(letters=100_000, seconds=15, patience_s=3)
_TURN_S: Final = 2.0  # with `patience_s`: after 5 seconds it is known that Kafka is away
_READING_S: Final = 25.0
_SENDING_S: Final = 60.0


class LetterReads(AuditReads):
    """`api.reads.letter_port.Letters`."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self._kafka = connections.kafka
        self._turn = asyncio.Semaphore()

    async def of_letters(self, since: datetime | None, work: Callable[[list[Dead]], T]) -> T:
        async with self._watch.reading("postgres"):
            sent = await replays.newest(self._postgres)
        since_ms = 0 if since is None else max(clock.to_us(since) // 1000, 0)
        return await self._in_thread(lambda: work(held.read(self._kafka, sent, since_ms, _READ)), _READING_S)

    async def original(self, dead: Dead) -> tuple[Original, bool] | None:
        work = partial(originals.original, self._kafka, dead.letter, _READ.patience_s)
        return await self._in_thread(work, _READING_S)

    async def replay(self, wanted: Replay, by: By, once: Once | None) -> Performed:
        if once is None:
            return Performed(await self._replayed(wanted, by))
        async with self._watch.reading("postgres", _READING_S + _SENDING_S), self._postgres.begin() as connection:
            if (first := await idempotency.kept(connection, once, by.at)) is not None:
                return Performed(first, replayed=True)
            answer = await self._replayed(wanted, by)
            await idempotency.keep(connection, once, by.tenant, answer, by.at)
        return Performed(answer)

    async def _replayed(self, wanted: Replay, by: By) -> dict[str, Any]:
        plan = await self.of_letters(wanted.since, lambda dead: letters.plan(dead, wanted, self._kafka))
        result = await self._sent(plan.now, wanted, by) if plan.now else sending.Result()
        return letters.outcome(plan, result, dry_run=wanted.dry_run)

    async def _sent(self, now: Sequence[Wanted], wanted: Replay, by: By) -> sending.Result:
        loop, record = asyncio.get_running_loop(), partial(recorded.record, self._postgres, self._audit_secret)
        unrecorded = [partial(record, now, wanted.choice, by)]  # written in the turn, before the first is sent

        async def noted(attempts: Sequence[Attempt]) -> None:
            async with self._watch.reading("postgres"):
                while unrecorded:
                    await unrecorded.pop()()
                await replays.ask(self._postgres, attempts)

        def note(attempts: Sequence[Attempt]) -> None:
            asyncio.run_coroutine_threadsafe(noted(attempts), loop).result()

        return await self._in_thread(partial(sending.send, self._kafka, now, note, trial=wanted.dry_run), _SENDING_S)

    async def _in_thread(self, work: Callable[[], T], seconds: float) -> T:
        """The turn ends with the thread, also where nobody waits for that any more."""
        await self._take_turn()
        running = asyncio.ensure_future(asyncio.to_thread(work))
        running.add_done_callback(self._ended)
        async with self._watch.reading("kafka", seconds):
            return await asyncio.shield(running)

    async def _take_turn(self) -> None:
        try:
            await asyncio.wait_for(self._turn.acquire(), _TURN_S)
        except TimeoutError:
            detail = f"Kafka is being read for another request about dead letters. Try again in {RETRY_AFTER} seconds."
            raise Problem(503, "store-away", detail, headers={"Retry-After": RETRY_AFTER}) from None

    def _ended(self, running: "asyncio.Task[Any]") -> None:
        self._turn.release()
        if not running.cancelled():
            running.exception()  # looked at: it was raised to who waited, if anybody did
