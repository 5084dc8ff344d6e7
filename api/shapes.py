"""From stored frames to the fields that answers show."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from pipeline import blocks, products
from pipeline.bars import INTERVALS
from pipeline.blocks import ATC, Block
from pipeline.distinct import looked_up
from pipeline.schema import INSTANT, PRICE, SCALE, Schema
from pipeline.shown import flag_names, shown

BAR_FIELDS: Final = (
    "instrument", "interval", "start", "end", "open", "high", "low", "close", "volume", "vwap", "twap",
    "covered_seconds", "count", "flags", "is_final", "revision", "updated_at", "tenant",
)  # fmt: skip
INSTRUMENT_FIELDS: Final = (
    "instrument", "market", "product", "location", "location_type", "name", "unit", "currency", "zone", "complete",
    "commodity", "region", "tier", "hub", "load_zone", "contract_size", "tick_size", "confidence", "reason",
    "first_seen", "tenant",
)  # fmt: skip
# A bar as it is read, without `is_final`.
_SUM: Final = pl.Decimal(38, SCALE)
BAR: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "interval": pl.String(),
    "start": INSTANT,
    "end": INSTANT,
    **dict.fromkeys(("open", "high", "low", "close", "vwap", "twap", "covered_seconds"), PRICE),
    "volume": _SUM,
    "count": pl.Int64(),
    "flags": pl.UInt32(),
    "revision": pl.Int64(),
    "updated_at": INSTANT,
}
_FINEST: Final = "1m"
_HOUR: Final = timedelta(hours=1)
_QUARTER: Final = timedelta(minutes=15)
_ANSWERED: Final = tuple(name for name in INTERVALS if INTERVALS[name].seconds != 10)


def shown_ticks(ticks: pl.DataFrame, reference: pl.DataFrame) -> pl.DataFrame:
    """Ticks with the fields of `pipeline.shown`: unit, currency and location type from the reference.

    An instrument whose reference is incomplete has the flag `MISSING_METADATA`. What is not in the reference is left
    out: the caller may have an instrument of the same name as a public one that it may not see.
    """
    known = reference.select(
        "tenant", "instrument", "unit", "currency", "complete", pl.col("location_type").alias("known_type")
    )
    joined = ticks.join(known, on=["tenant", "instrument"], maintain_order="left")
    location_type = pl.coalesce("known_type", "location_type").alias("location_type")
    return shown(joined.with_columns(location_type, pl.col("complete").fill_null(value=False)))


def shown_bars(
    bars: pl.DataFrame, reference: pl.DataFrame, past: datetime, block: Block | None = None, also: Sequence[str] = ()
) -> pl.DataFrame:
    """Bars, all of one interval, in their order, with the fields of `BAR_FIELDS`, `filled` where they have it, and what
    else of them is asked for; `past` is the instant up to which prices have arrived.

    A bar is final once it is over (of a block, and of an instrument that is priced in a block alone: once its last hour
    is), so is the time in which its product's prices may come, and all that its native interval promises are there, or
    one price holds from its beginning to its end.
    """
    known = _with_products(reference.select("tenant", "instrument", "market", "product"))
    joined = _with_hours(bars.join(known, on=["tenant", "instrument"], maintain_order="left"), block)
    over = pl.col("last") + pl.duration(seconds=pl.col("settle")) <= past
    whole = pl.col("count") >= (pl.col("seconds") / pl.col("native")).fill_null(0)
    if "filled" in bars.columns:
        whole |= (pl.col("filled") == "hold") & (pl.col("covered_seconds") >= pl.col("seconds"))
    final = joined.with_columns((over & whole).alias("is_final"), flag_names(joined["flags"]))
    return final.select(*BAR_FIELDS, *(["filled"] if "filled" in bars.columns else []), *also)


def _with_hours(bars: pl.DataFrame, block: Block | None) -> pl.DataFrame:
    """The bars, all of one interval, with `last`, the end of the time that each is made of, and the `seconds` of it."""
    own = pl.when(pl.col("instrument").str.starts_with(pl.col("market") + ".")).then(
        pl.lit(looked_up(bars["instrument"], _own))
    )
    seconds = (pl.col("end") - pl.col("start")).dt.total_seconds()
    whole = bars.with_columns(last="end", seconds=seconds, own=own.fill_null(ATC))
    cut = whole if block is not None else whole.filter(pl.col("own") != ATC)
    if cut.is_empty():
        return whole
    spans = pl.concat([_spans(rows, block or ATC) for rows in cut.partition_by("market", "own")])
    return whole.update(spans, on=["market", "own", "start", "end"], how="left")


def _own(instruments: pl.Series) -> pl.Series:
    """The block in whose hours alone each is priced."""
    return pl.Series([blocks.block_of(name) for name in instruments], dtype=pl.String)


def _spans(bars: pl.DataFrame, block: Block) -> pl.DataFrame:
    """`market, own, start, end, last, seconds` of the bars of one `market` and `own` block; 0 where no hour is left."""
    which = bars.select("market", "own", "start", "end").unique()
    market, own, width = which["market"][0], which["own"][0], _width(which)
    parts = blocks.parts(which, block, market, width)
    priced = parts.filter(blocks.within(parts["part"], own, market))
    last = (pl.col("part").max() + width).cast(INSTANT)
    spans = priced.group_by("start", "end").agg(last=last, seconds=pl.len().cast(pl.Int64) * int(width.total_seconds()))
    found = which.join(spans, on=["start", "end"], how="left")
    return found.with_columns(last=pl.coalesce("last", "end"), seconds=pl.col("seconds").fill_null(0))


def _width(spans: pl.DataFrame) -> timedelta:
    """Of parts that fill the spans and lie in one hour each: the days of some zones cut hours."""
    starts, shortest = spans["start"].dt, (spans["end"] - spans["start"]).min()
    longest = _HOUR if (starts.truncate("1h") == spans["start"]).all() else _QUARTER
    assert isinstance(shortest, timedelta)
    return min(longest, shortest)


def finest_bar(market: str, product: str) -> str:
    """The finest interval that is answered for a product."""
    finest = products.product(market, product).finest
    return finest if finest in _ANSWERED else _FINEST


def is_finer(interval: str, than: str) -> bool:
    return _ANSWERED.index(interval) < _ANSWERED.index(than)


# Seconds: native interval, how long after a bar's end a price may still come.
_PRODUCT: Final = {"native": pl.Float64(), "settle": pl.Float64()}


def _with_products(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the columns `_PRODUCT` of each row's market and product."""
    pairs = set(zip(frame["market"], frame["product"], strict=True))
    schema = {"market": pl.String(), "product": pl.String()} | _PRODUCT
    known = pl.DataFrame([(*pair, *_facts(*pair)) for pair in pairs], schema=schema, orient="row")
    return frame.join(known, on=["market", "product"], how="left")


def _facts(market: str, name: str) -> tuple[float | None, float]:
    product = products.product(market, name)
    native = INTERVALS[product.interval].seconds if product.interval else None
    return native, (product.lateness + product.grace).total_seconds()
