"""What became of every publication of a bar: which of them count in it, which do not and why, which are revisions.

A bar holds the identities whose current price begins in it; those that once began there and moved are listed too.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from pipeline import flags
from pipeline.flags import Flag

_IDENTITY: Final = ("ts", "source_rank", "event_id")
_ORDER: Final = ("start", "source_rank", "event_id", "ts")


class Bucket(NamedTuple):
    """A bar's interval and its [start, end)."""

    interval: str
    start: datetime
    end: datetime


def judged(seen: pl.DataFrame, bucket: Bucket, grace: timedelta) -> pl.DataFrame:
    """The publications (`db.clickhouse.explain.publications`) with their `number` in known order and

    `here`: the current price of the identity begins in the bar; `counts`: this publication is that price, and usable;
    `why` it does not count: `moved outranked repeated superseded advisory no_value`, null where it does;
    `revision`: it is one of the bar's because it `changed` a price, or came `late` with a new one; else null.
    """
    numbered = seen.with_row_index("number")
    effective = pl.col("number").filter("effective")
    placed = numbered.with_columns(
        current=pl.col("number") == effective.max().over(_IDENTITY),
        first=pl.col("number") == pl.col("number").min().over(_IDENTITY),
    )
    begins = pl.col("start").filter("current").first().over(_IDENTITY)
    here = placed.with_columns(here=begins.is_between(bucket.start, bucket.end, closed="left"))
    told = here.with_columns(why=_why(), revision=_revision(bucket.end + grace))
    return told.with_columns(counts=pl.col("why").is_null()).drop("current", "first")


def counted(told: pl.DataFrame) -> pl.DataFrame:
    """Those that count, in the order of the bar."""
    return told.filter("counts").sort(_ORDER)


def _why() -> pl.Expr:
    no_value = pl.col("flags") & int(Flag.NO_VALUE) > 0
    return (
        pl.when(~pl.col("here")).then(pl.lit("moved"))
        .when(~pl.col("standing")).then(pl.lit("outranked"))
        .when(~pl.col("effective")).then(pl.lit("repeated"))
        .when(~pl.col("current")).then(pl.lit("superseded"))
        .when(no_value).then(pl.lit("no_value"))
        .when(~flags.usable(pl.col("flags"))).then(pl.lit("advisory"))
    )  # fmt: skip


def _revision(due: datetime) -> pl.Expr:
    late = pl.col("first") & (pl.col("known_at") > due)
    changed = pl.col("effective") & ~pl.col("first")
    kind = pl.when(changed).then(pl.lit("changed")).when(late).then(pl.lit("late"))
    return pl.when(pl.col("here")).then(kind)
