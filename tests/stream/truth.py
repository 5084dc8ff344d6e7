"""The landed log as a plain client of Redis reads it, and rows of frames in the same form: both are compared."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

Frame = dict[str, Any]
Key = tuple[str, str, str, int]
CHANNEL_OF: Final = {"latest": "prices", "bar": "bars", "tick": "ticks"}
_BAR: Final = ("open", "high", "low", "close", "volume", "count", "revision")
_PRICED: Final = frozenset(("open", "high", "low", "close"))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Fact(NamedTuple):
    """What was told of one price, bar or tick. `start_us` is 0 of latest prices, of which only the newest counts."""

    tenant: str
    name: str
    interval: str
    start_us: int
    value: tuple[object, ...]

    @property
    def key(self) -> Key:
        return self.tenant, self.name, self.interval, self.start_us


class Told(NamedTuple):
    """An entry. `at`: its place among all entries of all channels, over every epoch."""

    epoch: str
    channel: str
    seq: int
    at: int
    facts: tuple[Fact, ...]


class Raw(NamedTuple):
    """An entry as it is stored: `rows` and `values` read as JSON."""

    epoch: str
    seq: int
    tenant: str
    kind: str
    rows: list[Any]
    values: list[dict[str, Any]]


# Which ticks were stored under an offset of a place (topic id and partition), and changed a price, in their order.
Ticks = Mapping[tuple[str, int], Sequence[Fact]]


class Wanted(NamedTuple):
    """A subscription: how it is asked for, and what it means: which tenants' rows, and of which names."""

    asked: dict[str, Any]
    tenants: frozenset[str]
    names: frozenset[str]
    policy: str

    @property
    def channel(self) -> str:
        """Of the log."""
        return "prices" if self.asked["channel"] == "demo" else str(self.asked["channel"])

    def takes(self, fact: Fact) -> bool:
        interval = self.asked.get("interval")
        return fact.tenant in self.tenants and fact.name in self.names and interval in (None, fact.interval)


def log_of(raws: Iterable[Raw], ticks: Ticks) -> list[Told]:
    """All that was told."""
    kinds = {"latest": _prices, "bar": _bars}
    return [
        Told(
            raw.epoch,
            CHANNEL_OF[raw.kind],
            raw.seq,
            at,
            tuple(kinds[raw.kind](raw) if raw.kind in kinds else _ticks(raw, ticks)),
        )
        for at, raw in enumerate(raws)
        if raw.kind in CHANNEL_OF
    ]


def _prices(raw: Raw) -> Iterator[Fact]:
    held = {each["instrument"]: each for each in raw.values}
    for name, _, start, _ in raw.rows:
        price = None if start is None else Decimal(held[name]["price"])
        yield Fact(raw.tenant, name, "", 0, (price, start))


def _bars(raw: Raw) -> Iterator[Fact]:
    held = {(each["instrument"], each["interval"], each["start"]): each for each in raw.values}
    for name, interval, start, _ in raw.rows:
        yield Fact(raw.tenant, name, interval, start, _bar(held[name, interval, start]))


def _bar(row: Mapping[str, Any]) -> tuple[object, ...]:
    """One that lost its last price shows none."""
    gone = _PRICED if row["count"] == 0 else frozenset[str]()
    return tuple(None if name in gone or row[name] is None else Decimal(row[name]) for name in _BAR)


def _ticks(raw: Raw, ticks: Ticks) -> Iterator[Fact]:
    place, first, following = raw.rows[:3]
    for offset in range(first, following):
        yield from (fact for fact in ticks.get((place, offset), ()) if fact.tenant == raw.tenant)


def facts(frame: Frame) -> tuple[Fact, ...]:
    """What a frame shows."""
    shown = {"bars": _shown_bar, "ticks": _shown_tick}.get(frame["channel"], _shown_price)
    return tuple(shown(row) for row in frame["data"])


def _shown_price(row: Mapping[str, Any]) -> Fact:
    start = row["interval_start"]
    return Fact(row["tenant"], row["instrument"], "", 0, (row["price"], None if start is None else us(start)))


def _shown_bar(row: Mapping[str, Any]) -> Fact:
    return Fact(row["tenant"], row["instrument"], row["interval"], us(row["start"]), _bar(row))


def _shown_tick(row: Mapping[str, Any]) -> Fact:
    value = (row["price"], us(row["known_at"]))
    return Fact(row["tenant"], row["instrument"], "", us(row["interval_start"]), value)


def us(text: str) -> int:
    """An instant in microseconds since 1970."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def read(text: str | bytes) -> Frame:
    """A frame; its prices are exact."""
    return json.loads(text, parse_float=Decimal, parse_int=int)
