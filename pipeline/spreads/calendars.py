"""The days of gas and futures that align legs: trade dates, gas days, nearby positions of contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Final

import polars as pl

from pipeline.schema import PUBLIC, Schema, conform

TRADING: Final = "nymex"  # the calendar whose holidays are no trade days of spot gas
_CENTRAL: Final = "America/Chicago"
_GAS_DAY: Final = "9h"  # a gas day begins at 09:00 Central prevailing (FERC Order 809)
_POSITIONS: Final = 99  # two digits
_CONTRACTS: Final[Schema] = {
    "market": pl.String(),
    "contract": pl.String(),
    "root": pl.String(),
    "last_trade": pl.Date(),
}


@dataclass(frozen=True)
class Calendars:
    """`holidays`: of trading. `contracts`: market, contract, root, last_trade, `nth` in the order of last trades."""

    holidays: tuple[date, ...]
    contracts: pl.DataFrame

    @cached_property
    def digest(self) -> str:
        """Tells these days from others."""
        return sha256(repr((self.holidays, self.contracts.rows())).encode()).hexdigest()


def of_tables(tables: Mapping[str, pl.DataFrame]) -> Calendars:
    """From the public rows of the reference tables `holidays` and `contracts`: spreads of all tenants follow them."""
    held, contracts = (tables[name].filter(tenant=PUBLIC) for name in ("holidays", "contracts"))
    held = held.filter(pl.col("calendar") == TRADING)
    dated = conform(contracts.select(*_CONTRACTS), _CONTRACTS).filter(pl.col("last_trade").is_not_null())
    listed = dated.unique(["market", "contract"]).sort("market", "root", "last_trade")
    nth = pl.col("last_trade").rank("ordinal").over("market", "root").cast(pl.Int64)
    holidays = tuple(held["day"].unique().sort().to_list())
    return Calendars(holidays, listed.with_columns(nth=nth))


def trade_date(flow: pl.Expr, calendars: Calendars) -> pl.Expr:
    """The day on which gas that flows on a date was traded: the last trade day before it.

    Friday's trade flows from Saturday to Monday; after a holiday it is the day before the holiday that goes on.
    """
    return flow.dt.add_business_days(-1, holidays=calendars.holidays, roll="forward")


def flow_dates(traded: pl.Expr, calendars: Calendars) -> tuple[pl.Expr, pl.Expr]:
    """The first and the last flow date of what is traded on a trade day: the next day, the next trade day."""
    return traded.dt.offset_by("1d"), traded.dt.add_business_days(1, holidays=calendars.holidays, roll="backward")


def is_trade_day(day: pl.Expr, calendars: Calendars) -> pl.Expr:
    return (day.dt.weekday() <= 5) & ~day.is_in(calendars.holidays)


def gas_day(instants: pl.Expr) -> pl.Expr:
    """The date of the gas day that holds an instant."""
    local = instants.dt.convert_time_zone(_CENTRAL).dt.replace_time_zone(None)
    return local.dt.offset_by(f"-{_GAS_DAY}").dt.date()


def gas_day_begins(day: pl.Expr) -> pl.Expr:
    """The instant at which a gas day begins."""
    local = day.cast(pl.Datetime("us")).dt.offset_by(_GAS_DAY)
    return local.dt.replace_time_zone(_CENTRAL).dt.convert_time_zone("UTC")


def nearby(rows: pl.DataFrame, calendars: Calendars) -> pl.DataFrame:
    """Rows of `market, contract, day` with `instrument`: the nearby position that the contract has on that day.

    Position k of a day is the k-th contract of its root whose last trade is not before it. A contract that is not
    listed, has ended or lies too far ahead has no row.
    """
    listed = calendars.contracts
    contracts = rows.join(listed.drop("last_trade"), on=["market", "contract"])
    ended = contracts.select("market", "root", "day").unique().join(listed, on=["market", "root"])
    first = (
        ended.filter(pl.col("last_trade") >= pl.col("day"))
        .group_by("market", "root", "day")
        .agg(front=pl.col("nth").min())
    )
    placed = contracts.join(first, on=["market", "root", "day"]).with_columns(k=pl.col("nth") - pl.col("front") + 1)
    name = pl.format("{}.futures.{}{}", "market", "root", pl.col("k").cast(pl.String).str.zfill(2))
    return (
        placed.filter(pl.col("k").is_between(1, _POSITIONS))
        .with_columns(instrument=name)
        .drop("root", "nth", "front", "k")
    )
