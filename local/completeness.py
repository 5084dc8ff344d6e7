"""How complete and how fresh each product is, as of now: one cheap query a product."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl
from clickhouse_connect.driver.client import Client

from api.latest.aging import Status, status_at
from db.clickhouse import coverage
from db.clickhouse.frames import fetch
from pipeline import expected, products
from service import clock
from service.settings import Settings

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Completeness:
    """A product of a market over all its instruments and tenants.

    `newest`: the newest start; `known`: when the newest change of the prices there became known. `expected`, `missing`:
    prices of the local day so far, of the instruments that had one lately; None where no intervals are promised.
    Instruments of a block of hours are in neither. Where ends are published, any price of an interval counts.
    """

    market: str
    product: str
    instruments: int
    newest: datetime
    known: datetime | None
    status: Status
    expected: int | None
    missing: int | None


def completeness(settings: Settings, now: datetime) -> list[Completeness]:
    """Products with a price in the last 8 days, streams in the last one. Raises the client's error when ClickHouse
    does not answer."""
    from db.clickhouse.client import connect

    client = connect(settings.clickhouse)
    try:
        return [*_of_documents(client, now), *_streams(client, now)]
    finally:
        client.close()


def _of_documents(client: Client, now: datetime) -> Iterator[Completeness]:
    found = fetch(client, coverage.products_of_documents(products.namespaces(), now))
    for row in found.iter_rows(named=True):
        market, name, _ = row["space"].split(".")
        counts = _counts(client, row["space"], market, name, row["instruments"], now)
        finest = products.product(market, name).finest
        ((known,),) = fetch(client, coverage.known(row["space"], finest, row["newest"])).rows()
        yield _made(market, name, row | {"known": known}, now, counts)


def _streams(client: Client, now: datetime) -> Iterator[Completeness]:
    for row in fetch(client, coverage.streams(now - _DAY, now + _DAY)).iter_rows(named=True):
        yield _made(row["market"], row["product"], row, now, (None, None))


def _counts(
    client: Client, space: str, market: str, name: str, instruments: int, now: datetime
) -> tuple[int | None, int | None]:
    """How many prices of today are expected by now, and how many of them are missing."""
    product = products.product(market, name)
    if product.interval is None or product.irregular:
        return None, None
    zone = products.market(market).zone if product.day == "market" else "UTC"
    grid = expected.today(product, zone, now)
    if grid.is_empty():
        return 0, 0
    there = fetch(client, coverage.counts(space, product.interval, grid["start"][0], grid["end"][-1]))
    have = grid.join(there, on="start", how="left").select(pl.col("instruments").fill_null(0)).to_series()
    missing = int((instruments - have.cast(pl.Int64)).clip(0).sum())
    return instruments * grid.height, missing


def _made(
    market: str, name: str, row: dict[str, Any], now: datetime, counts: tuple[int | None, int | None]
) -> Completeness:
    status = status_at(market, name, clock.to_us(row["newest"]), clock.to_us(now))
    return Completeness(market, name, row["instruments"], row["newest"], row["known"], status, *counts)
