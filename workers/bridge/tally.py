"""Counts what landed, and trips the breaker."""

from db.redis.acks import Ack
from pipeline.errors import DataProcessingError
from service.metrics import Metrics
from workers.bridge.breaker import Breaker, Landed
from workers.header import Runs


class Tripped(DataProcessingError):
    """Too many messages cannot be read: a person is to look."""


class Tally:
    """Takes each range once, when the window first marks it as landed."""

    def __init__(self, metrics: Metrics, breaker: Breaker | None) -> None:
        self.metrics = metrics
        self.landed_at = float("-inf")
        self._breaker = breaker

    def landed(self, ack: Ack, now: float) -> None:
        """Raises `Tripped` when too many messages could not be read."""
        self.landed_at = now
        self.metrics.count("bridge_landed_messages", ack.messages)
        runs = Runs(ack.lead, ack.trail, ack.longest)
        self.judge(Landed(ack.partition, ack.messages, ack.invalid, runs))

    def judge(self, landed: Landed) -> None:
        """Raises `Tripped` when this is one refusal too many."""
        sentence = self._breaker.add(landed) if self._breaker is not None else None
        if sentence is not None:
            raise Tripped(sentence, "bridge")
