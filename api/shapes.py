"""From stored frames to the fields that answers show."""

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from pipeline import products
from pipeline.flags import Flag, names

TICK_FIELDS: Final = (
    "instrument", "market", "product", "location", "location_type", "interval_start", "interval_end", "price",
    "energy", "congestion", "loss", "ghg", "volume", "bid", "ask", "unit", "currency", "flags", "version",
    "revision", "known_at", "tenant",
)  # fmt: skip
BAR_FIELDS: Final = (
    "instrument", "interval", "start", "end", "open", "high", "low", "close", "volume", "vwap", "twap",
    "covered_seconds", "count", "flags", "is_final", "revision", "updated_at", "tenant",
)  # fmt: skip
INSTRUMENT_FIELDS: Final = (
    "instrument", "market", "product", "location", "location_type", "unit", "currency", "zone", "complete",
    "first_seen", "tenant",
)  # fmt: skip
_LENGTH: Final = {"5m": timedelta(minutes=5), "15m": timedelta(minutes=15), "1h": timedelta(hours=1)}
_INTERVALS: Final = ("1m", "5m", "15m", "1h", "1d")


def shown_ticks(ticks: pl.DataFrame, reference: pl.DataFrame) -> pl.DataFrame:
    """Ticks with the fields of `TICK_FIELDS`: unit, currency and location type from the reference of today.

    An instrument whose reference is incomplete has the flag `MISSING_METADATA`.
    """
    known = reference.select(
        "tenant", "instrument", "unit", "currency", pl.col("location_type").alias("known_type"), "complete"
    )
    joined = ticks.join(known, on=["tenant", "instrument"], how="left", maintain_order="left")
    missing = pl.when(pl.col("complete").fill_null(value=False)).then(0).otherwise(int(Flag.MISSING_METADATA))
    shown = joined.with_columns(
        pl.coalesce("known_type", "location_type").alias("location_type"),
        (pl.col("flags") | missing.cast(pl.UInt32)).alias("flags"),
    ).rename({"start": "interval_start", "end": "interval_end"})
    return _named_flags(shown).select(TICK_FIELDS)


def shown_bars(bars: pl.DataFrame) -> pl.DataFrame:
    """Bars with the fields of `BAR_FIELDS`."""
    return _named_flags(bars).select(BAR_FIELDS)


def with_freshness(shown: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Shown ticks with `age_seconds`, `cadence_seconds` and `status`.

    The next price is due one step after this one (its interval; for a stream what its product allows), moved by
    the product's `due`. One step beyond that a price is `late`, three steps beyond it is `stale`.
    """
    pairs = shown.select("market", "product").unique(maintain_order=True)
    steps = [_expected(*row) for row in pairs.iter_rows()]
    known = pairs.with_columns(pl.DataFrame(steps, schema=_EXPECTED, orient="row"))
    joined = shown.join(known, on=["market", "product"], how="left", maintain_order="left")
    age = (pl.lit(now) - pl.col("interval_start")).dt.total_milliseconds() / 1000
    overdue = age - pl.col("step") - pl.col("due")
    status = (
        pl.when(overdue <= pl.col("step")).then(pl.lit("live"))
        .when(overdue <= 3 * pl.col("step")).then(pl.lit("late"))
        .otherwise(pl.lit("stale"))
    )  # fmt: skip
    return joined.select(*shown.columns, age.alias("age_seconds"), "cadence_seconds", status.alias("status"))


_EXPECTED: Final = {"step": pl.Float64(), "due": pl.Float64(), "cadence_seconds": pl.Float64()}


def _expected(market: str, name: str) -> tuple[float, float, float | None]:
    product = products.product(market, name)
    step = _LENGTH.get(product.interval or "", product.lateness)
    cadence = None if product.cadence is None else product.cadence.total_seconds()
    return step.total_seconds(), product.due.total_seconds(), cadence


def finest_bar(market: str, product: str) -> str:
    """The finest interval that is answered for a product."""
    finest = products.product(market, product).finest
    return finest if finest in _INTERVALS else _INTERVALS[0]


def is_finer(interval: str, than: str) -> bool:
    return _INTERVALS.index(interval) < _INTERVALS.index(than)


def _named_flags(frame: pl.DataFrame) -> pl.DataFrame:
    bits = frame["flags"].unique()
    named = pl.DataFrame(
        {"flags": bits, "named": [names(each) for each in bits]},
        schema={"flags": frame.schema["flags"], "named": pl.List(pl.String)},
    )
    joined = frame.join(named, on="flags", how="left", maintain_order="left")
    return joined.with_columns(pl.col("named").alias("flags")).drop("named")
