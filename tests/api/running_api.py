"""The API as a process of its own on the stack, keys for it, and prices that are stored."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO
from uuid import uuid4

import httpx
import polars as pl

from db.clickhouse.bars import run_pass
from db.clickhouse.client import connect
from db.clickhouse.ticks import insert_ticks
from db.postgres.access import StoredKey, create_key, ensure_tenant
from db.postgres.engine import make_engine
from db.postgres.reference import register_instruments
from local.stack import Stack
from pipeline.bars import touched
from pipeline.flags import Flag
from pipeline.schema import TICKS, conform
from service import apikey
from service.settings import Settings
from tests.polling import until

ROOT = Path(__file__).parent.parent.parent
PEPPER = "a pepper for tests"


@contextmanager
def serving(stack: Stack, output: IO[bytes] | None = None, **environ: str) -> Generator[str]:
    """Its address, while it runs; what it writes goes to `output` where one is given."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {
        "DATA_PROC_API_PORT": str(port), "DATA_PROC_API_KEY_PEPPER": PEPPER, "DATA_PROC_API_CURSOR_SECRET": "a secret",
    }  # fmt: skip
    every = {**os.environ, **stack.environ, **given, **environ}
    process = subprocess.Popen([sys.executable, "-m", "api"], cwd=ROOT, env=every, stdout=output, stderr=output)
    try:
        _wait_ready(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(20) == 0


async def access(settings: Settings, tenant: str, *instruments: tuple[str, str, str]) -> str:
    engine, key = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False), apikey.make()
    await ensure_tenant(engine, tenant, "a tenant")
    await create_key(engine, StoredKey(key.id, tenant, "t", "viewer", None, key.digest(PEPPER), None, None))
    schema = ["instrument", "market", "product"]
    rows = pl.DataFrame(instruments, schema=schema, orient="row").with_columns(
        tenant=pl.lit(tenant), unit=pl.lit("USD/MMBtu"), first_seen=pl.lit(datetime(2026, 7, 1, tzinfo=UTC))
    )
    await register_instruments(engine, rows)
    await engine.dispose()
    return key.text()


def _wait_ready(process: subprocess.Popen[bytes], url: str) -> None:
    def is_ready() -> bool:
        assert process.poll() is None, "the API ended"
        try:
            return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    until(is_ready, 30, "the API is ready")


def ticks(tenant: str, name: str, prices: Sequence[str], start: datetime) -> pl.DataFrame:
    rows = [
        {
            "tenant": tenant, "instrument": name, "market": "henry_hub", "product": "tick", "source_rank": 1,
            "ts": start + timedelta(seconds=30 * n), "start": start + timedelta(seconds=30 * n), "event_id": f"e{n}",
            "price": Decimal(price), "volume": Decimal(n + 1), "flags": int(Flag.VALID), "version": 0, "source": "test",
            "known_at": start + timedelta(seconds=30 * n + 1), "topic_id": uuid4().hex, "partition": 0, "offset": n,
            "row": 0,
        }
        for n, price in enumerate(prices)
    ]  # fmt: skip
    return _frame(rows)


def day_ahead(tenant: str, name: str, spans: Sequence[tuple[str, datetime, datetime]]) -> pl.DataFrame:
    """Prices of a day-ahead product, each over [start, end)."""
    rows = [
        {
            "tenant": tenant, "instrument": name, "market": "caiso", "product": "da_hourly", "source_rank": 0,
            "location": name.split(".")[2], "ts": start, "start": start, "end": end, "hold_end": end, "event_id": "",
            "price": Decimal(price), "flags": int(Flag.VALID), "version": 0, "source": "test",
            "known_at": start - timedelta(days=1), "topic_id": uuid4().hex, "partition": 0, "offset": 0, "row": n,
        }
        for n, (price, start, end) in enumerate(spans)
    ]  # fmt: skip
    return _frame(rows)


def _frame(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    schema = {name: dtype for name, dtype in TICKS.items() if name in rows[0]}
    return conform(pl.DataFrame(rows, schema=schema), TICKS)


def stored(settings: Settings, ticks: pl.DataFrame) -> pl.DataFrame:
    """Stores ticks and their bars; the latest prices that follow (`db.redis.latest.write_latest`)."""
    client = connect(settings.clickhouse)
    insert_ticks(client, ticks)
    finest = touched(ticks)
    offered: list[pl.DataFrame] = []
    run_pass(client, finest, offered.append)
    client.close()
    [candidates] = offered
    return candidates
