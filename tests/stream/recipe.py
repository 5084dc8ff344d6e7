"""What is written: ticks of two tenants and the public, corrections and repeats among them, and what of it is news."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final, NamedTuple

from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import generic
from tests.stream.truth import Fact, us

START: Final = datetime(2025, 3, 3, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
FLOOD: Final = 700  # ticks under one offset
_FAR: Final = timedelta(days=30)


class Instrument(NamedTuple):
    """`ticks` of each batch."""

    tenant: str
    name: str
    market: str
    ticks: int = 4


class Recipe:
    """`mark` tells one run's names from another's. One name may be of several tenants."""

    def __init__(self, seed: int, mark: str) -> None:
        self.one, self.two, self.market, self.other = f"one{mark}", f"two{mark}", f"mk{mark}", f"ot{mark}"
        self.shared, self.heavy, self.demo, self.burst = f"S{mark}", f"H{mark}", f"D{mark}", f"U{mark}"
        self.tenants = self.one, self.two, "public"
        self.instruments = [
            *(Instrument(each, self.shared, self.market) for each in self.tenants),
            *(Instrument(each, f"O{mark}", self.other) for each in self.tenants[:2]),
            Instrument(self.one, self.heavy, self.market, 40),
            Instrument(self.one, self.burst, self.market, 1),
            Instrument("public", self.demo, self.market, 2),
        ]
        self.ticks = dict[tuple[str, int], list[Fact]]()
        self._random = Random(seed)
        self._floods = 0
        self._sent = dict[Instrument, list[Row]]()

    def names(self, market: str) -> frozenset[str]:
        return frozenset(each.name for each in self.instruments if each.market == market)

    def batch(self, topic_id: str, offset: int) -> list[Row]:
        """Rows under one offset."""
        rows, news = list[Row](), list[Fact]()
        for each in self.instruments:
            for row, is_new in self._rows(each, offset):
                rows.append(row | {"topic_id": topic_id, "offset": offset, "row": len(rows)})
                if is_new:
                    news.append(_fact(row))
        self.ticks[f"{topic_id}:0", offset] = news
        return rows

    def flood(self, topic_id: str, offsets: range) -> list[Row]:
        """Ticks of one instrument under many offsets, of which two after the other are of the same instants."""
        rows, begin = list[Row](), START + (1 + self._floods) * _FAR  # no instant of a flood before
        self._floods += 1
        for offset in offsets:
            known, first = begin + offset * _SECOND, begin + offset // 2 * timedelta(hours=1)
            more = {"market": self.market, "known_at": known, "topic_id": topic_id, "offset": offset}
            some = [
                generic(self.one, first + n * _SECOND, f"{offset * FLOOD + n}e-2", instrument=self.heavy, row=n, **more)
                for n in range(FLOOD)
            ]
            self.ticks[f"{topic_id}:0", offset] = [_fact(row) for row in some]
            rows += some
        return rows

    def _rows(self, of: Instrument, offset: int) -> Iterator[tuple[Row, bool]]:
        """With whether each changes what is shown."""
        known = START + offset * timedelta(hours=1)
        sent = self._sent.setdefault(of, [])
        before = list(sent[-20:])
        for number in range(of.ticks):
            at = START + offset * timedelta(minutes=30) + number * _SECOND
            row = generic(of.tenant, at, self._price(), instrument=of.name, market=of.market, known_at=known)
            sent.append(row | {"event_id": f"{offset}-{number}"})
            yield sent[-1], True
        if before and self._random.random() < 0.5:
            yield self._again(sent, self._random.choice(before), known)

    def _again(self, sent: list[Row], before: Row, known: datetime) -> tuple[Row, bool]:
        """Sent once more: as it was, which is no news, or with another price."""
        is_new = self._random.random() < 0.7
        row = before | {"price": before["price"] + (Decimal("0.5") if is_new else 0), "known_at": known}
        sent[sent.index(before)] = row
        return row, is_new

    def _price(self) -> str:
        return f"{self._random.randrange(2000, 6000)}e-2"


def _fact(row: Row) -> Fact:
    value = row["price"], us(row["known_at"].isoformat())
    return Fact(row["tenant"], row["instrument"], "", us(row["start"].isoformat()), value)
