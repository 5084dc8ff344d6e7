"""Rows of the ticks contract for tests, and the two ways into the store."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import reads
from db.clickhouse.bars import run_pass
from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from db.clickhouse.ticks import PARSER_VERSION, insert_ticks
from pipeline import bars
from pipeline.schema import SEEN, TICKS, conform
from tests.db.clickhouse.brute import Row

DAY = datetime(2024, 3, 10, tzinfo=UTC)  # a clock change in California


def fresh_tenant() -> str:
    """A tenant that no other test of this or an earlier run uses."""
    return uuid4().hex


def generic(tenant: str, at: datetime, price: str, **more: Any) -> Row:
    """A stream tick; `more` overrides its columns."""
    row: Row = dict.fromkeys(TICKS)
    row |= {
        "tenant": tenant, "instrument": "POWER", "market": "demo", "product": "tick", "ts": at, "start": at,
        "source_rank": 1, "event_id": "a", "price": Decimal(price), "flags": 1, "version": 0, "source": "test",
        "known_at": at, "topic_id": "topic", "partition": 0, "offset": 0, "row": 0,
    }  # fmt: skip
    return row | more


def document(tenant: str, start: datetime, price: str, minutes: int = 5, **more: Any) -> Row:
    """A price of an exchange's document that holds for its interval."""
    end = start + timedelta(minutes=minutes)
    shape = {
        "instrument": "caiso.rt_5min.NODE", "market": "caiso", "product": "rt_5min", "location": "NODE",
        "source_rank": 0, "event_id": "", "end": end, "hold_end": end, "row": 1,
    }  # fmt: skip
    return generic(tenant, start, price) | shape | more


def frame(rows: list[Row]) -> pl.DataFrame:
    """Rows as a frame of the contract."""
    columns = {name: pl.Series([row[name] for row in rows], dtype=dtype) for name, dtype in TICKS.items()}
    return conform(pl.DataFrame(columns), TICKS)


def publications(rows: list[Row], parser_version: int = PARSER_VERSION) -> pl.DataFrame:
    """Rows as they are stored."""
    return conform(frame(rows).with_columns(parser_version=parser_version), SEEN)


def land(client: Client, rows: list[Row]) -> pl.DataFrame:
    """Store rows, run the pass of what they touch, and give its candidates."""
    ticks = frame(rows)
    insert_ticks(client, ticks)
    touched = bars.touched(ticks)
    offered: list[pl.DataFrame] = []
    run_pass(client, touched, offered.append)
    [candidates] = offered
    return candidates


def stored_bars(client: Client, tenant: str, intervals: tuple[str, ...]) -> dict[tuple[str, str, datetime], Row]:
    """The served bars of a tenant by instrument, interval and start."""
    span = reads.Range(DAY - timedelta(days=30), DAY + timedelta(days=30), 1_000_000)
    instruments = fetch(client, Query("SELECT DISTINCT instrument FROM ticks WHERE tenant = {t:String}", {"t": tenant}))
    scope = reads.Scope([tenant], instruments["instrument"].to_list())
    return {
        (row["instrument"], interval, row["start"]): row
        for interval in intervals
        for row in fetch(client, reads.read_bars(scope, interval, span)).iter_rows(named=True)
    }
