"""Bars of blocks of hours, stored and as known at an instant, against bars by hand of the ticks of those hours."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import block_bars, known_bars, known_blocks, reads
from db.clickhouse.block_bars import Cut
from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from pipeline import blocks, products
from tests.db.clickhouse import brute
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import document, fresh_tenant, land
from tests.db.clickhouse.test_markets import rows

pytestmark = pytest.mark.stack

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "iso" / "pjm"
HOUR = timedelta(hours=1)
SHOWN = ("open", "high", "low", "close", "volume", "vwap", "twap", "covered_seconds", "count", "flags", "revision",
         "updated_at", "end")  # fmt: skip


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def reference(made: list[Row], days: str | None = None) -> pl.DataFrame:
    names = ("tenant", "instrument", "market", "product")
    known = pl.DataFrame([{name: row[name] for name in names} for row in made]).unique().with_columns(zone=None)
    return known if days is None else known.with_columns(days=pl.lit(days))


def stored(client: Client, made: list[Row], cut: Cut, interval: str, limit: int) -> list[dict[str, Any]]:
    """The bars of one market, page after page."""
    known = reference(made)
    scope = reads.Scope([made[0]["tenant"]], known["instrument"].to_list())
    found, after = list[dict[str, Any]](), None
    while True:
        span = reads.Range(*span_of(made), limit)
        query = (
            block_bars.hour_bars(scope, span, cut, after)
            if interval == "1h"
            else block_bars.day_bars(scope, block_bars.graces(known), span, cut, after)
        )
        page = fetch(client, query).to_dicts()
        found += page
        if len(page) < limit:
            return found
        after = reads.BarPosition(*(page[-1][name] for name in reads.BarPosition._fields))


def as_known(client: Client, made: list[Row], cut: Cut, interval: str, at: datetime) -> list[dict[str, Any]]:
    known = reference(made, cut.days)
    scope = reads.Scope([made[0]["tenant"]], known["instrument"].to_list())
    span = reads.Range(*span_of(made), 1000)
    there = fetch(client, known_bars.candidates(scope, interval, span, at))
    inside, own = known_blocks.narrowed(there, known, cut.block)
    bars, following = known_bars.wanted(inside, interval, own, span, None)
    assert following is None
    return [] if bars.is_empty() else known_blocks.known_block_bars(client, bars, at, cut.block).to_dicts()


def span_of(made: list[Row]) -> tuple[datetime, datetime]:
    starts = [row["start"] for row in made]
    return min(starts) - timedelta(days=2), max(starts) + timedelta(days=2)


def by_hand(made: list[Row], cut: Cut, interval: str) -> dict[tuple[str, datetime], Row]:
    """The bars of the ticks that begin in the block's hours, each holding to the end of them at most."""
    zone = cut.days or blocks.zone_of(cut.block, cut.market)
    grace = round(products.product(made[0]["market"], made[0]["product"]).grace.total_seconds())
    inside = [_ended(row, cut) for row in made if _within(row["start"], cut)]
    names = sorted({row["instrument"] for row in inside})
    return {
        (name, start): bar
        for name in names
        for (_, start), bar in brute.bars(
            [row for row in inside if row["instrument"] == name], [interval], zone, grace
        ).items()
    }


@cache
def _within(at: datetime, cut: Cut) -> bool:
    return bool(blocks.within(pl.Series([at]), cut.block, cut.market)[0])


def _ended(row: Row, cut: Cut) -> Row:
    end = row["start"].replace(minute=0, second=0, microsecond=0) + HOUR
    if row["hold_end"] is None or _within(end, cut):
        return row
    return row | {"hold_end": min(row["hold_end"], end)}


def expect(found: list[dict[str, Any]], wanted: dict[tuple[str, datetime], Row]) -> None:
    assert [(each["start"], each["instrument"]) for each in found] == sorted((start, name) for name, start in wanted)
    for bar in found:
        by = wanted[bar["instrument"], bar["start"]]
        assert {name: bar[name] for name in SHOWN} == {name: by[name] for name in SHOWN}, bar["start"]


def runs(tenant: str, first: date, days: int) -> list[Row]:
    """Runs about every 50 minutes at odd seconds, some corrected, some late, some without a usable price."""
    zone, made = "America/Chicago", list[Row]()
    start, number = midnight(first, zone) + timedelta(seconds=14), 0
    while start < midnight(first + timedelta(days=days), zone):
        for turn in range(1 + (number % 5 == 0)):
            known = start + timedelta(minutes=1 + 70 * (number % 7 == 0), days=2 * turn)
            made.append(document(
                tenant, start, f"{(number * 37 + turn * 11) % 90 - 20}.5", instrument="ercot.rt_sced.HB_NORTH",
                market="ercot", product="rt_sced", location="HB_NORTH", end=None, known_at=known, offset=len(made),
                hold_end=start + timedelta(minutes=30), flags=65 if number % 11 == 3 else 1,
            ))  # fmt: skip
        start, number = start + timedelta(minutes=7 + number % 3 * 13, seconds=2), number + 1
    return made


def test_blocks_over_a_weekend_of_clock_change(client: Client) -> None:
    """Friday to Monday: twice is the hour from one o'clock of Sunday 1 November 2026."""
    made = runs(fresh_tenant(), date(2026, 10, 30), 4)
    half = len(made) // 2
    land(client, made[half:])
    land(client, made[:half])
    for block in ("offpeak", "7x8"):  # of all blocks the members are compared elsewhere
        expect_block(client, made, Cut(block, "ercot"))


