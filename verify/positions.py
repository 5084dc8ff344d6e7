"""I1, I4, I5: every message of the raw topic is accounted for, and nothing was committed before it landed.

Ground truth is the topic itself: its offsets are read again, message by message.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from verify.model import Difference

Position = tuple[str, int, int]  # topic id, partition, offset
Attempt = tuple[str, int]  # of a dead letter that was sent again: position of its first message, attempt
Readers = Mapping[Attempt, Position]  # the message of each attempt that was read; others of it hold nothing
DeadLetters = Mapping[Position, int]  # how many rows of each were refused; 1 for a message refused as a whole


@dataclass(frozen=True, slots=True)
class Range:
    """One row of the ledger: [first, next) of a partition landed, and what came of it."""

    topic_id: str
    partition: int
    first: int
    next: int
    messages: int
    ticks: int
    rejects: int
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition as Kafka tells: the offsets of its messages from `low` on, and what is committed.

    `replays`: which of them are dead letters that were sent again.
    """

    topic_id: str
    partition: int
    low: int
    committed: int | None
    offsets: list[int] = field(default_factory=list[int])
    replays: Mapping[int, Attempt] = field(default_factory=dict[int, Attempt])

    @property
    def name(self) -> str:
        return f"partition {self.partition} of topic {self.topic_id}"


def check(
    partitions: Iterable[Partition],
    ranges: Iterable[Range],
    publications: Counter[Position],
    dead_letters: DeadLetters,
    readers: Readers,
) -> Iterator[Difference]:
    """All differences of positions. `publications`: distinct publications by message."""
    by_partition: dict[tuple[str, int], list[Range]] = defaultdict(list)
    for landed in ranges:
        by_partition[landed.topic_id, landed.partition].append(landed)
    known = {(p.topic_id, p.partition) for p in partitions}
    for partition in partitions:
        landed = by_partition[partition.topic_id, partition.partition]
        yield from _committed(partition, landed)
        yield from _accounted(partition, landed, publications, dead_letters, readers)
        yield from _counts(landed, partition, publications, dead_letters)
    yield from _strangers(partitions, known, publications)


def _committed(partition: Partition, landed: list[Range]) -> Iterator[Difference]:
    reached = partition.low
    for each in sorted(landed, key=lambda r: (r.first, r.next)):
        if each.first > reached:
            break
        reached = max(reached, each.next)
    if partition.committed is not None and partition.committed > reached:
        yield Difference("I4", partition.name, f"committed at most {reached}", str(partition.committed))
        yield Difference("I5", partition.name, f"landed ranges up to {partition.committed}", f"a hole at {reached}")


def _accounted(
    partition: Partition,
    landed: list[Range],
    publications: Counter[Position],
    dead_letters: DeadLetters,
    readers: Readers,
) -> Iterator[Difference]:
    """Each message is a price or a dead letter; of the messages of one replay exactly the one that was read."""
    covered = _Cover(landed)
    for offset in partition.offsets:
        position = (partition.topic_id, partition.partition, offset)
        if offset not in covered:
            continue
        reader = readers.get(partition.replays[offset], position) if offset in partition.replays else position
        if not (publications[reader] or reader in dead_letters):
            yield Difference("I1", f"offset {offset} of {partition.name}", "a price or a dead letter", "neither")
        if reader != position and (publications[position] or position in dead_letters):
            yield Difference("I1", f"offset {offset} of {partition.name}", "nothing: it is a repeat", "another one")


def _counts(
    landed: list[Range], partition: Partition, publications: Counter[Position], dead_letters: DeadLetters
) -> Iterator[Difference]:
    """The ledger's count of each range against what is stored of its offsets."""
    for each in landed:
        positions = [(each.topic_id, each.partition, offset) for offset in range(each.first, each.next)]
        where = f"[{each.first}, {each.next}) of {partition.name}"
        ticks = sum(publications[position] for position in positions)
        letters = sum(position in dead_letters for position in positions)
        if ticks != each.ticks:
            yield Difference("I1", where, f"{each.ticks} publications", str(ticks))
        if letters != each.dead_letters:
            yield Difference("I1", where, f"{each.dead_letters} dead letters", str(letters))
        refused = sum(dead_letters.get(position, 0) for position in positions)
        if refused != each.rejects:
            yield Difference("I1", where, f"{each.rejects} refused rows", str(refused))


def _strangers(
    partitions: Iterable[Partition], known: set[tuple[str, int]], publications: Counter[Position]
) -> Iterator[Difference]:
    """Publications of a message that the topic does not hold, below what is committed.

    Messages that retention removed do not count, nor those that came while the topic was read.
    """
    there = {(p.topic_id, p.partition): (p.low, p.committed or p.low, set(p.offsets)) for p in partitions}
    for topic_id, partition, offset in publications:
        if (topic_id, partition) not in known:
            continue  # a topic that was deleted and made again: its messages can no longer be read
        low, committed, offsets = there[topic_id, partition]
        if low <= offset < committed and offset not in offsets:
            yield Difference(
                "I1", f"offset {offset} of partition {partition}", "no publication", "one without a message"
            )


class _Cover:
    """Membership in a union of ranges."""

    def __init__(self, ranges: list[Range]) -> None:
        self._ends: list[tuple[int, int]] = []
        for each in sorted(ranges, key=lambda r: r.first):
            if self._ends and each.first <= self._ends[-1][1]:
                self._ends[-1] = (self._ends[-1][0], max(self._ends[-1][1], each.next))
            else:
                self._ends.append((each.first, each.next))

    def __contains__(self, offset: int) -> bool:
        return any(first <= offset < end for first, end in self._ends)
