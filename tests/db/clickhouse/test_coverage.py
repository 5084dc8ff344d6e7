"""What completeness reads of the stored prices. Counts are over all tenants: each test has a year of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import coverage
from db.clickhouse.frames import fetch
from pipeline.expected import HELD
from pipeline.flags import Flag
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, fresh_tenant, generic, land

pytestmark = pytest.mark.stack

HOUR, FIVE = timedelta(hours=1), timedelta(minutes=5)
NODE = "caiso.rt_5min.NODE"


def held(client: Client, tenant: str, start: datetime, end: datetime, name: str = NODE) -> list[tuple[Any, ...]]:
    found = fetch(client, coverage.held(tenant, name, start, end))
    assert found.columns == list(HELD)
    return found.rows()


def test_what_is_held_are_usable_prices_each_once(client: Client) -> None:
    tenant = fresh_tenant()
    first = document(tenant, DAY, "1")
    land(
        client,
        [
            first,
            first | {"offset": 1, "known_at": DAY + HOUR, "price": first["price"] + 1},
            document(tenant, DAY + FIVE, "2", flags=int(Flag.ADVISORY)),
            document(tenant, DAY + 2 * FIVE, "3", instrument="caiso.rt_5min.OTHER"),
            document(fresh_tenant(), DAY + 3 * FIVE, "4"),
            document(tenant, DAY + 4 * FIVE, "5"),
        ],
    )
    starts = [DAY, DAY + 4 * FIVE]
    assert held(client, tenant, DAY, DAY + HOUR) == [(at, at, at + FIVE) for at in starts]


def test_an_advisory_price_that_binds_later_is_there(client: Client) -> None:
    tenant = fresh_tenant()
    early = document(tenant, DAY, "1", flags=int(Flag.ADVISORY), known_at=DAY - HOUR)
    land(client, [early, early | {"flags": int(Flag.VALID), "known_at": DAY, "offset": 1}])
    assert held(client, tenant, DAY, DAY + HOUR) == [(DAY, DAY, DAY + FIVE)]


def test_the_range_is_that_of_the_published_instants(client: Client) -> None:
    """Ends are published: midnight's stamp belongs to the day after its interval."""
    tenant, name = fresh_tenant(), "nyiso.rt_5min.WEST"
    more: Row = {"instrument": name, "market": "nyiso", "product": "rt_5min", "location": "WEST"}
    starts = [DAY + n * FIVE for n in (-2, -1, 0, 287, 288)]
    land(client, [document(tenant, at, "1", ts=at + FIVE, **more) for at in starts])
    assert [ts for ts, *_ in held(client, tenant, DAY, DAY + 24 * HOUR, name)] == [DAY, DAY + FIVE]
    assert [start for _, start, _ in held(client, tenant, DAY + FIVE, DAY + 24 * HOUR + FIVE, name)] == starts[2:4]


def test_from_the_first_to_the_last_price(client: Client) -> None:
    tenant = fresh_tenant()
    land(
        client,
        [
            document(tenant, DAY + 30 * 24 * HOUR, "2", known_at=DAY + 40 * 24 * HOUR),
            document(tenant, DAY + 5 * FIVE, "1", known_at=DAY + HOUR),
            document(tenant, DAY, "1", flags=int(Flag.ADVISORY)),
            document(tenant, DAY - HOUR, "1", instrument="caiso.rt_5min.OTHER"),
        ],
    )
    assert fetch(client, coverage.extent(tenant, NODE)).rows(named=True) == [
        {"first": DAY + 5 * FIVE, "last": DAY + 30 * 24 * HOUR, "changed": DAY + 40 * 24 * HOUR}
    ]
    (nothing,) = fetch(client, coverage.extent(fresh_tenant(), NODE)).rows()
    assert nothing == (None, None, None)


def of(product: str, location: str) -> Row:
    market, name = product.split(".")
    return {"instrument": f"{product}.{location}", "market": market, "product": name, "location": location}


SPACES = ("caiso.rt_5min.", "nyiso.da_hourly.", "nyiso.rt_hourly.")


