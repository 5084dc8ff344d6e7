"""Quality flags as one bit set: each name beside what sets it and what it does.

| flag | set by | effect |
|---|---|---|
| `VALID` | a usable price, negative ones included | counts in bars and latest prices |
| `PRICE_NEGATIVE` | price < 0 | none: information |
| `OUT_OF_RANGE` | price outside the market's band of that day (`pipeline.bands`) | none: the price counts |
| `VOLUME_SPIKE` | a volume far beyond the usual (`pipeline.spikes`), at reading, never stored | none: information |
| `LATE_ARRIVAL` | known later after its interval than its product allows | none: the bar is corrected |
| `MISSING_METADATA` | an incomplete reference row, joined at read and never stored | none: information |
| `ADVISORY` | known so long before its interval that it does not bind yet | neither in bars nor in latest prices |
| `COMPONENT_MISMATCH` | published parts miss the price, or a derived energy those beside it | none: information |
| `DERIVED` | the energy is not published but follows from price, congestion and loss | none: information |
| `NO_VALUE` | a spread with an unusable leg or without a result; shown without a price | in no bar, no latest price |

What is stored depends on the message alone: flags that need history or reference data come at reading.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import IntFlag
from typing import Final

import polars as pl

from pipeline import components, products
from pipeline.bands import REGISTERED, Bands
from pipeline.products import Product
from pipeline.schema import INSTANT, PRICE


class Flag(IntFlag):
    VALID = 1
    PRICE_NEGATIVE = 2
    OUT_OF_RANGE = 4
    VOLUME_SPIKE = 8
    LATE_ARRIVAL = 16
    MISSING_METADATA = 32
    ADVISORY = 64
    COMPONENT_MISMATCH = 128
    DERIVED = 256
    NO_VALUE = 512


UNUSABLE: Final = int(Flag.ADVISORY | Flag.NO_VALUE)
"""A tick with any of these bits is in no bar and no latest price; every other tick carries `VALID`."""


def names(bits: int) -> list[str]:
    """The names of the set bits, in the order of the vocabulary."""
    return [flag.name for flag in Flag if bits & flag and flag.name]


def usable(bits: pl.Expr) -> pl.Expr:
    """Boolean: the tick counts in bars and latest prices."""
    return (bits & UNUSABLE) == 0


def flagged(ticks: pl.DataFrame, bands: Bands = REGISTERED) -> pl.DataFrame:
    """The ticks with `flags` set from `market, product, start, end, price, known_at` (known_at may be null) and from
    the parts of the price, where they are there; `derived` is taken out."""
    present = _present(ticks)
    information = (
        _bit(price_negative(), Flag.PRICE_NEGATIVE)
        | _bit(out_of_range(bands, ticks), Flag.OUT_OF_RANGE)
        | _bit(late_arrival(present), Flag.LATE_ARRIVAL)
        | _of_components(ticks)
    )
    soon = advisory(present)
    usable_or_not = pl.when(soon).then(_bits(Flag.ADVISORY)).otherwise(_bits(Flag.VALID))
    return ticks.with_columns(flags=information | usable_or_not).drop("derived", strict=False)


def price_negative() -> pl.Expr:
    return pl.col("price") < pl.lit(0, dtype=PRICE)


def out_of_range(bands: Bands, ticks: pl.DataFrame) -> pl.Expr:
    """Boolean: the price lies outside the band of its market and day (UTC); a market without bands has none.

    Worked out only where some price leaves what all bands share.
    """
    every = [band for those in bands.values() for band in those]
    low, high = max(band.low for band in every), min(band.high for band in every)
    if ticks.select(pl.col("price").is_between(_amount(low), _amount(high)).all()).item():
        return pl.lit(value=False)
    return _outside(bands)


def late_arrival(present: Sequence[Product]) -> pl.Expr:
    """Known later after the interval's end (a stream's instant) than the product allows."""
    allowed = _per_product(present, lambda product: product.lateness)
    return (pl.col("known_at") > pl.coalesce("end", "start") + allowed).fill_null(value=False)


def advisory(present: Sequence[Product]) -> pl.Expr:
    """Known before the product's prices bind; a product without `binding` never is advisory."""
    if all(product.binding is None for product in present):
        return pl.lit(value=False)
    binding = _per_product(present, lambda product: product.binding)
    return (pl.col("known_at") < pl.col("start") - binding).fill_null(value=False)


def _of_components(ticks: pl.DataFrame) -> pl.Expr:
    """`COMPONENT_MISMATCH` and `DERIVED`; of ticks without an energy nothing can be said."""
    if "energy" not in ticks.columns or ticks["energy"].null_count() == ticks.height:
        return pl.lit(0, dtype=pl.UInt32)
    derived = components.derived(ticks)
    broken = components.mismatch(ticks, derived)
    return _bit(pl.lit(derived), Flag.DERIVED) | _bit(pl.lit(broken), Flag.COMPONENT_MISMATCH)


def _present(ticks: pl.DataFrame) -> list[Product]:
    """The registered products that these ticks may be of, those of any market first."""
    held = set(ticks["product"].unique().to_list())
    found = [product for product in products.PRODUCTS.values() if product.name in held]
    return [products.STREAM, *sorted(found, key=lambda product: product.market is not None)]


def _per_product(present: Sequence[Product], read: Callable[[Product], timedelta | None]) -> pl.Expr:
    """The value of each tick's product; the first of `present` speaks for all that no other one matches."""
    value = pl.lit(read(present[0]), dtype=pl.Duration("us"))
    for product in present[1:]:
        if product is present[0]:
            continue
        here = pl.col("product") == product.name
        if product.market is not None:
            here &= pl.col("market") == product.market
        value = pl.when(here).then(pl.lit(read(product), dtype=pl.Duration("us"))).otherwise(value)
    return value


def _bit(condition: pl.Expr, flag: Flag) -> pl.Expr:
    return pl.when(condition).then(_bits(flag)).otherwise(pl.lit(0, dtype=pl.UInt32))


def _bits(flag: Flag) -> pl.Expr:
    return pl.lit(int(flag), dtype=pl.UInt32)


def _outside(bands: Bands) -> pl.Expr:
    found = pl.lit(value=False)
    for market, those in bands.items():
        for band in those:  # ordered by day: the last one that began decides
            here = (pl.col("market") == market) & (pl.col("start") >= _midnight(band.since))
            inside = pl.col("price").is_between(_amount(band.low), _amount(band.high))
            found = pl.when(here).then(~inside).otherwise(found)
    return found


def _amount(units: int) -> pl.Expr:
    return pl.lit(units, dtype=PRICE)


def _midnight(day: date) -> pl.Expr:
    return pl.lit(datetime(day.year, day.month, day.day, tzinfo=UTC), dtype=INSTANT)
