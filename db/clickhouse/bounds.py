"""What bounds a read: whose rows, of which instruments, over which range, after which row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse.query import instant

WHO: Final = "tenant IN {tenants:Array(String)} AND instrument IN {instruments:Array(String)}"
LOW: Final = "{low:DateTime64(6, 'UTC')}"
HIGH: Final = "{high:DateTime64(6, 'UTC')}"
RANGE: Final = f"start >= {LOW} AND start < {HIGH}"


class Scope(NamedTuple):
    """Whose rows of which instruments are read."""

    tenants: Sequence[str]
    instruments: Sequence[str]

    @property
    def parameters(self) -> dict[str, object]:
        return {"tenants": list(self.tenants), "instruments": list(self.instruments)}


class Range(NamedTuple):
    """Starts in [start, end), at most `limit` rows."""

    start: datetime
    end: datetime
    limit: int

    @property
    def parameters(self) -> dict[str, object]:
        return {"low": instant(self.start), "high": instant(self.end), "limit": self.limit}


class TickPosition(NamedTuple):
    """Where a page of ticks ended: the order of `read_ticks`."""

    start: datetime
    instrument: str
    tenant: str
    source_rank: int
    event_id: str
    ts: datetime


class HistoryPosition(NamedTuple):
    """Where a page of publications ended: the order of `read_history`."""

    start: datetime
    instrument: str
    tenant: str
    source_rank: int
    event_id: str
    ts: datetime
    revision: int


BAR_ORDER: Final = ("DateTime64(6, 'UTC')", "String", "String")


class BarPosition(NamedTuple):
    """Where a page of bars ended: the order of `read_bars`."""

    start: datetime
    instrument: str
    tenant: str


def beyond(after: BarPosition | None) -> pl.Expr:
    """That a row of a frame comes after a position."""
    if after is None:
        return pl.lit(value=True)
    start, instrument = pl.col("start"), pl.col("instrument")
    later = (instrument > after.instrument) | ((instrument == after.instrument) & (pl.col("tenant") > after.tenant))
    return (start > after.start) | ((start == after.start) & later)


def onwards(span: Range, after: TickPosition | HistoryPosition | BarPosition | None) -> Range:
    """The range from the position on."""
    return span if after is None else span._replace(start=max(span.start, after.start))


def after_row(
    names: Sequence[str], types: Sequence[str], position: tuple[object, ...] | None
) -> tuple[str, dict[str, object]]:
    """The condition that a row comes after a position, and its parameters."""
    if position is None:
        return "", {}
    columns = ", ".join(f"`{name}`" for name in names)
    values = ", ".join(f"{{after_{name}:{kind}}}" for name, kind in zip(names, types, strict=True))
    given = {
        f"after_{name}": instant(value) if isinstance(value, datetime) else value
        for name, value in zip(names, position, strict=True)
    }
    return f"AND ({columns}) > ({values})", given
