"""Queries that are remembered are answered as if they were not."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from api.latest import pages
from api.latest.kept import Kept
from api.state import State
from service import clock
from tests.api import fakes
from tests.api.answers import GAS, LATEST, data, prices, without_ages


async def test_the_same_address_is_answered_without_reading_again(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = await caller.get(GAS), clock.now_us() + 1_000_000
    monkeypatch.setattr(clock, "now_us", lambda: later)
    second = await caller.get(GAS)
    assert without_ages(first) == without_ages(second)
    assert data(first)[0]["age_seconds"] < data(second)[0]["age_seconds"]
    own = {"x-request-id", "content-length", "ratelimit"}
    headers = [{name: value for name, value in each.headers.items() if name not in own} for each in (first, second)]
    assert headers[0] == headers[1]
    assert len(reads.latest_asked) == 1


async def test_a_price_that_is_told_to_have_changed_is_read_again(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, kept: Kept
) -> None:
    both = f"{GAS}&instrument={fakes.NODE}"
    assert prices(await caller.get(both)) == [Decimal("104.5"), Decimal("-31.123456789")]
    reads.stored.append(fakes.tick(fakes.GAS, fakes.START + timedelta(hours=1), "9.000000001"))
    assert prices(await caller.get(both))[0] == Decimal("104.5"), "not told yet"
    kept.drop([("public", fakes.GAS)])
    assert prices(await caller.get(both)) == [Decimal("9.000000001"), Decimal("-31.123456789")]
    assert [names for _, names, _ in reads.latest_asked] == [sorted([fakes.GAS, fakes.NODE]), [fakes.GAS]]


async def test_while_the_log_is_not_followed_every_answer_is_read(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, ticking: fakes.Ticking
) -> None:
    await caller.get(GAS)
    ticking.now += 1.5
    reads.stored.append(fakes.tick(fakes.GAS, fakes.START + timedelta(hours=1), "9"))
    assert prices(await caller.get(GAS)) == prices(await caller.get(GAS)) == [9]
    assert len(reads.latest_asked) == 3


async def test_an_instrument_without_a_price_gets_one(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, kept: Kept
) -> None:
    reads.stored = reads.stored[5:]
    assert [data(await caller.get(GAS)), data(await caller.get(GAS)), len(reads.latest_asked)] == [[], [], 1]
    reads.stored.append(fakes.tick(fakes.GAS, fakes.START, "1"))
    kept.drop([("public", fakes.GAS)])
    assert prices(await caller.get(GAS)) == [1]


async def test_an_unknown_instrument_stays_404_until_it_is_there(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, ticking: fakes.Ticking
) -> None:
    address = f"{GAS}&instrument=NEW"
    assert [(await caller.get(address)).status_code for _ in range(2)] == [404, 404]
    reads.reference.append(fakes.instrument("NEW"))
    reads.version += 1
    ticking.now += 1.1
    assert len(data(await caller.get(address))) == 1


async def test_every_price_type_and_mode_is_answered_as_asked(caller: httpx.AsyncClient) -> None:
    for _ in range(2):
        for mode, shown in (("", "newest"), ("&mode=newest", "newest"), ("&mode=in_force", "in_force")):
            (number,) = data(await caller.get(f"{GAS}{mode}"))
            (text,) = data(await caller.get(f"{GAS}{mode}&price_type=decimal"))
            assert (number["price"], text["price"]) == (Decimal("104.5"), "104.5")
            assert number["mode"] == text["mode"] == shown


async def test_no_kind_of_answer_is_older_than_another_before_it(
    reads: fakes.FakeReads, caller: httpx.AsyncClient
) -> None:
    await caller.get(GAS)
    reads.stored.append(fakes.tick(fakes.GAS, fakes.START + timedelta(hours=1), "9"))
    assert prices(await caller.get(f"{GAS}&price_type=decimal")) == ["9"]
    assert prices(await caller.get(GAS)) == [9]
    assert prices(await caller.get(f"{GAS}&mode=newest")) == [9]


async def test_head_and_metrics_are_those_of_the_route(caller: httpx.AsyncClient) -> None:
    await caller.get(GAS)
    get, head = await caller.get(GAS), await caller.head(GAS)
    assert (head.status_code, head.content) == (200, b"")
    assert abs(int(head.headers["content-length"]) - len(get.content)) < 4  # the age may have more digits
    text = (await caller.get("/metrics")).text
    for method, count in (("GET", 2), ("HEAD", 1)):
        line = f'gridtick_http_requests_total{{method="{method}",route="{LATEST}",status="200"}} {count}.0'
        assert line in text
    assert f'gridtick_http_request_seconds_count{{route="{LATEST}"}} 3.0' in text


async def test_without_postgresql_a_remembered_page_is_503(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, ticking: fakes.Ticking
) -> None:
    await caller.get(GAS)
    ticking.now += 1.5
    reads.gone = {"postgres": "refused"}
    answer = await caller.get(GAS)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    reads.gone = {}
    assert (await caller.get(GAS)).status_code == 200


def known(state: State, *addresses: str) -> list[bool]:
    return [state.pages.knows(each.partition("?")[2].encode()) for each in addresses]


async def test_pages_are_bounded_by_rows_and_by_addresses(
    caller: httpx.AsyncClient, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST", 50)
    short = [f"{GAS}&limit={n}" for n in range(1, 8)]
    for address in short:
        await caller.get(address)
    assert known(state, *short) == [False, False, True, True, True, True, True]
    long = f"{GAS}&limit={'0' * 256 * 40}1"
    await caller.get(long)
    assert known(state, *short, long) == [False] * 7 + [True]
    beyond = f"{GAS}&limit={'0' * 256 * 80}1"
    assert prices(await caller.get(beyond)) == [Decimal("104.5")]
    assert known(state, short[0], long, beyond) == [False] * 3


async def test_a_page_that_is_made_again_counts_once(
    reads: fakes.FakeReads,
    caller: httpx.AsyncClient,
    state: State,
    ticking: fakes.Ticking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "MOST", 20)
    for _ in range(3):
        for address in (GAS, f"{GAS}&limit=5"):
            await caller.get(address)
        reads.version += 1
        ticking.now += 1.1
    assert known(state, GAS, f"{GAS}&limit=5") == [True, True]
