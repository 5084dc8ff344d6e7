"""What a gap left out is read once the snapshot behind it is there; who is refused for now asks again."""

import re

import pytest
from playwright.async_api import expect

from tests.page.desk import Desk
from tests.page.fake_server import FakeServer, history
from tests.page.rows import NODE, OTHER, Row, bar, begun, now, price, text

pytestmark = pytest.mark.stack
CODES = ["store-away", "too-many-replays"]


@pytest.fixture(autouse=True)
def _prices(server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.0))
    server.stream.seqs["prices"] = 7


def _gap(channel: str, reason: str) -> Row:
    told = {"type": "gap", "channel": channel, "reason": reason, "from_seq": 7, "to_seq": None, "skipped": None}
    return told | {"since": text(now()), "until": text(now()), "fill": [f"/v1/changes?channel={channel}"]}


def _part(channel: str, number: int, *rows: Row) -> Row:
    told = {"type": "snapshot", "channel": channel, "seq": 9, "prev_seq": None, "part": number, "parts": 2}
    return told | {"resume": f"{channel}:9" if number == 2 else None, "data": rows}


def _fills(desk: Desk) -> list[str]:
    return [each.url for each in desk.requests if "/v1/changes" in each.url]


@pytest.mark.parametrize("reason", ["window", "lost"])
async def test_prices_of_a_gap_wait_for_the_whole_snapshot(desk: Desk, server: FakeServer, reason: str) -> None:
    server.changes = [price(NODE, 29.0, begun(back=1))]
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await server.stream.everyone(_gap("prices", reason))
    await server.stream.everyone(_part("prices", 1, price(NODE, 35.0)))
    await expect(desk.row(NODE)).to_contain_text("35.00")
    assert _fills(desk) == []
    await server.stream.everyone(_part("prices", 2, price(OTHER, 18.0)))
    await desk.sees("#notice", "Filled with 1 change out of history")
    await expect(desk.row(NODE).locator(".change")).to_have_text("+6.00 ▲")
    assert len(_fills(desk)) == 1


async def test_bars_of_a_gap_wait_for_the_whole_snapshot(desk: Desk, server: FakeServer) -> None:
    server.bars = history(NODE, [20.0, 21.0, 22.0])
    server.changes = [server.bars[1] | {"close": 55.0, "high": 55.0, "revision": 1, "updated_at": text(now())}]
    await desk.enter(place="#interval=5m")
    await desk.sees("#legend", "C 22.00")
    await server.stream.everyone(_gap("bars", "lost"))
    await server.stream.everyone(_part("bars", 1, bar(NODE, begun(), [23.0])))
    await desk.sees("#legend", "C 23.00")
    assert _fills(desk) == []
    await server.stream.everyone(_part("bars", 2))
    await desk.sees("#corrections", "55")
    assert len(_fills(desk)) == 1


async def test_what_was_skipped_is_read_at_once(desk: Desk, server: FakeServer) -> None:
    server.changes = [price(NODE, 29.0, begun(back=1))]
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await server.stream.everyone(_gap("prices", "slow"))
    await desk.sees("#notice", "Filled with 1 change out of history")


async def test_a_cut_behind_what_was_skipped_is_no_break(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await server.stream.everyone(_gap("prices", "slow") | {"to_seq": 9})
    await desk.sees("#notice", "Filled with 0 changes out of history")
    await server.stream.cut()
    await server.stream.publish("prices", price(NODE, 33.0))
    await expect(desk.row(NODE)).to_contain_text("33.00")
    await expect(desk.page.locator("#notice")).not_to_contain_text("did not arrive")
    asked = [each.get("resume") for each in server.stream.said("subscribe") if each["channel"] == "prices"]
    assert asked == [None, "prices:7"]


async def test_a_gap_whose_snapshot_breaks_off_is_filled_once(desk: Desk, server: FakeServer) -> None:
    """The next connection tells it again."""
    server.changes = [price(NODE, 29.0, begun(back=1))]
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await server.stream.everyone(_gap("prices", "lost"))
    await server.stream.everyone(_part("prices", 1, price(NODE, 35.0)))
    await expect(desk.row(NODE)).to_contain_text("35.00")
    server.stream.lost = True
    await server.stream.cut()
    await desk.sees("#notice", "Filled with 1 change out of history")
    await expect(desk.row(NODE)).to_contain_text("31.00")
    assert len([each for each in _fills(desk) if "prices" in each]) == 1


@pytest.mark.parametrize("code", CODES)
async def test_who_is_refused_for_now_asks_again(desk: Desk, server: FakeServer, code: str) -> None:
    server.stream.away["prices"] = [code, code]
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    asked = [each["id"] for each in server.stream.said("subscribe") if each["channel"] == "prices"]
    assert len(asked) == len({*asked}) == 3
    await expect(desk.page.locator("#notice")).to_be_hidden()
    await server.stream.publish("prices", price(NODE, 32.0))
    await expect(desk.row(NODE)).to_contain_text("32.00")


async def test_as_long_as_it_is_refused_it_says_so(desk: Desk, server: FakeServer) -> None:
    server.stream.away["bars"] = ["store-away"] * 3
    server.bars = history(NODE, [20.0, 21.0, 22.0])
    await desk.enter(place="#interval=5m")
    await desk.sees("#notice", "bars: clickhouse does not answer. Trying again")
    await expect(desk.page.locator("#notice")).to_be_hidden()
    await expect(desk.page.locator("#legend")).not_to_contain_text("Not live")
    await server.stream.publish("bars", bar(NODE, begun(), [40.5]))
    await desk.sees("#legend", "C 40.50")


async def test_who_comes_back_goes_on_where_it_was_once_it_may(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    server.stream.away["prices"] = ["store-away", "store-away"]
    await server.stream.cut()
    await server.stream.publish("prices", price(NODE, 33.0))
    await desk.sees("#notice", re.compile("Nothing is missing: 1 missed update came after it"))
    await expect(desk.row(NODE)).to_contain_text("33.00")
    asked = [each.get("resume") for each in server.stream.said("subscribe") if each["channel"] == "prices"]
    assert asked == [None, "prices:7", "prices:7", "prices:7"]


@pytest.mark.parametrize("code", ["scope-missing", "not-begun"])
async def test_what_stays_refused_is_not_asked_again(desk: Desk, server: FakeServer, code: str) -> None:
    server.stream.away["prices"] = [code]
    await desk.enter()
    await desk.sees("#grid-empty", "clickhouse does not answer")
    await server.stream.cut()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    assert len([each for each in server.stream.said("subscribe") if each["channel"] == "prices"]) == 2
