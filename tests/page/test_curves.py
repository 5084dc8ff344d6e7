"""A forward curve, now and as it was known."""

import pytest
from playwright.async_api import expect

from tests.page.desk import Desk
from tests.page.fake_server import FakeServer
from tests.page.rows import now, snapshot

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _curves(server: FakeServer) -> None:
    server.curves = [snapshot("2026-06-01", [3.1, 3.0, 2.9]), snapshot("2026-07-01", [3.25, 3.05, 2.95])]


async def test_a_curve_beside_what_was_known_then(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await desk.page.locator("#curve-date").fill("2026-06-10")
    await desk.sees("#curve-then", "session of 01 Jun")
    await desk.sees("#curve-now", "session of 01 Jul")
    await expect(desk.page.locator("#curve-plot .line")).to_have_count(2)
    await desk.page.get_by_text("Curve as a table").click()
    first = desk.page.locator("#curve-rows tr").first
    for text in ("Jan 2027", "3.25", "3.1", "+0.150"):
        await expect(first).to_contain_text(text)
    asked = [request.query_params.get("as_of") for request in server.asked if "snapshots" in request.url.path]
    assert "2026-06-10T23:59:59Z" in asked


async def test_a_change_comes_live(desk: Desk, server: FakeServer) -> None:
    await desk.enter()
    await desk.sees("#curve-now", "session of 01 Jul")
    before = await desk.page.locator("#curve-plot .now path").get_attribute("d") or ""
    await server.stream.publish("curves", snapshot("2026-07-01", [3.6, 3.05, 2.95], version=1))
    await desk.sees("#curve-now", "revised")
    await expect(desk.page.locator("#curve-plot .now path")).not_to_have_attribute("d", before)
    await server.stream.publish("curves", snapshot("2026-06-01", [9.0, 9.0, 9.0], version=5))  # an earlier session's
    await server.stream.publish("curves", snapshot("2026-07-02", [3.7, 3.1, 3.0]))
    await desk.sees("#curve-now", "session of 02 Jul")


async def test_a_curve_that_does_not_come_live_says_so(desk: Desk, server: FakeServer) -> None:
    server.stream.away["curves"] = ["scope-missing"]
    await desk.enter()
    await desk.sees("#curve-now", "session of 01 Jul")
    await desk.sees("#curve-about", "not live: clickhouse does not answer.")


async def test_nothing_was_known_then(desk: Desk) -> None:
    await desk.enter()
    await desk.page.locator("#curve-date").fill("2026-05-01")
    await desk.sees("#curve-then", "nothing was known of it on 2026-05-01")
    await expect(desk.page.locator("#curve-plot .line")).to_have_count(1)
    newest = await desk.page.locator("#curve-date").get_attribute("max") or ""
    assert newest < now().date().isoformat()  # what lies ahead is not asked for


async def test_there_is_no_curve(desk: Desk, server: FakeServer) -> None:
    server.curves = []
    await desk.enter()
    await desk.sees("#curve-empty", "No forward curve yet")
