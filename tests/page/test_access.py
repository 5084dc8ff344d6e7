"""The page for everybody: by keyboard, with a reader of screens, on a phone, in the dark."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import expect

from tests.page.desk import Desk
from tests.page.fake_server import FakeServer, history
from tests.page.rows import NODE, OTHER, THIRD, Row, price, snapshot

pytestmark = pytest.mark.stack
_AXE: Final = sorted((Path(__file__).parent.parent.parent / ".stack").glob("axe-*/axe.min.js"))
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(autouse=True)
def _full(server: FakeServer) -> None:
    stale: Row = {"live_until": "2026-01-01T00:00:00Z", "late_until": "2026-01-01T00:00:00Z"}
    server.stream.put("prices", price(NODE, 31.0), price(OTHER, -4.5), price(THIRD, 27.0, **stale))
    server.stream.put("demo", price(NODE, 31.0))
    server.bars = history(NODE, [float(20 + n % 7) for n in range(60)])
    server.curves = [snapshot("2026-06-01", [3.1, 3.0, 2.9]), snapshot("2026-07-01", [3.25, 3.05, 2.95])]


async def _focused(desk: Desk) -> str:
    return await desk.page.evaluate("document.activeElement.id || document.activeElement.dataset.key || ''")


async def test_the_keyboard_reaches_everything(desk: Desk) -> None:
    await desk.enter(place="#interval=5m")
    await desk.sees("#legend", "C 23.00")
    await desk.page.evaluate("document.activeElement.blur()")
    await desk.page.keyboard.press("/")
    assert await _focused(desk) == "search"
    await desk.page.keyboard.press("ArrowDown")
    assert (await _focused(desk)).startswith(NODE)
    await desk.page.keyboard.press("ArrowDown")
    assert (await _focused(desk)).startswith(OTHER)
    await desk.page.keyboard.press("Enter")
    await expect(desk.row(OTHER)).to_have_attribute("aria-selected", "true")
    await desk.sees("#candles-title", "TH_SP15_GEN-APND")
    await desk.page.keyboard.press("End")
    assert (await _focused(desk)).startswith(THIRD)
    assert await desk.page.locator("#rows tr[tabindex='0']").count() == 1  # one stop for Tab
    await desk.page.keyboard.press("Tab")
    assert "interval" in await desk.page.evaluate("document.activeElement.name ?? ''")


async def test_the_first_stop_skips_to_the_prices_and_focus_is_seen(desk: Desk) -> None:
    await desk.open()
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await desk.page.keyboard.press("Tab")
    assert await desk.page.evaluate("document.activeElement.className") == "skip"
    outline = await desk.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    await desk.page.keyboard.press("Enter")
    assert await _focused(desk) == "prices"


async def test_focus_stays_where_it_is_while_prices_come(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await desk.row(OTHER).focus()
    await server.stream.publish("prices", price(OTHER, 19.0), price("caiso.rt_5min.A_NEW_ONE", 1.0))
    await expect(desk.page.locator("#rows tr")).to_have_count(4)
    assert (await _focused(desk)).startswith(OTHER)


async def test_prices_are_not_read_out_one_by_one(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await desk.is_live()
    said = await desk.page.locator("#said").text_content()
    await server.stream.publish("prices", price(NODE, 45.0))
    await expect(desk.row(NODE)).to_contain_text("45.00")
    assert await desk.page.locator("#said").text_content() == said
    assert await desk.page.locator("[aria-live], [role=status], [role=alert]").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["key", "demo", "stalled", "dialog"])
async def test_axe_finds_nothing(desk: Desk, server: FakeServer, scheme: Any, state: str) -> None:
    if not _AXE:
        pytest.skip("axe-core is not there: python3 scripts/npm.py axe")
    await desk.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await (desk.open() if state in {"demo", "dialog"} else desk.enter(place="#interval=5m"))
    await expect(desk.row(NODE)).to_contain_text("31.00")
    await desk.is_live()
    if state == "stalled":
        server.stream.silent = True
        await desk.sees("#feed", "Stalled")
    if state == "dialog":
        await desk.page.locator("#key-open").click()
    if state == "key":
        await desk.sees("#legend", "C 23.00")
        await desk.page.get_by_text("Bars as a table").click()
    assert await _violations(desk) == []


async def _violations(desk: Desk) -> list[Any]:
    await desk.page.evaluate(_AXE[-1].read_text())
    options = json.dumps({"runOnly": _RULES, "resultTypes": ["violations"]})
    found = await desk.page.evaluate(f"axe.run({options})")
    return [(each["id"], [node["target"] for node in each["nodes"]][:4]) for each in found["violations"]]


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
async def test_no_width_scrolls_the_page_sideways(desk: Desk, width: int) -> None:
    await desk.page.set_viewport_size({"width": width, "height": 800})
    await desk.enter(place="#interval=5m")
    await desk.sees("#legend", "C 23.00")
    assert await desk.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await expect(desk.row(NODE).locator(".price")).to_be_in_viewport()


async def test_the_choice_of_colours_is_kept(desk: Desk) -> None:
    await desk.page.emulate_media(color_scheme="light")
    await desk.open()
    root = desk.page.locator("html")
    await expect(root).to_have_attribute("data-theme", "light")
    await desk.page.get_by_role("button", name="Theme: system").click()
    await desk.page.get_by_role("button", name="Theme: light").click()
    await expect(root).to_have_attribute("data-theme", "dark")
    await desk.page.reload()
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(desk.page.get_by_role("button", name="Theme: dark")).to_be_visible()


async def test_times_are_those_of_the_market_where_asked_for(desk: Desk) -> None:
    await desk.enter(place="#interval=5m")
    await desk.sees("#detail", "UTC")
    await desk.page.get_by_role("button", name="Time: UTC").click()
    await expect(desk.page.locator("#detail")).not_to_contain_text("UTC")
    await desk.sees("#detail", "P")  # PST or PDT


async def test_what_comes_is_text_and_never_markup(desk: Desk, server: FakeServer) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    server.stream.put("prices", price(f"caiso.rt_5min.{hostile}", 5.0, unit=hostile, flags=["VALID", hostile]))
    await desk.enter()
    await desk.sees("#rows", hostile)
    assert await desk.page.locator("main img").count() == 0
