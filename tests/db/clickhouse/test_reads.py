"""Reads: the tenant's own rows only, pages without a gap or a repeat, current prices with their revision."""

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client
from polars.testing import assert_frame_equal

from db.clickhouse import reads
from db.clickhouse.bars import run_pass
from db.clickhouse.client import connect_async
from db.clickhouse.frames import fetch, fetch_async
from db.clickhouse.ticks import insert_ticks
from pipeline.bars import touched
from pipeline.flags import Flag
from pipeline.schema import TICKS
from service.settings import Settings
from tests.db.clickhouse.rows import DAY, document, frame, fresh_tenant, generic, land

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)
NODE = "caiso.rt_5min.NODE"


def span(limit: int = 1000) -> reads.Range:
    return reads.Range(DAY, DAY + HOUR, limit)


def test_ticks_are_current_prices_with_their_revision(client: Client) -> None:
    tenant = fresh_tenant()
    first = document(tenant, DAY, "1")
    rows = [
        first,
        first | {"offset": 1, "known_at": DAY + HOUR},
        first | {"offset": 2, "known_at": DAY + 2 * HOUR, "congestion": Decimal(4)},
        document(tenant, DAY + HOUR, "2"),
    ]
    land(client, rows)
    (found,) = fetch(client, reads.read_ticks(reads.Scope([tenant], [NODE]), span())).to_dicts()
    assert found == rows[2] | {"revision": 1}


