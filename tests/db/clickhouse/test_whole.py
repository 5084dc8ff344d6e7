"""Days that come whole: they are folded from what their pass has made, as long as nothing else is stored of them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import bars, rollup_bars
from db.clickhouse.bars import run_pass
from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from db.clickhouse.ticks import insert_ticks
from pipeline.bars import touched
from tests.db.clickhouse import brute
from tests.db.clickhouse.rows import DAY, document, frame, fresh_tenant, generic, land
from tests.db.clickhouse.test_bars import CALIFORNIA, expect

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)
MORNING = DAY + 8 * HOUR  # the market's midnight, of a day of 23 hours
HOURLY = ("1h", "1d")
GRACE_S = 300


@pytest.fixture
def folded_from_made(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each fold whether it read what its pass had made, and nothing else."""
    real, seen = rollup_bars.from_finer, list[bool]()

    def noted(*, one_each: bool, days: bool, made: bool) -> str:
        seen.append(made)
        return real(one_each=one_each, days=days, made=made)

    monkeypatch.setattr(rollup_bars, "from_finer", noted)
    return seen


def day(tenant: str, hours: int = 23, **more: object) -> list[brute.Row]:
    """So many hours from the market's midnight on."""
    shape = {"instrument": "caiso.da_hourly.NODE", "product": "da_hourly", "known_at": MORNING - 10 * HOUR}
    return [
        document(tenant, MORNING + n * HOUR, str(n * 7 % 10), minutes=60, **{**shape, "offset": n, **more})
        for n in range(hours)
    ]


def test_a_whole_day_is_folded_from_what_was_made(client: Client, folded_from_made: list[bool]) -> None:
    made = day(fresh_tenant())
    land(client, made)
    assert folded_from_made == [True]
    expect(client, made, HOURLY, CALIFORNIA, GRACE_S)


def test_so_is_every_interval_of_a_day_of_five_minutes(client: Client, folded_from_made: list[bool]) -> None:
    tenant = fresh_tenant()
    made = [document(tenant, MORNING + n * HOUR / 12, str(n % 9), offset=n) for n in range(23 * 12)]
    land(client, made)
    assert folded_from_made == [True] * 2
    expect(client, made, ("5m", "15m", "1h", "1d"), CALIFORNIA, GRACE_S)


def test_a_part_of_a_day_is_folded_with_what_was_there(client: Client, folded_from_made: list[bool]) -> None:
    made = day(fresh_tenant())
    land(client, made[:10])
    land(client, made[10:])
    assert folded_from_made == [False, False]
    expect(client, made, HOURLY, CALIFORNIA, GRACE_S)


def test_a_corrected_day_is_folded_from_the_store(client: Client, folded_from_made: list[bool]) -> None:
    """What the older bars were stands beside what was made."""
    tenant = fresh_tenant()
    first = day(tenant)
    second = [row | {"price": row["price"] + 1, "offset": 100, "known_at": MORNING} for row in first]
    client.command("SYSTEM STOP MERGES bars")  # a merge would leave the newer bars alone, and the day would come whole
    try:
        land(client, first)
        land(client, second)
    finally:
        client.command("SYSTEM START MERGES bars")
    assert folded_from_made == [True, False]
    expect(client, first + second, HOURLY, CALIFORNIA, GRACE_S)


def test_what_another_pass_stores_meanwhile_is_not_lost(
    client: Client, folded_from_made: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one may have folded before our bars were there: then nobody else has both."""
    made = day(fresh_tenant())
    late = made[3] | {"price": Decimal(999), "offset": 100, "known_at": MORNING}
    theirs, real = touched(frame([late])), bars.coarser

    def other_pass(_: pl.DataFrame) -> None:
        insert_ticks(client, frame([late]))
        run_pass(client, theirs, lambda _: None)

    def coarser_but_theirs(keys: pl.DataFrame) -> pl.DataFrame:
        return real(keys).clear() if keys.equals(theirs) else real(keys)

    monkeypatch.setattr(bars, "coarser", coarser_but_theirs)
    insert_ticks(client, frame(made))
    run_pass(client, touched(frame(made)), other_pass)
    assert folded_from_made == [False]
    expect(client, [*made, late], HOURLY, CALIFORNIA, GRACE_S)


def test_a_bar_is_stored_once_whatever_comes_with_it(client: Client) -> None:
    """Finest bars of one product are as long as coarser ones of another."""
    tenant = fresh_tenant()
    quarter: dict[str, Any] = {"instrument": "caiso.rt_15min.NODE", "product": "rt_15min", "minutes": 15}
    made = [*day(tenant), document(tenant, MORNING, "1"), document(tenant, MORNING, "2", **quarter)]
    client.command("SYSTEM STOP MERGES bars")
    try:
        land(client, [*made, generic(tenant, MORNING, "3")])
    finally:
        client.command("SYSTEM START MERGES bars")
    bars = "SELECT instrument, `interval`, count() AS n FROM bars WHERE tenant = {tenant:String} GROUP BY ALL"
    found = fetch(client, Query(bars, {"tenant": tenant}))
    hours = {"caiso.da_hourly.NODE": 23}
    assert {(name, interval): n for name, interval, n in found.iter_rows()} == {
        (name, interval): hours.get(name, 1) if interval == "1h" else 1
        for name, finest in (("POWER", 0), ("caiso.rt_5min.NODE", 2), (quarter["instrument"], 3), (*hours, 4))
        for interval in ("10s", "1m", "5m", "15m", "1h", "1d")[finest:]
    }
