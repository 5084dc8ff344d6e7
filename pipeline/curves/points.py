"""The points of a snapshot: contiguous pieces of delivery, each with its price, and what was refused.

Where no two deliveries of a session overlap, each contract is a piece of its own; else the pieces follow by
`pipeline.curves.bootstrap`. Deliveries are days of the curve's zone: a point begins and ends at its midnights.
"""

from enum import IntFlag
from typing import Final

import polars as pl

from pipeline import calendar
from pipeline.curves.definitions import Curve
from pipeline.curves.inputs import KINDS
from pipeline.curves.pieces import pieced
from pipeline.schema import INSTANT, Schema, shaped

CURVE_PRICE: Final = pl.Decimal(38, 12)


class PointFlag(IntFlag):
    """What a point's price is to be taken with."""

    STALE = 1  # of an earlier session: `age` sessions old
    IMPLAUSIBLE = 2  # implied by inputs that overlap, and far from all of them
    NEGATIVE = 4  # below 0


# One row a point, or a refused input (`role`), in order of role and delivery.
POINTS: Final[Schema] = {
    "session": pl.Date(),
    "role": pl.String(),  # point, rejected
    "start": INSTANT,  # delivery [start, end); nulls for a code that names no contract
    "end": INSTANT,
    "product": pl.String(),  # hour, day, block, month, quarter, season, year, period
    "price": CURVE_PRICE,
    "kind": pl.String(),  # settle, trade, quote, last; averaged, interpolated
    "flags": pl.UInt32(),
    "age": pl.UInt16(),  # sessions; of a piece that follows from several inputs the greatest
    "inputs": pl.List(pl.String()),  # the codes of the contracts that fixed the price; of a refusal its own
    "residual": CURVE_PRICE,  # of a refusal: its price less the mean of what was kept over its delivery
    "reason": pl.String(),  # of a refusal
}
_OVERLAPPING: Final = "overlapping"


def points(curve: Curve, inputs: pl.DataFrame) -> pl.DataFrame:
    """POINTS of inputs: session (Date), contract, delivery_start, delivery_end (dates), price, kind (place in KINDS),
    age; in order of session and delivery."""
    told = inputs.with_columns(_overlaps().alias(_OVERLAPPING))
    plain = shaped(dated(curve, told.filter(~pl.col(_OVERLAPPING))), POINTS, _columns() | {
        "role": pl.lit("point"), "inputs": pl.concat_list("contract"),
    })  # fmt: skip
    overlapping = told.filter(pl.col(_OVERLAPPING))
    if overlapping.is_empty():
        return plain
    implausible = pl.when("implausible").then(int(PointFlag.IMPLAUSIBLE)).otherwise(0).cast(pl.UInt32)
    made = shaped(dated(curve, pieced(curve, overlapping)), POINTS, _columns() | {
        "role": "role", "kind": "kind", "flags": _flags() | implausible, "inputs": "inputs", "residual": "residual",
        "reason": "reason",
    })  # fmt: skip
    return pl.concat([plain, made])


def refused(curve: Curve, inputs: pl.DataFrame) -> pl.DataFrame:
    """POINTS of quotes that are refused: session, code, contract and its dates (nullable), price, kind, `reason`."""
    return shaped(dated(curve, inputs), POINTS, _columns() | {
        "role": pl.lit("rejected"), "inputs": pl.concat_list("code"), "reason": "reason",
    })  # fmt: skip


def _columns() -> dict[str, pl.Expr | str]:
    return {
        "session": "session", "start": "start", "end": "end", "product": product(), "price": "price",
        "kind": pl.col("kind").replace_strict(range(len(KINDS)), list(KINDS), return_dtype=pl.String),
        "flags": _flags(), "age": "age",
    }  # fmt: skip


def _overlaps() -> pl.Expr:
    """Boolean: some deliveries of the session share a day."""
    before = pl.col("delivery_end").cum_max().shift(1).over("session")
    return (pl.col("delivery_start") < before).fill_null(value=False).any().over("session")


def dated(curve: Curve, rows: pl.DataFrame) -> pl.DataFrame:
    """With `start` and `end`, the instants at which the delivery's days begin and end."""
    return rows.with_columns(
        midnight("delivery_start", curve.zone).alias("start"), midnight("delivery_end", curve.zone).alias("end")
    )


def midnight(day: str, zone: str) -> pl.Expr:
    """The instant at which a local day begins."""
    return calendar.midnight(pl.col(day), zone)


def _flags() -> pl.Expr:
    stale = pl.when(pl.col("age") > 0).then(int(PointFlag.STALE)).otherwise(0)
    negative = pl.when(pl.col("price") < 0).then(int(PointFlag.NEGATIVE)).otherwise(0)
    return (stale | negative).cast(pl.UInt32)


def product() -> pl.Expr:
    """What a delivery of whole days is called, by its dates: a winter of November to March and a summer of April to
    October are seasons."""
    start, end = pl.col("delivery_start"), pl.col("delivery_end")
    first = (start.dt.day() == 1) & (end.dt.day() == 1)
    months = (end.dt.year() - start.dt.year()) * 12 + end.dt.month().cast(pl.Int32) - start.dt.month().cast(pl.Int32)
    season = ((start.dt.month() == 4) & (months == 7)) | ((start.dt.month() == 11) & (months == 5))
    return (
        pl.when(start.is_null()).then(None)
        .when((end - start).dt.total_days() == 1).then(pl.lit("day"))
        .when(first & (months == 1)).then(pl.lit("month"))
        .when(first & (months == 3) & (start.dt.month() % 3 == 1)).then(pl.lit("quarter"))
        .when(first & season).then(pl.lit("season"))
        .when(first & (months == 12) & (start.dt.month() == 1)).then(pl.lit("year"))
        .otherwise(pl.lit("period"))
    )  # fmt: skip
