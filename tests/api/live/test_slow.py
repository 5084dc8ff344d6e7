"""Slow clients over a real socket: each is dealt with by its policy, and nobody else notices."""

import asyncio
from asyncio.transports import BaseTransport
from types import SimpleNamespace
from typing import Any

import pytest

from api.live import connection, pending
from api.live import wire as wire_module
from api.live.frames import Frame
from api.live.pending import CLOSE_BYTES
from api.live.selection import Selection
from api.live.subscription import Subscription
from api.live.update import Update
from api.live.wire import Wire
from db.visible import Visible
from tests.api.fakes import GAS, NODE
from tests.api.live.streaming import Client, World, chained
from tests.polling import until_async

BARS: dict[str, Any] = {"channel": "bars", "instruments": [GAS], "interval": "5m"}
ROWS = 800


@pytest.fixture(autouse=True)
def _little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "SKIP_BYTES", 2**18)
    monkeypatch.setattr(pending, "CLOSE_BYTES", 2**19)


async def flood(world: World, rounds: int = 30, rows: int = ROWS) -> None:
    """More than the buffers between the two hold."""
    for turn in range(rounds):
        world.ticks(turn * rows, *(str(turn) for _ in range(rows)))
        await world.heard()


async def stalled(client: Client, **fields: Any) -> None:
    """Subscribes, and reads no more."""
    await client.subscribed(id=1, channel="ticks", instruments=[GAS], **fields)


async def rest(client: Client, seq: int) -> list[Any]:
    """All that comes up to a number."""
    while not any(frame.get("seq") == seq or frame.get("to_seq") == seq for frame in client.seen if "id" in frame):
        await client.frame("update", "gap")
    return client.seen


async def test_who_reads_nothing_and_answers_no_ping_is_gone_soon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written to it is kept by nobody: its closing never comes through."""
    real = Wire.connection_made

    def impatient(wire: Wire, transport: BaseTransport) -> None:
        wire.ping_interval = wire.ping_timeout = 0.2
        real(wire, transport)

    monkeypatch.setattr(Wire, "connection_made", impatient)
    monkeypatch.setattr(wire_module, "_CLOSING_S", 0.1)
    async with world.client(world.key(), max_queue=1) as slow:
        await stalled(slow, policy="conflate")
        await flood(world, 10)
        await until_async(lambda: len(world.state.live.hub.groups.of("ticks")) == 0)


async def test_who_asks_and_reads_nothing_is_heard_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers may be large: of what nobody reads no more is written than the buffers hold."""
    written, real = list[int](), Wire.write

    def counted(wire: Wire, frame: Frame) -> None:
        written.append(len(frame.json))
        real(wire, frame)

    nobody = [f"nobody.{'x' * 40}.{number}" for number in range(900)]
    async with world.client(world.key(), max_queue=1) as slow, world.client(world.key()) as quick:
        await slow.frame("welcome")
        monkeypatch.setattr(Wire, "write", counted)

        async def ask() -> None:
            for number in range(1, 51):
                await slow.say("subscribe", id=number, channel="prices", instruments=nobody)

        asking = asyncio.ensure_future(ask())
        await until_async(lambda: bool(written))
        for _ in range(20):
            await quick.say("ping")
            await quick.frame("pong")
        asking.cancel()
        slow.socket.transport.abort()
        assert 0 < sum(each > 50_000 for each in written) < 25


def test_what_is_offered_before_a_subscription_begins_is_bounded() -> None:
    """Its client may have stopped reading in the middle of the snapshot."""
    outlet: Any = SimpleNamespace(ready=True)
    selection = Selection("ticks", Visible(("acme",)), frozenset([GAS]))
    of = Subscription(1, selection, "conflate", outlet, lambda: 0.0)
    row: Any = SimpleNamespace(text=b"x" * 2**20)
    for seq in range(200):
        of.offer(Update([row], seq, ""))
        assert of.held <= CLOSE_BYTES + 2**20
    assert of.is_overrun, "it begins again"
    of.restart()
    assert (of.held, of.is_overrun) == (0, False)


async def test_who_may_wait_a_while_is_sent_away_after_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CLOSE_S", 0.3)
    async with world.client(world.key(), max_queue=1) as slow, world.client(world.key()) as quick:
        await stalled(slow, policy="close")
        await quick.subscribed(id=1, channel="prices", instruments=[NODE])
        await flood(world, 4)
        await until_async(lambda: len(world.state.live.hub.groups.of("ticks")) == 0)
        code, reason = await slow.closed()
        world.price("5", name=NODE)
        await quick.frame("update")
    assert code == 4508
    assert "resume" in reason
    assert chained(slow.seen)
    token = slow.of("update")[-1]["resume"]
    async with world.client(world.key()) as again:
        await again.subscribed(id=1, channel="ticks", instruments=[GAS], resume=token)
    sent = [row["known_at"] for each in (*slow.of("update"), *again.of("update")) for row in each["data"]]
    assert len(sent) == len(set(sent)) == 4 * ROWS, "each tick once"


async def test_who_has_too_much_waiting_is_sent_away_at_once(world: World) -> None:
    async with world.client(world.key(), max_queue=1) as slow:
        await stalled(slow)
        await flood(world, 14)
        code, _ = await slow.closed()
    assert code == 4508


async def test_who_skips_is_told_what_was_skipped_and_goes_on(world: World) -> None:
    async with world.client(world.key(), max_queue=1) as slow:
        await stalled(slow, policy="skip")
        await flood(world, 14)
        world.ticks(10**6, "7")
        await rest(slow, 15)
        world.ticks(10**6 + 1, "8")
        await rest(slow, 16)
    gaps = slow.of("gap")
    assert {each["reason"] for each in gaps} == {"slow"}
    rows = sum(len(each["data"]) for each in slow.of("update"))
    assert rows + sum(each["skipped"] for each in gaps) == 14 * ROWS + 2
    assert chained(slow.seen)


async def test_who_conflates_gets_the_newest_of_each(world: World) -> None:
    """Ticks of one instant are one key: the last one is there, and how many gave way."""
    async with world.client(world.key(), max_queue=1) as slow:
        await stalled(slow, policy="conflate")
        for turn in range(40):
            world.ticks(0, *(f"{turn}.{number}" for number in range(400)))
            world.reads.ticks_landed = world.reads.ticks_landed.tail(400)
            await world.heard()
        frames = await rest(slow, 40)
    updates = [frame for frame in frames if frame["type"] == "update"]
    newest = {row["interval_start"]: row["price"] for each in updates for row in each["data"]}
    assert {int(price) for price in newest.values()} == {39}
    rows = sum(len(each["data"]) for each in updates)
    assert rows + sum(each.get("conflated", 0) for each in updates) == 16_000
    assert rows < 16_000, "something gave way"
    assert chained(slow.seen)


async def test_who_closes_leaves_nothing_behind(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS)
        assert len(list(world.state.live.hub.groups)) == 1
    await until_async(lambda: not list(world.state.live.hub.groups))
    assert world.state.metrics.value("stream_connections") == 0
    await asyncio.sleep(0)