def test_ticks_and_bars_of_another_tenant_stay_hidden(client: Client) -> None:
    mine, other = fresh_tenant(), fresh_tenant()
    land(client, [document(mine, DAY, "1"), document(other, DAY, "2")])
    for tenants, expected in (([mine], [1]), ([mine, other], [1, 2]), ([], [])):
        scope = reads.Scope(tenants, [NODE])
        for query in (reads.read_ticks(scope, span()), reads.read_bars(scope, "5m", span())):
            frame = fetch(client, query)
            assert sorted(frame["price" if "price" in frame.columns else "close"].to_list()) == expected


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_of_ticks_have_no_gap_and_no_repeat(client: Client, limit: int) -> None:
    tenant = fresh_tenant()
    rows = [generic(tenant, DAY + timedelta(minutes=n // 3), str(n), event_id=str(n), offset=n) for n in range(9)]
    land(client, [*rows, document(tenant, DAY, "100")])
    scope = reads.Scope([tenant], ["POWER", NODE])
    whole = fetch(client, reads.read_ticks(scope, span()))
    pages, after = [], None
    while not (page := fetch(client, reads.read_ticks(scope, span(limit), after))).is_empty():
        pages.append(page)
        after = reads.TickPosition(*page.select(reads.TickPosition._fields).row(-1))
    assert whole.height == 10
    assert pl.concat(pages).equals(whole)


def test_pages_of_bars_have_no_gap_and_no_repeat(client: Client) -> None:
    tenant = fresh_tenant()
    land(
        client,
        [generic(tenant, DAY + timedelta(minutes=n), str(n), instrument=name) for n in range(4) for name in "AB"],
    )
    scope = reads.Scope([tenant], ["A", "B"])
    whole = fetch(client, reads.read_bars(scope, "1m", span()))
    pages, after = [], None
    while not (page := fetch(client, reads.read_bars(scope, "1m", span(3), after))).is_empty():
        pages.append(page)
        after = reads.BarPosition(*page.select(reads.BarPosition._fields).row(-1))
    assert whole.height == 8
    assert pl.concat(pages).equals(whole)


@pytest.mark.parametrize("few", [10_000, 0], ids=["few", "many"])
def test_of_several_stored_rows_of_a_bar_the_last_is_shown(
    client: Client, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "_FEW", few)
    tenant = fresh_tenant()
    first = [generic(tenant, DAY + timedelta(minutes=n), str(n), offset=n) for n in range(4)]
    land(client, first)
    land(client, [first[1] | {"offset": 5, "version": 1, "price": Decimal(10)}])
    land(client, [first[2] | {"offset": 6, "version": 1, "flags": int(Flag.ADVISORY)}])  # no price is left
    land(client, [first[1] | {"offset": 7, "version": 2, "price": Decimal(20)}])
    scope, second = reads.Scope([tenant], ["POWER"]), DAY + timedelta(minutes=1)
    query = reads.read_bars(scope, "1m", span(2))
    assert ("FINAL" in query.sql) == (few == 0)
    found = fetch(client, query).select("start", pl.col("close").cast(pl.Int64), "revision")
    assert found.rows() == [(DAY, 0, 0), (second, 20, 2)]
    after = reads.BarPosition(second, "POWER", tenant)
    (rest,) = fetch(client, reads.read_bars(scope, "1m", span(), after)).to_dicts()
    assert (rest["start"], rest["close"], rest["vwap"]) == (DAY + timedelta(minutes=3), 3, None)


@pytest.mark.parametrize("flag", [Flag.VALID, Flag.NO_VALUE])
def test_what_is_read_anew_is_shown_at_once(client: Client, flag: Flag, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a spread that is defined anew leaves them: a publication is stored again as a newer parser reads it."""
    tenant = fresh_tenant()
    rows = [document(tenant, DAY + timedelta(minutes=5 * n), "1", offset=n) for n in range(12)]
    client.command("SYSTEM STOP MERGES bars")
    try:
        for parser, price, flags in ((3, 1, Flag.VALID), (4, 2, flag), (5, 3, flag)):
            read_anew = frame([row | {"price": Decimal(price), "flags": int(flags)} for row in rows])
            insert_ticks(client, read_anew, parser_version=parser)
            run_pass(client, touched(read_anew), lambda _: None)
        scope = reads.Scope([tenant], [NODE])
        for interval in ("5m", "15m", "1h"):
            few = fetch(client, reads.read_bars(scope, interval, span()))
            with monkeypatch.context() as patched:
                patched.setattr(reads, "_FEW", 0)
                many = fetch(client, reads.read_bars(scope, interval, span()))
            assert_frame_equal(few, many)
            assert set(few["close"]) == ({Decimal(3)} if flag == Flag.VALID else set())
    finally:
        client.command("SYSTEM START MERGES bars")


@pytest.mark.parametrize(
    ("at", "price"),
    [
        (timedelta(days=40), 9),
        (timedelta(hours=30), 8),
        (timedelta(hours=3, seconds=45), 4),
        (timedelta(hours=3, seconds=41), 2),  # the tick of second 40 is advisory
        (timedelta(hours=3, seconds=31, microseconds=-1), 1),
        (timedelta(hours=2), 0),
        (timedelta(0), 0),
        (timedelta(microseconds=-1), None),
    ],
)
def test_the_newest_up_to_an_instant(client: Client, at: timedelta, price: int | None) -> None:
    tenant, three = fresh_tenant(), DAY + 3 * HOUR
    land(
        client,
        [
            generic(tenant, DAY, "0"),
            generic(tenant, three + timedelta(seconds=30), "1"),
            generic(tenant, three + timedelta(seconds=31), "3", offset=1),
            generic(tenant, three + timedelta(seconds=31), "2", offset=2, known_at=three + HOUR, version=1),
            generic(tenant, three + timedelta(seconds=40), "7", offset=3, flags=int(Flag.ADVISORY)),
            generic(tenant, three + timedelta(seconds=45), "4", offset=4),
            generic(tenant, three + timedelta(seconds=45, microseconds=1), "5", offset=5),
            generic(tenant, DAY + timedelta(hours=30), "8", offset=6),
            generic(tenant, DAY + timedelta(days=39), "9", offset=7),
            generic(tenant, DAY + timedelta(days=41), "10", offset=8),
            generic(tenant, DAY - HOUR, "99", instrument="OTHER"),
            generic(fresh_tenant(), DAY - HOUR, "98"),
        ],
    )
    found = fetch(client, reads.newest_until(reads.Scope([tenant], ["POWER"]), DAY + at))
    assert [int(each) for each in found["price"]] == ([] if price is None else [price])


def test_the_newest_up_to_an_instant_of_several_instruments(client: Client) -> None:
    tenant = fresh_tenant()
    rows = [generic(tenant, DAY + n * HOUR, str(n), instrument=name) for name, n in (("A", 1), ("B", 50), ("C", 9))]
    land(client, rows)
    found = fetch(client, reads.newest_until(reads.Scope([tenant], ["A", "B", "C"]), DAY + 50 * HOUR))
    assert sorted(found.select("instrument", pl.col("price").cast(pl.Int64)).rows()) == [("A", 1), ("B", 50), ("C", 9)]
    assert set(found.columns) == {*TICKS, "revision"}


async def test_the_async_client_reads_the_same(client: Client, settings: Settings) -> None:
    tenant = fresh_tenant()
    land(client, [generic(tenant, DAY, "1")])
    query = reads.read_bars(reads.Scope([tenant], ["POWER"]), "1m", span())
    own = await connect_async(settings.clickhouse)
    try:
        assert_frame_equal(await fetch_async(own, query), fetch(client, query))
    finally:
        await own.close()
