"""The PostgreSQL ledger as the loop needs it: where to start, and the ranges that the bridge itself buries."""

from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import OUTAGE
from db.postgres.ledger import LandedRange, append_ledger, contiguous_end, known_at_floor
from workers.bridge.ports import Outage, Place, Start
from workers.bridge.window import Flight
from workers.runner import Runner


class PostgresLedger:
    """The ledger of one topic (by Kafka's id of it)."""

    def __init__(self, engine: AsyncEngine, runner: Runner, topic: str) -> None:
        self._engine, self._runner, self._topic = engine, runner, topic
        self.topic_id = ""

    def start(self, partition: int, place: Place) -> Start:
        """min(committed, contiguous end of the ledger): neither a restored ledger nor a lost group skips a message."""
        try:
            return self._runner.wait(self._start(partition, place))
        except OUTAGE as error:
            raise Outage(f"PostgreSQL: {error}") from error

    async def _start(self, partition: int, place: Place) -> Start:
        landed = await contiguous_end(self._engine, self.topic_id, partition, place.low)
        committed = place.low if place.committed is None else place.committed
        offset = max(place.low, min(landed, committed))
        return Start(offset, await known_at_floor(self._engine, self.topic_id, partition, offset))

    def bury(self, flight: Flight) -> None:
        """Records a range whose one message became a dead letter."""
        landed = LandedRange(
            topic=self._topic,
            topic_id=self.topic_id,
            partition=flight.partition,
            first_offset=flight.first,
            next_offset=flight.next,
            messages=1,
            ticks=0,
            rejects=1,
            dead_letters=1,
            known_at_us=flight.known_at_us,
            batch_id=flight.batch_id,
        )
        try:
            self._runner.wait(append_ledger(self._engine, [landed]))
        except OUTAGE as error:
            raise Outage(f"PostgreSQL: {error}") from error
