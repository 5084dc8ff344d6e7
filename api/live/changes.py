"""What became known in a while, as rows of the REST interface: what fills a gap."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from api import shapes
from api.query import InstrumentId, Interval, Priced
from api.reads.ports import Page, Reads
from api.security.history import earliest
from api.values import Instant, MarketName, ProductName
from db.clickhouse.known_changes import Known, Whose
from db.reference.snapshot import INSTRUMENTS
from db.visible import Visible
from pipeline.bars import INTERVALS
from pipeline.generic import DERIVED
from pipeline.schema import PUBLIC


class ChangesQuery(Priced):
    """Of instruments, or of a market and product, what became known in [since, until)."""

    channel: Literal["ticks", "bars"]
    instrument: Annotated[list[InstrumentId], Field(default_factory=list, max_length=100)]
    market: MarketName | None = None
    product: ProductName | None = None
    interval: Annotated[Interval | None, Field(description="of `bars`; without it all")] = None
    since: Annotated[Instant, Field(examples=["2026-07-01T00:00:00Z"])]
    until: Annotated[Instant | None, Field(description="default: now")] = None


async def of_market(reads: Reads, visible: Visible, ask: ChangesQuery) -> pl.DataFrame:
    """The instruments of a market (and product) that may be seen."""
    reference = (await reads.snapshot(fresh=True)).tables[INSTRUMENTS]
    of = reference.filter(market=ask.market)
    return visible.of(of if ask.product is None else of.filter(product=ask.product))


def whose(visible: Visible, reference: pl.DataFrame, *, named: bool, now: datetime) -> Whose:
    """These instruments of the reference alone, or all of their markets and products."""
    pairs = reference.select("tenant", "instrument").rows() if named else None
    series = reference.select("tenant", "market", "product").unique().sort("tenant", "market", "product").rows()
    first = earliest(visible, [PUBLIC], now)
    bounds = (first, PUBLIC, f"{DERIVED}.") if first is not None else (None, "", "")
    return Whose(visible.tenants, pairs, [] if named else series, sorted(visible.hidden), *bounds)


async def page(reads: Reads, ask: ChangesQuery, of: Whose, span: Known, after: Sequence[Any] | None) -> Page:
    """A page in the order in which it became known."""
    if ask.channel == "ticks":
        return await reads.changed_ticks(of, span, after)
    intervals = [ask.interval] if ask.interval else [each for each in INTERVALS if each != "10s"]
    return await reads.changed_bars(of, intervals, span, after)


def shown(ask: ChangesQuery, rows: pl.DataFrame, reference: pl.DataFrame, past: datetime) -> pl.DataFrame:
    """The rows with the fields that are shown, in their order."""
    if ask.channel == "ticks":
        return shapes.shown_ticks(rows, reference)
    placed = rows.with_row_index("at")
    priced = pl.col("count") > 0
    emptied = placed.with_columns(pl.when(priced).then(name).alias(name) for name in ("open", "high", "low", "close"))
    made = [shapes.shown_bars(some, reference, past, also=("at",)) for some in emptied.partition_by("interval")]
    if not made:
        return shapes.shown_bars(rows, reference, past)
    return pl.concat(made).sort("at").drop("at")
