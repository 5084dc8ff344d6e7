"""The reads of bars of blocks of hours, over the real stores."""

from typing import Final

import polars as pl

from api.reads import positions
from api.reads.known import KnownReads, one_more
from api.reads.ports import Page, Window
from api.shapes import BAR
from db.clickhouse import block_bars, reads
from db.clickhouse.block_bars import Cut
from db.clickhouse.frames import fetch_async
from db.clickhouse.query import Query
from pipeline import zone_days
from pipeline.blocks import Block
from pipeline.schema import conform

_ORDER: Final = reads.BarPosition._fields


class BlockReads(KnownReads):
    """That part of `api.reads.ports.Reads`."""

    async def block_bars(self, reference: pl.DataFrame, interval: str, block: Block, window: Window) -> Page:
        whose = reference if "days" in reference.columns else reference.with_columns(days=pl.lit(None, pl.String))
        parts = [
            await self._fetched_bars(_query(rows, interval, block, window))
            for rows in whose.partition_by("tenant", "market", "days")
        ]
        rows = pl.concat(parts).sort(_ORDER).head(window.limit + 1)
        return positions.page(rows, window.limit, _ORDER)

    async def _fetched_bars(self, query: Query) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            found = await fetch_async(self._clickhouse, query)
        return conform(found.select(list(BAR)), BAR)


def _query(reference: pl.DataFrame, interval: str, block: Block, window: Window) -> Query:
    """The bars of one tenant's instruments of one market, whose days are of one zone."""
    scope = reads.Scope(reference["tenant"].unique().to_list(), reference["instrument"].to_list())
    cut = _cut(block, reference["market"][0], reference["days"][0], window)
    position = positions.read_position(reads.BarPosition, window.after)
    if interval == "1h":
        return block_bars.hour_bars(scope, one_more(window), cut, position)
    return block_bars.day_bars(scope, block_bars.graces(reference), one_more(window), cut, position)


def _cut(block: Block, market: str, days: str | None, window: Window) -> Cut:
    parts = None if days is None else zone_days.parts(days, window.start, window.end)
    return Cut(block, market, days, parts or "1h")
