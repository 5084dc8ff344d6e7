"""Day-ahead curves: the hours of a local day of an instrument whose prices all lie ahead, 23 to 25 of them.

A view of what is stored: the session is the delivery day, `at` is when the exchange's run of that day is due.
"""

from datetime import date, timedelta
from typing import Final

import polars as pl

from pipeline import calendar
from pipeline.curves.points import POINTS, PointFlag
from pipeline.curves.snapshot import HEADS
from pipeline.flags import usable
from pipeline.products import Product
from pipeline.schema import shaped

KIND: Final = "settle"  # a cleared price binds
_MESSAGE: Final = ("known_at", "topic_id", "partition", "offset")
_IDENTITY: Final = ("instrument", "ts", "source_rank", "event_id")
_HOUR: Final = timedelta(hours=1)


def is_curve(product: Product) -> bool:
    """Whether the hours of an instrument of the product are a curve."""
    return product.forward and product.interval == "1h"


def day_ahead(revisions: pl.DataFrame, zone: str, due: timedelta) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`pipeline.curves.snapshot.HEADS` and `pipeline.curves.points.POINTS` of each local day that has a price.

    `revisions`: `pipeline.schema.TICKS` of one instrument, every publication that changed a price. `due`: when the
    prices of a day are expected, from its first instant.
    """
    local = pl.col("start").dt.convert_time_zone(zone).dt.date().alias("session")
    known = revisions.sort(*_MESSAGE, "row").with_columns(local)
    last = known.unique(_IDENTITY, keep="last", maintain_order=True).sort("session", "start")
    current = last.filter(usable(pl.col("flags")))
    return _heads(known, current, zone, due), _points(current)


def _heads(known: pl.DataFrame, current: pl.DataFrame, zone: str, due: timedelta) -> pl.DataFrame:
    made = known.group_by("session").agg(
        version=pl.struct(_MESSAGE).n_unique() - 1, known_at=pl.col("known_at").max(),
        first_known=pl.col("known_at").min(), seen=pl.len(),
    )  # fmt: skip
    first, beyond = calendar.borders(pl.col("session"), zone)
    hours = current.group_by("session").agg(hours=pl.len()).with_columns(
        at=first + due, partial=pl.col("hours") < (beyond - first).dt.total_hours()
    )  # fmt: skip
    return shaped(hours.join(made, on="session").sort("session"), HEADS, {name: name for name in HEADS})


def _points(current: pl.DataFrame) -> pl.DataFrame:
    negative = pl.when(pl.col("price") < 0).then(int(PointFlag.NEGATIVE)).otherwise(0)
    return shaped(current, POINTS, {
        "session": "session", "role": pl.lit("point"), "start": "start",
        "end": pl.coalesce("end", pl.col("start") + _HOUR), "product": pl.lit("hour"), "price": "price",
        "kind": pl.lit(KIND), "flags": negative.cast(pl.UInt32), "age": pl.lit(0),
        "inputs": pl.concat_list("instrument"),
    })  # fmt: skip


def span(first: date, last: date, zone: str) -> pl.Series:
    """The first instants (UTC) of the local days `first` and `last`."""
    days = pl.DataFrame({"day": [first, last]}, {"day": pl.Date()})
    return days.select(calendar.midnight(pl.col("day"), zone)).to_series()
