"""Who may connect, what they may have, and that it ends when they may not any more."""

import json
from dataclasses import replace
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from api.live import session
from api.live.rules import Rules
from db.entitlements import Entitlements
from tests.api.fakes import GAS, NODE, START
from tests.api.live.streaming import World, prices_of

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


async def test_a_key_that_was_revoked_a_moment_ago_does_not_connect(world: World) -> None:
    """The guard of the REST interface remembers a key for some seconds; the stream asks anew."""
    key = world.key()
    async with world.client(key):
        pass
    changed(world, key, revoked_at=START)
    assert (await refused(world, key))[0] == 401


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
