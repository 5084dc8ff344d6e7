"""The rows of one node's price parts, found for each other wherever they stand in a daily file."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline.documents import NO_REFUSALS, REFUSED_ROWS

PARTS: Final = {"LMP": "price", "MCC": "congestion", "MLC": "loss"}
KEY: Final = ("location", "location_type")


def aligned(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(the LMP rows in their order with the places of their parts, REFUSED_ROWS of MCC and MLC rows without one).

    `rows`: `location, location_type, part, row`. Places count from 0 and stand in columns LMP, MCC and MLC, null where
    a node has no such row; `nth` counts a node's publications. The n-th rows of the parts belong together; where a part
    has fewer rows its last one holds on, where it has more the last one replaces those before.
    """
    placed = rows.select(*KEY, "part", "row", at=pl.int_range(pl.len(), dtype=pl.UInt32))
    of = {part: placed.filter(pl.col("part") == part).drop("part") for part in PARTS}
    in_step = _in_step(of)
    if in_step is not None:
        return in_step, NO_REFUSALS
    several = any(each.select(KEY).is_duplicated().any() for each in of.values())
    prices = of["LMP"].with_columns(nth=_nth() if several else pl.lit(0, dtype=pl.UInt32)).rename({"at": "LMP"})
    orphans = [_orphans(of[part], prices, part) for part in PARTS if part != "LMP"]
    for part in PARTS:
        if part != "LMP":
            prices = _beside(prices, of[part], part, several=several)
    return prices, pl.concat(orphans).sort("row")


def _in_step(of: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """The same where the nodes of every part come in one order, as MISO writes them: nothing has to be looked for."""
    keys = {part: rows.select(KEY) for part, rows in of.items()}
    if not all(keys["LMP"].equals(each) for each in keys.values()):
        return None
    places = {part: of[part]["at"] for part in PARTS}
    nth = _nth() if keys["LMP"].n_unique() < keys["LMP"].height else pl.lit(0, dtype=pl.UInt32)
    return of["LMP"].drop("at").with_columns(nth=nth, **places)


def _nth() -> pl.Expr:
    return pl.int_range(pl.len(), dtype=pl.UInt32).over(KEY)


def _beside(prices: pl.DataFrame, rows: pl.DataFrame, part: str, *, several: bool) -> pl.DataFrame:
    """The prices with the place of that part's row."""
    held = rows.select(*KEY, pl.col("at").alias(part))
    if not several:
        return prices.join(held, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    last = prices.group_by(KEY).agg(last=pl.col("nth").max())
    numbered = (
        held.with_columns(nth=_nth())
        .join(last, on=KEY, nulls_equal=True, maintain_order="left")
        .with_columns(nth=pl.min_horizontal("nth", "last"))
        .unique([*KEY, "nth"], keep="last", maintain_order=True)
        .drop("last")
    )
    found = prices.join(numbered, on=[*KEY, "nth"], how="left", nulls_equal=True, maintain_order="left")
    return found.with_columns(pl.col(part).forward_fill().over(KEY))


def _orphans(rows: pl.DataFrame, prices: pl.DataFrame, part: str) -> pl.DataFrame:
    alone = rows.join(prices, on=KEY, how="anti", nulls_equal=True)
    reason = "{} of {} has no LMP row: a price without LMP is none"
    return alone.select(
        "row",
        field=pl.lit("Value"),
        value=pl.lit(part),
        reason=pl.format(reason, pl.lit(part), "location"),
    ).select(list(REFUSED_ROWS))
