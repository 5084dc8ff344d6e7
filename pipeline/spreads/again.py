"""Values derived again after their definition or a calendar has changed: what is stored becomes what follows now.

Of two rows of one position the one with the higher measure stands (`pipeline.spreads.derive`), and what follows from a
changed definition need not have seen more. So a row that differs from the stored one goes just above it, and a stored
value that follows from nothing any more is withdrawn at its own position: a publication without a value.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from pipeline.flags import Flag
from pipeline.schema import conform
from pipeline.spreads.definitions import Definition
from pipeline.spreads.derive import DERIVED, VALUES

_POSITION: Final = ["tenant", "instrument", "ts", "known_at", "topic_id", "partition", "offset"]
_CONTENT: Final = (*VALUES, "flags")


def revised(made: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """`DERIVED` to be stored, so that of these intervals nothing stands but what was made.

    `made`: `DERIVED`; `held`: all that is stored of the same intervals (`pipeline.schema.SEEN`).
    """
    stored = held.select(*_POSITION, pl.struct(_CONTENT).alias("content"), measure=pl.col("parser_version"))
    both = made.join(stored, on=_POSITION, how="left", maintain_order="left")
    other = pl.struct(_CONTENT).ne_missing(pl.col("content"))
    above = pl.max_horizontal("seen", pl.col("measure").cast(pl.Int64) + 1)
    news = both.filter(other).with_columns(seen=above)
    return pl.concat([conform(news.select(*DERIVED), DERIVED), withdrawn(held.join(made, on=_POSITION, how="anti"))])


def withdrawn(held: pl.DataFrame) -> pl.DataFrame:
    """`DERIVED` that take these stored values (`pipeline.schema.SEEN`) back."""
    valued = held.filter((pl.col("flags") & int(Flag.NO_VALUE)) == 0)
    none = [pl.lit(None).alias(name) for name in VALUES[1:]]
    rows = valued.with_columns(
        *none, price=pl.lit(0), flags=int(Flag.NO_VALUE), seen=pl.col("parser_version").cast(pl.Int64) + 1
    )
    return conform(rows.drop("parser_version"), DERIVED)


def undefined(held: pl.DataFrame, definitions: Sequence[Definition]) -> pl.DataFrame:
    """Of the stored values of a spread those of days on which none of its definitions holds."""
    return held.filter(~pl.any_horizontal(_holds(each) for each in definitions))


def _holds(definition: Definition) -> pl.Expr:
    day = pl.col("start").dt.convert_time_zone(definition.zone).dt.date()
    since, until = pl.lit(definition.valid_from, pl.Date()), pl.lit(definition.valid_to, pl.Date())
    return (since.is_null() | (since <= day)) & (until.is_null() | (day < until))
