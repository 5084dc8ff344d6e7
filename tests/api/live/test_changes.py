"""What fills a gap over the REST interface."""

from datetime import timedelta
from typing import Any

import httpx
import polars as pl
import pytest

from api.reads.live import SHOWN_BAR
from db.entitlements import Entitlements
from service import clock
from tests.api import fakes
from tests.api.fakes import GAS, NODE, SECRET_NODE
from tests.api.live.streaming import bar, tick_landed

SINCE = "2026-07-01T00:00:00Z"
TICKS = {"channel": "ticks", "instrument": GAS, "since": SINCE}


@pytest.fixture
def listener(reads: fakes.FakeReads) -> str:
    return reads.add_key(role="analyst")


async def get(reads: fakes.FakeReads, key: str, **parameters: Any) -> httpx.Response:
    async with fakes.client(reads, key) as http:
        return await http.get("/v1/changes", params=parameters)


async def test_ticks_come_page_by_page_in_the_order_in_which_they_became_known(
    reads: fakes.FakeReads, listener: str
) -> None:
    reads.ticks_landed = tick_landed(GAS, "1", "2", "3")
    first = (await get(reads, listener, **TICKS, limit=2)).json()
    assert [row["price"] for row in first["data"]] == [1, 2]
    second = (await get(reads, listener, **TICKS, limit=2, cursor=first["next"])).json()
    assert ([row["price"] for row in second["data"]], second["next"]) == ([3], None)
    assert first["query"] == {
        "channel": "ticks",
        "instrument": [GAS],
        "since": SINCE,
        "limit": 2,
        "price_type": "number",
    }


async def test_bars_of_all_intervals_keep_their_order(reads: fakes.FakeReads, listener: str) -> None:
    rows = [
        bar(str(n), n * 5, n, interval=interval, updated_at=fakes.START + n * fakes.START.resolution)
        for n, interval in enumerate(["5m", "1h", "5m", "1d", "1h"], 1)
    ]
    rows.append(bar("0", 60, 9, count=0, updated_at=fakes.START + 9 * fakes.START.resolution))
    reads.shown_bars = pl.DataFrame(rows, schema=dict(SHOWN_BAR))
    found = (await get(reads, listener, channel="bars", instrument=GAS, since=SINCE)).json()["data"]
    assert [(row["close"], row["interval"]) for row in found] == [
        (1, "5m"), (2, "1h"), (3, "5m"), (4, "1d"), (5, "1h"), (None, "5m"),
    ]  # fmt: skip
    one = (await get(reads, listener, channel="bars", instrument=GAS, since=SINCE, interval="1h")).json()["data"]
    assert [row["close"] for row in one] == [2, 5]


async def test_only_what_may_be_seen_is_asked_for(reads: fakes.FakeReads) -> None:
    key = reads.add_key("other", "analyst", entitled=Entitlements(markets=frozenset({"henry_hub"})))
    await get(reads, key, channel="ticks", market="caiso", since=SINCE)
    await get(reads, key, channel="ticks", instrument=SECRET_NODE, since=SINCE)
    by_market, by_name = (whose for whose, _ in reads.asked_changes)
    assert (by_market.pairs, by_market.series) == (None, [("other", "caiso", "rt_5min")])
    assert by_name.pairs == [("other", SECRET_NODE)]
    assert (await get(reads, key, channel="ticks", instrument=NODE, since=SINCE)).status_code == 404


async def test_a_history_that_is_bounded_is_asked_for_within_its_bounds(reads: fakes.FakeReads) -> None:
    key = reads.add_key("acme", "analyst", entitled=Entitlements(history=timedelta(days=1)))
    assert (await get(reads, key, **TICKS)).status_code == 403
    recent = f"{clock.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    assert (await get(reads, key, **(TICKS | {"since": recent}))).status_code == 200
    [(whose, _)] = reads.asked_changes
    assert whose.first is not None


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"channel": "ticks", "since": SINCE}, "instrument"),
        ({"channel": "ticks", "since": SINCE, "instrument": GAS, "market": "caiso"}, "instrument"),
        ({"channel": "ticks", "since": SINCE, "instrument": GAS, "product": "tick"}, "product"),
        ({"channel": "ticks", "since": SINCE, "instrument": GAS, "interval": "5m"}, "interval"),
        ({"channel": "ticks", "since": SINCE, "instrument": GAS, "until": SINCE}, "until"),
        ({"channel": "ticks", "instrument": GAS}, "since"),
        ({"channel": "prices", "since": SINCE, "instrument": GAS}, "channel"),
    ],
)
async def test_what_contradicts_itself_is_refused(
    reads: fakes.FakeReads, listener: str, parameters: dict[str, str], named: str
) -> None:
    answer = await get(reads, listener, **parameters)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, named)


async def test_the_scope_of_the_channel_is_needed_too(reads: fakes.FakeReads) -> None:
    key = reads.add_key(scopes=frozenset({"stream:read", "bars:read"}), role="analyst")
    answer = await get(reads, key, **TICKS)
    assert (answer.status_code, "prices:read" in answer.json()["detail"]) == (403, True)
