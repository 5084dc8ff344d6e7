"""What changes by itself: time, prices in force, the reference."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import httpx
import polars as pl
import pytest

from api.latest.kept import Kept
from api.reads.ports import Mode, Names
from api.state import State
from db.entitlements import EVERYTHING
from db.postgres.reference import Filters
from db.visible import Visible
from service import clock
from tests.api import fakes
from tests.api.answers import GAS, LATEST, data, prices

AHEAD: Final = "caiso.da_hourly.NODE"
FORCED: Final = f"{LATEST}?instrument={AHEAD}"
HOUR: Final = timedelta(hours=1)
US: Final = timedelta(microseconds=1)


class Reads(fakes.FakeReads):
    """Of a day-ahead instrument each hour has its price; the hook is called between two reads of the reference."""

    def __init__(self) -> None:
        super().__init__()
        self.reference.append(fakes.instrument(AHEAD))
        self.hours = {n: str(10 * n) for n in (1, 2, 3)}
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.versions = 0

    async def latest(self, tenants: Names, names: Names, mode: Mode | None, now: datetime) -> pl.DataFrame:
        if AHEAD not in names:
            return await super().latest(tenants, names, mode, now)
        self.latest_asked.append((tenants, names, mode))
        ticks = [_hourly(n, price) for n, price in self.hours.items()]
        held = [] if mode == "newest" else [each for each in ticks if each[0] <= now < each[0] + HOUR]
        if not held and mode == "in_force":
            return self._shown([], mode, ticks)
        return self._shown(held, "in_force", ticks) if held else self._shown(ticks[-1:], "newest", ticks)

    async def reference_version(self) -> int:
        self.versions += 1
        return await super().reference_version()

    async def find_instruments(
        self, visible: Visible, filters: Filters, after: tuple[str, str] | None, limit: int
    ) -> pl.DataFrame:
        found = await super().find_instruments(visible, filters, after, limit)
        if self.meanwhile is not None:
            await self.meanwhile()
        return found

    def _shown(self, shown: list[tuple[datetime, str]], mode: str, ticks: list[tuple[datetime, str]]) -> pl.DataFrame:
        rows = [fakes.tick(AHEAD, start, price, end=start + HOUR) for start, price in shown]
        newest = pl.lit(ticks[-1][0], pl.Datetime("us", "UTC"))
        return self._frame(rows).with_columns(mode=pl.lit(mode), newest_start=newest)


def _hourly(n: int, price: str) -> tuple[datetime, str]:
    return fakes.START + n * HOUR, price


class Clock:
    """The wall clock, moved by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = fakes.START
        monkeypatch.setattr(clock, "now", lambda: self.now)


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("address", [FORCED, f"{FORCED}&mode=in_force"])
async def test_a_price_in_force_gives_way_at_its_end(
    reads: Reads, caller: httpx.AsyncClient, wall: Clock, address: str
) -> None:
    end = fakes.START + 3 * HOUR
    shown: list[object] = []
    for wall.now in (end - timedelta(seconds=0.3), end - US, end, end + timedelta(seconds=0.9)):
        shown += prices(await caller.get(address))
    assert shown == [20, 20, 30, 30]
    assert len(reads.latest_asked) == 2


async def test_a_correction_of_a_price_in_force_is_shown_within_a_second(
    reads: Reads, caller: httpx.AsyncClient, wall: Clock
) -> None:
    wall.now = fakes.START + 2.5 * HOUR
    assert prices(await caller.get(FORCED)) == [20]
    reads.hours[2] = "21.5"
    wall.now += timedelta(seconds=1) - US
    assert prices(await caller.get(FORCED)) == [20]
    wall.now += US
    assert prices(await caller.get(FORCED)) == [Decimal("21.5")]


@pytest.mark.parametrize(("mode", "shown"), [("", [(90, "newest")]), ("&mode=in_force", [])])
async def test_while_none_is_in_force_it_is_looked_for_every_time(
    reads: Reads, caller: httpx.AsyncClient, wall: Clock, mode: str, shown: list[tuple[int, str]]
) -> None:
    wall.now = fakes.START + 8 * HOUR
    reads.hours = {9: "90"}
    for _ in range(2):
        assert [(row["price"], row["mode"]) for row in data(await caller.get(f"{FORCED}{mode}"))] == shown
    reads.hours = {8: "80", 9: "90"}
    (row,) = data(await caller.get(f"{FORCED}{mode}"))
    assert (row["price"], row["mode"]) == (80, "in_force")


async def test_the_newest_is_kept_whatever_the_hour(reads: Reads, caller: httpx.AsyncClient, wall: Clock) -> None:
    for hours in (1, 5, 50):
        wall.now = fakes.START + hours * HOUR
        assert prices(await caller.get(f"{FORCED}&mode=newest")) == [30]
    assert len(reads.latest_asked) == 1


async def test_age_and_status_go_on_while_a_price_is_kept(reads: Reads, caller: httpx.AsyncClient, wall: Clock) -> None:
    found: list[tuple[object, object]] = []
    start = fakes.START + timedelta(minutes=4)
    for seconds in (0.25, 120, 120.001, 240, 240.001, -60, -60.001):
        wall.now = start + timedelta(seconds=seconds)
        (row,) = data(await caller.get(GAS))
        found.append((row["age_seconds"], row["status"]))
    assert found == [
        (Decimal("0.25"), "live"), (120, "live"), (Decimal("120.001"), "late"), (240, "late"),
        (Decimal("240.001"), "stale"), (-60, "live"), (Decimal("-60.001"), "stale"),
    ]  # fmt: skip
    assert len(reads.latest_asked) == 1


async def test_a_change_of_the_reference_is_shown_within_a_second(
    reads: Reads, caller: httpx.AsyncClient, ticking: fakes.Ticking, state: State
) -> None:
    addresses = (GAS, f"{LATEST}?market=henry_hub")
    for address in addresses:
        assert [row["unit"] for row in data(await caller.get(address))] == [None]
    reads.reference[0] |= {"unit": "USD/MMBtu", "complete": True}
    reads.reference.append(fakes.instrument("NEW"))
    reads.version += 1
    ticking.now += 0.9
    assert data(await caller.get(GAS))[0]["unit"] is None
    assert reads.versions == 1
    ticking.now += 0.2
    assert [row["unit"] for row in data(await caller.get(addresses[0]))] == ["USD/MMBtu"]
    assert data(await caller.get(GAS))[0]["flags"] == ["VALID"]
    reads.stored.append(fakes.tick("NEW", fakes.START, "1"))
    assert [row["instrument"] for row in data(await caller.get(addresses[1]))] == ["NEW", fakes.GAS]
    assert reads.versions == 2
    assert await state.pages.remembered(GAS.partition("?")[2].encode(), ("public", EVERYTHING)) is not None


async def test_nothing_is_kept_from_a_reference_that_changes_while_it_is_read(
    reads: Reads, caller: httpx.AsyncClient, ticking: fakes.Ticking, state: State, kept: Kept
) -> None:
    async def change() -> None:
        reads.reference[0] |= {"unit": "USD/MMBtu"}
        reads.version += 1
        ticking.now += 1.1
        kept.confirm(ticking.now)
        await state.references.look()

    address = f"{LATEST}?market=henry_hub"
    reads.meanwhile = change
    assert data(await caller.get(address))[0]["unit"] is None
    reads.meanwhile = None
    assert not state.pages.knows(address.partition("?")[2].encode())
    for each in (GAS, address):
        assert data(await caller.get(each))[0]["unit"] == "USD/MMBtu"
