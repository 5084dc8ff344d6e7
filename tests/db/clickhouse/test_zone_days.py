"""Days of any zone, folded from stored bars or made of what was known, against bars by hand of the ticks."""

from datetime import date, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse.block_bars import Cut
from pipeline import products, zone_days
from pipeline.blocks import ATC
from tests.db.clickhouse import brute
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import document, fresh_tenant, land
from tests.db.clickhouse.test_block_bars import HOUR, as_known, by_hand, expect, midnight, runs, span_of, stored

pytestmark = pytest.mark.stack

SPRING, AUTUMN = date(2026, 3, 7), date(2026, 10, 31)
# Whole hours, another day of change, a change at midnight, half an hour, and three quarters.
ZONES = {
    SPRING: ("America/Chicago", "America/Havana", "Asia/Kolkata"),
    AUTUMN: ("Europe/Berlin", "UTC", "Asia/Kathmandu"),
}


def whole_days(made: list[Row], zone: str) -> dict[tuple[str, datetime], Row]:
    grace = round(products.product(made[0]["market"], made[0]["product"]).grace.total_seconds())
    return {
        (name, start): bar
        for name in {row["instrument"] for row in made}
        for (_, start), bar in brute.bars(
            [row for row in made if row["instrument"] == name], ["1d"], zone, grace
        ).items()
    }  # fmt: skip


def cut_of(made: list[Row], zone: str) -> Cut:
    parts = zone_days.parts(zone, *span_of(made))
    assert parts is not None
    return Cut(ATC, made[0]["market"], zone, parts)


@pytest.mark.parametrize("first", [SPRING, AUTUMN])
def test_days_over_a_clock_change(client: Client, first: date) -> None:
    """Prices of both signs at odd seconds, some corrected, some late, some that do not count."""
    made = runs(fresh_tenant(), first, 2)
    land(client, made[len(made) // 2 :])
    land(client, made[: len(made) // 2])
    instants = sorted({row["known_at"] for row in made})
    for zone, at in zip(ZONES[first], (instants[-1], instants[len(made) // 3], instants[len(made) // 2]), strict=True):
        cut, known = cut_of(made, zone), [row for row in made if row["known_at"] <= at]
        expect(stored(client, made, cut, "1d", 1), whole_days(made, zone))
        expect(as_known(client, made, cut, "1d", at), whole_days(known, zone))


def test_a_correction_is_in_the_day_from_when_it_was_known(client: Client) -> None:
    first = midnight(AUTUMN, "UTC")
    made = [
        document(fresh_tenant(), first, "-20", minutes=60, instrument="pjm.rt_hourly.1", market="pjm",
                 product="rt_hourly", location="1", known_at=first + HOUR),
    ]  # fmt: skip
    made.append(made[0] | {"price": made[0]["price"] + 50, "known_at": first + 9 * HOUR, "offset": 1})
    land(client, made)
    cut = cut_of(made, "Asia/Tokyo")
    [before] = as_known(client, made, cut, "1d", first + 9 * HOUR - timedelta(microseconds=1))
    [after] = as_known(client, made, cut, "1d", first + 9 * HOUR)
    assert [(bar["close"], bar["revision"]) for bar in (before, after)] == [(-20, 0), (30, 1)]
    assert [before["start"], before["end"]] == [first - 9 * HOUR, first + 15 * HOUR]
    expect(stored(client, made, cut, "1d", 9), whole_days(made, "Asia/Tokyo"))


def test_a_block_in_days_of_another_zone(client: Client) -> None:
    """The hours are the market's, the days are those that are asked for."""
    made = runs(fresh_tenant(), AUTUMN, 2)
    land(client, made)
    cut = Cut("2x16", "ercot", "Asia/Tokyo")
    wanted = by_hand(made, cut, "1d")
    assert wanted
    expect(stored(client, made, cut, "1d", 1000), wanted)
    expect(as_known(client, made, cut, "1d", max(row["known_at"] for row in made)), wanted)


def test_days_of_a_year_have_the_borders_of_the_zone(client: Client) -> None:
    """An hour of every day, of zones whose clock changes at midnight or that have changed their rules."""
    tenant = fresh_tenant()
    start = midnight(date(2022, 1, 1), "UTC")
    made = [
        document(tenant, start + day * timedelta(hours=23), f"{day}", minutes=60, instrument="pjm.da_hourly.1",
                 market="pjm", product="da_hourly", location="1", offset=day, known_at=start)
        for day in range(400)
    ]  # fmt: skip
    land(client, made)
    for zone in ("America/Havana", "Africa/Cairo", "America/Santiago", "Africa/Casablanca"):
        expect(stored(client, made, cut_of(made, zone), "1d", 1000), whole_days(made, zone))
