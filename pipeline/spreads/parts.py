"""The prices that an interval of a spread is made of: one row for each that must be there."""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from pipeline import blocks
from pipeline.schema import INSTANT, Schema, conform, empty
from pipeline.spreads.calendars import gas_day, nearby, trade_date
from pipeline.spreads.cells import CELLS
from pipeline.spreads.plan import Plan

# `at`: the start of the price. The numerator of a value is the sum of coef × price, its denominator is `den`.
PARTS: Final[Schema] = {
    "number": pl.UInt32(),
    "start": INSTANT,
    "end": INSTANT,
    "owner": pl.String(),
    "leg": pl.UInt8(),
    "instrument": pl.String(),
    "at": INSTANT,
    "coef": pl.Int128(),
    "den": pl.Int128(),
}
_CELL: Final = ("number", "start")
_LEGS: Final = 2
_SHAPE: Final = ("align", "step_s", "market", "block")


def parts(plan: Plan, cells: pl.DataFrame) -> pl.DataFrame:
    """`PARTS` of the cells; a cell with a leg that has none at all (a day without peak hours) has none."""
    rows = cells.select(*CELLS).join(plan.legs, on="number")
    if rows.is_empty():
        return empty(PARTS)
    named = rows.filter(pl.col("contract").is_null())
    placed = nearby(rows.filter(pl.col("contract").is_not_null()).drop("instrument"), plan.calendars)
    shapes = [named, placed.select(rows.columns)]
    found = [
        _AT[shape[0]](part, plan) for each in shapes for shape, part in each.partition_by(*_SHAPE, as_dict=True).items()
    ]
    return _weighed(pl.concat([part.select(*_CELL, "end", *_OF_LEG, "at") for part in found]))


_OF_LEG: Final = ("owner", "leg", "instrument", "p", "q")


def _weighed(found: pl.DataFrame) -> pl.DataFrame:
    """With the exact weight of each price: p / (q n) of a leg of n prices, over the product of both legs' q n."""
    per = (pl.col("q") * pl.len().over(*_CELL, "leg").cast(pl.Int64)).alias("per")
    legs = found.with_columns(per)
    whole = legs.unique([*_CELL, "leg"]).group_by(_CELL).agg(den=pl.col("per").product(), legs=pl.len())
    both = legs.join(whole.filter(pl.col("legs") == _LEGS), on=_CELL)
    coefficient = pl.col("p").cast(pl.Int128) * (pl.col("den") // pl.col("per")).cast(pl.Int128)
    return conform(both.with_columns(coef=coefficient).select(*PARTS), PARTS)


def _same(rows: pl.DataFrame, _: Plan) -> pl.DataFrame:
    return rows.with_columns(at="start")


def _finer(rows: pl.DataFrame, _: Plan) -> pl.DataFrame:
    steps = pl.datetime_ranges("start", "end", interval=f"{rows['step_s'][0]}s", closed="left")
    return rows.with_columns(at=steps).explode("at")


def _of_block(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    every = _finer(rows, plan)
    block, market = str(rows["block"][0]), str(rows["market"][0])
    return every.filter(blocks.within(every["at"], block, market))


def _traded(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    return rows.with_columns(at=trade_date(pl.col("day"), plan.calendars).cast(INSTANT))


def _traded_for_gas_day(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    return _traded(rows.with_columns(day=gas_day(pl.col("start"))), plan)


_AT: Final[Mapping[object, Callable[[pl.DataFrame, Plan], pl.DataFrame]]] = {
    "interval": _same,
    "mean": _finer,
    "block": _of_block,
    "flow_day": _traded,
    "gas_day": _traded_for_gas_day,
}
