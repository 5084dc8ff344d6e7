"""A broker, a dispatcher and a ledger in memory, with faults on demand."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from db.redis.acks import Ack
from service.metrics import Metrics
from workers.bridge.batcher import Limits
from workers.bridge.breaker import Breaker
from workers.bridge.loop import Loop, Valve
from workers.bridge.poison import Poison
from workers.bridge.ports import Outage, Place, Start
from workers.bridge.tally import Tally
from workers.bridge.window import Flight
from workers.codec import Header, unpack


@dataclass
class FakeMessage:
    """A message as confluent-kafka gives it."""

    at: int
    data: bytes | None = b"x"
    where: int = 0
    stamp_ms: int = 1
    name: bytes | None = None
    extra: list[Header] | None = None

    def partition(self) -> int | None:
        return self.where

    def offset(self) -> int | None:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 2, self.stamp_ms

    def key(self) -> bytes | None:
        return self.name

    def headers(self) -> list[Header] | None:
        return self.extra

    def value(self) -> bytes | None:
        return self.data


@dataclass
class FakeSource:
    """A log of messages by partition, in order of offset; positions as the loop said at assignment."""

    logs: dict[int, list[FakeMessage]]
    positions: dict[int, int] = field(default_factory=dict[int, int])
    committed: dict[int, int] = field(default_factory=dict[int, int])
    commits: list[dict[int, int]] = field(default_factory=list[dict[int, int]])
    paused: bool = False
    polls: int = 0
    refuses: bool = False

    def poll(self, most: int, wait_s: float) -> Sequence[FakeMessage]:
        self.polls += 1
        if self.paused:
            return []
        taken: list[FakeMessage] = []
        for partition, position in self.positions.items():
            log = self.logs[partition]
            first = bisect_left(log, position, key=attrgetter("at"))
            fresh = log[first : first + most - len(taken)]
            if fresh:
                self.positions[partition] = fresh[-1].at + 1
            taken += fresh
        return taken

    def commit(self, offsets: Mapping[int, int]) -> bool:
        if self.refuses:
            return False
        self.commits.append(dict(offsets))
        self.committed.update(offsets)
        return True

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def lags(self, committed: Mapping[int, int]) -> Mapping[int, int]:
        return {}

    def ends(self, partitions: Collection[int]) -> Mapping[int, int]:
        return {each: self.logs[each][-1].at + 1 if self.logs[each] else 0 for each in partitions}


@dataclass
class FakeDispatcher:
    """Remembers what was sent; answers are given by the test."""

    sent: list[tuple[str, Flight]] = field(default_factory=list[tuple[str, Flight]])
    answers: dict[str, list[Ack]] = field(default_factory=dict[str, list[Ack]])
    opened: set[str] = field(default_factory=set[str])
    in_hand: dict[str, str] = field(default_factory=dict[str, str])
    away: bool = False
    tasks: int = 0
    tasks_of: list[list[int]] = field(default_factory=list[list[int]])  # the first offsets of each task
    preparing: bool = False
    withdrawn: list[int] = field(default_factory=list[int])
    quiet: dict[int, int] = field(default_factory=dict[int, int])

    def _reach(self) -> None:
        if self.away:
            raise Outage("Redis: away")

    def open(self, assignment: str) -> None:
        self._reach()
        self.opened.add(assignment)

    def is_open(self, assignment: str) -> bool:
        self._reach()
        return assignment in self.opened

    def send(self, assignment: str, flights: Sequence[Flight]) -> None:
        self._reach()
        self.sent += [(assignment, flight) for flight in flights]
        self.tasks_of.append([flight.first for flight in flights])

    def is_preparing(self) -> bool:
        self._reach()
        return self.preparing

    def acks(self, assignment: str, wait_s: float) -> Sequence[Ack]:
        self._reach()
        return self.answers.pop(assignment, [])

    def take_started(self, assignment: str, batch_id: str) -> str | None:
        self._reach()
        return self.in_hand.pop(batch_id, None)

    def waiting(self) -> int:
        self._reach()
        return self.tasks

    def heal(self) -> None:
        self._reach()

    def note_quiet(self, partitions: Collection[int], until_us: Mapping[int, int]) -> None:
        self._reach()
        self.quiet = {**dict.fromkeys(partitions, 0), **self.quiet, **until_us}

    def withdraw(self, flights: Sequence[Flight]) -> None:
        self._reach()
        self.withdrawn += [flight.first for flight in flights]

    def answer(self, assignment: str, ack: Ack) -> None:
        self.answers.setdefault(assignment, []).append(ack)


@dataclass
class FakeRoom:
    """As much room as the test says."""

    words: str = ""

    def lacking(self) -> str:
        return self.words


@dataclass
class FakeLedger:
    """Starts where the test says; remembers what was buried."""

    ends: dict[int, int] = field(default_factory=dict[int, int])
    buried: list[Flight] = field(default_factory=list[Flight])

    def start(self, partition: int, place: Place) -> Start:
        committed = place.low if place.committed is None else place.committed
        return Start(min(committed, self.ends.get(partition, committed)), 0)

    def bury(self, flight: Flight) -> None:
        self.buried.append(flight)


@dataclass
class FakeDeadLetters:
    """Remembers offset and reason of what was written."""

    written: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    away: bool = False

    def write(self, flight: Flight, stage: str) -> None:
        if self.away:
            raise Outage("Kafka: away")
        self.written.append((unpack(flight.payload).offsets[0], flight.refusal))


TEN = Limits(10, 1_000_000, 0.05)


@dataclass
class Bench:
    """A loop with fake ports and a clock that the test moves."""

    source: FakeSource
    batch: Limits = TEN
    window_bytes: int = 1_000_000
    patience_s: float = 30.0
    breaker: bool = True
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.dispatcher, self.ledger, self.letters = FakeDispatcher(), FakeLedger(), FakeDeadLetters()
        self.room = FakeRoom()
        self.tally = Tally(Metrics("bridge"), Breaker() if self.breaker else None)
        self.poison = Poison(self.dispatcher, self.ledger, self.letters, self.tally)
        valve = Valve(self.batch, self.window_bytes, self.patience_s, self.room)
        self.loop = Loop(self.source, self.dispatcher, self.ledger, self.poison, valve, self.tally, lambda: self.now)

    def assign(self) -> None:
        places = {p: Place(0, self.source.committed.get(p)) for p in self.source.logs}
        self.source.positions = self.loop.assigned(places)
        self.source.resume()

    def steps(self, count: int = 1, seconds: float = 0.3) -> None:
        for _ in range(count):
            self.now += seconds
            self.loop.step()

    def sends(self) -> list[Flight]:
        return [flight for _, flight in self.dispatcher.sent]

    def land(self, flight: Flight, assignment: str | None = None, invalid: int = 0) -> None:
        ack = Ack(flight.partition, flight.first, flight.next, flight.messages, invalid=invalid, longest=invalid)
        self.dispatcher.answer(assignment or self.loop.assignment, ack)

    def refuse(self, flight: Flight, error: str = "[normalize] price=x") -> None:
        self.dispatcher.answer(self.loop.assignment, Ack(flight.partition, flight.first, flight.next, error=error))


def log_of(count: int, partition: int = 0, size: int = 10) -> list[FakeMessage]:
    """So many messages of one size from offset 0."""
    return [FakeMessage(at, b"x" * size, partition) for at in range(count)]


def bench_of(count: int = 40, **changes: object) -> Bench:
    """A loop over so many messages that has its partition."""
    bench = Bench(FakeSource({0: log_of(count)}), **changes)  # pyright: ignore[reportArgumentType]
    bench.assign()
    return bench