def expect_block(client: Client, made: list[Row], cut: Cut) -> None:
    last = max(row["known_at"] for row in made)
    for interval in ("1h", "1d"):
        wanted = by_hand(made, cut, interval)
        assert wanted
        expect(stored(client, made, cut, interval, 1000), wanted)
        expect(stored(client, made, cut, interval, 2 if interval == "1d" else 50), wanted)
        expect(as_known(client, made, cut, interval, last), wanted)


def test_what_was_known_of_a_block(client: Client) -> None:
    made = runs(fresh_tenant(), date(2026, 7, 2), 3)
    land(client, made)
    cut = Cut("peak", "ercot")
    instants = sorted({row["known_at"] for row in made})[::40]
    for at, interval in zip(instants, cycle(("1d", "1h")), strict=False):
        known = [row for row in made if row["known_at"] <= at]
        expect(as_known(client, made, cut, interval, at), by_hand(known, cut, interval))


def test_every_hour_is_in_the_blocks_that_the_program_says(client: Client) -> None:
    """Hours of 2015 to 2030 of every market and block, in the store's own reading of the calendar."""
    start, end = datetime(2015, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    hours = pl.datetime_range(start, end, "1h", closed="left", time_unit="us", time_zone="UTC", eager=True)
    table = (
        f"(SELECT toDateTime64('2015-01-01 00:00:00', 6, 'UTC') + number * 3600 AS start FROM numbers({len(hours)}))"
    )
    for market in blocks.markets():
        for block in blocks.names(market)[1:]:
            of = block_bars.condition(Cut(block, market), start, end)
            sql = f"SELECT {of.sql} AS inside FROM {table} ORDER BY start"
            found = fetch(client, Query(sql, of.parameters))["inside"].cast(pl.Boolean)
            assert found.equals(blocks.within(hours, block, market)), (market, block)


def test_blocks_of_several_markets_as_they_were_known(client: Client) -> None:
    """Each market's own hours, in its own days: of a holiday, a Friday and the weekend after it."""
    tenant, first = fresh_tenant(), date(2026, 12, 25)
    hubs = {"ercot": "ercot.rt_15min.HB", "caiso": "caiso.rt_15min.NP15", "nyiso": "nyiso.rtc_15min.A"}
    made = [
        document(
            tenant, midnight(first, "UTC") + timedelta(minutes=15 * number), f"{number % 50 - 9}", minutes=15,
            instrument=name, market=market, product=name.split(".")[1], location=name, offset=number,
        )
        for market, name in hubs.items() for number in range(4 * 24 * 4)
    ]  # fmt: skip
    land(client, made)
    at = midnight(date(2026, 12, 28), "UTC")
    known = [row for row in made if row["known_at"] <= at]
    for block, interval in (("peak", "1d"), ("2x16", "1h")):
        wanted = {
            bar: row
            for market in hubs
            for bar, row in by_hand(
                [row for row in known if row["market"] == market], Cut(block, market), interval
            ).items()
        }
        expect(as_known(client, made, Cut(block, ""), interval, at), wanted)


def test_bars_of_two_tenants_and_instruments_keep_apart(client: Client) -> None:
    mine, other = fresh_tenant(), fresh_tenant()
    at = datetime(2026, 7, 1, 15, tzinfo=UTC)
    names = ("pjm.rt_5min.A", "pjm.rt_5min.B")
    made = [
        document(tenant, at, f"{number}", instrument=name, market="pjm", product="rt_5min", offset=number)
        for number, (tenant, name) in enumerate((tenant, name) for tenant in (mine, other) for name in names)
    ]
    land(client, made)
    scope = reads.Scope([mine, other], names)
    graces = block_bars.graces(reference(made))
    found = fetch(client, block_bars.day_bars(scope, graces, reads.Range(*span_of(made), 9), Cut("peak", "pjm")))
    shown = found.select("instrument", "tenant", "close").rows()
    assert shown == sorted((row["instrument"], row["tenant"], row["price"]) for row in made)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the exchange's documents are not here (../shared/data/iso/pjm)")
def test_western_hub_on_the_first_of_may_2025(client: Client) -> None:
    tenant, known = fresh_tenant(), datetime(2025, 5, 5, tzinfo=UTC)
    names = ("da_hrl/da_hrl_lmps_hubs_20250501_03.csv", "rt_hrl/rt_hrl_lmps_hubs_20250501_03.csv")
    made = rows(tenant, *(("pjm", Path(name).name, (SHARED / name).read_bytes()) for name in names), known=known)
    land(client, made)
    day = midnight(date(2025, 5, 1), "America/New_York")
    instruments = ["pjm.da_hourly.51288", "pjm.rt_hourly.51288"]
    scope, span = reads.Scope([tenant], instruments), reads.Range(day, day + HOUR, 9)
    graces = block_bars.graces(reference(made))
    peak = fetch(client, block_bars.day_bars(scope, graces, span, Cut("peak", "pjm")))
    assert [round(each, 6) for each in peak["twap"]] == [Decimal("47.990463"), Decimal("82.925108")]
    assert peak["count"].to_list() == [16, 16]
    offpeak = fetch(client, block_bars.day_bars(scope, graces, span, Cut("offpeak", "pjm")))
    whole = fetch(client, reads.read_bars(scope, "1d", span))
    assert [round(each, 6) for each in whole["twap"]] == [Decimal("41.665282"), Decimal("64.346639")]
    for one, other, both in zip(peak["twap"], offpeak["twap"], whole["twap"], strict=True):
        assert abs(16 * one + 8 * other - 24 * both) <= Decimal("1e-7")
