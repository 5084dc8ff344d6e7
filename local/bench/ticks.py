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

_MARKETS = ("MISO", "CAISO", "ERCOT", "PJM", "NYISO")
_START = datetime(2024, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode


class Load(NamedTuple):
    """How many ticks, over how many instruments, spread over how many seconds of market time."""

    ticks: int
    instruments: int = 3000
    span_s: float = 600.0
    tenant: str = "tenant_1"
    seed: int = 254


def messages(load: Load, at: Callable[[], datetime] | None = None) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of every message of a load, in order; `at` gives each its instant instead of the spread."""
    rng = random.Random(load.seed)  # noqa: S311 - a load, not a secret
    prices = [rng.uniform(15, 90) for _ in range(load.instruments)]
    for i in range(load.ticks):
        k = rng.randrange(load.instruments)
        prices[k] += rng.gauss(0, 0.25)
        instant = at() if at else _START + timedelta(seconds=load.span_s * i / load.ticks)
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


def _market_of(k: int) -> str:
    return _MARKETS[k % len(_MARKETS)]
