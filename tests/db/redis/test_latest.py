"""Latest prices on a real server: whatever the order of offers, the greatest key wins."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import permutations

import polars as pl
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from db.redis.landed import Bounds
from db.redis.latest import Written, read_latest, write_latest
from pipeline.errors import DataProcessingError
from pipeline.schema import INSTANT, PRICE

pytestmark = pytest.mark.stack

BOUNDS = Bounds(3600, 1000)
write = partial(write_latest, bounds=BOUNDS)

DAY = datetime(2024, 11, 3, tzinfo=UTC)
HUGE = 2**53


def offer(tenant: str, instrument: str, hour: int, ver: int, price: str | None, tail: int = 0) -> pl.DataFrame:
    gone = price is None
    return pl.DataFrame(
        {
            "tenant": [tenant],
            "instrument": [instrument],
            "bar_start": [DAY + timedelta(hours=hour)],
            "ver": [ver],
            "tail": [tail],
            "price": [None if price is None else Decimal(price)],
            "ts": [None if gone else DAY],
            "start": [None if gone else DAY],
            "revision": [None if gone else 0],
        },
        schema_overrides={
            "price": PRICE,
            "ts": INSTANT,
            "start": INSTANT,
            "revision": pl.UInt64(),
            "bar_start": INSTANT,
        },
    )


async def price_of(reader: AsyncRedis, tenant: str, instrument: str) -> str | None:
    found = await read_latest(reader, tenant, [instrument])
    return found[instrument]["price"] if instrument in found else None


async def test_any_order_ends_at_the_greatest_key(redis: Redis, reader: AsyncRedis, tenant: str) -> None:
    offers = [
        offer(tenant, "x", 1, HUGE + 1, "1"),
        offer(tenant, "x", 1, HUGE + 2, "2"),  # equal to the next, were they compared as doubles
        offer(tenant, "x", 1, HUGE + 3, "3"),
        offer(tenant, "x", 0, 2**62, "4"),
        offer(tenant, "x", 1, HUGE + 3, "5.000000001", tail=1),
    ]
    for number, order in enumerate(permutations(offers)):
        for each in order:
            write(redis, each.with_columns(instrument=pl.lit(f"x{number}")))
        assert await price_of(reader, tenant, f"x{number}") == "5.000000001"


def test_each_offer_is_told_what_became_of_it(redis: Redis, tenant: str) -> None:
    assert write(redis, offer(tenant, "x", 1, 5, "1.5")) == Written(changed=1)
    assert write(redis, offer(tenant, "x", 1, 5, "1.5")) == Written(older=1)
    assert write(redis, offer(tenant, "x", 1, 6, "1.5")) == Written(unchanged=1)
    assert write(redis, offer(tenant, "x", 1, 5, "9")) == Written(older=1)
    assert write(redis, offer(tenant, "x", 2, 1, "9")) == Written(changed=1)


async def test_a_price_that_is_none_any_more_is_not_read(redis: Redis, reader: AsyncRedis, tenant: str) -> None:
    write(redis, offer(tenant, "x", 1, 1, "1"))
    assert write(redis, offer(tenant, "x", 1, 2, None)) == Written(changed=1)
    assert await price_of(reader, tenant, "x") is None
    write(redis, offer(tenant, "y", 1, 1, None))
    write(redis, offer(tenant, "y", 1, 2, "7"))
    assert list(await read_latest(reader, tenant, ["x", "y"])) == ["y"]


async def test_many_instruments_of_two_tenants_in_one_frame(redis: Redis, reader: AsyncRedis, tenant: str) -> None:
    other = f"{tenant}o"
    names = [f"n{number:04}" for number in range(601)]
    frames = [offer(tenant, name, 1, 1, "1") for name in names] + [offer(other, "n0000", 1, 1, "-2")]
    assert write(redis, pl.concat(frames)) == Written(changed=602)
    assert list(await read_latest(reader, tenant, names)) == names
    theirs = await read_latest(reader, other, ["n0000", "n0001", "nobody"])
    assert {name: price["price"] for name, price in theirs.items()} == {"n0000": "-2.000000000"}
    assert theirs["n0000"]["tenant"] == other
    assert theirs["n0000"]["ts"] == int(DAY.timestamp()) * 1_000_000


def test_a_frame_without_its_key_is_refused(redis: Redis, tenant: str) -> None:
    with pytest.raises(DataProcessingError, match="'ver'"):
        write(redis, offer(tenant, "x", 1, 1, "1").drop("ver"))
