"""What open connections may have: it ends when they may not any more, and waits for nobody else."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from api.live import sights
from api.live.meaning import Meaning
from api.problems import Problem
from db.entitlements import Entitlements
from pipeline.reference.tables import TABLES
from service import clock
from tests.api import fakes
from tests.api.fakes import GAS, NODE, START
from tests.api.live.streaming import World
from tests.pipeline.spreads.making import leg, row
from tests.polling import until_async

NONE, CAISO = (Entitlements(markets=frozenset(each)) for each in ([], ["caiso"]))
PRICES: dict[str, Any] = {"channel": "prices", "instruments": [GAS]}


def changed(world: World, key: str, **fields: Any) -> None:
    key_id = key.removeprefix("gt_live_").split("_")[0]
    world.reads.keys[key_id] = replace(world.reads.keys[key_id], **fields)


@pytest.mark.parametrize("how", ["revoked_at", "expires_at", "suspended", "deleted"])
async def test_a_key_that_ends_closes_its_connections(world: World, how: str) -> None:
    key = world.key()
    async with world.client(key) as client:
        await client.subscribed(id=1, **PRICES)
        if how == "deleted":
            world.reads.keys.clear()
        else:
            changed(world, key, **{how: True if how == "suspended" else clock.now() - timedelta(seconds=1)})
        code, _ = await client.closed()
        world.price("1")
    assert code == 4401
    assert (client.of("error")[-1]["code"], client.of("update")) == ("revoked", [])
    await until_async(lambda: not list(world.state.live.hub.groups))


async def test_what_may_be_seen_no_more_ends_and_what_may_goes_on(world: World) -> None:
    key = world.key("acme", entitled=Entitlements(markets=frozenset({"caiso", "henry_hub"})))
    async with world.client(key) as client:
        await client.subscribed(id=1, channel="prices", instruments=[GAS, NODE])
        await client.subscribed(id=2, channel="prices", instruments=[NODE])
        changed(world, key, entitled=Entitlements(markets=frozenset({"henry_hub"})))
        while len(client.of("subscribed")) < 4:
            await client.frame("subscribed")
        world.price("1", name=NODE)
        world.price("2")
        update = await client.frame("update")
    assert [row["instrument"] for row in update["data"]] == [GAS]
    assert [each["id"] for each in client.of("subscribed")[-1]["subscriptions"]] == [1]
    gone = client.of("subscribed")[-2]["errors"] + client.of("subscribed")[-1]["errors"]
    assert {each["instrument"] for each in gone} == {NODE}


async def test_a_spread_is_seen_no_more_once_a_leg_is_not(world: World) -> None:
    """The reference changes, the key does not."""
    name, legs = "spread.basis.mine", (NODE, "caiso.rt_5min.OTHER")
    world.reads.reference += [fakes.instrument(legs[1]), fakes.instrument(name, market="spread", product="basis")]
    _define(world, legs)
    key = world.key("acme", entitled=Entitlements(markets=frozenset({"caiso", "spread"})))
    async with world.client(key) as client:
        await client.subscribed(id=1, channel="prices", instruments=[name])
        _define(world, (NODE, GAS))
        error = await client.frame("subscribed")
        world.price("1", name=name)
        await world.heard()
        await client.frame("heartbeat")
    assert ([each["instrument"] for each in error["errors"]], client.of("update")) == ([name], [])


async def test_who_leaves_while_it_is_looked_at_what_may_be_seen_ends_nobody_else_s_watch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its subscriptions are gone when the look at one of them is done."""
    leaving, staying = world.key("acme", entitled=CAISO), world.key()
    held, goes_on = asyncio.Event(), asyncio.Event()
    real = Meaning.of

    async def slow(meaning: Meaning, principal: Any, asked: Any) -> Any:
        if held.is_set() or principal is None or principal.entitled != NONE:
            return await real(meaning, principal, asked)
        held.set()
        await goes_on.wait()
        return await real(meaning, principal, asked)

    async with world.client(staying) as other:
        await other.subscribed(id=1, **PRICES)
        async with world.client(leaving) as client:
            await client.subscribed(id=1, channel="prices", instruments=[NODE])
            await client.subscribed(id=2, channel="prices", instruments=[NODE])
            monkeypatch.setattr(Meaning, "of", slow)
            changed(world, leaving, entitled=NONE)
            await held.wait()
        await until_async(lambda: len(list(world.state.live.hub.groups)) == 1)
        goes_on.set()
        world.price("1")
        await other.frame("update")
        changed(world, staying, revoked_at=START)
        assert (await other.closed())[0] == 4401


