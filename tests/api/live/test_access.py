"""Who may connect, what they may have, and that it ends when they may not any more."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from websockets.exceptions import InvalidStatus

from api.live import session, sights
from api.live.meaning import Meaning
from api.live.rules import Rules
from api.problems import Problem
from db.entitlements import Entitlements
from pipeline.reference.tables import TABLES
from service import clock
from tests.api import fakes
from tests.api.fakes import GAS, NODE, START
from tests.api.live.streaming import World, prices_of
from tests.pipeline.spreads.making import leg, row
from tests.polling import until_async

NONE, CAISO = (Entitlements(markets=frozenset(each)) for each in ([], ["caiso"]))
PRICES: dict[str, Any] = {"channel": "prices", "instruments": [GAS]}


async def refused(world: World, key: str | None = None, path: str = "", **headers: str) -> tuple[int, Any]:
    """The status and the problem of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as error:
        async with world.client(key, path, 16, **headers):
            pass
    response = error.value.response
    return response.status_code, json.loads(bytes(response.body or b""))


def changed(world: World, key: str, **fields: Any) -> None:
    key_id = key.removeprefix("gt_live_").split("_")[0]
    world.reads.keys[key_id] = replace(world.reads.keys[key_id], **fields)


async def test_a_key_goes_in_a_header_or_in_the_first_message(world: World) -> None:
    key = world.key()
    async with world.client(key) as client:
        assert (await client.frame("welcome"))["authenticated"]
    async with world.client(Authorization=f"Bearer {key}") as client:
        assert (await client.frame("welcome"))["authenticated"]
    async with world.client() as client:
        assert not (await client.frame("welcome"))["authenticated"]
        await client.say("subscribe", id=1, **PRICES)
        assert (await client.frame("error"))["code"] == "unauthorized"
        await client.say("auth", key=key)
        assert (await client.frame("welcome"))["authenticated"]
        await client.subscribed(id=1, **PRICES)
        await client.say("auth", key=key)
        assert (await client.frame("error"))["code"] == "authenticated"


@pytest.mark.parametrize("sent", ["none", "gt_live_x", "gt_live_A1b2C3d4E5f6G7h8_unknown_00000000"])
async def test_a_key_that_is_none_is_a_problem_before_anything_is_opened(world: World, sent: str) -> None:
    status, problem = await refused(world, sent)
    assert (status, problem["type"]) == (401, "/docs/errors/unauthorized")
    assert len(problem["request_id"]) >= 16
    await world.state.denials.write(every=True)
    assert [each.action for each in world.reads.records] == ["access.denied"]


async def test_two_keys_or_a_parameter_that_there_is_not_are_refused(world: World) -> None:
    key = world.key()
    assert (await refused(world, key, Authorization=f"Bearer {world.key()}"))[0] == 401
    assert (await refused(world, key, "?ticket=x"))[0] == 401
    assert (await refused(world, None, f"?key={key}"))[0] == 422
    assert (await refused(world, None, "?ticket=a&ticket=b"))[0] == 422


async def test_a_wrong_key_in_the_first_message_ends_it(world: World) -> None:
    async with world.client() as client:
        await client.say("auth", key="gt_live_nobody")
        assert (await client.closed())[0] == 4401
    assert client.of("error")[-1]["fatal"]
    assert world.state.metrics.value("auth_refusals_total", reason="unknown") == 1


async def test_a_ticket_is_good_once(world: World) -> None:
    world.reads.tickets["one"] = next(iter(_ids(world, world.key())))
    async with world.client(path="?ticket=one") as client:
        assert (await client.frame("welcome"))["authenticated"]
        await client.subscribed(id=1, **PRICES)
    assert (await refused(world, path="?ticket=one"))[0] == 401


async def test_who_says_nothing_is_sent_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "AUTHENTICATE_S", 0.1)
    async with world.client() as client, world.client(world.key()) as known:
        assert (await client.closed())[0] == 4408
        await known.subscribed(id=1, **PRICES)


async def test_the_demo_needs_no_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "AUTHENTICATE_S", 0.1)
    world.price("5")
    world.price("6", name=NODE)
    await world.heard()
    async with world.client() as client:
        await client.say("subscribe", id=1, channel="demo")
        assert (await client.frame("error"))["code"] == "demo-off"
    world.state.live.rules = Rules(demo=(GAS,))
    async with world.client() as client:
        await client.subscribed(id=1, channel="demo")
        world.price("7")
        update = await client.frame("update")
        for _ in range(3):
            await client.frame("heartbeat")
        await client.say("subscribe", id=2, channel="demo", instruments=[NODE])
        assert (await client.frame("error"))["code"] == "bad-message"
    assert (update["channel"], prices_of(client.of("snapshot")), prices_of([update])) == ("demo", [5], [7])


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://test", 101), ("http://desk.example", 101), ("http://evil.example", 403), ("null", 403)],
)
async def test_a_page_connects_from_where_it_may(world: World, origin: str, status: int) -> None:
    world.state.live.rules = Rules(origins=("http://desk.example",))
    if status == 101:
        async with world.client(world.key(), Origin=origin) as client:
            await client.frame("welcome")
        return
    answered, problem = await refused(world, world.key(), Origin=origin)
    assert (answered, problem["type"]) == (403, "/docs/errors/origin-refused")


@pytest.mark.parametrize("scopes", [frozenset({"prices:read"}), frozenset({"stream:read"})])
async def test_a_scope_that_is_missing_is_named(world: World, scopes: frozenset[str]) -> None:
    key = world.key(scopes=scopes)
    if "stream:read" not in scopes:
        status, problem = await refused(world, key)
        assert (status, "stream:read" in problem["detail"]) == (403, True)
        return
    async with world.client(key) as client:
        await client.say("subscribe", id=1, **PRICES)
        error = await client.frame("error")
    assert (error["code"], "prices:read" in error["detail"]) == ("scope-missing", True)


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


async def test_a_key_that_was_revoked_a_moment_ago_does_not_connect(world: World) -> None:
    """The guard of the REST interface remembers a key for some seconds; the stream asks anew."""
    key = world.key()
    async with world.client(key):
        pass
    changed(world, key, revoked_at=START)
    assert (await refused(world, key))[0] == 401


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


async def test_a_key_has_so_many_connections_and_a_process_so_many(world: World) -> None:
    world.state.live.rules = Rules(connections=3, of_key=2)
    key = world.key()
    async with world.client(key) as first, world.client(key) as second:
        await first.frame("welcome")
        await second.frame("welcome")
        assert (await refused(world, key))[0] == 429
        async with world.client() as third:
            await third.say("auth", key=key)
            assert (await third.closed())[0] == 4409
        async with world.client(world.key()) as other:
            await other.frame("welcome")
            assert (await refused(world, world.key()))[0] == 503


def _ids(world: World, key: str) -> list[str]:
    return [each for each in world.reads.keys if each in key]
