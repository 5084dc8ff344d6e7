"""Many rows and how many there are, of stores in memory."""

from collections.abc import AsyncGenerator, Iterable, Iterator
from datetime import datetime
from typing import Any

import polars as pl

from api.ranges import slices
from api.reads.ports import Names, Reads, Window
from db.clickhouse.counts import COUNTED, Counting


class FakeMany:
    """That part of `api.reads.ports.Reads`."""

    stored: list[dict[str, Any]]
    bar_rows: list[dict[str, Any]]

    async def many_ticks(
        self: Reads, tenants: Names, names: Names, parts: Iterator[Window], known: datetime | None
    ) -> AsyncGenerator[pl.DataFrame]:
        async for rows in slices.paged(lambda window: self.ticks(tenants, names, window, known), parts):
            yield rows

    async def count_publications(self, what: Counting, known: datetime | None) -> pl.DataFrame:
        return _counted(
            row["start"] for row in self._within(self.stored, what) if known is None or row["known_at"] <= known
        )

    async def count_prices(self, what: Counting, known: datetime | None) -> int:
        return sum((await self.count_publications(what, known))["rows"].to_list())

    async def count_bars(self, what: Counting, interval: str) -> pl.DataFrame:
        return _counted(row["start"] for row in self._within(self.bar_rows, what) if row["interval"] == interval)

    async def stand_of_bars(self, start: datetime, end: datetime) -> object:
        return [str(row) for row in self.bar_rows if start <= row["start"] < end]

    def _within(self, rows: list[dict[str, Any]], what: Counting) -> list[dict[str, Any]]:
        of = [row for row in rows if (row["tenant"], row["instrument"]) in what.pairs]
        return [row for row in of if what.start <= row["start"] < what.end]


def _counted(starts: Iterable[datetime]) -> pl.DataFrame:
    hours = pl.Series("hour", list(starts), dtype=COUNTED["hour"]).dt.truncate("1h")
    return hours.value_counts(name="rows").select("hour", pl.col("rows").cast(pl.Int64)).sort("hour")