def test_products_with_their_newest_price_and_how_many_instruments(client: Client) -> None:
    now = datetime(2031, 6, 10, 12, tzinfo=UTC)
    one, other = fresh_tenant(), fresh_tenant()
    node, zone = "caiso.rt_5min", "nyiso.da_hourly"
    land(
        client,
        [
            document(one, now - FIVE, "1", known_at=now, **of(node, "A")),
            document(one, now - HOUR, "1", known_at=now + HOUR, **of(node, "A.B")),
            document(other, now - HOUR, "1", **of(node, "A")),
            document(one, now - 72 * HOUR, "1", **of(node, "GONE")),
            document(one, now - HOUR, "1", **of(node, "TH_NP15_GEN_ONPEAK-APND")),
            document(one, now + 2 * FIVE, "1", flags=int(Flag.ADVISORY), **of(node, "A")),
            document(one, now + 36 * HOUR, "1", 60, known_at=now + 30 * HOUR, **of(zone, "N.Y.C.")),
            document(one, now - 72 * HOUR, "1", 60, known_at=now, **of("nyiso.rt_hourly", "WEST")),
            document(one, now - 12 * 24 * HOUR, "1", 60, **of("nyiso.rt_hourly", "WEST")),
            generic(one, now, "1", instrument="caiso.spread.X"),
        ],
    )
    found = fetch(client, coverage.products_of_documents(SPACES, now))
    assert found.select("space", "newest", "instruments").rows() == [
        ("caiso.rt_5min.", now - FIVE, 3),
        ("nyiso.da_hourly.", now + 36 * HOUR, 1),
        ("nyiso.rt_hourly.", now - 72 * HOUR, 1),
    ]
    for space, interval, newest, known in (
        ("caiso.rt_5min.", "5m", now - FIVE, now),
        ("nyiso.da_hourly.", "1h", now + 36 * HOUR, now + 30 * HOUR),
        ("caiso.rt_5min.", "5m", now - 2 * FIVE, None),
    ):
        assert fetch(client, coverage.known(space, interval, newest)).rows() == [(known,)]


def test_how_many_instruments_have_a_price_in_each_interval(client: Client) -> None:
    day = datetime(2032, 6, 10, tzinfo=UTC)
    one, other = fresh_tenant(), fresh_tenant()
    node = "caiso.rt_5min"
    rows = [
        document(one, day + n * FIVE, "1", **of(node, name)) for n in range(4) for name in "AB" if (n, name) != (2, "B")
    ]
    land(
        client,
        [
            *rows,
            rows[0] | {"offset": 1, "known_at": day + HOUR, "price": rows[0]["price"] + 1},
            document(other, day, "1", **of(node, "A")),
            document(one, day - FIVE, "1", **of(node, "A")),
            document(one, day + FIVE, "1", **of("caiso.rt_15min", "A")),
            document(one, day + FIVE, "1", **of(node, "TH_NP15_GEN_OFFPEAK-APND")),
        ],
    )
    land(client, [document(one, day, "2", known_at=day + 2 * HOUR, offset=2, **of(node, "A"))])
    found = fetch(client, coverage.counts("caiso.rt_5min.", "5m", day, day + 3 * FIVE))
    assert found.rows() == [(day, 3), (day + FIVE, 2), (day + 2 * FIVE, 1)]


def test_streams_of_a_time(client: Client) -> None:
    now = datetime(2033, 6, 10, tzinfo=UTC)
    one, other = fresh_tenant(), fresh_tenant()
    land(
        client,
        [
            generic(one, now - FIVE, "1"),
            generic(other, now - HOUR, "1", known_at=now + HOUR),
            generic(one, now - FIVE, "1", instrument="F", market="henry_hub", product="futures"),
            generic(one, now - 25 * HOUR, "1", market="early"),
            document(one, now - FIVE, "1"),
        ],
    )
    assert fetch(client, coverage.streams(now - 24 * HOUR, now + HOUR)).rows() == [
        ("demo", "tick", now - FIVE, now + HOUR, 2), ("henry_hub", "futures", now - FIVE, now - FIVE, 1),
    ]  # fmt: skip
