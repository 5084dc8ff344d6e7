"""Which bars are told: those whose content is another one than was told last, whatever else was computed again."""

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import changes, reads
from db.clickhouse.bars import run_pass
from db.clickhouse.frames import fetch
from db.clickhouse.ticks import insert_ticks
from pipeline import bars
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, frame, fresh_tenant, generic

pytestmark = pytest.mark.stack

MINUTE = timedelta(minutes=1)
BAR = ["tenant", "instrument", "interval", "start"]
STREAM = ["1m", "5m", "15m", "1h", "1d"]


def passed(client: Client, *rows: Row) -> pl.DataFrame:
    """What the pass over some rows has made."""
    ticks = frame(list(rows))
    insert_ticks(client, ticks)
    touched = bars.touched(ticks)
    return run_pass(client, touched, lambda _: None)


def told(client: Client, *rows: Row) -> list[str]:
    """The intervals of the bars that are told after the pass over some rows."""
    found = changes.untold(client, passed(client, *rows))
    changes.mark_told(client, found)
    return sorted(found["interval"], key=STREAM.index)


def test_a_bar_is_told_once_and_a_repeat_is_silent(client: Client) -> None:
    tick = generic(fresh_tenant(), DAY, "10")
    assert told(client, tick) == STREAM
    assert told(client, tick) == []
    assert told(client, tick | {"offset": 1, "known_at": DAY + MINUTE}) == [], "an equal value in another message"


def test_a_crash_before_they_were_marked_tells_them_again(client: Client) -> None:
    tick = generic(fresh_tenant(), DAY, "10")
    first = changes.untold(client, passed(client, tick))
    again = changes.untold(client, passed(client, tick))
    assert again.sort("interval").equals(first.sort("interval"))
    assert again.height == len(STREAM)


def test_corrections_and_new_prices_tell_the_bars_that_hold_them(client: Client) -> None:
    tick = generic(fresh_tenant(), DAY, "10")
    next_minute = tick | {"ts": DAY + MINUTE, "start": DAY + MINUTE, "offset": 1}
    told(client, tick)
    assert told(client, next_minute) == STREAM, "one minute more, and what holds it"
    corrected = next_minute | {"price": Decimal(-3), "offset": 2, "known_at": DAY + 2 * MINUTE}
    found = changes.untold(client, passed(client, tick, corrected))
    minutes = found.filter(pl.col("interval") == "1m")
    assert minutes.select("start", "revision").rows() == [(DAY + MINUTE, 1)]
    assert found.height == len(STREAM)


def test_a_change_that_no_count_shows_is_told(client: Client) -> None:
    """Two publications known at once: the one that lands later wins by its version, as if it had always been there."""
    price = document(fresh_tenant(), DAY, "10", offset=7)
    assert told(client, price) == STREAM[1:]
    winner = price | {"price": Decimal(11), "version": 3, "offset": 5}
    assert told(client, winner) == STREAM[1:]


def test_a_bar_that_loses_its_only_price_is_told_without_one(client: Client) -> None:
    tick = generic(fresh_tenant(), DAY, "10")
    told(client, tick)
    states = passed(client, tick | {"flags": 64, "offset": 1, "known_at": DAY + MINUTE})
    found = changes.untold(client, states)
    assert found.height == len(STREAM)
    assert found["count"].to_list() == [0] * len(STREAM)


def test_an_older_pass_that_tells_last_tells_nothing_and_forgets_nothing(client: Client) -> None:
    tick = generic(fresh_tenant(), DAY, "10")
    older = passed(client, tick)
    newer = passed(client, tick | {"price": Decimal(11), "offset": 1, "known_at": DAY + MINUTE})
    changes.mark_told(client, changes.untold(client, newer))
    assert changes.untold(client, older).is_empty()
    changes.mark_told(client, older)
    assert changes.untold(client, newer).is_empty()


def test_contents_are_what_is_shown_of_these_bars_alone(client: Client) -> None:
    tenants = [fresh_tenant(), fresh_tenant()]
    starts = [DAY + 40 * n * timedelta(days=1) + 7 * n * MINUTE for n in range(4)]
    rows = [
        generic(tenant, start, str(n - 1), volume=Decimal(n)) for tenant in tenants for n, start in enumerate(starts)
    ]
    rows += [document(tenant, start, "1.5") for tenant in tenants for start in (DAY, DAY + 60 * MINUTE)]
    states = passed(client, *rows)
    assert sorted(states["interval"].unique()) == sorted(STREAM), "the internal ones are nobody's"
    some = states.filter(pl.col("tenant") == tenants[0], pl.col("interval") != "5m")
    found = changes.untold(client, some)
    assert found.select("tenant", "interval").unique().height == len(STREAM) - 1
    assert found.select("ver", "state", "period").equals(
        found.join(some, on=BAR, how="left").select(
            pl.col("ver_right").alias("ver"),
            pl.col("state_right").alias("state"),
            pl.col("period_right").alias("period"),
        )
    )
    assert (
        found.drop("period", "state")
        .sort("instrument", "interval", "start")
        .equals(shown(client, tenants[0]).filter(pl.col("interval") != "5m"))
    )


def shown(client: Client, tenant: str) -> pl.DataFrame:
    span = reads.Range(DAY - timedelta(days=2), DAY + timedelta(days=400), 1000)
    scope = reads.Scope([tenant], ["POWER", "caiso.rt_5min.NODE"])
    found = [fetch(client, reads.read_bars(scope, interval, span)) for interval in STREAM]
    return pl.concat(found).sort("instrument", "interval", "start")


def test_nothing_is_told_of_nothing(client: Client) -> None:
    nothing = passed(client, generic(fresh_tenant(), DAY, "1")).clear()
    assert changes.untold(client, nothing).is_empty()
    changes.mark_told(client, nothing)
