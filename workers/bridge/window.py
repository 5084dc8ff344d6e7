"""What is on the way in one partition, and how far everything has landed. Pure: time comes in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from workers.codec import Messages

SMALL = 256 * 1024  # bytes of a batch that costs no more than its task


@dataclass(slots=True)
class Flight:
    """A batch on the way: the offsets [first, next), its packed messages, and how its sends went."""

    batch_id: str
    partition: int
    first: int
    next: int
    messages: int
    known_at_us: int
    payload: bytes
    sends: int = 0
    sent_at: float | None = None  # null: never sent, or known to be lost
    failures: int = 0  # deaths after a recorded start while neighbours landed
    refusal: str = ""  # a worker's data error, in words


@dataclass(slots=True)
class Window:
    """One partition of one assignment: landed offsets as an interval set, and the flights in order.

    The flights and the landed ranges tile [start, tail) without a hole. `landed_end` is the lowest offset that
    has not landed: the only thing that may ever be committed.
    """

    start: int
    landed_end: int = field(init=False)
    tail: int = field(init=False)
    _islands: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    _flights: dict[int, Flight] = field(default_factory=dict[int, Flight])

    def __post_init__(self) -> None:
        self.landed_end = self.tail = self.start

    @property
    def size(self) -> int:
        """Bytes on the way."""
        return sum(len(flight.payload) for flight in self._flights.values())

    @property
    def count(self) -> int:
        """Batches on the way."""
        return len(self._flights)

    @property
    def idle(self) -> bool:
        """Nothing is on the way."""
        return not self._flights

    def flights(self) -> Iterator[Flight]:
        """What is on the way, lowest offset first."""
        return iter([self._flights[first] for first in sorted(self._flights)])

    def add(self, flight: Flight) -> None:
        """Takes a batch that starts where the previous one ended; anything else is a fault of the caller."""
        if flight.first != self.tail or flight.next <= flight.first:
            raise ValueError(f"[{flight.first}, {flight.next}) does not join the window's end {self.tail}")
        self._flights[flight.first] = flight
        self.tail = flight.next

    def land(self, first: int, end: int) -> bool:
        """Marks [first, end) as landed, as far as it lies in this window. True if that was news.

        Ranges of an earlier cut may cover several flights or parts of one.
        """
        first, end = max(first, self.landed_end), min(end, self.tail)
        if first >= end or self._has(first, end):
            return False
        self._merge(first, end)
        done = [key for key, each in self._flights.items() if self._has(each.first, each.next)]
        for key in done:
            del self._flights[key]
        return True

    def find(self, first: int, end: int) -> Flight | None:
        """The flight of exactly this range."""
        flight = self._flights.get(first)
        return flight if flight is not None and flight.next == end else None

    def replace(self, flight: Flight, parts: Sequence[Flight]) -> None:
        """Puts parts that tile a flight's range in its place; parts that have landed already are left out."""
        edges = [flight.first, *(part.next for part in parts)]
        if [part.first for part in parts] != edges[:-1] or edges[-1] != flight.next:
            raise ValueError(f"the parts do not tile [{flight.first}, {flight.next})")
        del self._flights[flight.first]
        for part in parts:
            if not self._has(part.first, part.next):
                self._flights[part.first] = part

    def lost(self) -> None:
        """Everything that was sent is known to be gone: all of it is due again."""
        for flight in self._flights.values():
            flight.sent_at = None

    def due(self, now: float, patience_s: float) -> list[Flight]:
        """Flights to be sent: never sent, or sent too long ago. Each repeat is waited for longer, up to 4 times."""
        return [each for each in self.flights() if _is_due(each, now, patience_s)]

    def _has(self, first: int, end: int) -> bool:
        return end <= self.landed_end or any(a <= first and end <= b for a, b in self._islands)

    def _merge(self, first: int, end: int) -> None:
        joined: list[tuple[int, int]] = []
        for a, b in self._islands:
            if b < first or a > end:
                joined.append((a, b))
            else:
                first, end = min(a, first), max(b, end)
        joined.append((first, end))
        joined.sort()
        if joined[0][0] <= self.landed_end:
            self.landed_end = joined.pop(0)[1]
        self._islands = joined


def _is_due(flight: Flight, now: float, patience_s: float) -> bool:
    return flight.sent_at is None or now - flight.sent_at >= patience_s * min(flight.sends, 4)


def in_flight(batch_id: str, partition: int, first: int, end: int, messages: Messages, payload: bytes) -> Flight:
    """A flight made from the messages of a batch and their packed form."""
    known_at = messages.known_at_us[-1] if messages.known_at_us else 0
    return Flight(batch_id, partition, first, end, len(messages.offsets), known_at, payload)


def together(flights: Iterable[Flight]) -> Iterator[list[Flight]]:
    """Flights as they are sent: small ones in one task, the others, and those that come again, each alone."""
    small = list[Flight]()
    for each in flights:
        if each.sends or each.failures or len(each.payload) > SMALL:
            yield [each]
        else:
            small.append(each)
    if small:
        yield small
