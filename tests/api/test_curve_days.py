"""The dates and instants that queries of curves and spreads take: the first and the last are answered, others told."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from service import clock
from tests.api import fakes, test_curves, test_spreads
from tests.api.test_curves import BASE, HUB

http, reads = test_curves.http, test_curves.reads
HOURS = f"/v1/curves/{HUB}"
SPREAD = "/v1/spreads/explain?instrument=spread.dart.west"
BASIS = f"/v1/basis?instrument={test_spreads.NODE}&hub={test_spreads.DA}"
DAYS = ("0001-01-01", "1989-12-31", "2100-01-02", "9999-12-31", "2026-02-30", "20260701", "0", "2026-07-01T00:00:00Z")
INSTANTS = ("0001-01-01T00:00:00Z", "1989-12-29T00:00:00Z", "2100-01-01T00:00:01Z", "9999-12-31T23:59:59Z")


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    return error


@pytest.mark.parametrize("given", DAYS)
@pytest.mark.parametrize("base", [BASE, HOURS])
@pytest.mark.parametrize(("route", "name"), [("snapshots", "start"), ("snapshots", "end"), ("explain", "session")])
async def test_a_day_that_is_none_of_ours_is_told(
    http: httpx.AsyncClient, base: str, route: str, name: str, given: str
) -> None:
    error = problem(await http.get(f"{base}/{route}?{name}={given}"))
    assert (error["parameter"], error["value"]) == (name, given)
    fix = "lies outside 1990-01-01 to 2100-01-01." if given in DAYS[:4] else "is no day. Write it as 2026-07-01."
    assert error["detail"] == fix


@pytest.mark.parametrize("given", INSTANTS)
@pytest.mark.parametrize(
    ("address", "name"),
    [
        (f"{BASE}/snapshots/latest?", "at"),
        (f"{BASE}/snapshots/latest?", "as_of"),
        (f"{HOURS}/snapshots/latest?", "at"),
        (f"{HOURS}/snapshots?", "as_of"),
        (f"{BASE}/explain?session=2026-03-02&", "as_of"),
        (f"{SPREAD}&", "start"),
        (f"{SPREAD}&start=2026-07-01T00:00:00Z&", "as_of"),
        (f"{BASIS}&", "start"),
        (f"{BASIS}&", "end"),
        (f"{BASIS}&", "as_of"),
    ],
)
async def test_an_instant_that_is_none_of_ours_is_told(
    http: httpx.AsyncClient, address: str, name: str, given: str
) -> None:
    error = problem(await http.get(f"{address}{name}={given}"))
    assert (error["parameter"], error["value"]) == (name, given)
    assert error["detail"] == "lies outside 1989-12-30 to 2100-01-01."


@pytest.mark.parametrize("base", [BASE, HOURS])
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("explain?session=1990-01-01", 404),
        ("explain?session=1990-01-02", 404),
        ("explain?session=2100-01-01", 404),
        ("snapshots?start=1990-01-01&end=2100-01-01", 200),
        ("snapshots?start=2099-12-31&end=2100-01-01", 200),
        ("snapshots?end=1990-01-15", 200),
        ("snapshots?start=1990-01-01&as_of=1990-01-01T00:00:00Z", 200),
        ("snapshots/latest?at=1989-12-30T00:00:00Z", 404),
        ("snapshots/latest?at=2100-01-01T00:00:00Z", 200),
        ("snapshots/latest?at=1989-12-30T00:00:00Z&as_of=2026-09-01T00:00:00Z", 404),
        ("snapshots/latest?at=2100-01-01T00:00:00Z&as_of=2026-09-01T00:00:00Z", 200),
        ("snapshots/latest?as_of=1989-12-30T00:00:00Z", 404),
    ],
)
async def test_the_first_and_the_last_day_are_answered(
    http: httpx.AsyncClient, base: str, address: str, status: int
) -> None:
    answer = await http.get(f"{base}/{address}")
    assert answer.status_code == status, answer.text


async def test_the_sessions_before_an_end_without_a_start_begin_with_the_first_day(http: httpx.AsyncClient) -> None:
    found = (await http.get(f"{BASE}/snapshots?end=1990-01-15")).json()
    assert (found["query"]["start"], found["query"]["end"]) == ("1990-01-01", "1990-01-15")
    error = problem(await http.get(f"{BASE}/snapshots?end=1990-01-01"))
    assert (error["parameter"], error["detail"]) == ("end", "must lie after 1990-01-01.")


@pytest.mark.parametrize("base", [BASE, HOURS])
async def test_the_days_that_are_meant_of_a_past_are_those_before_it(
    http: httpx.AsyncClient, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant: list[object] = []
    for now in (datetime(2026, 4, 6, tzinfo=UTC), datetime(2026, 5, 20, tzinfo=UTC)):
        monkeypatch.setattr(clock, "now", partial(datetime.fromtimestamp, now.timestamp(), UTC))
        asked = (await http.get(f"{base}/snapshots?as_of=2026-04-05T00:00:00Z")).json()["query"]
        meant.append((asked["start"], asked["end"]))
    assert meant == [("2026-03-07", "2026-04-07")] * 2


async def test_the_newest_day_is_found_over_any_gap(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    reads.stored.append(fakes.tick(HUB, datetime(2026, 3, 25, 8, tzinfo=UTC), "9"))
    found = [
        (await http.get(f"{HOURS}/snapshots/latest?at={at}T00:00:00Z")).json().get("session")
        for at in ("2026-03-14", "2026-03-16", "2026-03-24", "2026-04-20", "2000-01-01")
    ]
    assert found == [*["2026-03-08"] * 3, "2026-03-25", None]
