"""What a caller is told of its limits, and what happens beyond them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime

import httpx
import pytest

from api.limits.accounts import Quotas
from api.limits.usage import Usage
from api.problems import Problem
from db.entitlements import Limits
from db.postgres.usage import Used, Whose
from service import clock
from tests.api import fakes
from tests.api.answers import GAS

DAY = datetime(2026, 7, 1, tzinfo=UTC).date()


def client(
    reads: fakes.FakeReads, key: str, quotas: Quotas, ticking: fakes.Ticking | None = None
) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return fakes.client(reads, key, fakes.state(reads, ticking, None, quotas))


async def test_every_answer_to_a_good_key_tells_what_is_left(reads: fakes.FakeReads) -> None:
    async with client(reads, reads.add_key(), Quotas(10, 20, 1000)) as http:
        for left in (9, 8):
            answer = await http.get(GAS)
            assert (
                answer.headers["RateLimit-Policy"]
                == '"key";q=10;w=60, "tenant";q=20;w=60, "rows";q=1000;w=86400;qu="rows"'
            )
            assert answer.headers["RateLimit"].startswith(
                f'"key";r={left};t={6 * (10 - left)}, "tenant";r={left + 10};t='
            )
        answer = await http.get("/v1/ticks?instrument=NOBODY")
        assert (answer.status_code, answer.headers["RateLimit"][:9]) == (404, '"key";r=7')
        assert "RateLimit" not in (await http.get("/healthz")).headers


async def test_one_too_many_is_refused_until_there_is_room(reads: fakes.FakeReads) -> None:
    ticking = fakes.Ticking()
    async with client(reads, reads.add_key(), Quotas(2, 20, 1000), ticking) as http:
        assert [(await http.get(GAS)).status_code for _ in range(3)] == [200, 200, 429]
        answer = await http.get("/v1/me")
        assert (answer.json()["type"], answer.headers["Retry-After"]) == ("/docs/errors/rate-limited", "30")
        assert answer.headers["RateLimit-Policy"].startswith('"key";q=2')
        ticking.now += 30
        assert (await http.get(GAS)).status_code == 200


async def test_keys_of_a_tenant_share_its_limit_and_no_other_tenants(reads: fakes.FakeReads) -> None:
    quotas, ticking = Quotas(10, 3, 1000), fakes.Ticking()
    state = fakes.state(reads, ticking, None, quotas)
    async with fakes.client(reads, None, state) as http:
        mine, also, others = (reads.add_key(each) for each in ("a", "a", "b"))
        taken = [(await http.get("/v1/me", headers={"X-API-Key": key})).status_code for key in (mine, also, also, mine)]
        assert taken == [200, 200, 200, 429]
        assert (await http.get("/v1/me", headers={"X-API-Key": others})).status_code == 200


async def test_a_tenants_own_limits_come_first(reads: fakes.FakeReads) -> None:
    key = reads.add_key(limits=Limits(requests_per_minute=1, rows_per_day=7))
    async with client(reads, key, Quotas(10, 20, 1000)) as http:
        assert (await http.get("/v1/me")).json()["limits"] == {
            "key_requests_per_minute": 1, "tenant_requests_per_minute": 1, "tenant_rows_per_day": 7,
        }  # fmt: skip
        assert (await http.get("/v1/me")).status_code == 429


async def test_rows_are_counted_and_end(reads: fakes.FakeReads) -> None:
    async with client(reads, reads.add_key(), Quotas(100, 200, 6)) as http:
        ticks = f"/v1/ticks?instrument={fakes.GAS}&start=2026-07-01T00:00:00Z"
        assert len((await http.get(ticks)).json()["data"]) == 5
        assert (await http.get(GAS)).status_code == 200
        answer = await http.get(GAS)
        assert (answer.status_code, answer.json()["type"]) == (429, "/docs/errors/rows-exhausted")
        assert 0 < int(answer.headers["Retry-After"]) <= 86_400
        usage = (await http.get("/v1/usage")).json()
        assert usage["rows_left"] == 0
        assert (await http.get("/v1/me")).status_code == 200, "what has no rows is answered"


async def test_usage_is_told_by_day_and_by_key(reads: fakes.FakeReads) -> None:
    state = fakes.state(reads)
    viewer, admin = reads.add_key(), reads.add_key(role="admin")
    async with fakes.client(reads, viewer, state) as http:
        await http.get(GAS)
        await http.get(GAS, headers={"X-API-Key": admin})
        reads.add_key("other")
        await state.accounts.usage.flush()
        [day] = (await http.get("/v1/usage")).json()["days"]
        assert (day["requests"], day["rows"], len(day["keys"])) == (2, 2, 1)
        [day] = (await http.get("/v1/usage", headers={"X-API-Key": admin})).json()["days"]
        assert [each["rows"] for each in day["keys"]] == [1, 1]


async def test_what_cannot_be_written_waits(reads: fakes.FakeReads) -> None:
    whose = Whose(DAY, "a", "k")
    away = True

    async def write(counts: Sequence[tuple[Whose, Used]]) -> Mapping[tuple[date, str], int]:
        if away:
            raise Problem(503, "store-away", "postgres does not answer.")
        return await reads.add_usage(counts)

    usage = Usage(write)
    usage.add(whose, 1, 10)
    await usage.flush()
    assert usage.rows(DAY, "a") == 10
    usage.add(whose, 1, 5)
    away = False
    await usage.flush()
    assert reads.counted == {whose: Used(2, 15)}
    assert usage.rows(DAY, "a") == 15
    await reads.add_usage([(whose, Used(1, 100))])  # by another process
    usage.add(whose, 1, 1)
    await usage.flush()
    assert usage.rows(DAY, "a") == 116


async def test_a_refused_request_is_not_counted_twice(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    state = fakes.state(reads, None, None, Quotas(5, 1, 100))
    key = reads.add_key("a")
    async with fakes.client(reads, key, state) as one:
        assert [(await one.get("/v1/me")).status_code for _ in range(9)] == [200] + [429] * 8


@pytest.mark.parametrize("rows", [1, 3])
async def test_so_many_rows_must_be_left(reads: fakes.FakeReads, rows: int) -> None:
    state = fakes.state(reads, None, None, Quotas(5, 5, 2))
    caller = await state.principals.of(reads.add_key())
    assert caller is not None
    if rows == 1:
        state.accounts.require_rows(caller, clock.now(), rows)
    else:
        with pytest.raises(Problem, match="2 of its 2 rows a day left, and this needs 3"):
            state.accounts.require_rows(caller, clock.now(), rows)
