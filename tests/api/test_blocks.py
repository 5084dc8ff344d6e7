"""Bars of blocks of hours: what is asked of the stores, what is refused, when a bar is final."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import polars as pl
import pytest

from api import shapes
from api.shapes import BAR
from pipeline import blocks
from pipeline.schema import REFERENCE
from tests.api import fakes
from tests.api.answers import data

HUB = "caiso.da_hourly.TH_NP15_GEN-APND"
DAY = datetime(2026, 7, 1, 7, tzinfo=UTC)  # a Wednesday in California
ASKED = f"/v1/bars?instrument={HUB}&start=2026-07-01T00:00:00Z"


def bar(interval: str, start: datetime, hours: int, count: int) -> dict[str, object]:
    row: dict[str, object] = {
        "tenant": "public", "instrument": HUB, "interval": interval, "start": start,
        "end": start + timedelta(hours=hours), "volume": None, "vwap": None, "twap": None, "covered_seconds": None,
        "count": count, "flags": 1, "revision": 0, "updated_at": start,
    }  # fmt: skip
    return row | dict.fromkeys(("open", "high", "low", "close"), Decimal(1))


@pytest.fixture
def caiso(reads: fakes.FakeReads) -> fakes.FakeReads:
    reads.reference.append(fakes.instrument(HUB))
    reads.bar_rows = [bar("1d", DAY, 24, 16), bar("1h", DAY + timedelta(hours=6), 1, 1)]
    return reads


@pytest.mark.parametrize(("block", "asked"), [("peak", ["peak"]), ("atc", []), (None, [])])
@pytest.mark.parametrize("interval", ["1h", "1d"])
async def test_the_stores_are_asked_for_a_block(
    caiso: fakes.FakeReads, http: httpx.AsyncClient, block: str | None, asked: list[str], interval: str
) -> None:
    given = "" if block is None else f"&block={block}"
    answer = await http.get(f"{ASKED}&interval={interval}{given}")
    assert (answer.status_code, len(answer.json()["data"])) == (200, 1)
    assert caiso.blocks == asked
    assert answer.json()["query"].get("block") == block


async def test_a_block_as_it_was_known(caiso: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{ASKED}&interval=1d&block=offpeak&as_of=2026-07-02T00:00:00Z")
    assert (len(answer.json()["data"]), caiso.blocks) == (1, ["offpeak"])


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"/v1/bars?instrument={fakes.NODE}&interval=15m&block=peak", "made of hours, which 15m bars cut"),
        (f"/v1/bars?instrument={fakes.GAS}&interval=1d&block=peak", "henry_hub has no block 'peak'"),
        (f"{ASKED}&interval=1d&block=tariff", "Write one of atc, peak, offpeak"),
        (f"{ASKED}&interval=1d&block=onpeak", "peak"),
    ],
)
async def test_a_block_that_cannot_be(
    caiso: fakes.FakeReads, http: httpx.AsyncClient, address: str, words: str
) -> None:
    answer = await http.get(address)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["parameter"] == "block"
    assert words in error["detail"]
    assert caiso.blocks == []


async def test_a_bar_is_final_once_the_hours_of_its_block_are_over(caiso: fakes.FakeReads) -> None:
    reference = await caiso.instruments_named(["public"], [HUB])
    bars = pl.DataFrame([bar("1d", DAY, 24, 16), bar("1d", DAY, 24, 15)], schema=dict(BAR))
    end = DAY + timedelta(hours=22)
    settle = timedelta(minutes=5)  # what day-ahead prices may come late

    def finals(block: str | None, at: datetime) -> list[bool]:
        return shapes.shown_bars(bars, reference, at, block)["is_final"].to_list()

    assert finals("peak", end + settle - timedelta(seconds=1)) == [False, False]
    assert finals("peak", end + settle) == [True, False]
    assert finals("offpeak", DAY + timedelta(hours=24)) == [False, False]
    assert finals("offpeak", DAY + timedelta(hours=24) + settle) == [True, True]
    assert finals(None, DAY + timedelta(days=9)) == [False, False]


PEAK_NODE = "caiso.da_hourly.TH_NP15_GEN_ONPEAK-APND"


@pytest.mark.parametrize(
    ("block", "interval", "hour", "hours", "count", "final_after"),
    [
        (None, "1d", 0, 24, 16, 22),  # hours ending 7 to 22 in California
        (None, "1d", 0, 24, 15, None),
        ("peak", "1d", 0, 24, 16, 22),
        ("6x16", "1d", 0, 24, 16, 22),
        (None, "1h", 6, 1, 1, 7),
        (None, "1h", 6, 1, 0, None),
        (None, "1h", 5, 1, 0, 6),  # no hour of its block: none is missing
    ],
)
async def test_a_bar_of_what_is_priced_in_a_block_alone_is_final_once_that_is_over(
    caiso: fakes.FakeReads, block: str | None, interval: str, hour: int, hours: int, count: int, final_after: int | None
) -> None:
    caiso.reference.append(fakes.instrument(PEAK_NODE))
    reference = await caiso.instruments_named(["public"], [HUB, PEAK_NODE])
    start = DAY + timedelta(hours=hour)
    rows = [bar(interval, start, hours, count) | {"instrument": name} for name in (PEAK_NODE, HUB)]
    bars, settle = pl.DataFrame(rows, schema=dict(BAR)), timedelta(minutes=5)

    def finals(at: datetime) -> list[bool]:
        return shapes.shown_bars(bars, reference, at, block)["is_final"].to_list()

    assert finals(start + timedelta(days=9))[0] is (final_after is not None)
    if final_after is not None:
        over = DAY + timedelta(hours=final_after) + settle
        assert (finals(over - timedelta(seconds=1))[0], finals(over)[0]) == (False, True)
    assert finals(DAY + timedelta(days=9))[1] is (count == hours or (block is not None and count == 16) or count == 1)


@pytest.mark.parametrize("market", ["acme", "henry_hub", "pjm"])
async def test_a_name_alone_says_nothing_of_blocks(
    caiso: fakes.FakeReads, http: httpx.AsyncClient, market: str
) -> None:
    """Whoever sends ticks chooses their names."""
    name = "caiso.mine.X_ONPEAK"
    caiso.reference.append(fakes.instrument(name, market=market, product="tick"))
    caiso.bar_rows = [bar("1h", DAY, 1, 1) | {"instrument": name}]
    [row] = data(await http.get(f"/v1/bars?instrument={name}&interval=1h&start=2026-07-01T00:00:00Z"))
    assert row["is_final"] is True


@pytest.mark.parametrize("day", range(7))
@pytest.mark.parametrize(("name", "block"), [(PEAK_NODE, None), (HUB, "peak")])
def test_days_that_cut_hours_are_final_when_all_is_there(day: int, name: str, block: str | None) -> None:
    """A day of Kolkata begins at half past; prices of five minutes are told apart by it."""
    start = datetime(2026, 7, 1 + day, 18, 30, tzinfo=UTC)
    end = start + timedelta(days=1)
    name = name.replace("da_hourly", "rt_5min")
    steps = pl.datetime_range(start, end, "5m", closed="left", time_unit="us", eager=True)
    priced = steps.filter(blocks.within(steps, "peak", "caiso"))
    reference = pl.DataFrame([fakes.instrument(name)], schema=dict(REFERENCE))
    for count, final in ((priced.len(), True), (max(0, priced.len() - 1), priced.is_empty())):
        bars = pl.DataFrame([bar("1d", start, 24, count) | {"instrument": name}], schema=dict(BAR))
        found = shapes.shown_bars(bars, reference, end + timedelta(days=9), block)["is_final"].to_list()
        assert found == [final]


def test_a_quarter_of_an_hour_outside_the_own_block_lacks_nothing() -> None:
    name = PEAK_NODE.replace("da_hourly", "rt_5min")
    reference = pl.DataFrame([fakes.instrument(name)], schema=dict(REFERENCE))
    rows = [
        bar("15m", DAY + timedelta(hours=hour), 0, 0)
        | {"instrument": name, "end": DAY + timedelta(hours=hour, minutes=15), "filled": "null"}
        for hour in (5, 6)
    ]
    bars = pl.DataFrame(rows, schema={**BAR, "filled": pl.String()})
    assert shapes.shown_bars(bars, reference, DAY + timedelta(days=9))["is_final"].to_list() == [True, False]
