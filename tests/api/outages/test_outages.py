"""Stores that refuse, are silent, slow, or break off, on the real ones through a proxy: every operation answers in time
as `table` says, and goes on by itself once the store is back.
"""

import json
import time
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from api.reads.ports import Store
from local.stack import Stack
from service.settings import Settings
from tests.api.matrix.test_matrix import operations
from tests.api.outages.asking import PATIENCE_S, Answer, ask_all, flood, surprises
from tests.api.outages.proxy import Mode
from tests.api.outages.table import ASKED, STORES, TABLE
from tests.api.outages.world import TICKS, World, world
from tests.polling import until

# Beyond what the same requests take here while all stores answer: this machine may be busy with other tests.
BOUND_S: Final = 11.0  # the longest that any answer may take
SLOW_S: Final = 3 * BOUND_S  # where each of its statements is slow: an export asks for every table in turn
NOTICED_S: Final = 6.0  # after which a silent store is known to be away
BACK_S: Final = 5.0
SILENCE_S: Final = 12.0


@pytest.fixture(scope="module")
def outside(stack: Stack, settings: Settings) -> Iterator[World]:
    with world(stack, settings) as running:
        _goes_on(running, 60)
        yield running


@pytest.fixture
def usual_s(outside: World) -> float:
    """What the slowest operation takes here while all stores answer."""
    return max(answer.seconds for answer in ask_all(outside).values())


@pytest.fixture(autouse=True)
def _open(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "outside" in request.fixturenames:
        request.getfixturevalue("outside").turn("pass")


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert sorted({name.partition(",")[0] for name in TABLE}) == operations()


@pytest.mark.stack
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("mode", ["refuse", "silent"])
def test_a_store_that_is_away(outside: World, usual_s: float, store: Store, mode: Mode) -> None:
    outside.turn(mode, store)
    if store == "postgres":
        until(lambda: _me(outside) == 503, 2 * NOTICED_S + usual_s, "keys are not remembered any more")
    found = surprises(ask_all(outside), store, BOUND_S + 2 * usual_s)
    assert not found, "\n".join(found)
    outside.turn("pass", store)
    _goes_on(outside, BACK_S + 2 * usual_s)


@pytest.mark.stack
@pytest.mark.parametrize("store", STORES)
def test_a_store_that_is_slow_changes_no_answer(outside: World, usual_s: float, store: Store) -> None:
    outside.turn("slow", store)
    found = surprises(ask_all(outside, together=6), None, SLOW_S + 2 * usual_s)
    assert not found, "\n".join(found)


@pytest.mark.stack
def test_nothing_waits_for_a_store_that_is_known_to_be_silent_and_all_goes_on_after_a_long_silence(
    outside: World, usual_s: float
) -> None:
    began = time.monotonic()
    outside.turn("silent")
    until(lambda: _me(outside) == 503, 2 * NOTICED_S + usual_s, "PostgreSQL is known to be away")
    ask_all(outside)
    again = ask_all(outside)
    assert max(answer.seconds for answer in again.values()) < 2.0 + 2 * usual_s
    assert json.loads(again["GET /v1/status"].text)["stale"]
    until(lambda: time.monotonic() - began > SILENCE_S, SILENCE_S + 1)
    outside.turn("pass")
    _goes_on(outside, BACK_S + 2 * usual_s)


@pytest.mark.stack
def test_a_flood_at_a_silent_clickhouse_keeps_nobody_else_waiting(outside: World, usual_s: float) -> None:
    many, _ = flood(outside, "/v1/me", 200)
    usual_s += max(answer.seconds for answer in many)
    outside.turn("silent", "clickhouse")
    ticks = ASKED["GET /v1/ticks"].path
    assert ticks is not None
    others = ["/healthz", "/readyz", "/v1/status", "/v1/me", "/v1/instruments", "/v1/admin/keys"]
    many, beside = flood(outside, ticks, 200, *others)
    assert {answer.status for answer in many} == {503}
    assert max(answer.seconds for answer in many) < BOUND_S + 2 * usual_s
    assert [answer.status for answer in beside] == [200, 503, 200, 200, 200, 200]
    assert max(answer.seconds for answer in beside) < NOTICED_S + 2 * usual_s
    outside.turn("pass")
    _goes_on(outside, BACK_S + 2 * usual_s)


@pytest.mark.stack
def test_an_answer_that_breaks_off_is_no_whole_one_and_its_place_is_free_again(outside: World) -> None:
    path = f"/v1/ticks?instrument={{gas}}&start=2026-07-01T00:00:00Z&format=parquet&limit={TICKS * 10}"
    for _ in range(5):  # more than there are places
        outside.turn("cut", "clickhouse", cut_after=40_000)
        answer = _long(outside, path)
        assert answer is None or answer.status == 503, answer
    outside.turn("pass")
    whole = _long(outside, path)
    assert whole is not None
    assert whole.status == 200, whole.text


@pytest.mark.stack
def test_remembered_latest_prices_are_answered_while_postgres_is_slow(outside: World) -> None:
    path = ASKED["GET /v1/prices/latest"].path
    assert path is not None
    before, _ = flood(outside, path, 100)
    outside.turn("slow", "postgres")
    many, _ = flood(outside, path, 100)
    assert {answer.status for answer in many} == {200}
    assert max(answer.seconds for answer in many) < NOTICED_S + 2 * max(answer.seconds for answer in before)


def _me(outside: World) -> int:
    return httpx.get(f"{outside.url}/v1/me", headers={"X-API-Key": outside.keys["tenant"]}, timeout=30).status_code


def _goes_on(outside: World, within_s: float) -> None:
    """Asks until every operation answers as ever; what is asked in time has to."""
    end = time.monotonic() + within_s
    in_time = True
    while found := surprises(ask_all(outside), None, PATIENCE_S):
        assert in_time, "\n".join(found)
        in_time = time.monotonic() < end


def _long(outside: World, path: str) -> Answer | None:
    """None where the body broke off."""
    try:
        [answer], _ = flood(outside, path, 1)
    except httpx.RemoteProtocolError:
        return None
    return answer
