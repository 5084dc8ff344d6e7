"""Answers of closed ranges that are asked for again: as if they were read, but for half a second."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.ranges.settled import LOOK_S, Settled
from api.state import State
from api.wire.tags import query_of
from db.entitlements import Entitlements
from service import clock
from tests.api import fakes
from tests.api.test_as_of import bar

HOUR = timedelta(hours=1)
LATER = fakes.START + timedelta(days=9)
DAY = f"/v1/bars?instrument={fakes.GAS}&interval=1h&start=2026-07-01T00:00:00Z&end=2026-07-02T00:00:00Z"
KEPT = ["bars", "stand", "bars"]  # after it was asked for twice


@pytest.fixture
def asked(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the stores were asked for; three final bars are there."""
    monkeypatch.setattr(clock, "now", lambda: LATER)
    reads.bar_rows = [bar(fakes.START + hour * HOUR, fakes.START) for hour in range(3)]
    reads.past = LATER
    made: list[str] = []
    monkeypatch.setattr(reads, "bars", _told(made, "bars", reads.bars))
    monkeypatch.setattr(reads, "stand_of_bars", _told(made, "stand", reads.stand_of_bars))
    return made


def _told(made: list[str], name: str, read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def told(*given: object) -> object:
        made.append(name)
        return await read(*given)

    return told


async def test_what_is_asked_for_again_is_not_read_again(
    caller: httpx.AsyncClient, asked: list[str], ticking: fakes.Ticking
) -> None:
    first = await caller.get(DAY)
    assert (asked, len(first.json()["data"])) == (["bars"], 3)
    for looked in ([*KEPT], [*KEPT], [*KEPT, "stand"], [*KEPT, "stand"]):
        if len(looked) > len(KEPT):
            ticking.now += LOOK_S
        again = await caller.get(DAY)
        assert again.content == first.content
        assert {**again.headers, "date": "", "x-request-id": ""}.keys() == {**first.headers}.keys() | {
            "x-request-id",
            "date",
        }
        assert asked[: len(looked)] == looked


async def test_a_correction_is_seen_as_soon_as_it_is_looked_for(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, asked: list[str], ticking: fakes.Ticking
) -> None:
    for _ in range(3):
        assert (await caller.get(DAY)).json()["data"][0]["revision"] == 0
    reads.bar_rows[0]["revision"] = 1
    ticking.now += LOOK_S
    assert (await caller.get(DAY)).json()["data"][0]["revision"] == 1
    assert asked == [*KEPT, "stand", "bars"]


@pytest.mark.parametrize(
    "more", ["&fill=null", "&block=peak", "&as_of=2026-07-09T00:00:00Z", "&interval=1d&timezone=Asia/Tokyo"]
)
async def test_what_follows_from_more_than_stored_bars_is_not_kept(
    caller: httpx.AsyncClient, asked: list[str], more: str
) -> None:
    address = DAY.replace("&interval=1h", "") + more if "interval" in more else DAY + more
    for _ in range(3):
        await caller.get(address)
    assert "stand" not in asked


async def test_a_range_that_goes_on_and_one_that_is_not_final_are_not_kept(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, asked: list[str]
) -> None:
    for _ in range(3):
        await caller.get(DAY.partition("&end")[0])
    assert asked == ["bars"] * 3
    reads.past = fakes.START
    for _ in range(3):
        await caller.get(DAY)
    assert asked[3:] == ["bars", "stand", "bars", "stand", "bars"]


async def test_what_nobody_can_tell_of_is_read_every_time(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object) -> None: ...

    monkeypatch.setattr(reads, "stand_of_bars", unknown)
    for _ in range(4):
        assert len((await caller.get(DAY)).json()["data"]) == 3
    assert asked == ["bars"] * 4


async def test_each_has_an_answer_of_his_own(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, other: httpx.AsyncClient, asked: list[str]
) -> None:
    reads.bar_rows.append(bar(fakes.START, fakes.START) | {"tenant": "other"})
    for _ in range(3):
        assert len((await caller.get(DAY)).json()["data"]) == 3
    assert len((await other.get(DAY)).json()["data"]) == 4
    assert asked == [*KEPT, "bars"]


async def test_a_change_of_the_reference_is_a_new_answer(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, asked: list[str], ticking: fakes.Ticking
) -> None:
    for _ in range(3):
        await caller.get(DAY)
    reads.version += 1
    ticking.now += 60
    await caller.get(DAY)
    assert asked == [*KEPT, "bars"]


async def test_rows_count_whether_they_are_read_or_not(
    state: State, caller: httpx.AsyncClient, asked: list[str]
) -> None:
    for _ in range(4):
        await caller.get(DAY)
    assert asked == KEPT
    await state.accounts.usage.flush()
    assert (await caller.get("/v1/usage")).json()["days"][0]["rows"] == 12


async def test_the_answers_asked_for_longest_ago_are_forgotten(
    state: State, caller: httpx.AsyncClient, asked: list[str], ticking: fakes.Ticking
) -> None:
    size = len((await caller.get(DAY)).content)
    object.__setattr__(state, "settled", Settled(ticking, 2 * size + 100))
    seven, eight, nine = (f"{DAY}&limit={limit}" for limit in (7, 8, 9))
    for address in (seven, seven, eight, eight, seven, nine, nine):
        await caller.get(address)
    asked.clear()
    for address in (nine, seven):
        await caller.get(address)
    assert not asked
    await caller.get(eight)
    assert asked == ["stand", "bars"]


async def test_an_open_start_moves_with_the_depth_of_the_history(
    reads: fakes.FakeReads, state: State, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [fakes.START + timedelta(days=10, hours=1)]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    reads.past = now[0]

    async def of_the_month(*_: object) -> str:
        return "202607"

    monkeypatch.setattr(reads, "stand_of_bars", of_the_month)
    day = timedelta(days=1)
    starts = [fakes.START + n * day for n in range(9)]
    reads.bar_rows = [bar(each, fakes.START) | {"interval": "1d", "end": each + day} for each in starts]
    address = f"/v1/bars?instrument={fakes.GAS}&interval=1d&end=2026-07-10T00:00:00Z"
    key = reads.add_key("acme", entitled=Entitlements(history=timedelta(days=10)))
    async with fakes.client(reads, key, state) as caller:
        for _ in range(3):
            assert len((await caller.get(address)).json()["data"]) == 9
        now[0] += 3 * day
        assert len((await caller.get(address)).json()["data"]) == 6


async def test_every_accept_that_is_sent_is_a_part_of_the_question(caller: httpx.AsyncClient, asked: list[str]) -> None:
    both = [("Accept", "text/csv;q=0.1"), ("Accept", "application/json")]
    for _ in range(3):
        answer = await caller.get(f"{DAY}&limit=100", headers=both)
        assert answer.headers["content-type"] == "application/json"
    alone = await caller.get(f"{DAY}&limit=100", headers=both[:1])
    assert alone.headers["content-type"].startswith("text/csv")


def test_a_long_address_takes_no_more_room_than_a_short_one() -> None:
    found = [query_of({"path": "/v1/bars", "query_string": b"&" * times}, b"") for times in (1, 2, 60_000)]
    assert [len(each) for each in found] == [32] * 3
    assert len(set(found)) == 3
