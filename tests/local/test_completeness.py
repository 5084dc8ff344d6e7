"""How complete each product is, on the real store. Counts are over all tenants: the test has a year of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse.client import connect
from local.completeness import Completeness, completeness
from service.settings import Settings
from tests.db.clickhouse.rows import document, fresh_tenant, generic, land

pytestmark = pytest.mark.stack

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIVE = 5 * MINUTE
DAY = datetime(2034, 6, 14, 7, tzinfo=UTC)  # midnight in California, 02:00 in EST
NOW = DAY + HOUR + MINUTE


def _stored(client: Client) -> None:
    tenant = fresh_tenant()
    node: dict[str, Any] = {"market": "caiso", "product": "rt_5min"}
    five = [
        document(tenant, DAY + n * FIVE, "1", instrument=f"caiso.rt_5min.{name}", **node)
        for n in range(-3, 13)
        for name in ("A", "B", "C")
        if (n, name) not in {(4, "A"), (5, "A"), (5, "B"), (-1, "C")}
    ]
    ahead: dict[str, Any] = {"market": "caiso", "product": "da_hourly", "instrument": "caiso.da_hourly.A"}
    hours = [document(tenant, DAY + n * HOUR, "1", 60, known_at=DAY - 11 * HOUR, **ahead) for n in range(24) if n != 20]
    sced: dict[str, Any] = {"market": "ercot", "product": "rt_sced", "instrument": "ercot.rt_sced.HB", "end": None}
    runs = [document(tenant, DAY + 50 * MINUTE, "1", **sced)]
    miso: dict[str, Any] = {"market": "miso", "product": "rt_hourly", "instrument": "miso.rt_hourly.X"}
    late = [document(tenant, DAY - 40 * HOUR, "1", 60, **miso)]
    land(client, [*five, *hours, *runs, *late, generic(tenant, NOW - 2 * MINUTE, "1", market="power")])


def test_each_product_says_what_is_missing_today(settings: Settings) -> None:
    client = connect(settings.clickhouse)
    _stored(client)
    client.close()
    newest = DAY + HOUR
    assert completeness(settings, NOW) == [
        Completeness("caiso", "da_hourly", 1, DAY + 23 * HOUR, DAY - 11 * HOUR, "live", 24, 1),
        Completeness("caiso", "rt_5min", 3, newest, newest, "live", 13 * 3, 3),
        Completeness("ercot", "rt_sced", 1, DAY + 50 * MINUTE, DAY + 50 * MINUTE, "live", None, None),
        # Of the file of a day that comes the morning after, nothing of today is expected today.
        Completeness("miso", "rt_hourly", 1, DAY - 40 * HOUR, DAY - 40 * HOUR, "stale", 0, 0),
        Completeness("power", "tick", 1, NOW - 2 * MINUTE, NOW - 2 * MINUTE, "live", None, None),
    ]
    an_hour_on = {(each.market, each.product): each for each in completeness(settings, NOW + HOUR)}
    five = an_hour_on["caiso", "rt_5min"]
    assert (five.status, five.expected, five.missing) == ("stale", 25 * 3, 3 + 12 * 3)
