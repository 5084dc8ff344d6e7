"""Candles: history and stream in one, corrections, intervals."""

import pytest
from playwright.async_api import expect

from tests.page.desk import Desk
from tests.page.fake_server import FakeServer, history
from tests.page.rows import NODE, STEP, bar, begun, now, price, text

pytestmark = pytest.mark.stack
FIVE = "#interval=5m"


@pytest.fixture(autouse=True)
def _bars(server: FakeServer) -> None:
    server.stream.put("prices", price(NODE, 31.0))
    server.bars = history(NODE, [float(20 + n % 7) for n in range(60)])


async def _drawn(desk: Desk) -> bytes:
    await expect(desk.page.locator("#chart canvas").first).to_be_visible()
    return await desk.page.locator("#chart").screenshot()


async def test_history_is_drawn_and_a_new_bar_comes_live(desk: Desk, server: FakeServer) -> None:
    await desk.enter(place=FIVE)
    await desk.sees("#legend", "C 23.00")
    await _drawn(desk)
    await server.stream.publish("bars", bar(NODE, begun(), [23.0, 40.5], is_final=False))
    await desk.sees("#legend", "C 40.50")
    await desk.sees("#legend", "provisional")
    label = await desk.page.locator("#chart").get_attribute("aria-label") or ""
    assert "61 bars of 5m" in label


async def test_a_correction_redraws_and_is_marked(desk: Desk, server: FakeServer) -> None:
    await desk.enter(place=FIVE)
    await desk.sees("#legend", "C 23.00")
    before = await _drawn(desk)
    corrected = server.bars[-5] | {"close": 60.0, "high": 60.0, "revision": 1, "updated_at": text(now())}
    await server.stream.publish("bars", corrected)
    await desk.sees("#corrections", "corrected")
    await desk.sees("#corrections", "60")
    assert await _drawn(desk) != before
    await desk.page.get_by_text("Bars as a table").click()
    line = desk.page.locator("#bars-rows tr").nth(4).locator("td")
    await expect(line.nth(3)).to_have_text("60")
    await expect(line.last).to_have_text("final, corrected")
    # What is older than what is there changes nothing.
    await server.stream.publish("bars", corrected | {"close": 1.0, "revision": 0})
    await server.stream.publish("bars", bar(NODE, begun(), [70.0]))
    await desk.sees("#legend", "C 70.00")
    await expect(desk.page.locator("#bars-rows tr").nth(5).locator("td").nth(3)).to_have_text("60")


async def test_a_bar_that_lost_its_prices_goes(desk: Desk, server: FakeServer) -> None:
    await desk.enter(place=FIVE)
    await desk.sees("#legend", "C 23.00")
    gone = server.bars[-1] | {"count": 0, "revision": 1, "updated_at": text(now())}
    await server.stream.publish("bars", gone)
    await desk.sees("#corrections", "no price any more")
    await desk.sees("#legend", "C 22.00")


async def test_a_closed_interval_is_said_and_its_bar_is_final(desk: Desk, server: FakeServer) -> None:
    start = begun()
    server.stream.put("bars", bar(NODE, start, [30.0], is_final=False))
    await desk.enter(place=FIVE)
    await desk.sees("#legend", "provisional")
    closed = {"type": "interval_closed", "channel": "bars", "market": "caiso", "product": "rt_5min", "interval": "5m"}
    closed |= {"start": text(start), "end": text(start + STEP), "open": [], "open_count": 0}
    await server.stream.everyone(closed)
    await desk.sees("#bars-note", "is complete")
    await expect(desk.page.locator("#legend")).not_to_contain_text("provisional")


async def test_bars_that_are_missing_after_a_cut_come(desk: Desk, server: FakeServer) -> None:
    await desk.enter(place=FIVE)
    await desk.sees("#legend", "C 23.00")
    await server.stream.publish("bars", bar(NODE, begun(), [24.5]))
    await desk.sees("#legend", "C 24.50")
    server.stream.refuse = 1012
    await server.stream.cut()
    await server.stream.publish("bars", bar(NODE, begun(), [24.5, 26.5], updated_at=text(now())))
    server.stream.refuse = None
    await desk.sees("#notice", "Nothing is missing")
    await desk.sees("#legend", "C 26.50")


async def test_only_intervals_of_the_product_can_be_chosen(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await expect(desk.page.locator("#intervals input[value='1m']")).to_be_disabled()
    await expect(desk.page.locator("#intervals input[value='15m']")).to_be_checked()
    await desk.sees("#candles-empty", "No bars in this time")
    await desk.page.locator("#intervals label", has_text="5m").first.click()
    await desk.sees("#legend", "C 23.00")
    assert "interval=5m" in desk.page.url
    assert server.stream.said("subscribe")[-1]["interval"] == "5m"


async def test_a_refusal_says_which_interval_is_the_finest(desk: Desk, server: FakeServer) -> None:
    server.scopes = ["bars:read", "stream:read", "prices:read"]
    await desk.enter(place="#interval=1m")  # of a market that is known it is not asked for at all
    await desk.sees("#legend", "C 23.00")
    await expect(desk.page.locator("#intervals input[value='5m']")).to_be_checked()


async def test_below_zero_up_is_up_and_the_axis_reaches_zero(desk: Desk, server: FakeServer) -> None:
    await desk.enter(place=FIVE)
    await desk.sees("#legend", "C 23.00")
    found = await desk.page.evaluate(
        """async () => {
          const base = document.querySelector('script[type=module]').src.replace('main.js', '');
          const { CandleChart } = await import(base + 'chart.js');
          const box = document.createElement('div');
          document.body.append(box);
          const chart = new CandleChart(box, { hover: () => {}, edge: () => {} });
          const of = (open, close, final) => chart.candle({ start: '2026-07-01T00:00:00Z', open, close,
            high: Math.max(open, close), low: Math.min(open, close), is_final: final });
          const [up, down, open] = [of(-20, -5, true), of(-5, -20, true), of(-20, -5, false)];
          const { colours } = chart;
          chart.chart.remove();
          box.remove();
          return [up.color === colours.up, down.color === colours.down, open.color === colours.panel,
            open.borderColor === colours.up];
        }"""
    )
    assert found == [True, True, True, True]
