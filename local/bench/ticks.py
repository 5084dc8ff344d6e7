"""The deterministic load: generic tick envelopes, the same N gives the same bytes.

A random walk per instrument, instants spread evenly over `span_s`, about 370 bytes a message: the shape that the
programs we compare with read as well.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
import polars as pl

from pipeline.flags import Flag
from pipeline.schema import PRICE, TICKS, conform

_MARKETS = ("MISO", "CAISO", "ERCOT", "PJM", "NYISO")
START = datetime(2024, 1, 1, tzinfo=UTC)
A_SESSION = 67  # moments of a day's history
_encode = msgspec.json.Encoder().encode


class Load(NamedTuple):
    """How many ticks, over how many instruments, spread over how many seconds of market time from an instant on."""

    ticks: int
    instruments: int = 3000
    span_s: float = 600.0
    tenant: str = "tenant_1"
    seed: int = 254
    start: datetime = START


def messages(load: Load, at: Callable[[], datetime] | None = None) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of every message of a load, in order; `at` gives each its instant instead of the spread."""
    rng = random.Random(load.seed)  # noqa: S311 - a load, not a secret
    prices = [rng.uniform(15, 90) for _ in range(load.instruments)]
    for i in range(load.ticks):
        k = rng.randrange(load.instruments)
        prices[k] += rng.gauss(0, 0.25)
        instant = at() if at else load.start + timedelta(seconds=load.span_s * i / load.ticks)
        yield _message(k, instant, round(prices[k], 2), rng, load.tenant)


def _message(k: int, instant: datetime, price: float, rng: random.Random, tenant: str) -> tuple[bytes, bytes]:
    market, name = _market_of(k), name_of(k)
    stamp = instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    envelope = {
        "event_type": "ingestion.market.raw.v1",
        "event_id": str(UUID(int=rng.getrandbits(128), version=4)),
        "timestamp": stamp,
        "tenant_id": tenant,
        "source": f"ingestion.{market.lower()}",
        "version": "1.0",
    }
    quote = {
        "timestamp": stamp,
        "price": price,
        "volume": rng.randrange(1, 500),
        "bid": round(price - 0.05, 2),
        "ask": round(price + 0.05, 2),
    }
    payload = {"market": market, "instrument_id": name, "raw_data": quote}
    return name.encode(), _encode({"envelope": envelope, "payload": payload})


def name_of(k: int) -> str:
    """The instrument of that number."""
    return f"{_market_of(k)}_NODE_{k}"


def history(instruments: int, count: int, before: datetime, tenant: str) -> Iterator[pl.DataFrame]:
    """About so many ticks (`pipeline.schema.TICKS`) of the days before an instant, every instrument as many.

    A frame a moment: a tick of each instrument; `A_SESSION` moments a day, ten seconds apart.
    """
    for number in range(-(-count // instruments)):
        day, step = divmod(number, A_SESSION)
        yield _moment(instruments, before - timedelta(days=day + 1) + timedelta(seconds=10 * step), tenant, number)


def _moment(instruments: int, at: datetime, tenant: str, number: int) -> pl.DataFrame:
    who = range(instruments)
    rng = random.Random(number)  # noqa: S311 - a load, not a secret
    prices = pl.Series([rng.randrange(1500, 9000) for _ in who], dtype=pl.Decimal(18, 0)).cast(pl.Decimal(38, 9)) / 100
    named = pl.DataFrame({"instrument": [name_of(k) for k in who], "market": [_market_of(k).lower() for k in who]})
    return conform(
        named.with_columns(
            tenant=pl.lit(tenant), product=pl.lit("tick"), source_rank=pl.lit(1, pl.UInt8),
            event_id=pl.format("{}-{}", pl.lit(number), "instrument"), ts=pl.lit(at), start=pl.lit(at),
            price=prices.cast(PRICE), volume=pl.lit(1).cast(PRICE), flags=pl.lit(int(Flag.VALID), pl.UInt32),
            version=pl.lit(0, pl.Int64), source=pl.lit("bench"), known_at=pl.lit(at), topic_id=pl.lit("stored"),
            partition=pl.lit(0, pl.Int32), offset=pl.lit(number, pl.Int64), row=pl.lit(0, pl.Int32),
        ),
        TICKS,
    )  # fmt: skip


def _market_of(k: int) -> str:
    return _MARKETS[k % len(_MARKETS)]
