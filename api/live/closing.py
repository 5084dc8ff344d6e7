"""Intervals that are complete: over, and so is the time in which their prices may come. From then on bars are final."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from api.live.frames import plain
from api.live.gaps import iso
from api.live.groups import Group
from api.live.hub import Hub
from api.live.snapshots import instruments
from api.problems import Problem
from api.shapes import finest_bar, is_finer
from pipeline import products
from pipeline.bars import INTERVALS
from service import clock

EVERY_S: Final = 1.0
_AFRESH_S: Final = 30.0  # which products a selection is of is looked at again
_NAMED: Final = 1000  # instruments of which the store is asked by name, and bars that are named as open: a tenth
_AT_ONCE: Final = 50  # intervals that are told after a stop; of older ones nothing is
_DAY: Final = timedelta(days=1)


class Series(NamedTuple):
    """The intervals of one length of a market and product."""

    market: str
    product: str
    interval: str


class Closed(NamedTuple):
    """[start, end)."""

    start: datetime
    end: datetime


class _Watched:
    """A group's series, and up to where each was told."""

    def __init__(self) -> None:
        self.reference = pl.DataFrame()
        self.looked = float("-inf")
        self.told: dict[Series, datetime] = {}


class Closing:
    """Tells the subscriptions to bars."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._watched: dict[Group, _Watched] = {}

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            with suppress(Problem):  # a store is away: what closed meanwhile is told later
                await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Tells what has closed since the last look."""
        known_us, groups = self._hub.places.of["bars"].known_us, self._hub.groups.of("bars")
        if known_us == 0:  # the log was begun a moment ago: what closes meanwhile is told once more is known
            return
        self._watched = {group: self._watched.get(group) or _Watched() for group in groups}
        for group, watched in list(self._watched.items()):
            await self._refresh(group, watched)
            for series in _series(group, watched.reference):
                until = last_closed(series, clock.from_us(known_us))
                before = watched.told.setdefault(series, until)
                for closed in [*between(series, before, until)][-_AT_ONCE:]:
                    await self._tell(group, watched.reference, series, closed)
                    watched.told[series] = closed.end  # where a store is away, the others are told later

    async def _refresh(self, group: Group, watched: _Watched) -> None:
        now = self._hub.monotonic()
        if now - watched.looked >= _AFRESH_S:
            watched.reference, watched.looked = await instruments(self._hub.reads, group.selection), now

    async def _tell(self, group: Group, reference: pl.DataFrame, series: Series, closed: Closed) -> None:
        lacking = await self._open(reference, series, closed)
        for member in list(group.members):
            member.tell(
                plain(
                    **member.head("interval_closed"), **series._asdict(), start=iso(clock.to_us(closed.start)),
                    end=iso(clock.to_us(closed.end)), open=lacking[: _NAMED // 10], open_count=len(lacking),
                )
            )  # fmt: skip

    async def _open(self, reference: pl.DataFrame, series: Series, closed: Closed) -> list[str]:
        """The instruments whose bars lack prices."""
        native = products.product(series.market, series.product).interval
        if native is None:
            return []
        of = reference.filter(market=series.market, product=series.product)
        tenants, names = (of[name].unique().to_list() for name in ("tenant", "instrument"))
        expected = int((closed.end - closed.start).total_seconds() / (INTERVALS[native].seconds or 1))
        asked = names if len(names) <= _NAMED else None
        found = await self._hub.reads.unfinished(tenants, asked, series.interval, closed.start, expected)
        return sorted(set(found).intersection(names))


def _series(group: Group, reference: pl.DataFrame) -> Iterator[Series]:
    if reference.is_empty():
        return
    wanted = [group.selection.interval] if group.selection.interval else [each for each in INTERVALS if each != "10s"]
    for market, product in reference.select("market", "product").unique().sort("market", "product").iter_rows():
        for interval in wanted:
            if not is_finer(interval, finest_bar(market, product)):
                yield Series(market, product, interval)


def last_closed(series: Series, known: datetime) -> datetime:
    """Where the newest interval ends that is complete, given up to when all has landed."""
    product = products.product(series.market, series.product)
    past = known - product.lateness - product.grace
    return _floor(series, past)


def between(series: Series, after: datetime, until: datetime) -> Iterator[Closed]:
    """The intervals that end in (after, until], in order."""
    end = after
    while end < until:
        start, end = end, _next(series, end)
        yield Closed(start, end)


def _floor(series: Series, at: datetime) -> datetime:
    """The latest end of an interval that is not after an instant."""
    seconds = INTERVALS[series.interval].seconds
    if seconds is not None and series.interval != "1d":
        return clock.from_us(clock.to_us(at) // (seconds * 1_000_000) * seconds * 1_000_000)
    zone = _zone(series)
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(at.tzinfo)


def _next(series: Series, end: datetime) -> datetime:
    seconds = INTERVALS[series.interval].seconds
    if seconds is not None and series.interval != "1d":
        return end + timedelta(seconds=seconds)
    return _floor(series, end + _DAY + timedelta(hours=4))  # a day has 23 to 25 hours


def _zone(series: Series) -> ZoneInfo:
    return ZoneInfo(products.market(series.market).zone)
