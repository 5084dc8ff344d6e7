"""Long answers: so many ticks in each format, rows a second, and what the API process holds meanwhile."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Final

import msgspec
import polars as pl
import psutil

from db.clickhouse.client import connect
from db.clickhouse.ticks import insert_ticks
from local.bench import stored, ticks
from local.stack import API_PORT, Stack
from local.supervisor import Supervisor
from pipeline.flags import Flag
from pipeline.schema import INSTANT, PRICE, TICKS, conform
from service.settings import Settings, load

INSTRUMENTS: Final = 100
TENANT: Final = "public"
FORMATS: Final = ("parquet", "csv", "ndjson", "arrow")
_LOOK_S: Final = 0.05
_CHUNK: Final = 1 << 20
_MIB: Final = 1 << 20
_BEGIN: Final = datetime(2023, 1, 1, tzinfo=UTC)  # a year before what else is loaded
_AT_ONCE: Final = 250_000


def measure(stack: Stack, supervisor: Supervisor, key: str, rows: int, say: Callable[[str], None]) -> dict[str, object]:
    """Stores about `rows` ticks and reads them in every format; JSON-ready values by format."""
    _store(load(stack.environ), rows, say)
    names = "&".join(f"instrument={ticks.name_of(number)}" for number in range(INSTRUMENTS))
    target = f"/v1/ticks?{names}&start={_iso(_BEGIN)}&end={_iso(ticks.START)}&format="
    pid = supervisor.pids()["api"]
    idle = psutil.Process(pid).memory_info().rss / _MIB
    made = {name: _export(int(stack.environ[API_PORT]), target + name, key, pid, say) for name in FORMATS}
    return {"rows": rows, "idle_mib": round(idle), **made}


def _store(settings: Settings, rows: int, say: Callable[[str], None]) -> None:
    """Generic ticks of each instrument, one a second from `_BEGIN` on."""
    asyncio.run(stored.register(settings, _ticks(0, INSTRUMENTS)))
    with closing(connect(settings.clickhouse)) as client:
        for first in range(0, rows, _AT_ONCE):
            insert_ticks(client, _ticks(first, min(first + _AT_ONCE, rows)))
            say(f"{min(first + _AT_ONCE, rows)} ticks stored")


def _ticks(first: int, beyond: int) -> pl.DataFrame:
    """The ticks of these numbers (`pipeline.schema.TICKS`)."""
    number = pl.int_range(first, beyond, eager=True)
    who = pl.DataFrame(
        [(k, ticks.name_of(k), ticks.name_of(k).partition("_")[0].lower()) for k in range(INSTRUMENTS)],
        schema={"k": pl.Int64(), "instrument": pl.String(), "market": pl.String()},
        orient="row",
    )
    at = pl.lit(_BEGIN).cast(INSTANT) + pl.duration(seconds=pl.col("number") // INSTRUMENTS)
    walk = (pl.col("number") * 7919 % 7500 + 1500).cast(PRICE) / 100
    frame = pl.DataFrame({"number": number}).with_columns(k=pl.col("number") % INSTRUMENTS).join(who, on="k")
    return conform(
        frame.with_columns(
            tenant=pl.lit(TENANT), product=pl.lit("tick"), source_rank=pl.lit(1, pl.UInt8),
            event_id=pl.format("e-{}", "number"), ts=at, start=at, price=walk.cast(PRICE), volume=pl.lit(1).cast(PRICE),
            flags=pl.lit(int(Flag.VALID), pl.UInt32), version=pl.lit(0, pl.Int64), source=pl.lit("bench"), known_at=at,
            topic_id=pl.lit("stored"), partition=pl.lit(0, pl.Int32), offset=pl.col("number"), row=pl.lit(0, pl.Int32),
        ).drop("number", "k"),
        TICKS,
    )  # fmt: skip


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _export(port: int, target: str, key: str, pid: int, say: Callable[[str], None]) -> dict[str, float]:
    """One answer; the time ends with its last byte."""
    rows, watched, began = _rows(port, target, key), _Watched(pid), time.perf_counter()
    with watched:
        size = _read(port, target, key)
    spent = time.perf_counter() - began
    name = target.rpartition("=")[2]
    say(f"{name}: {rows / spent:.0f} rows/s, {watched.peak / _MIB:.0f} MiB at most")
    return {
        "rows": rows,
        "seconds": round(spent, 2),
        "rows_per_s": round(rows / spent),
        "mib": round(size / _MIB, 1),
        "peak_mib": round(watched.peak / _MIB),
    }


def _read(port: int, target: str, key: str) -> int:
    """The bytes of an answer; one that breaks off raises."""
    link = HTTPConnection("127.0.0.1", port, timeout=600)
    link.request("GET", target, headers={"X-API-Key": key})
    answer = link.getresponse()
    assert answer.status == 200, answer.read()[:500]
    size = 0
    while part := answer.read(_CHUNK):
        size += len(part)
    link.close()
    return size


def _rows(port: int, target: str, key: str) -> int:
    """As the server counts them."""
    link = HTTPConnection("127.0.0.1", port, timeout=60)
    link.request("GET", f"{target.rpartition('&')[0]}&dry_run=true", headers={"X-API-Key": key})
    counted = msgspec.json.decode(link.getresponse().read())
    link.close()
    return int(counted["rows"])


class _Watched:
    """The most memory that a process holds while this is entered."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch)
        self.peak = 0

    def __enter__(self) -> None:
        self._watching.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watching.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            self.peak = max(self.peak, self._process.memory_info().rss)
