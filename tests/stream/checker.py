"""What a client was sent, held against the log: a pure function. Nothing here knows how the server works."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tests.stream import snapshots
from tests.stream.history import History
from tests.stream.truth import Fact, Frame, Key, Told, Wanted, facts

Phase = Literal["none", "beginning", "live"]
_BEGINS = ("snapshot", "update", "caught_up", "gap")


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where a subscription was sent everything: a number, and rows (`part`) of what comes after it. `shown`: what
    its snapshot showed, which may have been ahead of its number."""

    epoch: str = ""
    seq: int = 0
    part: tuple[Fact, ...] = ()
    conflated: int = 0
    shown: Mapping[Key, Fact] = field(default_factory=dict[Key, Fact])


def violations(log: Sequence[Told], frames: Sequence[Frame], wanted: Wanted, keep: int) -> list[str]:
    """What is wrong with a recording: frames in order, `opened` with the token where the client connected (`resume`;
    null: none). `keep`: entries that the log holds. Empty where it is the log, or tells what it is not."""
    checker = _Checker(History(log, wanted), wanted, keep)
    found = [f"{number} {frame['type']}: {each}" for number, frame in enumerate(frames) for each in checker.take(frame)]
    return [*found, *(f"end: {each}" for each in checker.end())]


class _Checker:
    def __init__(self, history: History, wanted: Wanted, keep: int) -> None:
        self._history, self._wanted, self._keep = history, wanted, keep
        self._place = Place()
        self._phase: Phase = "none"
        self._due = ""  # why a snapshot has to follow: it is the first, or a gap
        self._to_seq = 0  # of a gap: the snapshot after it is not older
        self._parts: list[Fact] = []
        self._places = dict[str, Place]()

    def take(self, frame: Frame) -> Iterator[str]:
        """What is wrong with the next frame."""
        if self._phase == "none" and frame["type"] in _BEGINS:
            yield "before it was opened"
        match frame["type"]:
            case "opened":
                yield from self._open(frame["resume"])
            case "snapshot":
                yield from self._snapshot(frame)
            case "update":
                yield from self._update(frame)
            case "caught_up":
                yield from self._caught_up(frame)
            case "gap":
                yield from self._gap(frame)
            case "heartbeat":
                yield from self._heartbeat(frame)
            case "error" if not frame["fatal"]:
                yield f"{frame['code']}: {frame['detail']}"
            case _:
                pass

    def end(self) -> Iterator[str]:
        """Whether the client has everything."""
        if self._phase != "live":
            yield f"not caught up: {self._due or self._phase}"
        if self._history.epochs and self._place.epoch != self._history.epochs[-1]:
            yield "its epoch is over"
        missing = sum(1 for _ in self._must(self._history.between(self._place.epoch, self._place.seq)))
        if missing - len(self._place.part) > 0:
            yield f"{missing} rows after {self._place.seq} never came"

    def _open(self, token: str | None) -> Iterator[str]:
        if token is not None and token not in self._places:
            yield "a token that was never given"
        self._place = Place() if token is None else self._places.get(token, Place())
        self._phase, self._due, self._parts = "beginning", "first" if token is None else "", []

    def _go_on(self, frame: Frame, **changes: object) -> None:
        self._place = replace(self._place, **changes)  # pyright: ignore[reportArgumentType]
        if frame["resume"]:
            # One that was given before stands for what had been sent by then: what came since comes again.
            self._places.setdefault(frame["resume"], self._place)

    def _snapshot(self, frame: Frame) -> Iterator[str]:
        if self._phase == "live" or not self._due:
            yield "nobody asked for it"
        if frame["prev_seq"] is not None:
            yield "it follows something"
        self._parts = [*(self._parts if frame["part"] > 1 else ()), *facts(frame)]
        if frame["part"] == frame["parts"]:
            yield from self._shown(frame, frame["resume"][1:33])

    def _shown(self, frame: Frame, epoch: str) -> Iterator[str]:
        if (self._due == "lost") == (epoch == self._place.epoch) and self._due != "first":
            yield f"of epoch {epoch} after the gap {self._due}"
        if self._due == "window" and frame["seq"] < self._to_seq:
            yield f"older than the gap to {self._to_seq}"
        shown = {fact.key: fact for fact in self._parts}
        if len(shown) < len(self._parts):
            yield "a key twice"
        yield from snapshots.CHECKS[self._wanted.channel](self._history, epoch, frame["seq"], shown)
        self._go_on(frame, epoch=epoch, seq=frame["seq"], part=(), conflated=0, shown=shown)
        self._due = "first"  # it may begin once more before all that was missed has been sent

    def _update(self, frame: Frame) -> Iterator[str]:
        place, seq, rows = self._place, frame["seq"], facts(frame)
        if frame["prev_seq"] != place.seq:
            yield f"follows {frame['prev_seq']}, not {place.seq}"
        if frame["replayed"] != (self._phase == "beginning"):
            yield f"replayed {frame['replayed']} while {self._phase}"
        if self._due and self._phase == "beginning":
            yield f"where a snapshot was due: {self._due}"
        part, conflated = (*place.part, *rows), place.conflated + frame.get("conflated", 0)
        if seq == place.seq:  # more of the same number follows
            self._go_on(frame, part=part, conflated=conflated)
            return
        told = self._history.between(place.epoch, place.seq, seq)
        merges = self._wanted.policy == "conflate" and not frame["replayed"]
        yield from self._merged(told, part, conflated) if merges else self._each(told, part, conflated, seq)
        self._go_on(frame, seq=seq, part=(), conflated=0)

    def _each(self, told: Sequence[Told], rows: Sequence[Fact], conflated: int, seq: int) -> Iterator[str]:
        """Everything once and in order: the rows of one entry, and none of others were left out."""
        if conflated:
            yield "conflated"
        if not told or told[-1].seq != seq:
            yield f"there is no number {seq}"
            return
        yield from (f"left out: {fact}" for _, fact in self._must(told[:-1]))
        left = Counter(told[-1].facts) - Counter(rows)
        yield from (f"not of {seq}: {fact}" for fact in Counter(rows) - Counter(told[-1].facts))
        yield from (f"left out: {fact}" for _, fact in self._must(told[-1:]) if left[fact])
        if self._wanted.channel == "ticks" and not left and list(rows) != list(told[-1].facts):
            yield "in another order"

    def _merged(self, told: Sequence[Told], rows: Sequence[Fact], conflated: int) -> Iterator[str]:
        """Of each key the newest; as many as gave way are counted."""
        every = [fact for each in told for fact in each.facts]
        yield from (f"not told: {fact}" for fact in Counter(rows) - Counter(every))
        newest = {fact.key: (each, fact) for each in told for fact in each.facts}
        sent = {fact.key: fact for fact in rows}
        for key, (each, fact) in newest.items():
            if sent.get(key) != fact and not self._history.is_shown(each, fact, self._place.shown):
                yield f"{sent.get(key)} where {fact} is the newest"
        most, least = len(every), sum(1 for _ in self._must(told))
        if not least <= len(rows) + conflated <= most:
            yield f"{len(rows)} rows and {conflated} that gave way, of {most}"

    def _must(self, told: Sequence[Told]) -> Iterator[tuple[Told, Fact]]:
        """Rows that have to be sent: not those that the snapshot showed already."""
        shown = self._place.shown if self._wanted.channel == "bars" else {}
        for each in told:
            yield from ((each, fact) for fact in each.facts if not self._history.is_shown(each, fact, shown))

    def _caught_up(self, frame: Frame) -> Iterator[str]:
        if self._phase != "beginning" or (self._due and not self._place.epoch):
            yield f"while {self._phase}, due: {self._due}"
        if self._due in ("window", "lost"):
            yield f"where a snapshot was due: {self._due}"
        if frame["seq"] != self._place.seq:
            yield f"at {frame['seq']}, not {self._place.seq}"
        self._phase, self._due = "live", ""

    def _gap(self, frame: Frame) -> Iterator[str]:
        if frame["from_seq"] != self._place.seq:
            yield f"from {frame['from_seq']}, not {self._place.seq}"
        match frame["reason"]:
            case "slow":
                yield from self._slow(frame["to_seq"], frame["skipped"])
            case "window":
                yield from self._window(frame["to_seq"])
            case _:
                if frame["to_seq"] is not None:
                    yield f"to {frame['to_seq']} of a log that was lost"
                self._phase, self._due = "beginning", "lost"

    def _slow(self, to_seq: int, skipped: int) -> Iterator[str]:
        told = self._history.between(self._place.epoch, self._place.seq, to_seq)
        sent = len(self._place.part)
        most, least = sum(len(each.facts) for each in told) - sent, sum(1 for _ in self._must(told)) - sent
        if self._wanted.policy != "skip" or self._phase != "live":
            yield f"of policy {self._wanted.policy} while {self._phase}"
        if not told or told[-1].seq != to_seq or not least <= skipped <= most:
            yield f"{skipped} rows up to {to_seq}, of {most}"
        self._place = replace(self._place, seq=to_seq, part=(), conflated=0)

    def _window(self, to_seq: int) -> Iterator[str]:
        if self._phase != "beginning" or to_seq < self._place.seq:
            yield f"to {to_seq} while {self._phase}"
        if self._history.left(self._place.epoch, self._place.seq) < self._keep:
            yield "the log still holds it"
        self._due, self._to_seq = "window", to_seq

    def _heartbeat(self, frame: Frame) -> Iterator[str]:
        for each in frame["subscriptions"]:
            if self._phase != "live" or each["seq"] != self._place.seq:
                yield f"at {each['seq']} while {self._phase} at {self._place.seq}"
            self._places.setdefault(each["resume"], self._place)
