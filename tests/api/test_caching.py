"""What a client may keep, and what it is told of what it kept."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.reads.ports import Page
from api.state import State
from db.entitlements import Entitlements
from service import clock
from tests.api import fakes
from tests.api.answers import GAS
from tests.api.test_as_of import bar

TICKS = f"/v1/ticks?instrument={fakes.GAS}&start=2026-07-01T00:00:00Z"
AS_OF = "as_of=2026-07-02T00:00:00Z"
PAST = f"/v1/ticks?instrument={fakes.NODE}&start=2026-07-01T00:00:00Z&{AS_OF}"


@pytest.fixture
async def both(reads: fakes.FakeReads) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Callers of two tenants over the same application."""
    state = fakes.state(reads)
    async with (
        fakes.client(reads, reads.add_key(), state) as one,
        fakes.client(reads, reads.add_key("other"), state) as two,
    ):
        yield one, two


async def test_a_complete_past_is_for_ever_and_read_once(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    answer = await http.get(PAST)
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    reads.gone = {"clickhouse": "away"}  # nothing is read again
    again = await http.get(PAST, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert again.headers[name] == answer.headers[name]
    assert "RateLimit" in again.headers


async def test_a_provisional_past_and_the_present_are_checked(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.landed = fakes.START
    for address in (PAST, TICKS):
        answer = await http.get(address)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert (await http.get(address, headers={"If-None-Match": answer.headers["etag"]})).status_code == 304
        name = fakes.NODE if address == PAST else fakes.GAS
        reads.stored.append(fakes.tick(name, fakes.START + timedelta(hours=len(reads.stored)), "9"))
        changed = await http.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert changed.status_code == 200
        assert changed.headers["etag"] != answer.headers["etag"]


async def test_a_closed_range_is_kept_for_a_minute(http: httpx.AsyncClient) -> None:
    closed = f"{TICKS}&end=2026-07-01T01:00:00Z"
    assert (await http.get(closed)).headers["cache-control"] == "private, max-age=60"


@pytest.mark.parametrize("address", [GAS, "/v1/me", "/v1/usage"])
async def test_what_is_of_the_moment_is_kept_nowhere(http: httpx.AsyncClient, address: str) -> None:
    answer = await http.get(address)
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)


@pytest.mark.parametrize(
    ("sent", "status"),
    [("W/{}", 304), ('"x", {}', 304), ("*", 304), ('"x"', 200), ("", 200), ("x", 200), ('{}"', 200)],
)
async def test_tags_are_compared_as_rfc_9110_says(http: httpx.AsyncClient, sent: str, status: int) -> None:
    tag = (await http.get(PAST)).headers["etag"]
    assert (await http.get(PAST, headers={"If-None-Match": sent.format(tag)})).status_code == status


async def test_a_tag_is_worth_nothing_to_others(
    reads: fakes.FakeReads, both: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    one, two = both
    reads.reference.append(fakes.instrument(fakes.NODE, "other"))
    tag = (await one.get(PAST)).headers["etag"]
    assert (await two.get(f"{PAST}&tenant=other", headers={"If-None-Match": tag})).status_code == 200
    less = reads.add_key(entitled=Entitlements(markets=frozenset({"henry_hub"})), tenant="third")
    for headers, status in (({"X-API-Key": less}, 404), ({"X-API-Key": "nonsense"}, 401)):
        assert (await one.get(PAST, headers=headers | {"If-None-Match": tag})).status_code == status
    bars = reads.add_key(scopes=frozenset({"bars:read"}))
    assert (await one.get(PAST, headers={"X-API-Key": bars, "If-None-Match": tag})).status_code == 403


async def test_a_tag_is_read_again_once_names_and_units_may_be_others(
    reads: fakes.FakeReads, http: httpx.AsyncClient
) -> None:
    tag = (await http.get(PAST)).headers["etag"]
    reads.version += 1
    reads.reference[1] |= {"unit": "EUR/MWh"}
    state = fakes.state(reads)  # sees the version at once
    async with fakes.client(reads, reads.add_key(), state) as fresh:
        assert (await fresh.get(PAST, headers={"If-None-Match": tag})).status_code == 200


async def test_formats_have_tags_of_their_own(http: httpx.AsyncClient) -> None:
    tags = {
        (await http.get(f"{PAST}&limit=9&format={name}")).headers["etag"]
        for name in ("json", "csv", "ndjson", "parquet")
    }
    assert len(tags) == 4
    by_accept = await http.get(f"{PAST}&limit=9", headers={"Accept": "text/csv"})
    assert "accept" in by_accept.headers["vary"].lower()
    again = await http.get(f"{PAST}&limit=9", headers={"If-None-Match": by_accept.headers["etag"]})
    assert (again.status_code, again.headers["content-type"]) == (200, "application/json")


async def test_a_packed_answer_has_its_own_tag_and_either_is_known(http: httpx.AsyncClient) -> None:
    long = f"/v1/instruments?q={fakes.NODE}"
    plain = await http.get(long, headers={"Accept-Encoding": "identity"})
    tag = plain.headers["etag"]
    for sent in (tag, f'{tag[:-1]}-gzip"'):
        answer = await http.get(long, headers={"Accept-Encoding": "gzip", "If-None-Match": sent})
        assert answer.status_code == 304


async def test_a_request_is_counted_once(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    first = await http.get(PAST)
    left = int(first.headers["RateLimit"].split("r=")[1].split(";")[0])
    for sent in ('"x"', first.headers["etag"]):
        answer = await http.get(PAST, headers={"If-None-Match": sent})
        left -= 1
        assert answer.headers["RateLimit"].startswith(f'"key";r={left};')


async def test_no_tag_is_kept_of_an_answer_that_two_references_may_have_made(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, state: State, ticking: fakes.Ticking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    address = f"{PAST}&end=2026-07-02T00:00:00Z"
    ticks = reads.ticks

    async def beside_a_change(*given: Any, **named: Any) -> Page:
        page = await ticks(*given, **named)
        if reads.version == 1:
            reads.reference[1]["unit"] = "EUR/MWh"
            reads.version = 2
            ticking.now += 2
            await state.references.look()
        return page

    await caller.get(address + "&limit=1")  # the version has been seen
    monkeypatch.setattr(reads, "ticks", beside_a_change)
    first = await caller.get(address)
    again = await caller.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.json()["data"][0]["unit"]) == (200, "EUR/MWh")


async def test_who_may_not_see_it_any_more_is_not_told_that_it_is_the_same(
    reads: fakes.FakeReads, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [fakes.START + timedelta(days=10)]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    key = reads.add_key("acme", entitled=Entitlements(history=timedelta(days=10)))
    async with fakes.client(reads, key, state) as acme:
        held = {"If-None-Match": (await acme.get(PAST)).headers["etag"]}
        assert (await acme.get(PAST, headers=held)).status_code == 304
        now[0] += timedelta(days=1)
        assert (await acme.get(PAST, headers=held)).status_code == 403


async def test_another_key_is_another_answer_to_whoever_keeps_them(http: httpx.AsyncClient) -> None:
    for address in ("/v1/markets", TICKS, PAST):
        named = (await http.get(address)).headers["vary"].lower()
        assert {"authorization", "x-api-key"} <= {each.strip() for each in named.split(",")}


HOURS = f"/v1/bars?instrument={fakes.GAS}&interval=1h&start=2026-07-01T00:00:00Z"


async def test_bars_of_a_range_that_is_not_over_or_whose_prices_may_come_are_checked(
    reads: fakes.FakeReads, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = timedelta(hours=1)
    reads.bar_rows = [bar(fakes.START, fakes.START)]
    monkeypatch.setattr(clock, "now", lambda: fakes.START + 20 * hour)
    for past, end, kept in ((20, "2026-07-02T00", False), (0, "2026-07-01T00:30", False), (20, "2026-07-01T02", True)):
        reads.past = fakes.START + past * hour
        answer = await http.get(f"{HOURS}&end={end}{'' if ':' in end else ':00'}:00Z")
        assert answer.headers["cache-control"] == ("private, max-age=60" if kept else "private, no-cache")


async def test_a_bar_of_a_complete_past_is_as_final_as_it_will_ever_be(
    reads: fakes.FakeReads, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: fakes.START + timedelta(days=9))
    reads.bar_rows, reads.landed = [bar(fakes.START, fakes.START)], fakes.START + timedelta(days=8)
    found: list[Any] = []
    for past in (timedelta(minutes=30), timedelta(days=8)):
        reads.past = fakes.START + past
        answer = await http.get(f"{HOURS}&as_of=2026-07-04T00:00:00Z")
        found.append((answer.json()["complete"], answer.json()["data"][0]["is_final"]))
    assert found == [(True, True)] * 2


async def test_the_latest_prices_of_a_market_as_of_an_instant_are_checked(http: httpx.AsyncClient) -> None:
    kept = [
        (await http.get(f"/v1/prices/latest?{which}&as_of=2026-07-02T00:00:00Z")).headers["cache-control"]
        for which in (f"instrument={fakes.NODE}", "market=caiso", "market=caiso&format=csv")
    ]
    assert kept == ["private, max-age=31536000, immutable", "private, no-cache", "private, no-cache"]


async def test_a_past_whose_instruments_are_not_wholly_known_is_checked(
    reads: fakes.FakeReads, http: httpx.AsyncClient
) -> None:
    """Units and `MISSING_METADATA` are what the reference says today; what is derived is of today's definition."""
    spread = "spread.basis.north"
    other, south = "caiso.rt_5min.OTHER", "spread.basis.south"
    reads.reference += [fakes.instrument(each, market="spread", product="basis") for each in (spread, south)]
    reads.reference.append(fakes.instrument(other))
    for_ever = "private, max-age=31536000, immutable"
    for name, kept in ((fakes.GAS, "private, no-cache"), (fakes.NODE, for_ever), (spread, "private, no-cache")):
        for address in (TICKS, f"/v1/prices/latest?instrument={fakes.GAS}"):
            answer = await http.get(f"{address}&{AS_OF}".replace(fakes.GAS, name))
            assert (answer.json()["complete"], answer.headers["cache-control"]) == (True, kept)
    for of, hub, kept in ((fakes.NODE, other, for_ever), (spread, south, "private, no-cache")):
        basis = f"/v1/basis?instrument={of}&hub={hub}&start=2026-07-01T00:00:00Z&{AS_OF}"
        assert (await http.get(basis)).headers["cache-control"] == kept