async def test_what_could_not_be_looked_at_is_looked_at_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store was away when the scope was taken."""
    key, real, failed = world.key(), Meaning.of, list[int]()

    async def away(meaning: Meaning, principal: Any, asked: Any) -> Any:
        if "prices:read" not in principal.scopes and not failed:
            failed.append(asked.id)
            raise Problem(503, "store-away", "PostgreSQL is away.")
        return await real(meaning, principal, asked)

    async with world.client(key) as client:
        await client.subscribed(id=1, **PRICES)
        monkeypatch.setattr(Meaning, "of", away)
        changed(world, key, scopes=frozenset({"stream:read", "bars:read"}))
        assert (await client.frame("error"))["code"] == "scope-missing"
    assert failed == [1]


@pytest.mark.parametrize("stuck", ["reference", "meaning"])
async def test_a_key_that_ends_waits_for_nobody_else(world: World, monkeypatch: pytest.MonkeyPatch, stuck: str) -> None:
    """What other keys may see is looked at beside it, and may take as long as it takes."""
    ends, other = world.key(), world.key("acme", entitled=CAISO)
    async with world.client(other) as first, world.client(ends) as client:
        await first.subscribed(id=1, channel="prices", instruments=[NODE])
        await client.subscribed(id=1, **PRICES)
        if stuck == "reference":
            monkeypatch.setattr(world.reads, "snapshot", never)
        monkeypatch.setattr(Meaning, "of", stuck_for_none)
        looked = world.reads.looked
        changed(world, other, entitled=NONE)
        await until_async(lambda: world.reads.looked > looked)
        changed(world, ends, revoked_at=START)
        assert (await client.closed())[0] == 4401


async def never(*_: Any) -> Any:
    await asyncio.Event().wait()


_MEANT = Meaning.of


async def stuck_for_none(meaning: Meaning, principal: Any, asked: Any) -> Any:
    """What who may see nothing means is never found out."""
    return await (never() if principal.entitled == NONE else _MEANT(meaning, principal, asked))


async def test_who_cannot_be_looked_at_keeps_nobody_s_rights_and_not_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = world.key("acme", entitled=CAISO), world.key()
    monkeypatch.setattr(sights, "ANSWER_S", 0.1)
    async with world.client(stuck) as first, world.client(other) as client:
        await first.subscribed(id=1, channel="prices", instruments=[NODE])
        await client.subscribed(id=1, **PRICES)
        monkeypatch.setattr(Meaning, "of", stuck_for_none)
        changed(world, stuck, entitled=NONE)
        changed(world, other, scopes=frozenset({"stream:read", "bars:read"}))
        assert (await client.frame("error"))["code"] == "scope-missing"
        assert first.of("error") == []
        monkeypatch.setattr(sights, "UNSURE_S", 0.2)
        assert (await first.closed())[0] == 4503


async def test_rights_that_are_withdrawn_while_the_reference_is_away_are_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> Any:
        raise Problem(503, "store-away", "PostgreSQL is away.")

    key, other = world.key(), world.key("acme")
    monkeypatch.setattr(sights, "UNSURE_S", 0.2)
    async with world.client(key) as client, world.client(other) as stays:
        await client.subscribed(id=1, **PRICES)
        await stays.subscribed(id=1, **PRICES)
        with monkeypatch.context() as patch:
            patch.setattr(world.reads, "snapshot", away)
            changed(world, key, scopes=frozenset({"stream:read", "bars:read"}))
            assert (await client.closed())[0] == 4503
        world.price("5")
        await stays.frame("update")


async def test_who_cannot_be_asked_at_all_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **PRICES)
        monkeypatch.setattr(world.reads, "find_keys", never)
        assert (await client.closed())[0] == 4503


def _define(world: World, legs: tuple[str, str]) -> None:
    spread = row("basis.mine", leg(legs[0]), leg(legs[1], "-1"))
    world.reads.tables |= {"spreads": pl.DataFrame([spread], schema=TABLES["spreads"].schema)}
    world.reads.version += 1


async def test_a_scope_that_is_taken_ends_its_subscriptions(world: World) -> None:
    key = world.key()
    async with world.client(key) as client:
        await client.subscribed(id=1, **PRICES)
        changed(world, key, scopes=frozenset({"stream:read", "bars:read"}))
        error = await client.frame("error")
        world.price("1")
        await world.heard()
        await client.subscribed(id=2, channel="bars", instruments=[GAS])
    assert (error["id"], error["code"], client.of("update")) == (1, "scope-missing", [])


async def test_of_a_tenant_with_a_history_older_times_are_not_sent(world: World) -> None:
    key = world.key("acme", entitled=Entitlements(history=timedelta(days=1)))
    async with world.client(key) as client, world.client(world.key()) as free:
        for each in (client, free):
            await each.subscribed(id=1, channel="bars", instruments=[GAS], interval="5m")
        world.bar("1", updated_at=clock.now())
        recent = clock.now().replace(minute=0, second=0, microsecond=0)
        world.bar("2", start=recent, end=recent + timedelta(minutes=5))
        assert [row["close"] for row in (await client.frame("update"))["data"]] == [2]
        assert [row["close"] for row in (await free.frame("update"))["data"]] == [1]


async def test_while_keys_cannot_be_looked_up_everybody_is_sent_away_after_a_while(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **PRICES)
        world.reads.keys_away = True
        await client.frame("heartbeat")
        await client.frame("heartbeat")
        assert client.of("error") == [], "a moment is no doubt"
        world.state.live.keys._sure -= 10  # pyright: ignore[reportPrivateUsage]
        assert (await client.closed())[0] == 4503
