"""What the live stream reads of the store, against what the rows themselves say."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import known_changes, live
from db.clickhouse.bars import run_pass
from db.clickhouse.bounds import Scope
from db.clickhouse.frames import fetch
from db.clickhouse.known_changes import BarChange, Known, TickChange, Whose
from db.clickhouse.live import Range, Span
from db.clickhouse.ticks import insert_ticks
from pipeline.bars import touched
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, frame, fresh_tenant, generic

pytestmark = pytest.mark.stack
MINUTE = timedelta(minutes=1)


def store(client: Client, *rows: Row) -> pl.DataFrame:
    ticks = frame(list(rows))
    insert_ticks(client, ticks)
    run_pass(client, touched(ticks), lambda _: None)
    return ticks


def at(row: Row, minutes: int, offset: int, price: int, known: int | None = None) -> Row:
    """The same instrument's price some minutes later, or known later."""
    start = DAY + minutes * MINUTE
    known_at = DAY + (minutes if known is None else known) * MINUTE
    return row | {"ts": start, "start": start, "offset": offset, "price": Decimal(price), "known_at": known_at}


@pytest.fixture
def tick() -> Row:
    return generic(fresh_tenant(), DAY, "1", topic_id="topic", event_id="e")


def test_of_each_interval_the_newest_bar_with_a_price(client: Client, tick: Row) -> None:
    store(client, tick, at(tick, 7, 1, 2), at(tick, 61, 2, 3), at(tick, 60 * 30, 3, 4), at(tick, 70, 4, 5))
    query = live.newest_bars(Scope([tick["tenant"]], ["POWER"]), ["1m", "5m", "1h", "1d", "10s"])
    found = fetch(client, query).sort("start")
    late = DAY + 30 * 60 * MINUTE
    assert {row["interval"]: row["close"] for row in found.to_dicts()} == dict.fromkeys(["1m", "5m", "1h", "1d"], 4)
    assert all(row["start"] <= late < row["end"] for row in found.to_dicts())


def test_a_bar_that_lost_its_price_is_not_the_newest(client: Client, tick: Row) -> None:
    store(client, tick, at(tick, 10, 1, 2))
    store(client, at(tick, 10, 2, 2, known=20) | {"flags": 64})
    found = fetch(client, live.newest_bars(Scope([tick["tenant"]], ["POWER"]), ["1m"]))
    assert found["close"].to_list() == [1]


def test_ticks_are_found_by_their_offsets_in_order(client: Client, tick: Row) -> None:
    rows = [at(tick, minute, minute, minute) for minute in range(6)]
    store(client, *rows, at(tick, 2, 6, 99), at(tick, 3, 7, 3, known=50))
    tenants = [tick["tenant"]]
    ranges = [Range("topic", rows[0]["partition"], 5, 8), Range("topic", rows[0]["partition"], 1, 3)]
    span = Span(ranges, DAY, DAY + 6 * MINUTE)
    found = fetch(client, live.ticks_at(tenants, ["POWER"], span))
    assert found.select("offset", "price", "revision").rows() == [(1, 1, 0), (2, 2, 0), (5, 5, 0), (6, 99, 1)]
    assert fetch(client, live.ticks_at(tenants, None, span)).equals(found), "of all instruments"
    other = Span([Range("another", 0, 0, 99)], DAY, DAY + 6 * MINUTE)
    assert fetch(client, live.ticks_at(tenants, ["POWER"], other)).is_empty()
    assert fetch(client, live.ticks_at(["another"], None, span)).is_empty()


def test_ticks_of_documents_are_found_whatever_their_day(client: Client) -> None:
    price = document(fresh_tenant(), DAY + timedelta(hours=23, minutes=55), "7", topic_id="topic", offset=4)
    store(client, price)
    span = Span([Range("topic", price["partition"], 4, 5)], price["ts"], price["ts"])
    assert fetch(client, live.ticks_at([price["tenant"]], [price["instrument"]], span))["price"].to_list() == [7]


def test_bars_that_lack_prices_are_named(client: Client) -> None:
    tenant = fresh_tenant()
    whole = [document(tenant, DAY + 5 * n * MINUTE, "1", instrument="caiso.rt_5min.A", offset=n) for n in range(12)]
    short = [
        document(tenant, DAY + 5 * n * MINUTE, "1", instrument="caiso.rt_5min.B", offset=20 + n) for n in range(11)
    ]
    store(client, *whole, *short)
    names = ["caiso.rt_5min.A", "caiso.rt_5min.B"]
    for asked in (names, None):
        assert fetch(client, live.unfinished([tenant], asked, "1h", DAY, 12))["instrument"].to_list() == names[1:]
    assert fetch(client, live.unfinished([tenant], None, "1h", DAY, 11)).is_empty()


