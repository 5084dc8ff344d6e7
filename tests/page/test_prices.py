"""The grid: what it shows, and that it lives."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.page.desk import Desk
from tests.page.fake_server import FakeServer, history
from tests.page.rows import NODE, OTHER, STEP, THIRD, begun, now, price, text

pytestmark = pytest.mark.stack


async def test_prices_appear_and_follow_the_stream(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.25), price(OTHER, 18.0))
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.25")
    await server.stream.publish("prices", price(NODE, 33.5), price(THIRD, 27.75))
    await expect(desk.row(NODE)).to_contain_text("33.50")
    await expect(desk.row(THIRD)).to_contain_text("27.75")
    await desk.sees("#shown", "3")
    await desk.sees("#detail-price", "33.50")  # of the one that is chosen


async def test_a_snapshot_in_parts_is_one(desk: Desk, server: FakeServer) -> None:
    every = [f"caiso.rt_5min.N{n:02}" for n in range(40)]
    server.stream.put("prices", *(price(name, 10.0) for name in every))
    await desk.enter()
    await expect(desk.page.locator("#rows tr")).to_have_count(40)
    await desk.sees("#candles-title", "N00")


async def test_change_counts_against_the_interval_before(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 30.0, begun(back=1)))
    await desk.enter()
    await expect(desk.row(NODE).locator(".change")).to_have_text("–")
    await server.stream.publish("prices", price(NODE, 28.5))
    await expect(desk.row(NODE).locator(".change")).to_have_text("−1.50 ▼")
    await server.stream.publish("prices", price(NODE, 31.0))  # a correction of the same interval
    await expect(desk.row(NODE).locator(".change")).to_have_text("+1.00 ▲")


async def test_trends_come_out_of_history(desk: Desk, server: FakeServer) -> None:
    server.bars = history(NODE, [20.0, 24.0, 22.0])
    server.stream.put("prices", price(NODE, 25.0))
    await desk.enter()
    await expect(desk.row(NODE).locator("svg.spark .trend")).to_be_visible()
    await expect(desk.row(NODE).locator(".change")).to_have_text("+3.00 ▲")


async def test_a_negative_price_is_marked_and_no_error(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, -12.4))
    await desk.enter()
    await expect(desk.row(NODE).locator(".price")).to_have_text("−12.40")
    await expect(desk.row(NODE).locator(".flag")).to_have_text("neg")
    await expect(desk.row(NODE).locator(".status")).to_have_text("live")


async def test_status_follows_the_instants_of_the_row(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(OTHER, 1.0, live_until=None, late_until=None))
    await desk.enter()
    await expect(desk.row(OTHER)).to_contain_text("1.00")
    soon, later = text(now() + timedelta(seconds=3)), text(now() + timedelta(seconds=6))
    await server.stream.publish("prices", price(NODE, 30.0, live_until=soon, late_until=later))
    status = desk.row(NODE).locator(".status")
    await expect(status).to_have_text("live")
    await expect(status).to_have_text("late")
    await expect(status).to_have_text("stale")
    await expect(desk.row(OTHER).locator(".status")).to_have_text("live")


async def test_age_is_that_of_the_interval_and_ticks(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 30.0, now() - timedelta(seconds=125)), price(OTHER, 1.0, now() + 20 * STEP))
    await desk.enter()
    age = desk.row(NODE).locator(".age")
    await expect(age).to_have_text(re.compile(r"2m 0\ds"))
    before = await age.text_content() or ""
    await expect(age).not_to_have_text(before)
    await expect(desk.row(OTHER).locator(".age")).to_have_text(re.compile(r"in 1h 39m"))


async def test_a_price_that_is_gone_is_said_to_be(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 30.0))
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("30.00")
    await server.stream.publish("prices", price(NODE, None, interval_start=None, interval_end=None, live_until=None))
    await expect(desk.row(NODE).locator(".status")).to_have_text("gone")


async def test_search_and_order(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.0), price(OTHER, 48.0), price(THIRD, 27.0))
    await desk.enter()
    names = desk.page.locator("#rows .name")
    await expect(names).to_have_text([name.split(".")[2] for name in (NODE, OTHER, THIRD)])
    await desk.page.get_by_role("button", name="Price", exact=True).click()
    await expect(names).to_have_text([name.split(".")[2] for name in (OTHER, NODE, THIRD)])
    await desk.page.locator("#search").fill("zp26")
    await expect(names).to_have_text([THIRD.split(".")[2]])
    await desk.sees("#shown", "1 of 3")
    await desk.page.locator("#search").fill("nothing")
    await expect(desk.page.locator("#no-match")).to_be_visible()


async def test_a_list_of_ones_own(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.0), price(OTHER, 48.0))
    await desk.enter()
    await desk.page.locator("#add-input").fill(OTHER)
    await desk.page.get_by_role("button", name="Add").click()
    await expect(desk.page.locator("#rows tr")).to_have_count(1)
    asked = [each for each in server.stream.said("subscribe") if each["channel"] == "prices"]
    assert asked[-1]["instruments"] == [OTHER]
    await desk.page.reload()
    await expect(desk.row(OTHER)).to_contain_text("48.00")
    await desk.page.locator("#add-input").fill(NODE)
    await desk.page.keyboard.press("Enter")
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await desk.row(OTHER).focus()
    await desk.page.keyboard.press("Delete")
    await expect(desk.row(OTHER)).to_have_count(0)
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await desk.page.get_by_role("button", name="Take off my list").click()
    await desk.sees("#grid-empty", "Add instruments")


async def test_an_instrument_that_is_not_there_is_named(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.0))
    await desk.enter(place=f"#view=own&own={NODE},caiso.rt_5min.NOWHERE")
    await desk.sees("#notice", "caiso.rt_5min.NOWHERE: there is no such one.")
    await expect(desk.row(NODE)).to_contain_text("31.00")


async def test_tick_to_screen_and_the_pipeline_are_told(desk: Desk, server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.0))
    await desk.enter()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await desk.sees("#cell-screen", "no price in the last minute")
    await server.stream.publish("prices", price(NODE, 32.0))
    await desk.sees("#cell-screen .value", re.compile(r"\d+ ms|\d\.\d s"))
    await desk.sees("#cell-lag .value", re.compile(r"1\.\d s|2\.\d s"))
    await desk.sees("#cell-prices", "1 live")
    await expect(desk.page.locator("#cell-letters")).to_be_hidden()
