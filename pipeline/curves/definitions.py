"""What a curve is built with: its definition and the trading calendar, as rows of the reference tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from hashlib import sha256
from typing import Final

import polars as pl

from pipeline.schema import PUBLIC

RULES: Final = 1  # raise it (below 256) when other points follow from the same prices: snapshots are made again
SESSION_CALENDAR: Final = "nymex"  # whose trading holidays the sessions of futures keep


@dataclass(frozen=True, slots=True)
class Curve:
    """A row of the table `curves`: ticks of `market` and `product` make the forward curve `curve`.

    `root`: what the codes of its contracts begin with, null where they begin with the month's letter. `zone`: whose
    midnights begin and end a delivery. `tick`: the smallest step of a price. A session ends at `session_end` of
    `session_zone`. `max_age`: for how many sessions the newest price of a contract is still shown.
    """

    tenant: str
    curve: str
    market: str
    product: str
    name: str
    root: str | None
    zone: str
    unit: str | None
    block: str
    granularity: str
    tick: Decimal
    session_zone: str
    session_end: time
    max_age: int
    source: str | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """`contracts`: rows of the table of that name; `holidays`: on which nothing is traded."""

    contracts: pl.DataFrame
    holidays: frozenset[date]

    def of(self, curve: Curve) -> pl.DataFrame:
        """The contracts of a curve: contract, delivery_start, delivery_end, last_trade, in order of their last trade.
        A tenant's own row of a contract goes before the public one."""
        rows = self.contracts.filter(
            pl.col("market") == curve.market,
            pl.col("root").eq_missing(pl.lit(curve.root)),
            pl.col("tenant").is_in([curve.tenant, PUBLIC]),
        )
        own_first = rows.sort((pl.col("tenant") != curve.tenant), maintain_order=True)
        one_each = own_first.unique("contract", keep="first", maintain_order=True)
        return one_each.select("contract", "delivery_start", "delivery_end", "last_trade").sort("last_trade")


def mark(tenant: str, curve: Curve, calendar: Calendar) -> str:
    """64 characters that tell what the snapshots of a curve follow from, beside a tenant's prices."""
    parts = (str(RULES), tenant, repr(curve), repr(calendar.of(curve).rows()), repr(sorted(calendar.holidays)))
    return sha256("\n".join(parts).encode()).hexdigest()


def curves_of(rows: pl.DataFrame) -> list[Curve]:
    """The definitions of the table `curves`."""
    return [_curve(row) for row in rows.iter_rows(named=True)]


def _curve(row: dict[str, object]) -> Curve:
    given = {name: row[name] for name in Curve.__slots__}
    return Curve(**{**given, "session_end": time.fromisoformat(str(row["session_end"]))})  # pyright: ignore[reportArgumentType]


def calendar_of(tables: Mapping[str, pl.DataFrame]) -> Calendar:
    """The calendar of a snapshot of the reference: an exchange's holidays are nobody's own."""
    holidays = tables["holidays"].filter(pl.col("calendar") == SESSION_CALENDAR, pl.col("tenant") == PUBLIC)
    return Calendar(tables["contracts"], frozenset(holidays["day"]))


def for_tenant(curves: Sequence[Curve], tenant: str) -> list[Curve]:
    """The definitions that hold for the ticks of a tenant: its own, and the public ones of other curves."""
    own = [curve for curve in curves if curve.tenant == tenant]
    names = {curve.curve for curve in own}
    return own + [curve for curve in curves if curve.tenant == PUBLIC and curve.curve not in names]
