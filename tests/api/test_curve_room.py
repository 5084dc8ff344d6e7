"""How much of a curve one answer holds, and that the loop goes on while it is made."""

from collections.abc import Callable
from datetime import date, datetime
from threading import current_thread, main_thread
from typing import Any

import httpx
import polars as pl
import pytest

from api import basis, spreads
from api.curves import hours
from api.curves import meant as curves
from api.curves import room as curve_room
from api.curves import texts as curve_texts
from api.curves import versions as curve_versions
from api.curves.meant import Futures, publications_of
from db.clickhouse.curves import Inputs
from tests.api import fakes, test_curves, test_spreads
from tests.api.test_curves import BASE, HUB, Reads, read
from tests.pipeline.curves.making import CALENDAR, CURVE

http, reads = test_curves.http, test_curves.reads
SPAN = f"{BASE}/snapshots?start=2026-03-01&end=2026-04-01"
DAYS = f"{SPAN}&granularity=day"  # 61 days each; the first session has two versions and a refused input


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets how much an answer holds."""

    def setting(points: int = 100_000, snapshots: int = 100) -> None:
        for module in (curve_room, curve_versions):
            monkeypatch.setattr(module, "MOST_POINTS", points)
        monkeypatch.setattr(curve_versions, "MOST_SNAPSHOTS", snapshots)

    return setting


async def pages(http: httpx.AsyncClient, address: str) -> list[list[tuple[str, int]]]:
    """(session, version) of each page."""
    found: list[list[tuple[str, int]]] = []
    cursor = ""
    while cursor is not None:
        page = await read(http, address + (f"&cursor={cursor}" if cursor else ""))
        found.append([(row["session"], row["version"]) for row in page["data"]])
        cursor = page["next"]
    return found


async def refused(http: httpx.AsyncClient, address: str) -> tuple[str, str]:
    answer = await http.get(address)
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    return error["parameter"], error["detail"]


@pytest.mark.parametrize("then", ["", "&as_of=2026-05-01T00:00:00Z"])
async def test_a_page_ends_before_it_holds_too_many_points(
    http: httpx.AsyncClient, most: Callable[..., None], then: str
) -> None:
    first, second = ("2026-03-02", 1), ("2026-03-03", 0)
    most(points=123)
    assert await pages(http, f"{DAYS}{then}") == [[first, second]]
    most(points=122)
    assert await pages(http, f"{DAYS}{then}") == [[first], [second]]
    assert await pages(http, f"{SPAN}&granularity=quarter{then}") == [[first], [second]], "made of as many days"
    assert await pages(http, f"{SPAN}{then}") == [[first, second]], "five points"
    most(points=4)
    assert await pages(http, f"{SPAN}{then}") == [[first], [second]]


async def test_a_page_ends_before_it_holds_too_many_versions(
    http: httpx.AsyncClient, most: Callable[..., None]
) -> None:
    first, second = [("2026-03-02", 0), ("2026-03-02", 1)], [("2026-03-03", 0)]
    address = f"{SPAN}&versions=true"
    most(snapshots=3)
    assert await pages(http, address) == [first + second]
    assert await pages(http, f"{address}&limit=1") == [first, second]
    most(snapshots=2)
    assert await pages(http, address) == [first, second]
    most(points=62 * 2 + 60)
    assert await pages(http, f"{address}&granularity=day") == [first, second]
    most(points=62 * 2 + 61)
    assert await pages(http, f"{address}&granularity=day") == [first + second]


async def test_one_session_that_no_answer_holds_is_refused(http: httpx.AsyncClient, most: Callable[..., None]) -> None:
    most(points=60)
    told = "day is made of days: the snapshot of 2026-03-02 has 62, and an answer holds 60."
    fix = "Ask for granularity=native, or leave the session out."
    assert await refused(http, DAYS) == ("granularity", f"{told} {fix}")
    assert "2026-03-03 has 61" in (await refused(http, f"{BASE}/snapshots/latest?granularity=month"))[1]
    most(points=123)
    parameter, detail = await refused(http, f"{DAYS}&versions=true")
    assert (parameter, "the versions of 2026-03-02 have more than 123" in detail) == ("granularity", True)
    assert "Ask for granularity=native or one with as_of, or leave" in detail
    most(points=3)
    assert (await refused(http, f"{SPAN}&versions=true"))[0] == "versions"
    most(points=22)
    assert "2026-03-08 has 23" in (await refused(http, f"/v1/curves/{HUB}/snapshots/latest?granularity=day"))[1]
    most(snapshots=1)
    parameter, detail = await refused(http, f"{SPAN}&versions=true")
    assert (parameter, detail.endswith("Ask for one with as_of.")) == ("versions", True)


async def test_what_the_first_sessions_follow_from_begins_with_the_first_one(reads: Reads) -> None:
    asked: list[Inputs] = []

    async def publications(of: Inputs, known: datetime | None) -> pl.DataFrame:
        asked.append(of)
        return pl.DataFrame()

    reads.curve_publications = publications
    for day in (date(1990, 1, 1), date(1990, 1, 20), date(2100, 1, 1)):
        await publications_of(reads, Futures("public", CURVE, CALENDAR), [day], None)
    told = [(of.low.date(), of.high.date()) for of in asked]
    assert told == [
        (date(1990, 1, 1), date(1990, 1, 1)),
        (date(1990, 1, 12), date(1990, 1, 20)),
        (date(2099, 12, 24), date(2100, 1, 1)),
    ]


@pytest.mark.parametrize(
    ("address", "places"),
    [
        (f"{DAYS}&as_of=2026-05-01T00:00:00Z", [(curves, "build"), (curve_texts.granular, "of_pieces")]),
        (f"{SPAN}&versions=true", [(curve_versions, "build"), (curve_texts.shown, "snapshots")]),
        (f"{BASE}/snapshots/latest", [(curve_texts.shown, "snapshots")]),
        (f"{BASE}/explain?session=2026-03-02", [(curves, "build"), (curve_texts.shown, "snapshots")]),
        (f"/v1/curves/{HUB}/snapshots/latest", [(hours, "day_ahead"), (curve_texts.granular, "of_hours")]),
    ],
)
async def test_curves_are_made_beside_the_loop(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, address: str, places: list[tuple[Any, str]]
) -> None:
    threads = watched(monkeypatch, places)
    await read(http, address)
    assert set(threads) == {name for _, name in places}
    assert main_thread() not in threads.values()


async def test_spreads_are_worked_out_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = watched(monkeypatch, [(spreads, "needed"), (spreads, "explained"), (basis, "_differences")])
    reads = test_spreads.Reads()
    for name in (test_spreads.NODE, test_spreads.DA):
        test_spreads.priced(reads, name, "1")
    async with fakes.client(reads, reads.add_key()) as http:
        await read(http, "/v1/spreads/explain?instrument=spread.dart.west&start=2026-07-01T00:00:00Z")
        await read(http, test_spreads.BASIS)
    assert len(threads) == 3
    assert main_thread() not in threads.values()


def watched(monkeypatch: pytest.MonkeyPatch, places: list[tuple[Any, str]]) -> dict[str, object]:
    """The thread that each function ran in last."""
    threads: dict[str, object] = {}

    def watch(module: Any, name: str) -> None:
        asked = getattr(module, name)

        def call(*given: Any, **more: Any) -> Any:
            threads[name] = current_thread()
            return asked(*given, **more)

        monkeypatch.setattr(module, name, call)

    for module, name in places:
        watch(module, name)
    return threads
