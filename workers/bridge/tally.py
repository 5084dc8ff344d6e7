"""Counts what landed, and trips the breaker."""

from db.redis.acks import Ack
from pipeline.errors import DataProcessingError
from service.metrics import Metrics
from workers.bridge.breaker import Breaker, Landed
from workers.header import Runs


class Tripped(DataProcessingError):
    """Too many messages cannot be read: a person is to look."""


class Tally:
    """Takes each range once, when the window first marks it as landed.

    `tripped` says in words why the bridge must stop; whoever drives it looks, so that no answer is half heard.
    """

    def __init__(self, metrics: Metrics, breaker: Breaker | None) -> None:
        self.metrics = metrics
        self.landed_at = float("-inf")
        self.tripped = ""
        self._breaker = breaker

    def landed(self, ack: Ack, now: float) -> None:
        """A range that a worker has landed."""
        self.landed_at = now
        self.metrics.count("bridge_landed_messages", ack.messages)
        runs = Runs(ack.lead, ack.trail, ack.longest, ack.parts)
        self.judge(Landed(ack.partition, ack.messages, ack.invalid, runs))

    def judge(self, landed: Landed) -> None:
        """Trips where this is one refusal too many."""
        reason = self._breaker.add(landed) if self._breaker is not None else None
        self.tripped = self.tripped or reason or ""
        self.metrics.set("bridge_tripped", bool(self.tripped))
