"""Finds the one message that no worker survives or accepts: bisects down to it and buries it."""

import logging
from uuid import uuid4

from db.redis.acks import Ack
from pipeline import replay
from workers.bridge.batcher import halves
from workers.bridge.breaker import Landed
from workers.bridge.ports import DeadLetters, Dispatcher, Ledger
from workers.bridge.tally import Tally
from workers.bridge.window import Flight, Window, in_flight
from workers.codec import pack, unpack
from workers.header import Runs

log = logging.getLogger(__name__)

DEATHS = 3


class Poison:
    """An attempt is a worker's explicit data error, or the third death after a recorded start while others land.

    Time-outs alone never count: queues may be lost, workers killed, servers away.
    """

    def __init__(self, dispatcher: Dispatcher, ledger: Ledger, deadletters: DeadLetters, tally: Tally) -> None:
        self._dispatcher, self._ledger = dispatcher, ledger
        self._deadletters, self._tally = deadletters, tally

    def refused(self, window: Window, ack: Ack) -> None:
        """A worker's data error for a range; one of an earlier cut is no longer there and means nothing."""
        flight = window.find(ack.first, ack.next)
        if flight is not None:
            flight.refusal, flight.sent_at = ack.error, None

    def may_send(self, window: Window, flight: Flight, assignment: str, landed_at: float) -> bool:
        """Before a flight is sent (again): False when it was split or buried instead."""
        if flight.refusal:
            return not self._suspect(window, flight, flight.refusal, "data error")
        if flight.sent_at is None or landed_at <= flight.sent_at:
            return True
        stage = self._dispatcher.take_started(assignment, flight.batch_id)
        if stage is None:
            return True
        flight.failures += 1
        log.warning(
            "a worker died with a batch in hand",
            extra={"partition": flight.partition, "first": flight.first, "deaths": flight.failures},
        )
        if flight.failures < DEATHS:
            return True
        reason = f"{flight.failures} workers died in the stage {stage} with this message in hand"
        return not self._suspect(window, flight, reason, stage)

    def _suspect(self, window: Window, flight: Flight, reason: str, stage: str) -> bool:
        if flight.messages > 1:
            window.replace(flight, _split(flight))
            return True
        flight.refusal = reason
        self._deadletters.write(flight, stage)
        self._ledger.bury(flight)
        window.land(flight.first, flight.next)
        log.error(
            "message buried",
            extra={"partition": flight.partition, "offset": flight.first, "reason": reason},
        )
        self._tally.judge(_judged(flight))
        return True


def _judged(flight: Flight) -> Landed:
    """A replay that is refused again is no sign that the topic cannot be read."""
    again = replay.of(unpack(flight.payload).headers.get(0, ())) is not None
    return Landed(flight.partition, 1, 0, Runs()) if again else Landed(flight.partition, 1, 1, Runs(1, 1, 1, (1,)))


def _split(flight: Flight) -> list[Flight]:
    """The two halves; one more death is enough to split them again."""
    parts = [
        in_flight(uuid4().hex, flight.partition, first, end, messages, pack(messages))
        for first, end, messages in halves(flight.first, flight.next, unpack(flight.payload))
    ]
    for part in parts:
        part.failures = min(flight.failures, DEATHS - 1)
    return parts
