"""The public status: newest intervals of public products, intake, no key, nobody else's data."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import polars as pl
import pytest

from api.status.leaders import EACH, leaders
from db.postgres.places import Message
from pipeline.schema import REFERENCE
from service import clock
from tests.api import fakes

START, MINUTE = fakes.START, timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> fakes.FakeReads:
    made = fakes.FakeReads()
    place: dict[str, Any] = {"topic_id": "T", "partition": 3}
    made.stored = [
        fakes.tick(fakes.NODE, START, "1", known_at=START + 5 * SECOND, offset=6, **place),
        fakes.tick(fakes.NODE, START - 5 * MINUTE, "2", offset=5, **place),
        fakes.tick(fakes.SECRET_NODE, START + 5 * MINUTE, "3", "other", **place),
    ]
    made.landings = {Message("T", 3, 6): START + 7 * SECOND}
    at(monkeypatch, START + MINUTE)
    made.landed = START + 50 * SECOND
    return made


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
async def http(reads: fakes.FakeReads, ticking: fakes.Ticking) -> AsyncIterator[httpx.AsyncClient]:
    """Without a key."""
    async with fakes.client(reads, None, fakes.state(reads, ticking)) as client:
        yield client


async def told(http: httpx.AsyncClient) -> dict[str, Any]:
    answer = await http.get("/v1/status")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "public, max-age=2"
    return answer.json()


async def test_the_newest_interval_of_every_public_product(http: httpx.AsyncClient) -> None:
    assert await told(http) == {
        "age_seconds": 0, "stale": False, "generated_at": "2026-07-01T00:01:00Z", "state": "ok", "reasons": [],
        "intake": {"landed_until": "2026-07-01T00:00:50Z", "behind_seconds": 10.0},
        "queues": {"normalize": 3, "project": 0}, "dead_letters": {"total": 7, "last_hour": 2},
        "prices": {"live": 1, "late": 0, "stale": 0},
        "products": [{
            "market": "caiso", "product": "rt_5min", "instrument": fakes.NODE,
            "interval_start": "2026-07-01T00:00:00Z", "interval_end": "2026-07-01T00:05:00Z",
            "known_at": "2026-07-01T00:00:05Z", "queryable_at": "2026-07-01T00:00:07Z", "age_seconds": 60.0,
            "status": "live", "since": "2026-07-01T00:00:05Z", "next_expected_at": "2026-07-01T00:05:00Z",
        }],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "status", "since"), [(10, "live", 0), (11, "late", 10), (20, "late", 10), (21, "stale", 20)]
)
async def test_since_when_it_is_late_or_stale(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, minutes: int, status: str, since: int
) -> None:
    """A price is late one interval after the next was due, and stale three after that."""
    at(monkeypatch, START + minutes * MINUTE)
    (found,) = (await told(http))["products"]
    assert found["status"] == status
    begun = datetime.fromisoformat(found["since"]) - START
    assert timedelta(0) < begun - since * MINUTE <= 5 * SECOND


async def test_intake_that_is_behind_or_stopped_is_said(
    http: httpx.AsyncClient, reads: fakes.FakeReads, ticking: fakes.Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, START + 3 * MINUTE)
    found = await told(http)
    assert (found["state"], found["intake"]["behind_seconds"]) == ("behind", 130.0)
    assert "after 2026-07-01T00:00:50Z" in found["reasons"][0]
    reads.stops = ["The live lane reads nothing more."]
    ticking.now += 2
    found = await told(http)
    assert (found["state"], found["reasons"][0]) == ("stopped", "The live lane reads nothing more.")


async def test_of_what_is_not_sure_nothing_is_said(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    reads.landed, reads.landings = clock.from_us(0), {}
    found = await told(http)
    assert found["intake"] == {"landed_until": None, "behind_seconds": None}
    assert found["products"][0]["queryable_at"] is None


async def test_the_last_answer_stands_while_clickhouse_is_away(
    http: httpx.AsyncClient, reads: fakes.FakeReads, ticking: fakes.Ticking
) -> None:
    before = await told(http)
    reads.gone["clickhouse"] = "refused"
    ticking.now += 30
    assert await told(http) == before | {"stale": True, "age_seconds": 30}


async def test_it_never_worked(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    reads.gone["clickhouse"] = "refused"
    answer = await http.get("/v1/status")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_all_instruments_are_looked_at_once_a_minute(
    http: httpx.AsyncClient, reads: fakes.FakeReads, ticking: fakes.Ticking
) -> None:
    scans: list[int] = []
    for seconds in (0, 1, 2, 50, 8):
        ticking.now += seconds
        await told(http)
        scans.append(reads.scans)
    assert scans == [1, 1, 1, 1, 2]
    reads.version += 1
    await told(http)
    ticking.now += 10
    await told(http)
    assert reads.scans == 3, "sooner, where there are other instruments"
    assert reads.latest_asked[-1][0] == ["public"]


async def test_parameters_are_refused(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/status?tenant=other")).status_code == 422


def test_leaders_are_those_with_the_newest_prices() -> None:
    names = [f"caiso.rt_5min.N{number:02}" for number in range(20)]
    every = [fakes.instrument(name) for name in (*names, "caiso.da_hourly.X", "caiso.da_hourly.Y")]
    every.append(fakes.instrument("caiso.rt_5min.N00", "other"))
    lately = [(name, START + number * MINUTE) for number, name in enumerate(names)]
    found = leaders(
        pl.DataFrame(every, schema=dict(REFERENCE)),
        pl.DataFrame(lately, {"instrument": pl.String, "newest": pl.Datetime("us", "UTC")}, orient="row"),
    )
    assert found["instrument"].to_list() == ["caiso.da_hourly.X", "caiso.da_hourly.Y", *names[-EACH:]]
    assert set(found["tenant"]) == {"public"}


async def test_a_mistake_is_no_stale_answer(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    """What is wrong with the program is not taken for a store that is away."""

    async def broken() -> list[str]:
        raise ValueError

    reads.stopped = broken  # pyright: ignore[reportAttributeAccessIssue]
    assert (await http.get("/v1/status")).status_code == 500
