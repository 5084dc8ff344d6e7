"""Runs of buckets: what follows each other without a gap is one row, whose bounds say the rest.

A document touches thousands of buckets of each instrument, one after the other; as runs they are few. A bucket stands
as one whole number, the instrument's code times 2^29 plus its place on the grid since 1970: a run is a range of them.
"""

from typing import Final

import polars as pl

PLACES: Final = 2**29  # of 10 seconds, up to the year 2140
_MICROSECONDS: Final = 1_000_000


def codes(frame: pl.DataFrame) -> pl.Series:
    """A whole number for each (tenant, instrument) of the frame. It holds for this one call: the numbers are those of
    polars' categories, which all threads of the process share."""
    one = frame["tenant"].n_unique() <= 1
    name = (
        frame["instrument"] if one else frame.select(pl.concat_str("tenant", "instrument", separator="\0")).to_series()
    )
    return name.cast(pl.Categorical).to_physical().cast(pl.Int64)


def places(instants: pl.Series, seconds: "int | pl.Series") -> pl.Series:
    """The bucket of a grid of so many seconds that holds each instant."""
    return instants.dt.epoch("us") // (seconds * _MICROSECONDS)


def of_buckets(buckets: pl.Series) -> pl.DataFrame:
    """`first` and `last` bucket of each run of single buckets, in order."""
    distinct = buckets.unique().sort()
    return _cut(distinct, distinct, begins=distinct.diff() != 1)


def of_ranges(first: pl.Series, last: pl.Series) -> pl.DataFrame:
    """The same of ranges, which may overlap; none reaches over two instruments."""
    ranges = pl.DataFrame({"first": first, "last": last}).sort("first")
    reached = ranges["last"].cum_max()
    return _cut(ranges["first"], reached, begins=ranges["first"] > reached.shift() + 1)


def _cut(first: pl.Series, last: pl.Series, begins: pl.Series) -> pl.DataFrame:
    begins = begins.fill_null(value=True)
    return pl.DataFrame({"first": first.filter(begins), "last": last.filter(begins.shift(-1, fill_value=True))})
