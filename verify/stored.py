"""The bars and prices as the service would answer them: through the reads that it uses."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from db.clickhouse.reads import Range, Scope, read_bars, read_ticks
from verify.model import Bar

# The day of the first instant that is taken begins before it, west of Greenwich.
_ALL: Final = Range(datetime(1989, 12, 30, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), 2**62)
_PRICES: Final = ("open", "high", "low", "close", "vwap", "twap", "volume")
_INSTANTS: Final = ("start", "end", "updated_at")
_BAR: Final = (
    "interval", "start", "end", "open", "high", "low", "close", "volume", "vwap", "twap", "covered_seconds", "count",
    "flags", "revision", "updated_at",
)  # fmt: skip


def bars(client: Client, tenant: str, instruments: Sequence[str], intervals: Sequence[str]) -> dict[str, list[Bar]]:
    """Every stored bar of some instruments of one tenant, by instrument."""
    found: dict[str, list[Bar]] = {name: [] for name in instruments}
    for interval in intervals:
        frame = fetch(client, read_bars(Scope([tenant], instruments), interval, _ALL))
        for instrument, bar in _bars(frame):
            found[instrument].append(bar)
    return found


def _bars(frame: pl.DataFrame) -> Iterator[tuple[str, Bar]]:
    whole = frame.with_columns(
        *(pl.col(name).to_physical() for name in (*_PRICES, "covered_seconds")),
        *(pl.col(name).dt.epoch("us") for name in _INSTANTS),
    )
    for row in whole.select("instrument", *_BAR).iter_rows():
        yield row[0], Bar(*row[1:])


def with_bars(client: Client) -> set[tuple[str, str]]:
    """(tenant, instrument) of every bar that is answered."""
    sql = "SELECT DISTINCT tenant, instrument FROM bars FINAL WHERE `interval` = '1d' AND count > 0"
    return set(fetch(client, Query(sql, {})).iter_rows())


def prices(client: Client, tenant: str, instruments: Sequence[str]) -> dict[str, list[tuple[object, ...]]]:
    """(ts, source rank, event id, price, revision) of every identity that the tick read gives, by instrument."""
    found: dict[str, list[tuple[object, ...]]] = {name: [] for name in instruments}
    frame = fetch(client, read_ticks(Scope([tenant], instruments), _ALL)).with_columns(
        pl.col("ts").dt.epoch("us"), pl.col("price").to_physical()
    )
    columns = ("instrument", "ts", "source_rank", "event_id", "price", "revision")
    for instrument, *rest in frame.select(columns).iter_rows():
        found[instrument].append(tuple(rest))
    return found
