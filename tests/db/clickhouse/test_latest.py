"""The latest price: the newest bar's closing tick under a key that never goes back."""

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import reads
from db.clickhouse.bars import run_pass
from db.clickhouse.frames import fetch
from db.clickhouse.latest import latest_all
from db.clickhouse.ticks import insert_ticks
from pipeline.bars import touched
from pipeline.flags import Flag
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, frame, fresh_tenant, generic, land

pytestmark = pytest.mark.stack

MINUTE = timedelta(minutes=1)


def key(row: Row) -> tuple[object, ...]:
    return row["bar_start"], row["ver"], row["tail"]


def only(client: Client, rows: list[Row]) -> Row:
    candidates = land(client, rows)
    assert candidates.height == 1
    return candidates.row(0, named=True)


def test_the_closing_tick_with_its_whole_content(client: Client) -> None:
    tenant = fresh_tenant()
    first = generic(tenant, DAY, "1")
    last = generic(tenant, DAY + MINUTE, "2", event_id="z", bid=Decimal("1.5"), known_at=DAY + 2 * MINUTE)
    other = generic(tenant, DAY + MINUTE, "3", event_id="m")
    found = only(client, [last, first, other])
    assert {name: found[name] for name in last} == last
    assert (found["bar_start"], found["tail"], found["revision"]) == (DAY + MINUTE, 0, 0)


def test_a_correction_raises_the_key_and_an_older_bar_does_not(client: Client) -> None:
    tenant = fresh_tenant()
    newest = generic(tenant, DAY + MINUTE, "2")
    before = only(client, [newest])
    corrected = only(client, [newest | {"price": Decimal(3), "offset": 1, "known_at": DAY + 2 * MINUTE}])
    older = only(client, [generic(tenant, DAY, "9")])
    assert key(corrected) > key(before)
    assert (corrected["price"], corrected["revision"]) == (3, 1)
    assert key(older) < key(before)


def read_by(client: Client, rows: list[Row], parser: int) -> Row:
    """The candidate of a pass after these publications were stored as a parser of this version read them."""
    ticks, offered = frame(rows), list[pl.DataFrame]()
    insert_ticks(client, ticks, parser_version=parser)
    run_pass(client, touched(ticks), offered.append)
    return offered[0].row(0, named=True)


@pytest.mark.parametrize("whole_days", [False, True], ids=["stream", "documents"])
def test_what_a_newer_parser_reads_raises_the_key(client: Client, *, whole_days: bool) -> None:
    """So does a spread that is defined anew: its publications are stored again, and there are as many."""
    row = (document if whole_days else generic)(fresh_tenant(), DAY, "1")
    found = [read_by(client, [row | {"price": Decimal(price)}], price + 2) for price in (1, 2, 3)]
    assert [row["price"] for row in found] == [1, 2, 3]
    assert key(found[0]) < key(found[1]) < key(found[2])
    withdrawn = read_by(client, [row | {"flags": int(Flag.NO_VALUE)}], 6)
    assert withdrawn["price"] is None
    assert key(withdrawn) > key(found[2])


def test_an_advisory_newest_price_shows_the_one_before_and_follows_it(client: Client) -> None:
    tenant = fresh_tenant()
    binding = document(tenant, DAY, "1")
    advisory = document(tenant, DAY + timedelta(hours=2), "50", flags=64, offset=1, known_at=DAY)
    correction = binding | {"price": Decimal(2), "offset": 2, "known_at": DAY + MINUTE}
    seen = [only(client, [row]) for row in (binding, advisory, correction)]
    assert [row["price"] for row in seen] == [1, 1, 2]
    assert key(seen[0]) < key(seen[1]) < key(seen[2])
    binds = only(client, [advisory | {"flags": 1, "offset": 3, "known_at": DAY + 2 * MINUTE}])
    assert binds["price"] == 50
    assert key(binds) > key(seen[2])


@pytest.mark.parametrize(("flags", "days_then"), [(1, 0), (64, 1)], ids=["at once", "as it follows from the day"])
def test_a_price_is_offered_when_its_own_bar_is_stored(client: Client, flags: int, days_then: int) -> None:
    """A tombstone's price is looked for in the bars of the days, so it waits for them."""
    tenant, seen = fresh_tenant(), list[int]()
    ticks = frame([generic(tenant, DAY, "1", flags=flags)])
    days = "SELECT count() FROM bars WHERE tenant = {tenant:String} AND interval = '1d'"

    def offer(_: pl.DataFrame) -> None:
        seen.append(int(str(client.command(days, {"tenant": tenant}))))

    insert_ticks(client, ticks)
    run_pass(client, touched(ticks), offer)
    assert seen == [days_then]


def test_without_any_usable_price_there_is_none(client: Client) -> None:
    tenant = fresh_tenant()
    found = only(client, [generic(tenant, DAY, "1", flags=64)])
    assert (found["bar_start"], found["price"], found["instrument"]) == (DAY, None, "POWER")


def test_the_rebuild_finds_what_the_passes_found(client: Client) -> None:
    tenant = fresh_tenant()
    stream = [generic(tenant, DAY + n * MINUTE, str(n), event_id=str(n)) for n in (9, 3)]
    documents = [
        document(tenant, DAY + 5 * n * MINUTE, str(n), flags=flags, row=n + 1) for n, flags in ((0, 1), (1, 1), (2, 64))
    ]
    passes = land(client, [*stream, *documents]).sort("instrument")
    rebuilt = latest_all(client)
    assert rebuilt.filter(rebuilt["tenant"] == tenant).sort("instrument").equals(passes)
    assert passes["price"].to_list() == [9, 1]


def test_newest_and_in_force(client: Client) -> None:
    tenant, stranger = fresh_tenant(), fresh_tenant()
    rows = [document(tenant, DAY + 5 * n * MINUTE, str(n), flags=1 if n < 3 else 64, row=n + 1) for n in range(4)]
    land(client, [*rows, generic(tenant, DAY, "7")])
    scope = reads.Scope([tenant], ["caiso.rt_5min.NODE", "POWER"])
    newest = fetch(client, reads.newest(scope)).sort("instrument")
    in_force = fetch(client, reads.in_force(scope, DAY + 7 * MINUTE))
    assert newest["price"].to_list() == [7, 2]
    assert in_force["price"].to_list() == [1]
    assert fetch(client, reads.newest(reads.Scope([stranger], scope.instruments))).is_empty()
    assert fetch(client, reads.in_force(reads.Scope([stranger], scope.instruments), DAY)).is_empty()
