"""History in memory: what the lists of `tests.api.fakes` hold, by when it became known."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from api.problems import Problem
from api.reads.live import SHOWN_BAR
from api.reads.register import TICK
from api.shapes import BAR
from db.clickhouse.replay import BECAME, Known, Whose
from pipeline.schema import LATEST


class FakePast:
    """`api.reads.live_port.Replays`; bars are those of `bar_rows`."""

    stored: list[dict[str, object]]
    bar_rows: list[dict[str, object]]
    gone: dict[Any, str]

    async def became_known(self, whose: Whose, span: Known, limit: int) -> pl.DataFrame:
        if "clickhouse" in self.gone:
            raise Problem(503, "store-away", "clickhouse does not answer.")
        named = [row for row in self.stored if row["tenant"] in whose.tenants and _is_of(row, whose)]
        rows = [row for row in named if span.after < _known(row) <= span.until]
        found = pl.DataFrame([{name: row[name] for name in BECAME} for row in rows], schema=dict(BECAME))
        ordered = found.unique(maintain_order=True).sort("known_at", maintain_order=True)
        if ordered.height <= limit:
            return ordered
        return ordered.filter(pl.col("known_at") <= ordered["known_at"][limit - 1])

    async def ticks_known(self, prices: pl.DataFrame, span: Known) -> pl.DataFrame:
        keys = set(prices.select("tenant", "instrument", "ts").iter_rows())
        of = [row for row in self.stored if (row["tenant"], row["instrument"], row["ts"]) in keys]
        rows = [row for row in of if span.after < _known(row) <= span.until]
        return pl.DataFrame([{name: row.get(name) for name in TICK} for row in rows], schema=dict(TICK))

    async def bars_known(self, bars: pl.DataFrame, known: datetime) -> pl.DataFrame:
        return self._newest(bars, known).select(list(BAR))

    async def bars_at(self, bars: pl.DataFrame) -> pl.DataFrame:
        return self._newest(bars, LATEST)

    def _newest(self, bars: pl.DataFrame, known: datetime) -> pl.DataFrame:
        rows = pl.DataFrame(self.bar_rows, schema=dict(SHOWN_BAR))
        there = rows.join(bars, on=_NAME, how="semi", maintain_order="left").filter(pl.col("updated_at") <= known)
        return there.unique(_NAME, keep="last", maintain_order=True)


_NAME = ("tenant", "instrument", "interval", "start")


def _is_of(row: Mapping[str, object], whose: Whose) -> bool:
    if whose.names is not None:
        return row["instrument"] in whose.names
    return row["market"] == whose.market and whose.product in ("", row["product"])


def _known(row: Mapping[str, object]) -> datetime:
    known = row["known_at"]
    assert isinstance(known, datetime)
    return known
