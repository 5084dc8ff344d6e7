"""The bridge's loop: poll, cut, send, hear what landed, commit. One thread; every wait is bounded."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

from service.metrics import Metrics
from workers.bridge.batcher import Batcher, Cut, Limits
from workers.bridge.poison import Poison
from workers.bridge.ports import Dispatcher, Ledger, Outage, Place, Room, Source
from workers.bridge.quiet import Quiet
from workers.bridge.tally import Tally, Tripped
from workers.bridge.window import Flight, Window, in_flight, together
from workers.codec import pack

log = logging.getLogger(__name__)

POLL_BYTES = 4 * 1024 * 1024  # what one poll aims at, by the average message size seen
BUSY_S, IDLE_S = 0.02, 0.1
STALL_S = 1.0  # a window full for longer pauses the partitions; pausing throws away what was fetched ahead
COMMIT_S = 0.25
CHECK_S = 1.0
DRAIN_S = 5.0
NOTHING = -1  # no offset is committed
MOST_BACK_OFF_S = 5.0


@dataclass(frozen=True, slots=True)
class Valve:
    """How much may be on the way, how long it may take, and whether the store has room for it."""

    batch: Limits
    window_bytes: int
    patience_s: float
    room: Room


@dataclass(slots=True)
class _Pace:
    """When things are next due, on the monotonic clock."""

    retry_at: float = 0.0
    back_off_s: float = 0.0
    commit_at: float = 0.0
    check_at: float = 0.0
    full_since: float | None = None
    paused: bool = False
    average: float = 400.0
    most: int = field(default=10_000)


class Loop:
    """Drives one consumer. `assigned`, `revoked` and `lost` are called from inside `Source.poll`."""

    def __init__(
        self,
        source: Source,
        dispatcher: Dispatcher,
        ledger: Ledger,
        poison: Poison,
        valve: Valve,
        tally: Tally,
        clock: Callable[[], float],
    ) -> None:
        self._source, self._dispatcher, self._ledger = source, dispatcher, ledger
        self._poison, self._valve, self._tally, self._clock = poison, valve, tally, clock
        self._batcher = Batcher(valve.batch)
        self._quiet = Quiet(source, dispatcher)
        self._pace = _Pace()
        self.assignment = ""
        self._preparing = False  # as of the last look
        self.lacking = ""  # why nothing is taken in, in words
        self.windows: dict[int, Window] = {}
        self.committed: dict[int, int] = {}

    @property
    def metrics(self) -> Metrics:
        return self._tally.metrics

    def step(self) -> None:
        """One round. Raises `Tripped` once the breaker has tripped; outages only slow it down, a full disk waits."""
        self._look_for_room()
        self._read(self._clock())
        now = self._clock()
        if now >= self._pace.retry_at:
            self._reach(now)
        self._commit(now)
        if self._tally.tripped:
            self._withdraw()
            raise Tripped(self._tally.tripped, "bridge")

    def assigned(self, places: Mapping[int, Place]) -> dict[int, int]:
        """Begins a new assignment; gives the offset to read each partition from."""
        starts = {partition: self._ledger.start(partition, place) for partition, place in places.items()}
        self._forget()
        self.assignment = uuid4().hex
        for partition, start in starts.items():
            self._batcher.assign(partition, start.offset, start.known_at_us)
            self.windows[partition] = Window(start.offset)
            committed = places[partition].committed
            self.committed[partition] = NOTHING if committed is None else committed
        self._pace.check_at = 0.0
        facts: dict[str, object] = {str(p): start.offset for p, start in starts.items()}
        log.info("partitions assigned", extra={"assignment": self.assignment, "starts": facts})
        return {partition: start.offset for partition, start in starts.items()}

    def revoked(self) -> None:
        """Waits a bounded time for what is on the way, commits what landed, forgets the rest.

        After the breaker has tripped it waits for nothing: most of it was withdrawn.
        """
        deadline = self._clock() + DRAIN_S
        try:
            while self._on_the_way() and self._clock() < deadline and not self._tally.tripped:
                self._hear(BUSY_S)
        except Outage as outage:
            log.warning("could not wait for batches on the way", extra={"cause": str(outage)})
        self._commit(self._clock(), at_once=True)
        self._forget()

    def lost(self) -> None:
        """The partitions belong to another already: commits nothing."""
        self._forget()

    def _withdraw(self) -> None:
        """What is on the way is read again once the lane goes on: no more of it is to become dead letters now."""
        flights = [flight for window in self.windows.values() for flight in window.flights()]
        with suppress(Outage):
            self._dispatcher.withdraw(flights)

    def _forget(self) -> None:
        self._batcher.forget()
        self.windows.clear()
        self.committed.clear()
        self._pace.paused = False
        self._pace.full_since = None

    def _look_for_room(self) -> None:
        before, self.lacking = self.lacking, self._valve.room.lacking()
        if self.lacking and not before:
            log.error(self.lacking)
        elif before and not self.lacking:
            log.info("there is room again: intake goes on")
        self.metrics.set("bridge_disk_full", bool(self.lacking))

    def _reach(self, now: float) -> None:
        """Everything that needs Redis; an outage is retried with growing pauses."""
        try:
            self._check(now)
            self._hear(BUSY_S if self._is_full() else 0.0)
            self._send_due(now)
            self._preparing = self._dispatcher.is_preparing()
        except Outage as outage:
            self._pace.back_off_s = min(max(2 * self._pace.back_off_s, 0.1), MOST_BACK_OFF_S)
            self._pace.retry_at = now + self._pace.back_off_s
            log.warning("waiting for a server", extra={"cause": str(outage), "s": self._pace.back_off_s})
        else:
            self._pace.back_off_s = 0.0

    def _check(self, now: float) -> None:
        if now < self._pace.check_at or not self.assignment:
            return
        if not self._dispatcher.is_open(self.assignment):
            # A new assignment, or Redis was emptied: whatever was on the way is gone.
            self._dispatcher.open(self.assignment)
            for window in self.windows.values():
                window.lost()
        self._dispatcher.heal()
        self._quiet.look(self.windows, self._batcher.waiting, now)
        self._gauge()
        self._pace.check_at = now + CHECK_S

    def _gauge(self) -> None:
        self.metrics.set("bridge_window_bytes", self._on_the_way())
        for partition, lag in self._source.lags(self.committed).items():
            self.metrics.set("bridge_lag_messages", lag, partition=str(partition))

    def _hear(self, wait_s: float) -> None:
        while self.assignment and (acks := self._dispatcher.acks(self.assignment, wait_s)):
            wait_s = 0.0
            for ack in acks:
                window = self.windows.get(ack.partition)
                if window is None:
                    continue
                if ack.error:
                    self._poison.refused(window, ack)
                elif window.land(ack.first, ack.next):
                    self._tally.landed(ack, self._clock())

    def _send_due(self, now: float) -> None:
        due = [(w, flight) for w in self.windows.values() for flight in w.due(now, self._valve.patience_s)]
        if any(flight.sent_at is not None for _, flight in due) and self._all_wait():
            due = [(window, flight) for window, flight in due if flight.sent_at is None]
        allowed = [
            flight
            for window, flight in due
            if self._poison.may_send(window, flight, self.assignment, self._tally.landed_at)
        ]
        for some in together(allowed):
            self._send(some, now)

    def _all_wait(self) -> bool:
        """As many tasks wait for a worker as batches are on the way: more tasks would only lengthen the queues."""
        return self._dispatcher.waiting() >= sum(window.count for window in self.windows.values())

    def _send(self, flights: Sequence[Flight], now: float) -> None:
        self._dispatcher.send(self.assignment, flights)
        for flight in flights:
            if flight.sends:
                log.info("batch sent again", extra={"partition": flight.partition, "first": flight.first})
            self.metrics.count("bridge_resends" if flight.sends else "bridge_batches")
            flight.sent_at, flight.sends = now, flight.sends + 1

    def _read(self, now: float) -> None:
        away = now < self._pace.retry_at
        if away or self.lacking or self._is_full():
            self._hold(now, for_long=away or bool(self.lacking))
            return
        self._release()
        wait_s = BUSY_S if self._on_the_way() or self._batcher.open_bytes else IDLE_S
        messages = self._source.poll(self._pace.most, wait_s)
        now = self._clock()
        self._take([*self._batcher.add(messages, now), *self._batcher.expired(now, patient=self._preparing)])
        self.metrics.count("bridge_messages", len(messages))

    def _hold(self, now: float, *, for_long: bool) -> None:
        """Back-pressure: not polling for a moment costs nothing, pausing keeps the membership for longer.

        Open batches are cut all the same: what fills the window must be able to leave it.
        """
        self._take(self._batcher.expired(now, patient=self._preparing))
        self._pace.full_since = now if self._pace.full_since is None else self._pace.full_since
        if not for_long and now - self._pace.full_since < STALL_S:
            return
        if not self._pace.paused:
            self._source.pause()
            self._pace.paused = True
            self.metrics.set("bridge_paused", 1)
        self._take(self._batcher.add(self._source.poll(1, IDLE_S), self._clock()))

    def _release(self) -> None:
        self._pace.full_since = None
        if self._pace.paused:
            self._source.resume()
            self._pace.paused = False
            self.metrics.set("bridge_paused", 0)

    def _take(self, cuts: list[Cut]) -> None:
        for cut in cuts:
            payload = pack(cut.messages)
            flight = in_flight(uuid4().hex, cut.partition, cut.first, cut.next, cut.messages, payload)
            self.windows[cut.partition].add(flight)
            self._pace.average += 0.2 * (cut.size / flight.messages - self._pace.average)
            self._pace.most = max(1, min(10_000, int(POLL_BYTES / max(self._pace.average, 1.0))))

    def _is_full(self) -> bool:
        return self._on_the_way() + self._batcher.open_bytes >= self._valve.window_bytes

    def _on_the_way(self) -> int:
        return sum(window.size for window in self.windows.values())

    def _commit(self, now: float, at_once: bool = False) -> None:  # noqa: FBT001
        if now < self._pace.commit_at and not at_once:
            return
        # Only at the beginning can the committed offset lie ahead (a restored ledger): it is taken back first.
        ends = {p: w.landed_end for p, w in self.windows.items() if w.landed_end != self.committed[p]}
        if ends and self._source.commit(ends):
            self.committed.update(ends)
        self._pace.commit_at = now + COMMIT_S
