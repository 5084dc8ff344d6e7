"""With and without a key: what is asked for, and where the key is."""

import pytest
from playwright.async_api import expect

from tests.page.desk import Desk
from tests.page.fake_server import KEY, FakeServer
from tests.page.rows import NODE, OTHER, price

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _prices(server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.0), price(OTHER, 18.0))
    server.stream.put("demo", price(NODE, 31.0))


async def test_without_a_key_there_is_the_demo_and_an_invitation(desk: Desk, server: FakeServer) -> None:
    await desk.open()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await server.stream.publish("demo", price(NODE, 32.5))
    await expect(desk.row(NODE)).to_contain_text("32.50")
    await expect(desk.page.get_by_role("button", name="Enter key").first).to_be_visible()
    await desk.sees("#candles-empty", "bars:read")
    assert {each["channel"] for each in server.stream.said("subscribe")} == {"demo"}
    assert server.asked == []  # nothing that needs a key was asked for


async def test_a_demo_that_is_off_is_said(desk: Desk, server: FakeServer) -> None:
    server.stream.demo = False
    await desk.open()
    await desk.sees("#grid-empty", "shows no demo prices")
    await expect(desk.page.locator("#no-prices .invite")).to_be_visible()


async def test_a_key_is_kept_for_the_tab_and_goes_in_a_header_alone(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await expect(desk.row(OTHER)).to_contain_text("18.00")
    await desk.page.reload()
    await expect(desk.row(OTHER)).to_contain_text("18.00")
    assert KEY not in desk.page.url
    assert not [request.url for request in desk.requests if KEY in request.url]
    assert await desk.page.evaluate("JSON.stringify(localStorage)") == "{}"
    assert await desk.page.evaluate("Object.values(sessionStorage)") == [KEY]
    sockets = [each for each in server.stream.said("subscribe") if each["channel"] == "prices"]
    assert len(sockets) == 2
    assert server.stream.said("auth") == []  # a ticket did
    assert server.stream.tickets == set()  # each was used


async def test_forgetting_the_key_goes_back_to_the_demo(desk: Desk) -> None:
    await desk.enter()
    await expect(desk.row(OTHER)).to_contain_text("18.00")
    await desk.page.get_by_role("button", name="Forget key").click()
    await expect(desk.row(OTHER)).to_have_count(0)
    await expect(desk.row(NODE)).to_contain_text("31.00")
    assert await desk.page.evaluate("sessionStorage.length") == 0
    await desk.sees("#candles-empty", "bars:read")


async def test_a_key_that_nobody_knows_is_refused_in_the_box(desk: Desk) -> None:
    await desk.open()
    await desk.give("gt_live_wrong")
    await desk.sees("#key-told", "unknown, expired or revoked")
    await expect(desk.page.locator("#key-dialog")).to_be_visible()
    assert await desk.page.evaluate("sessionStorage.length") == 0
    await desk.page.keyboard.press("Escape")
    await expect(desk.row(NODE)).to_contain_text("31.00")  # the demo goes on


async def test_a_scope_that_is_lacking_is_named(desk: Desk, server: FakeServer) -> None:
    server.scopes = ["prices:read", "stream:read"]
    await desk.enter()
    await desk.sees("#notice", "lacks the scope bars:read: no candles.")
    await desk.sees("#notice", "lacks the scope curves:read: no curves.")
    await desk.sees("#candles-empty", "This key lacks the scope bars:read.")
    await desk.sees("#curve-empty", "This key lacks the scope curves:read.")
    await expect(desk.row(OTHER)).to_contain_text("18.00")


async def test_without_the_scope_of_the_stream_prices_are_read_once(desk: Desk, server: FakeServer) -> None:
    server.scopes = ["prices:read"]
    still = {name: value for name, value in price(NODE, 30.5).items() if name not in {"live_until", "late_until"}}
    server.latest = [still | {"status": "late", "age_seconds": 400.0}]
    await desk.enter()
    await desk.sees("#notice", "lacks the scope stream:read: nothing comes live.")
    await expect(desk.row(NODE)).to_contain_text("30.50")
    await expect(desk.row(NODE).locator(".status")).to_have_text("late")
    await desk.sees("#feed", "Off")
    assert server.stream.said("subscribe") == [{"op": "subscribe", "id": 1, "channel": "demo"}]  # before the key
