"""One instrument and what is there of it: counts, gaps, days and freshness, for those alone who may read it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api import coverage
from api.reads.stores import BAR
from service import clock
from tests.api import fakes

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIVE = 5 * MINUTE
RANGE = "start=2026-07-01T00:00:00Z&end=2026-07-01T02:00:00Z"
NODE = f"/v1/instruments/{fakes.NODE}"
GAS = f"/v1/instruments/{fakes.GAS}"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Half past one; prices of 00:00 to 00:55 came, of which 00:20 to 00:30 are missing."""
    at = fakes.START + 90 * MINUTE
    monkeypatch.setattr(clock, "now", lambda: at)
    return at


@pytest.fixture(autouse=True)
def _prices(reads: fakes.FakeReads) -> None:
    reads.stored = [each for each in reads.stored if each["instrument"] != fakes.NODE]
    reads.stored += [fakes.tick(fakes.NODE, fakes.START + n * FIVE, "1") for n in range(12) if n not in (4, 5)]


async def _json(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_coverage_has_all_its_fields(http: httpx.AsyncClient, now: datetime) -> None:
    assert await _json(http, f"{NODE}/coverage?{RANGE}") == {
        "instrument": fakes.NODE, "market": "caiso", "product": "rt_5min", "tenant": "public", "zone": "UTC",
        "interval": "5m", "cadence_seconds": 300.0,
        "start": "2026-07-01T00:00:00Z", "end": "2026-07-01T02:00:00Z",
        "first": "2026-07-01T00:00:00Z", "last": "2026-07-01T00:55:00Z",
        "expected": 19, "present": 10, "missing": 9, "reason": None, "gap_count": 2,
        "gaps": [
            {"start": "2026-07-01T00:20:00Z", "end": "2026-07-01T00:30:00Z", "missing": 2},
            {"start": "2026-07-01T01:00:00Z", "end": "2026-07-01T01:35:00Z", "missing": 7},
        ],
        "days": [{"day": "2026-07-01", "expected": 19, "present": 10, "missing": 9, "complete": False}],
        "freshness": {
            "interval_start": "2026-07-01T00:55:00Z", "interval_end": "2026-07-01T01:00:00Z",
            "known_at": "2026-07-01T00:55:00Z", "age_seconds": 2100.0, "status": "stale",
            "next_expected_at": "2026-07-01T01:00:00Z",
        },
    }  # fmt: skip


@pytest.mark.parametrize("minutes", [-31, -1, 0, 59, 65, 66, 75, 76, 600])
@pytest.mark.parametrize("name", [fakes.NODE, fakes.GAS])
async def test_the_status_is_that_of_the_latest_price(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, name: str, minutes: int
) -> None:
    monkeypatch.setattr(clock, "now", lambda: fakes.START + minutes * MINUTE)
    (latest,) = (await _json(http, f"/v1/prices/latest?instrument={name}&mode=newest"))["data"]
    fresh = (await _json(http, f"/v1/instruments/{name}/coverage?{RANGE}"))["freshness"]
    shown = ("interval_start", "interval_end", "known_at", "age_seconds", "status")
    assert {each: fresh[each] for each in shown} == {each: latest[each] for each in shown}


async def test_the_default_are_seven_days_of_the_instruments_zone(
    reads: fakes.FakeReads, http: httpx.AsyncClient, now: datetime
) -> None:
    reads.reference[1] |= {"zone": "America/Los_Angeles"}  # 30 June, 18:30
    body = await _json(http, f"{NODE}/coverage")
    assert (body["start"], body["end"]) == ("2026-06-24T07:00:00Z", "2026-07-01T07:00:00Z")
    assert [day["day"] for day in body["days"]] == [f"2026-06-{day}" for day in range(24, 31)]
    assert [day["expected"] for day in body["days"]] == [0] * 6 + [12 * 18 + 7], "from the day of the first price on"
    reads.reference[1] |= {"zone": None}
    assert (await _json(http, f"{NODE}/coverage"))["zone"] == "America/Los_Angeles", "the market's, where it has none"


async def test_a_stream_has_null_and_not_nought(reads: fakes.FakeReads, http: httpx.AsyncClient, now: datetime) -> None:
    row: dict[str, object] = {}
    row |= dict.fromkeys(BAR)
    row |= {"tenant": "public", "instrument": fakes.GAS, "interval": "1h", "start": fakes.START, "count": 5}
    reads.bar_rows = [row]
    body = await _json(http, f"{GAS}/coverage?{RANGE}")
    none = ("expected", "missing", "gaps", "gap_count", "interval", "cadence_seconds")
    assert [body[name] for name in none] == [None] * len(none)
    assert body["present"] == 5
    assert "none of them is promised" in body["reason"]
    assert body["days"] == [{"day": "2026-07-01", "expected": None, "present": 5, "missing": None, "complete": None}]
    assert body["freshness"]["next_expected_at"] is None


async def test_irregular_runs_have_gaps_without_a_count(
    reads: fakes.FakeReads, http: httpx.AsyncClient, now: datetime
) -> None:
    name = "ercot.rt_sced.HB_NORTH"
    reads.reference.append(fakes.instrument(name, market="ercot", product="rt_sced", location="HB_NORTH"))
    of: dict[str, object] = {"market": "ercot", "product": "rt_sced", "end": None}
    reads.stored += [fakes.tick(name, fakes.START + n * MINUTE, "1") | of for n in (-20, 1, 20, 55)]
    body = await _json(http, f"/v1/instruments/{name}/coverage?{RANGE}")
    assert (body["expected"], body["present"], body["missing"]) == (None, 3, None)
    assert body["gaps"] == [
        {"start": "2026-07-01T00:50:00Z", "end": "2026-07-01T00:55:00Z", "missing": None},
        {"start": "2026-07-01T01:25:00Z", "end": "2026-07-01T01:29:00Z", "missing": None},
    ]
    assert body["freshness"]["next_expected_at"] == "2026-07-01T01:01:00Z"


async def test_the_end_that_is_published_tells(reads: fakes.FakeReads, http: httpx.AsyncClient, now: datetime) -> None:
    """Every stamp from 00:05 to 01:30 but 00:15, in whose five minutes an event run ends at 00:13:02."""
    name = "nyiso.rt_5min.WEST"
    reads.reference.append(fakes.instrument(name, market="nyiso", product="rt_5min", location="WEST"))
    odd = 13 * MINUTE + timedelta(seconds=2)
    for stamp in (FIVE, 2 * FIVE, odd, 4 * FIVE, *(n * FIVE for n in range(5, 19))):
        at = fakes.START + stamp
        of: dict[str, object] = {"market": "nyiso", "product": "rt_5min", "ts": at, "end": at}
        reads.stored.append(fakes.tick(name, at - (3 * MINUTE if stamp == odd else FIVE), "1") | of)
    body = await _json(http, f"/v1/instruments/{name}/coverage?start=2026-07-01T00:00:00Z&end=2026-07-01T01:30:00Z")
    assert (body["expected"], body["present"]) == (18, 17), "the last stamp is the end of the range"
    assert body["gaps"] == [{"start": "2026-07-01T00:10:00Z", "end": "2026-07-01T00:15:00Z", "missing": 1}]
    assert body["freshness"]["next_expected_at"] == "2026-07-01T01:35:00Z"


async def test_an_instrument_without_a_price(reads: fakes.FakeReads, http: httpx.AsyncClient, now: datetime) -> None:
    reads.stored = [each for each in reads.stored if each["instrument"] != fakes.NODE]
    body = await _json(http, f"{NODE}/coverage?{RANGE}")
    assert (body["expected"], body["gaps"], body["first"], body["last"], body["freshness"]) == (0, [], None, None, None)
    assert (await _json(http, NODE))["last_seen"] is None


async def test_the_gaps_of_one_answer_are_bounded(
    http: httpx.AsyncClient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "MOST_GAPS", 1)
    body = await _json(http, f"{NODE}/coverage?{RANGE}")
    assert (body["gap_count"], len(body["gaps"]), body["missing"]) == (2, 1, 9)


async def test_an_instrument_says_what_it_is(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.names["public", fakes.NODE] = [("OLD", fakes.START), ("NEW", fakes.START + timedelta(days=1))]
    body = await _json(http, NODE)
    listed = (await _json(http, "/v1/instruments?location=TH_NP15_GEN-APND"))["data"]
    assert listed == [{name: body[name] for name in listed[0]}]
    own = {name: value for name, value in body.items() if name not in listed[0]}
    assert own == {
        "interval": "5m", "finest": "5m", "cadence_seconds": 300.0, "last_seen": "2026-07-01T00:55:00Z",
        "names": [{"name": "OLD", "since": "2026-07-01T00:00:00Z"}, {"name": "NEW", "since": "2026-07-02T00:00:00Z"}],
    }  # fmt: skip
    gas = await _json(http, GAS)
    assert (gas["interval"], gas["finest"], gas["cadence_seconds"]) == (None, "1m", None)


async def test_ids_may_hold_any_letter(reads: fakes.FakeReads, http: httpx.AsyncClient, now: datetime) -> None:
    for name in ("nyiso.da_hourly.N.Y.C.", "nyiso.da_hourly.HUD VL", "a/b", "100%", "x/coverage", "ä?#"):
        reads.reference.append(fakes.instrument(name))
        address = f"/v1/instruments/{quote(name, safe='')}"
        covered = await _json(http, f"{address}/coverage?{RANGE}")
        assert covered["instrument"] == name
        if not name.endswith("/coverage"):  # the one name that the shorter address cannot say
            assert (await _json(http, address))["instrument"] == name


async def test_own_prices_come_before_public_ones(
    other: httpx.AsyncClient, reads: fakes.FakeReads, now: datetime
) -> None:
    """The tenant `other` has an instrument of a public one's name, with one price of its own."""
    for suffix in ("", f"/coverage?{RANGE}"):
        assert (await _json(other, f"{GAS}{suffix}"))["tenant"] == "other"
    assert (await _json(other, f"{GAS}?tenant=public"))["tenant"] == "public"
    assert (await _json(other, f"{GAS}/coverage?{RANGE}"))["last"] == "2026-07-01T00:00:00Z"
    public = await _json(other, f"{GAS}/coverage?{RANGE}&tenant=public")
    assert (public["tenant"], public["last"]) == ("public", "2026-07-01T00:04:00Z")


@pytest.mark.parametrize("suffix", ["", "/coverage"])
async def test_what_may_not_be_read_is_not_there(reads: fakes.FakeReads, http: httpx.AsyncClient, suffix: str) -> None:
    for name in (fakes.SECRET_NODE, "NOBODY", "X/coverage/X"):
        answer = await http.get(f"/v1/instruments/{name}{suffix}")
        assert (answer.status_code, answer.json()["type"]) == (404, "/docs/errors/not-found")
    assert (await http.get(f"{NODE}{suffix}?tenant=other")).status_code == 404
    async with fakes.client(reads) as nobody:
        assert (await nobody.get(f"{NODE}{suffix}")).status_code == 401
    async with fakes.client(reads, reads.add_key(scopes=frozenset({"bars:read"}))) as client:
        refused = await client.get(f"{NODE}{suffix}")
    assert refused.status_code == 403
    assert "prices:read" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("start=2026-07-01T00:00:00Z&end=2026-07-01T00:00:00Z", "start", "before end"),
        ("start=2026-03-01T00:00:00Z&end=2026-06-02T00:00:00.000001Z", "start", "more than 93 days"),
        ("start=2026-07-01", "start", "no offset"),
        ("limit=5", "limit", "no parameter"),
        ("end=2026-07-01T00:00:00Z&end=2026-07-02T00:00:00Z", "end", "more than once"),
    ],
)
async def test_a_range_that_cannot_be_meant_is_refused(
    http: httpx.AsyncClient, query: str, parameter: str, words: str
) -> None:
    answer = await http.get(f"{NODE}/coverage?{query}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["parameter"] == parameter
    assert words in error["detail"]
    assert (await http.get(f"{NODE}?{RANGE}")).status_code == 422, "an instrument itself has no range"


@pytest.mark.parametrize(("name", "words"), [("", "at least 1"), ("X" * 257, "at most 256"), ("a%00b", "NUL")])
@pytest.mark.parametrize("suffix", ["", "/coverage"])
async def test_what_is_no_id_is_refused(http: httpx.AsyncClient, name: str, words: str, suffix: str) -> None:
    answer = await http.get(f"/v1/instruments/{name}{suffix}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["parameter"] == "instrument"
    assert words in error["detail"]


async def test_a_store_that_is_away_is_said(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    await http.get(NODE)
    reads.gone = {"clickhouse": "refused"}
    for suffix in ("", f"/coverage?{RANGE}"):
        answer = await http.get(f"{NODE}{suffix}")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_the_longest_range_is_answered(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.stored.append(fakes.tick(fakes.NODE, datetime(2026, 3, 1, tzinfo=UTC), "1"))
    body = await _json(http, f"{NODE}/coverage?start=2026-03-01T00:00:00Z&end=2026-06-02T00:00:00Z")
    assert (body["expected"], body["present"], len(body["days"])) == (93 * 288, 1, 93)