@pytest.fixture
def history(client: Client, tick: Row) -> Row:
    """Six prices, of which one was corrected twice (once to the same value), and one came late."""
    rows = [at(tick, minute, minute, minute) for minute in range(6)]
    store(client, *rows, at(tick, 2, 6, 99, known=20), at(tick, 2, 7, 99, known=21), at(tick, 2, 8, 98, known=22))
    store(client, at(tick, 0, 9, 50, known=30) | {"event_id": "late"})
    return tick


def whose(tick: Row, **more: object) -> Whose:
    given: dict[str, object] = {"tenants": [tick["tenant"]], "pairs": [(tick["tenant"], "POWER")]}
    return Whose(**(given | more))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def paged_ticks(client: Client, of: Whose, since: datetime, until: datetime, limit: int) -> Iterator[tuple[int, ...]]:
    after: TickChange | None = None
    while True:
        found = fetch(client, known_changes.changed_ticks(of, Known(since, until, limit), after))
        yield from found.select("offset", "revision").rows()
        if found.height < limit:
            return
        after = TickChange(*found.select(TickChange._fields).row(-1))


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_ticks_come_in_the_order_in_which_they_became_known(client: Client, history: Row, limit: int) -> None:
    every = [*paged_ticks(client, whose(history), DAY, DAY + 60 * MINUTE, limit)]
    assert every == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 1), (8, 2), (9, 0)]
    some = [*paged_ticks(client, whose(history), DAY + 20 * MINUTE, DAY + 30 * MINUTE, limit)]
    assert some == [(6, 1), (8, 2)], "since is part of it, until is not; the same value again is no change"


def test_a_series_is_all_of_its_instruments_but_hidden_ones(client: Client, history: Row) -> None:
    series = [(history["tenant"], history["market"], history["product"])]
    span = Known(DAY, DAY + 60 * MINUTE, 100)

    def offsets(**more: object) -> int:
        return fetch(client, known_changes.changed_ticks(whose(history, pairs=None, **more), span, None)).height

    assert offsets(series=series) == 9
    assert offsets(series=series, hidden=["POWER"]) == 0
    assert offsets(series=[(history["tenant"], history["market"], "another")]) == 0


def test_what_lies_before_the_history_is_left_out_of_public_rows(client: Client, history: Row) -> None:
    span, first = Known(DAY, DAY + 60 * MINUTE, 100), DAY + 4 * MINUTE
    public = whose(history, first=first, public=history["tenant"], derived="spread.")
    own = whose(history, first=first, public="public", derived="spread.")
    assert fetch(client, known_changes.changed_ticks(public, span, None))["offset"].to_list() == [4, 5]
    assert fetch(client, known_changes.changed_ticks(own, span, None)).height == 9
    bars = fetch(client, known_changes.changed_bars(public, ["1m"], span, None))
    assert bars["start"].to_list() == [DAY + 4 * MINUTE, DAY + 5 * MINUTE]


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_bars_come_once_as_they_are_by_what_changed_them_last(client: Client, history: Row, limit: int) -> None:
    found, after = list[tuple[object, ...]](), None
    while True:
        query = known_changes.changed_bars(whose(history), ["1m"], Known(DAY, DAY + 60 * MINUTE, limit), after)
        page = fetch(client, query)
        found += page.select("start", "close", "revision").rows()
        if page.height < limit:
            break
        after = BarChange(*page.select(BarChange._fields).row(-1))
    assert [start for start, _, _ in found] == [DAY + minute * MINUTE for minute in (1, 3, 4, 5, 2, 0)]
    assert found[-2][1:] == (98, 2)
    since = Known(DAY + 25 * MINUTE, DAY + 60 * MINUTE, 100)
    late = fetch(client, known_changes.changed_bars(whose(history), ["1m", "1h"], since, None))
    assert late.select("interval", "start").rows() == [("1h", DAY), ("1m", DAY)]


def test_a_bar_that_lost_its_last_price_is_told(client: Client, history: Row) -> None:
    store(client, at(history, 5, 10, 5, known=40) | {"flags": 64})
    span = Known(DAY + 35 * MINUTE, DAY + 60 * MINUTE, 100)
    found = fetch(client, known_changes.changed_bars(whose(history), ["1m"], span, None))
    assert found.select("start", "count").rows() == [(DAY + 5 * MINUTE, 0)]
