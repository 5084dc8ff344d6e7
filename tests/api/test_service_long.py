"""Long answers of the API as it runs on the real stores."""

import asyncio
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import polars as pl
import psutil
import pytest

from db.clickhouse.client import connect
from db.clickhouse.ticks import insert_ticks
from local.stack import Stack
from pipeline.flags import Flag
from pipeline.schema import TICKS, conform
from service.settings import Settings
from tests.api import running_api
from tests.db.clickhouse.rows import frame, generic

pytestmark = pytest.mark.stack
START = datetime(2026, 7, 1, tzinfo=UTC)
MANY = 300_000
ROOM_MIB = 180  # of an answer of any length: some slices, and what the libraries keep


@dataclass(frozen=True)
class Running:
    """An API process, and a tenant with a stream of many ticks and one of some that are corrected."""

    settings: Settings
    url: str
    tenant: str
    key: str
    many: str
    some: str

    def get(self, instrument: str, **query: Any) -> httpx.Response:
        given = {"instrument": instrument, "start": "2026-07-01T00:00:00Z", **query}
        found = httpx.get(f"{self.url}/v1/ticks", params=given, headers={"X-API-Key": self.key}, timeout=120)
        assert found.status_code == 200, found.text
        return found

    def insert(self, ticks: pl.DataFrame) -> None:
        client = connect(self.settings.clickhouse)
        insert_ticks(client, ticks)
        client.close()


@pytest.fixture(scope="module")
def running(stack: Stack, settings: Settings) -> Iterator[Running]:
    tenant, mark = f"t-{uuid4().hex[:10]}", uuid4().hex[:6]
    many, some = f"MANY_{mark}", f"SOME_{mark}"
    key = asyncio.run(running_api.access(settings, tenant, *((name, "henry_hub", "tick") for name in (many, some))))
    with running_api.serving(stack) as url:
        made = Running(settings, url, tenant, key, many, some)
        made.insert(_many(tenant, many))
        made.insert(frame([_some(made, n, n) for n in range(200)]))
        yield made


def _many(tenant: str, name: str) -> pl.DataFrame:
    number = pl.int_range(MANY, eager=True).alias("offset")
    at = (pl.lit(START) + pl.duration(milliseconds=pl.col("offset") * 100)).cast(TICKS["ts"])
    given = {"tenant": tenant, "instrument": name, "market": "henry_hub", "product": "tick", "topic_id": "t"}
    ticks = number.to_frame().with_columns(
        **{column: pl.lit(value) for column, value in given.items()},
        **dict.fromkeys(("ts", "start", "known_at"), at),
        event_id=pl.format("e{}", "offset"),
        price=pl.col("offset").cast(TICKS["price"]),
        source_rank=pl.lit(1),
        flags=pl.lit(int(Flag.VALID)),
        **dict.fromkeys(("version", "partition", "row"), pl.lit(0)),
    )
    return conform(ticks, TICKS)


def _some(of: Running, n: int, price: int, publication: int = 0) -> dict[str, Any]:
    """A publication of the price of a minute."""
    row = generic(of.tenant, START + timedelta(minutes=n), str(price), event_id=str(n), offset=1000 * publication + n,
                  instrument=of.some, market="henry_hub")  # fmt: skip
    return row | {"known_at": START + timedelta(days=1, minutes=publication)}


def _memory_mib() -> int:
    """Of the API process, which is the youngest that this one has started so."""
    of_api = [each for each in psutil.Process().children() if each.cmdline()[-2:] == ["-m", "api"]]
    return max(of_api, key=lambda each: each.create_time()).memory_info().rss >> 20


def test_many_rows_are_whole_and_take_little_memory(running: Running) -> None:
    before = _memory_mib()
    found = pl.read_parquet(io.BytesIO(running.get(running.many, format="parquet").content))
    assert found.height == MANY
    assert found["price"].sum() == Decimal(MANY * (MANY - 1) // 2)
    assert found["interval_start"].is_sorted()
    assert _memory_mib() - before < ROOM_MIB


def test_who_goes_away_gives_the_place_back(running: Running) -> None:
    for _ in range(4):  # twice as many as there are places
        query = {"instrument": running.many, "start": "2026-07-01T00:00:00Z", "format": "ndjson"}
        headers = {"X-API-Key": running.key}
        with httpx.stream("GET", f"{running.url}/v1/ticks", params=query, headers=headers, timeout=60) as answer:
            assert answer.status_code in {200, 503}
            if answer.status_code == 200:
                next(answer.iter_raw())
    assert pl.read_ipc_stream(io.BytesIO(running.get(running.some, format="arrow").content)).height == 200


def test_a_dry_run_counts_what_comes(running: Running) -> None:
    told = running.get(running.many, dry_run="true", limit=1000).json()
    assert (told["rows"], told["rows_exact"], told["requests"]) == (MANY, True, MANY // 1000)


@pytest.mark.parametrize("query", [{}, {"as_of": "2026-07-02T00:01:30Z"}, {"revisions": "true"}])
def test_a_long_answer_is_what_the_pages_are(running: Running, query: dict[str, str]) -> None:
    running.insert(frame([_some(running, n, price, 1) for n, price in ((3, 7), (4, 4), (5, 50))]))
    running.insert(frame([_some(running, n, price, 2) for n, price in ((3, 3), (5, 50))]))
    pages = running.get(running.some, limit=1000, **query).json()["data"]
    lines = running.get(running.some, format="ndjson", **query).text.splitlines()
    assert [json.loads(line) for line in lines] == pages
    assert {row["revision"] for row in pages} > {0}


def test_pages_hold_every_price_once_while_others_are_written(running: Running) -> None:
    """Prices come behind what is read; some are corrected, some are used no more."""
    with ThreadPoolExecutor(1) as beside:
        writing = beside.submit(_write_meanwhile, running)
        for _ in range(3):
            seen = [row["interval_start"] for row in _pages(running)]
            assert len(seen) == len(set(seen))
            assert seen == sorted(seen)
            assert set(seen) >= {f"{START + timedelta(minutes=n):%Y-%m-%dT%H:%M:%SZ}" for n in range(200)}
        writing.result()


def _pages(of: Running) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = of.get(of.some, limit=17, **cursor).json()
        yield from page["data"]
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


def _write_meanwhile(of: Running) -> None:
    withdrawn = {"flags": int(Flag.ADVISORY)}
    for step in range(20):
        new = [_some(of, 200 + step, 1)]
        late = [_some(of, n, step, 3 + step) for n in range(step, 200, 20)]
        gone = [_some(of, n, step, 3 + step) | withdrawn for n in range(step + 10, 200, 20)]
        of.insert(frame([*new, *late, *gone]))
