"""What a price is, of all its publications: `db.clickhouse.current`'s replay for rows that are read already."""

from typing import Final

import polars as pl

from pipeline.schema import TICKS
from pipeline.shown import with_revisions

IDENTITY: Final = ("tenant", "instrument", "ts", "source_rank", "event_id")
KNOWN: Final = ("known_at", "topic_id", "partition", "offset", "row")
_SHOWN: Final = [*TICKS, "revision"]


def current(publications: pl.DataFrame) -> pl.DataFrame:
    """The current price of every identity (`TICKS` and `revision`), in the order in which their first rows come.

    `publications`: `pipeline.schema.SEEN`, those of one identity together. Identities of one publication, which nearly
    all are, cost next to nothing.
    """
    first = _differs(publications)
    several = first.not_() | first.not_().shift(-1, fill_value=False)
    plain = publications.with_columns(revision=pl.lit(0, pl.Int64))
    if not several.any():
        return plain.select(_SHOWN)
    numbered = plain.with_columns(_which=first.cum_sum())
    replayed = _replayed(numbered.filter(several).drop("revision"))
    rows = pl.concat([numbered.filter(~several).select(*_SHOWN, "_which"), replayed.select(*_SHOWN, "_which")])
    return rows.sort("_which").drop("_which")


def _differs(publications: pl.DataFrame) -> pl.Series:
    """Boolean: the row is the first one of its identity."""
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in IDENTITY)
    return publications.select((~same).fill_null(value=True).alias("first")).to_series()


def _replayed(publications: pl.DataFrame) -> pl.DataFrame:
    """The latest effective publication of every identity: the first in known order that has its highest revision."""
    told = publications.sort("parser_version", descending=True).unique([*IDENTITY, "version", *KNOWN], keep="first")
    counted = with_revisions(told.drop("parser_version")).with_columns(pl.col("revision").cast(pl.Int64))
    order = [pl.col("revision").neg(), *KNOWN]
    return counted.sort(order).unique(IDENTITY, keep="first")
