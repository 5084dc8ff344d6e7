"""The log by what is asked of it: what lies between two numbers, and what is the newest of a key."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.stream.truth import Fact, Key, Told, Wanted


class History:
    """What one subscription may be told, over every epoch."""

    def __init__(self, log: Sequence[Told], wanted: Wanted) -> None:
        self.epochs = list(dict.fromkeys(each.epoch for each in log))
        self._ends = {each.epoch: each.at for each in log}
        self._entries = defaultdict[str, list[Told]](list)
        self._of = defaultdict[Key, list[tuple[int, Fact]]](list)
        for each in log:
            if each.channel == wanted.channel:
                ours = tuple(fact for fact in each.facts if wanted.takes(fact))
                self._entries[each.epoch].append(each._replace(facts=ours))
                for fact in ours:
                    self._of[fact.key].append((each.at, fact))

    def between(self, epoch: str, after: int, until: int | None = None) -> list[Told]:
        """Entries with numbers of (after, until]."""
        return [each for each in self._entries[epoch] if each.seq > after and (until is None or each.seq <= until)]

    def at(self, epoch: str, seq: int) -> int:
        """The place of a number; of one that was not told yet, before its epoch."""
        known = [each.at for each in self._entries[epoch] if each.seq <= seq]
        before = [self._ends[each] for each in self.epochs[: self._epoch(epoch)]]
        return known[-1] if known else max(before, default=-1)

    def _epoch(self, epoch: str) -> int:
        return self.epochs.index(epoch) if epoch in self.epochs else len(self.epochs)

    def left(self, epoch: str, seq: int) -> int:
        """How many entries, of whatever channel, came in the epoch after a number."""
        return self._ends.get(epoch, -1) - self.at(epoch, seq)

    def newest(self, at: int) -> dict[Key, Fact]:
        """What stands of each key after a place."""
        found = dict[Key, Fact]()
        for key, told in self._of.items():
            count = bisect_right([place for place, _ in told], at)
            if count:
                found[key] = told[count - 1][1]
        return found

    def newest_of(self, epoch: str, seq: int) -> dict[Key, Fact]:
        """The same, of what was told in the epoch alone."""
        return {fact.key: fact for each in self.between(epoch, 0, seq) for fact in each.facts}

    def last(self, fact: Fact) -> int:
        """The place where this was told last; -1: never."""
        return max((at for at, each in self._of.get(fact.key, ()) if each == fact), default=-1)

    def is_shown(self, told: Told, fact: Fact, shown: Mapping[Key, Fact]) -> bool:
        """Whether a snapshot shows this already, or what is newer."""
        held = shown.get(fact.key)
        return held is not None and self.last(held) >= told.at
