"""Which price is the latest: the newest, or the one in force."""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from api.reads.ports import Mode
from pipeline import products

_WHO = ("tenant", "instrument")


class InForce(NamedTuple):
    """The newest ticks for which the price in force is wanted.

    `ending`: prices that end, so that another one may hold now. `endless`: prices in force until the next one.
    `ahead`: the same, but they have not begun, so that the one before is in force.
    """

    ending: pl.DataFrame
    endless: pl.DataFrame
    ahead: pl.DataFrame


def may_be_in_force(newest: pl.DataFrame, mode: Mode | None, now: datetime) -> InForce:
    """Which prices in force are known from the newest ones, and which must be looked up."""
    wanted = _wanted(newest, mode)
    is_endless, has_begun = pl.col("end").is_null() & pl.col("hold_end").is_null(), pl.col("start") <= now
    endless = wanted.filter(is_endless)
    return InForce(wanted.filter(~is_endless), endless.filter(has_begun), endless.filter(~has_begun))


def of_same(found: pl.DataFrame, newest: pl.DataFrame) -> pl.DataFrame:
    """What was found of the instruments of these ticks: another tenant may have one of the same name."""
    return found.join(newest, on=_WHO, how="semi")


def _wanted(newest: pl.DataFrame, mode: Mode | None) -> pl.DataFrame:
    if mode is not None:
        return newest if mode == "in_force" else newest.clear()
    pairs = newest.select("market", "product").unique()
    forward = [row for row in pairs.iter_rows() if products.product(*row).forward]
    return newest.join(pl.DataFrame(forward, schema=pairs.schema, orient="row"), on=pairs.columns, how="semi")


def chosen(newest: pl.DataFrame, forced: pl.DataFrame, mode: Mode | None) -> pl.DataFrame:
    """What is shown, with `mode`, and `newest_start` of its instrument; the newest where nothing is in force, if no
    mode is given.
    """
    starts = newest.select(*_WHO, newest_start="start")
    forced = forced.with_columns(mode=pl.lit("in_force")).join(starts, on=_WHO, how="left")
    if mode == "in_force":
        return forced
    rest = newest.join(forced, on=_WHO, how="anti")
    return pl.concat([forced, rest.with_columns(mode=pl.lit("newest"), newest_start="start")])
