"""Prices that are told before their bars are made are those that the pass tells, under the same key."""

from datetime import timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import newest
from db.clickhouse.bars import run_pass
from db.clickhouse.newest import newest_prices
from db.clickhouse.ticks import insert_ticks
from pipeline.bars import touched
from pipeline.flags import Flag
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, frame, fresh_tenant, generic

pytestmark = pytest.mark.stack

SECOND = timedelta(seconds=1)
SHAPES = ("stream", "document", "nyiso")
ROUNDS = 12


def offered(client: Client, rows: list[Row]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is told of rows once they are stored: at once, and by the pass."""
    ticks, by_pass = frame(rows), list[pl.DataFrame]()
    insert_ticks(client, ticks)
    at_once = newest_prices(client, ticks, touched(ticks))
    run_pass(client, touched(ticks), by_pass.append)
    return at_once, by_pass[0]


def key(row: Row) -> tuple[object, ...]:
    return row["bar_start"], row["ver"], row["tail"]


def made_up(random: Random, tenant: str, offset: int) -> Row:
    """A publication of one of few instruments at one of few instants: many share a bar, some correct another."""
    shape, number = random.choice(SHAPES), random.randrange(8)
    at, price = DAY + random.randrange(40) * SECOND, str(random.randrange(-50, 50))
    more: dict[str, Any] = {"offset": offset, "known_at": DAY + offset * SECOND, "event_id": random.choice("ab")}
    flags = int(random.choice((Flag.VALID, Flag.VALID, Flag.VALID, Flag.ADVISORY)))
    if shape == "stream":
        return generic(tenant, at, price, instrument=f"S{number}", flags=flags, **more)
    start = DAY + random.randrange(4) * timedelta(minutes=5)
    more["event_id"] = ""
    if shape == "document":
        return document(tenant, start, price, flags=flags, **more, instrument=f"D{number}")
    of_nyiso: dict[str, Any] = {"market": "nyiso", "product": "rt_5min", "ts": start + 300 * SECOND}
    return document(tenant, start, price, **more, **of_nyiso, instrument=f"N{number}")


@pytest.mark.parametrize("few", [300, 0])
def test_what_is_told_at_once_is_what_the_pass_tells(client: Client, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "_FEW", few)
    random, tenant, told, offset = Random(few), fresh_tenant(), 0, 0
    for _ in range(ROUNDS):
        rows = [made_up(random, tenant, offset + at) for at in range(random.choice((1, 2, 6)))]
        offset += len(rows)
        at_once, by_pass = offered(client, rows)
        then = {row["instrument"]: row for row in by_pass.iter_rows(named=True)}
        for row in at_once.iter_rows(named=True):
            last = then[row["instrument"]]
            assert row == last or key(row) < key(last), "where they differ the pass has the last word"
            told += row == last
    assert told > ROUNDS / 2


def test_a_new_bar_is_told_and_a_corrected_one_is_left_to_the_pass(client: Client) -> None:
    tenant = fresh_tenant()
    first, then = generic(tenant, DAY, "1"), generic(tenant, DAY + 3 * SECOND, "2", offset=1)
    at_once, _ = offered(client, [first])
    assert at_once["price"].to_list() == [1]
    at_once, by_pass = offered(client, [then])
    assert at_once.select("price", "ver").equals(by_pass.select("price", "ver")), "of what was stored before, too"
    at_once, by_pass = offered(client, [then | {"price": 3, "offset": 2, "known_at": DAY + 9 * SECOND}])
    assert at_once.is_empty()
    assert by_pass["price"].to_list() == [3]


def test_two_prices_of_one_instant_are_told_at_once(client: Client) -> None:
    """They are of identities of their own: neither corrects the other."""
    tenant = fresh_tenant()
    both = [generic(tenant, DAY, price, event_id=name, offset=at) for at, (name, price) in enumerate(["b1", "a2"])]
    at_once, by_pass = offered(client, both)
    assert at_once["price"].to_list() == [1]
    assert at_once.equals(by_pass)


def test_a_price_that_another_batch_has_brought_is_not_told_for_it(client: Client) -> None:
    tenant = fresh_tenant()
    offered(client, [generic(tenant, DAY + 5 * SECOND, "2")])
    at_once, by_pass = offered(client, [generic(tenant, DAY, "1", offset=1)])
    assert at_once.is_empty()
    assert by_pass["price"].to_list() == [2]
