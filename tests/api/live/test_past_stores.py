"""History on the real stores, told step by step: each shows what was known then, the last what is now."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from api import render, shapes
from api.live import steps
from api.reads.ports import Window
from local.stack import Stack
from pipeline.schema import EARLIEST, LATEST
from service.settings import Settings
from tests.api import running_api
from tests.api.live.past_brute import START, effective, history, newest, state
from tests.api.live.past_world import PastWorld, Sent, instant_of, opened
from tests.api.live.streaming import chained
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import generic
from tests.polling import until_async

pytestmark = pytest.mark.stack
FROM = START + timedelta(minutes=8)
BAR = ("instrument", "interval", "start")
INTERVALS = ("1m", "5m", "15m", "1h", "1d")


class Past(PastWorld):
    gas = ""
    node = ""
    rows: list[Row]


@pytest.fixture
async def past(stack: Stack, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Past]:
    """Of a history that has landed out of order; all but what became known last is sure to have."""
    monkeypatch.setattr(steps, "A_STEP", 1)
    monkeypatch.setattr(steps, "A_PAGE", 7)
    tenant, mark = f"t-{uuid4().hex[:10]}", uuid4().hex[:6]
    gas, node = f"GAS_{mark}", f"caiso.rt_5min.N{mark}"
    await running_api.access(settings, tenant, (gas, "henry_hub", "tick"), (node, "caiso", "rt_5min"))
    url = settings.redis.url.get_secret_value().rpartition("/")[0] + "/3"
    async with opened(stack, url, tenant) as world:
        world.__class__ = Past
        assert isinstance(world, Past)
        world.gas, world.node, world.rows = gas, node, history(tenant, gas, node, seed=7)
        for some in (world.rows[1::2], world.rows[::2]):
            world.land(some)
        world.known = world.rows[-12]["known_at"]
        yield world


def then(past: Past, at: datetime) -> list[Row]:
    return [row for row in past.rows if row["known_at"] <= at]


def told(way: Sent) -> list[dict[str, Any]]:
    """Frames that tell history, each with all of one step. All are a chain."""
    assert chained(way.frames)
    assert next(each["type"] for each in way.of("update", "gap", "error", "snapshot")) == "snapshot"
    assert not way.of("gap", "error")
    updates = way.of("update")
    assert all(each["replayed"] for each in updates)
    assert all(each["seq"] == 0 for each in updates if instant_of(each) is not None)
    instants = [instant_of(each) for each in updates]
    known = [each for each in instants if each is not None]
    assert known == sorted(known)
    assert instants[len(known) :] in ([], [None]), "where it joins what is live, last"
    return updates


async def test_ticks_come_in_the_order_in_which_they_became_known(past: Past) -> None:
    async with past.told("ticks", [past.gas, past.node], from_=FROM) as way:
        found = [row for each in told(way) for row in each["data"]]
        expected = [row for row in effective(past.rows) if row["known_at"] > FROM]
        assert len(expected) > 20
        assert shown_ticks(found) == [(each["instrument"], each["ts"], each["price"]) for each in expected]
        late = effective(past.rows)[0] | {"price": Decimal(77), "known_at": START + timedelta(hours=2), "offset": 1000}
        past.land([late])
        await until_async(lambda: way.frames[-1].get("replayed") is False, 20, "what is live comes")
        assert [row["price"] for row in way.frames[-1]["data"]] == [77]
        assert chained(way.frames)


def shown_ticks(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (row["instrument"], datetime.fromisoformat(row["interval_start"]), Decimal(str(row["price"]))) for row in rows
    ]


async def test_prices_are_those_of_each_instant(past: Past) -> None:
    async with past.told("prices", [past.gas, past.node], from_=FROM) as way:
        frames = [*way.of("snapshot"), *told(way)]
        instants = [instant_of(each) or LATEST for each in frames]
        assert len(instants) > 5
        for count, at in enumerate(instants, 1):
            shown = state(frames[:count], ["instrument"])
            assert shown_prices(shown) == newest(past.rows, at), at
        assert state(frames, ["instrument"]) == state([await present(past, "prices")], ["instrument"])
        assert_nothing_is_skipped(past, frames, instants)
        past.land([fresh(past)])
        await until_async(lambda: way.frames[-1].get("replayed") is False, 20, "what is live comes")
        assert chained(way.frames)


def assert_nothing_is_skipped(past: Past, frames: list[dict[str, Any]], instants: list[datetime]) -> None:
    """Whenever what is known has changed, it was told then."""
    for row in [row for row in past.rows if FROM < row["known_at"] < past.known]:
        told_by = max(at for at in instants if at <= row["known_at"])
        count = max(n for n, at in enumerate(instants, 1) if at == told_by)
        shown = shown_prices(state(frames[:count], ["instrument"]))
        assert shown == newest(past.rows, row["known_at"]), row["known_at"]


def shown_prices(shown: dict[tuple[Any, ...], dict[str, Any]]) -> dict[str, tuple[Decimal, datetime]]:
    return {
        str(row["instrument"]): (Decimal(str(row["price"])), datetime.fromisoformat(row["known_at"]))
        for row in shown.values()
        if row["price"] is not None
    }


def fresh(past: Past) -> Row:
    known = {"known_at": START + timedelta(hours=3), "offset": 2000, "topic_id": "fresh"}
    at = START + timedelta(hours=2)
    return generic(past.tenant, at, "55", instrument=past.gas, market="henry_hub", **known)


async def present(past: Past, channel: str) -> dict[str, Any]:
    """The snapshot of who subscribes now."""
    async with past.told(channel, [past.gas, past.node]) as way:
        return way.of("snapshot")[0]


async def bars_then(past: Past, at: datetime) -> dict[tuple[Any, ...], dict[str, Any]]:
    """All bars as they were known at an instant, with the fields of the REST interface."""
    reference = await past.stores.instruments_named([past.tenant], [past.gas, past.node])
    found = dict[tuple[Any, ...], dict[str, Any]]()
    for interval in INTERVALS:
        window = Window(EARLIEST, LATEST, None, 10_000)
        page = await past.stores.known_bars(reference, interval, window, at)
        for line in render.lines(shapes.shown_bars(page.rows, reference, at)):
            row = msgspec.json.decode(line)
            found[tuple(row[name] for name in BAR)] = row
    return found


async def test_bars_are_those_of_each_instant(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "A_STEP", 12)
    async with past.told("bars", [past.gas, past.node], from_=FROM) as way:
        frames = [*way.of("snapshot"), *told(way)]
        before = await bars_then(past, FROM)
        assert state(frames[:1], BAR) == {key: before[key] for key in state(frames[:1], BAR)}
        for count, at in enumerate([instant_of(each) for each in frames], 1):
            now = await bars_then(past, at or LATEST)
            shown = {**before, **state(frames[:count], BAR)}
            assert without_final({key: row for key, row in shown.items() if row["count"]}) == without_final(now), at
            told_now = {key: row for key, row in state([frames[count - 1]], BAR).items() if row["count"]}
            assert at is None or told_now == {key: now[key] for key in told_now}, "what is final, too"
        rows = [tuple(row.items()) for each in frames[1:] for row in each["data"]]
        assert len({repr(each) for each in rows}) == len(rows), "nothing comes twice"
        past.land([fresh(past)])
        await until_async(lambda: closes(way) >= {55}, 20, "what is live comes")
        assert chained(way.frames)


def closes(way: Sent) -> set[float]:
    return {row["close"] for each in way.of("update") if not each["replayed"] for row in each["data"]}


def without_final(bars: dict[tuple[Any, ...], dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What is final grows by itself, and is told where a bar changes."""
    return {key: {**row, "is_final": None} for key, row in bars.items()}
