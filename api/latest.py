"""Which price is the latest: the newest, or the one in force."""

from datetime import datetime

import polars as pl

from api.ports import Mode
from pipeline import products

_WHO = ("tenant", "instrument")


def may_be_in_force(newest: pl.DataFrame, mode: Mode | None, now: datetime) -> tuple[list[str], pl.DataFrame]:
    """Of the instruments whose price in force is wanted: those whose prices end, and the ticks in force of the others.

    A price without an end is in force until the next one: there the newest is what counts.
    """
    wanted = _wanted(newest, mode)
    is_endless = pl.col("end").is_null() & pl.col("hold_end").is_null()
    ending = wanted.filter(~is_endless)["instrument"].unique().to_list()
    return ending, wanted.filter(is_endless & (pl.col("start") <= now))


def _wanted(newest: pl.DataFrame, mode: Mode | None) -> pl.DataFrame:
    if mode is not None:
        return newest if mode == "in_force" else newest.clear()
    pairs = newest.select("market", "product").unique()
    forward = [row for row in pairs.iter_rows() if products.product(*row).forward]
    return newest.join(pl.DataFrame(forward, schema=pairs.schema, orient="row"), on=pairs.columns, how="semi")


def chosen(newest: pl.DataFrame, forced: pl.DataFrame, mode: Mode | None) -> pl.DataFrame:
    """What is shown, with the column `mode`; without a mode, the newest where nothing is in force."""
    forced = forced.with_columns(mode=pl.lit("in_force"))
    if mode == "in_force":
        return forced
    rest = newest.join(forced, on=_WHO, how="anti")
    return pl.concat([forced, rest.with_columns(mode=pl.lit("newest"))])
