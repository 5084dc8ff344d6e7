"""What breaks is seen, and heals without anything missing."""

import re

import pytest
from playwright.async_api import expect

from tests.page.desk import Desk
from tests.page.fake_server import FakeServer, history
from tests.page.rows import NODE, OTHER, begun, now, price, text

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _prices(server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.0), price(OTHER, 18.0))
    server.stream.seqs["prices"] = 7


async def test_a_cut_connection_heals_without_a_gap(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await server.stream.publish("prices", price(NODE, 32.0))
    await expect(desk.row(NODE)).to_contain_text("32.00")
    server.stream.refuse = 1012  # so that it stays away for a moment
    await server.stream.cut()
    await desk.sees("#feed", "Reconnecting")
    await expect(desk.page.locator("#banner")).to_be_visible()
    await server.stream.publish("prices", price(NODE, 33.0))
    await server.stream.publish("prices", price(OTHER, 19.5))
    server.stream.refuse = None
    await desk.is_live()
    await desk.sees("#notice", "Nothing is missing: 2 missed updates came after it.")
    await expect(desk.row(NODE)).to_contain_text("33.00")
    await expect(desk.row(OTHER)).to_contain_text("19.50")
    await expect(desk.page.locator("#banner")).to_be_hidden()
    asked = [each for each in server.stream.said("subscribe") if each["channel"] == "prices"]
    assert [each.get("resume") for each in asked] == [None, "prices:8"]
    assert len({each["id"] for each in asked}) == 2


async def test_a_silent_server_is_seen_and_values_are_grey(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await desk.is_live()
    server.stream.silent = True
    await desk.sees("#feed", "Stalled")
    await desk.sees("#banner", re.compile(r"Nothing was heard since \d\d:\d\d:\d\d UTC \(\ds\)"))
    await expect(desk.page.locator("body")).to_have_attribute("data-values", "old")
    assert "grayscale" in await desk.page.locator("main").evaluate("node => getComputedStyle(node).filter")
    await desk.sees("#said", "Stalled")
    server.stream.silent = False
    await server.stream.cut()  # what was tried meanwhile hears no welcome any more
    await desk.is_live()
    await desk.sees("#notice", "Nothing is missing")
    await expect(desk.page.locator("body")).to_have_attribute("data-values", "now")


async def test_a_log_that_cannot_be_read_is_said(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    server.stream.state = "waiting"
    await desk.sees("#banner", "cannot read what lands")
    server.stream.state = "live"
    await expect(desk.page.locator("#banner")).to_be_hidden()


async def test_a_gap_is_shown_and_filled(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    server.changes = [price(NODE, 29.0, begun(back=1))]
    server.stream.lost = True
    await server.stream.cut()
    server.stream.put("prices", price(NODE, 35.0))
    await desk.sees("#notice", "A gap in prices")
    await desk.sees("#notice", "Filled with 1 change out of history")
    await expect(desk.row(NODE)).to_contain_text("35.00")
    await expect(desk.row(NODE).locator(".change")).to_have_text("+6.00 ▲")
    assert any(request.url.path == "/v1/changes" for request in server.asked)


async def test_bars_of_a_gap_are_filled_too(desk: Desk, server: FakeServer) -> None:
    server.bars = history(NODE, [20.0, 21.0, 22.0])
    await desk.enter(place="#interval=5m")
    await desk.sees("#legend", "C 22.00")
    server.changes = [server.bars[1] | {"close": 55.0, "high": 55.0, "revision": 1, "updated_at": text(now())}]
    server.stream.lost = True
    await server.stream.cut()
    await desk.sees("#corrections", "55")
    await desk.sees("#notice", "Filled with 1 change out of history")


async def test_a_server_that_is_away_at_first_is_asked_again(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await desk.is_live()
    await desk.page.route("**/v1/m*", lambda route: route.abort())
    await desk.page.reload()
    await desk.sees("#notice", "The server does not answer")
    await desk.page.unroute("**/v1/m*")
    await server.stream.cut()
    await expect(desk.row(NODE)).to_contain_text("31.00")


async def test_a_frame_that_is_missing_is_noticed_and_asked_for(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    stray = {"type": "update", "channel": "prices", "seq": 12, "prev_seq": 11, "resume": "prices:12", "replayed": False}
    await server.stream.everyone(stray | {"data": [price(NODE, 99.0)]})
    await desk.sees("#notice", "did not arrive")
    await server.stream.publish("prices", price(NODE, 34.0))
    await expect(desk.row(NODE)).to_contain_text("34.00")
    asked = [each for each in server.stream.said("subscribe") if each["channel"] == "prices"]
    assert asked[-1]["resume"] == "prices:7"
    assert {"op": "unsubscribe", "id": asked[-2]["id"]} in server.stream.said("unsubscribe")


async def test_a_heartbeat_that_knows_more_is_noticed(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    for connection in server.stream.connections:
        for each in connection.subscriptions.values():
            each.seq = 30 if each.channel == "prices" else each.seq
    await desk.sees("#notice", "did not arrive")


async def test_a_final_end_is_not_tried_again(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await desk.is_live()
    await server.stream.cut(4401)
    await desk.sees("#banner", "The key is unknown, has expired or was revoked")
    await desk.sees("#feed", "Not connected")
    before = len(server.stream.said("subscribe"))
    await desk.page.wait_for_timeout(1500)  # longer than the first tries are apart
    assert len(server.stream.said("subscribe")) == before
    assert server.stream.connections == []
    await desk.page.get_by_role("button", name="Connect now").click()  # unless somebody says so
    await desk.is_live()


async def test_a_clock_that_is_wrong_makes_no_price_old(desk: Desk, server: FakeServer) -> None:
    hour = 3_600_000
    await desk.page.add_init_script(
        f"const real = Date.now; Date.now = () => real() + {hour};"
        f"Object.defineProperty(performance, 'timeOrigin', {{ value: performance.timeOrigin + {hour} }});"
    )
    at = now()
    server.stream.put("prices", price(NODE, 30.0, at, live_until=text(at.replace(year=at.year + 1))))
    await desk.enter()
    await expect(desk.row(NODE).locator(".age")).to_have_text(re.compile(r"^\ds|1\ds$"))
