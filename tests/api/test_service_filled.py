"""Filled bars and days of other zones, from the API as it runs on the real stores, page by page."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from gridtick.client import Client, InvalidRequest
from local.stack import Stack
from service import clock
from service.settings import Settings
from tests.api import running_api
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import document, frame

pytestmark = pytest.mark.stack
HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2025, 11, 2, 5, tzinfo=UTC)  # in Chicago: a day of 25 hours
CORRECTED = MIDNIGHT + 60 * HOUR


class Running:
    """An API process, and a tenant with prices of two markets, some of them missing, the first ones corrected."""

    def __init__(self, url: str, key: str, mark: str) -> None:
        self.url = url
        self.key = key
        self.sced = f"ercot.rt_sced.S_{mark}"
        self.quarters = f"ercot.rt_15min.Q_{mark}"
        self.node = f"caiso.rt_5min.N_{mark}"

    def bars(self, *names: str, **asked: Any) -> list[dict[str, Any]]:
        with Client(self.url, self.key) as client:
            return [dict(row) for row in client.bars(names, **asked)]


@pytest.fixture(scope="module")
def running(stack: Stack, settings: Settings) -> Iterator[Running]:
    tenant, mark = f"t-{uuid4().hex[:10]}", uuid4().hex[:6]
    made = Running("", "", mark)
    running_api.stored(settings, frame([*_runs(tenant, made.sced), *_days(tenant, made)]))
    products = ((made.sced, "rt_sced"), (made.quarters, "rt_15min"), (made.node, "rt_5min"))
    named = [(name, name.partition(".")[0], product) for name, product in products]
    made.key = asyncio.run(running_api.access(settings, tenant, *named))
    with running_api.serving(stack) as url:
        made.url = url
        yield made


def _runs(tenant: str, name: str) -> list[Row]:
    """The manual's example, and a run that holds for half an hour."""
    return [
        document(tenant, MIDNIGHT + timedelta(hours=6, minutes=m, seconds=s), p, instrument=name, market="ercot",
                 product="rt_sced", location=name.split(".")[2], end=None, offset=m,
                 hold_end=MIDNIGHT + timedelta(hours=6, minutes=m + 30, seconds=s))
        for m, s, p in ((0, 14, "20"), (5, 12, "100"), (10, 15, "20"))
    ]  # fmt: skip


def _days(tenant: str, of: Running) -> list[Row]:
    """Two days but for every fifth price, of both signs; the first 40 come again with others."""
    found: list[Row] = []
    for name, market, minutes in ((of.quarters, "ercot", 15), (of.node, "caiso", 5)):
        _, product, location = name.split(".")
        shape = {"instrument": name, "market": market, "product": product, "location": location}
        first = [
            document(tenant, MIDNIGHT + number * timedelta(minutes=minutes), f"{number * 7 % 60 - 30}", minutes=minutes,
                     offset=100 + number, known_at=MIDNIGHT + number * timedelta(minutes=minutes), **shape)
            for number in range(49 * 60 // minutes) if number % 5 != 3
        ]  # fmt: skip
        found += [*first, *(row | {"price": Decimal(500), "offset": 9000, "known_at": CORRECTED} for row in first[:40])]
    return found


SPAN = {"start": MIDNIGHT, "end": MIDNIGHT + 50 * HOUR}


@pytest.mark.parametrize("known", [None, MIDNIGHT + 30 * HOUR])
def test_pages_hold_what_the_whole_holds(
    running: Running, monkeypatch: pytest.MonkeyPatch, known: datetime | None
) -> None:
    """The rows that are not filled are those of an answer without filling; the others lie between them."""
    names = running.quarters, running.node
    for asked in (
        {"interval": "15m", "fill": "hold"}, {"interval": "1h", "block": "offpeak", "fill": "null"},
        {"interval": "1d", "timezone": "Asia/Kolkata", "fill": "null"},
    ):  # fmt: skip
        plain = running.bars(*names, **SPAN, as_of=known, **asked | {"fill": None})
        whole = running.bars(*names, **SPAN, as_of=known, **asked)
        monkeypatch.setattr("gridtick.client.http.PAGE", 90 if asked["interval"] == "15m" else 9)
        assert running.bars(*names, **SPAN, as_of=known, **asked) == whole
        monkeypatch.undo()
        assert plain
        assert [{**row, "filled": "none"} for row in plain] == [row for row in whole if row["filled"] == "none"]
        keys = [(row["start"], row["instrument"]) for row in whole]
        assert keys == sorted(set(keys))
    assert len(running.bars(*names, **SPAN, interval="15m", fill="null")) == 2 * 4 * 50


def test_the_example_of_the_manual(running: Running) -> None:
    start = MIDNIGHT + 6 * HOUR
    span = {"start": start, "end": start + HOUR, "timezone": "market"}
    quarters = running.bars(running.sced, interval="15m", fill="hold", **span)
    assert [(row["filled"], row["close"], row["covered_seconds"], row["count"]) for row in quarters] == [
        ("none", 20, 886, 3), ("hold", 20, 900, 0), ("hold", 20, 615, 0), ("null", None, None, 0),
    ]  # fmt: skip
    assert quarters[0]["twap"] == Decimal("47.358916479")
    assert quarters[0]["start_local"] == "2025-11-02T05:00:00-06:00"
    minutes = running.bars(running.sced, interval="1m", fill="hold", **span)
    assert [row["close"] for row in minutes] == [20] * 5 + [100] * 5 + [20] * 31 + [None] * 19
    with pytest.raises(InvalidRequest, match="fill=hold repeats each price"):
        running.bars(running.sced, interval="1m", **span)


def test_days_of_other_zones_now_and_then(running: Running) -> None:
    """As of now they are what they are; before the correction what they were; none is refused or invented."""
    for zone in ("UTC", "Asia/Kolkata", "America/Chicago"):
        asked = {"interval": "1d", "timezone": zone, "start": MIDNIGHT - 24 * HOUR}
        stored = running.bars(running.quarters, running.node, **asked)
        assert running.bars(running.quarters, running.node, **asked, as_of=clock.now()) == stored
        then = running.bars(running.quarters, **asked, as_of=CORRECTED - timedelta(microseconds=1))
        assert max(row["high"] or 0 for row in then) < 100
        assert sum(row["count"] for row in then) == sum(
            row["count"] for row in stored if row["instrument"] == running.quarters
        )
    own = running.bars(running.quarters, interval="1d", start=MIDNIGHT)
    chicago = running.bars(running.quarters, interval="1d", start=MIDNIGHT, timezone="America/Chicago")
    assert [{**row, "start_local": "", "end_local": ""} for row in own] == [
        {**row, "start_local": "", "end_local": ""} for row in chicago
    ]
    assert chicago[0]["end_local"] == "2025-11-03T00:00:00-06:00"
    assert own[0]["covered_seconds"] == 900 * 80
