"""Whatever clients send: nobody else notices, every answer is as it is described, and nothing is left behind.

The long form: `FUZZ_FRAMES=20000 FUZZ_SEED=…`.
"""

import asyncio
import json
import logging
import os
from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.api.fakes import GAS
from tests.api.live import described
from tests.api.live.streaming import World
from tests.polling import until_async
from tests.stream.nonsense import Sent, messages

FRAMES = int(os.environ.get("FUZZ_FRAMES", "1000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
LAST = 2**40  # the number of a ping that no other message has


async def test_nonsense_harms_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    random, key = Random(SEED), world.key()
    tasks, sent, codes = len(asyncio.all_tasks()), 0, Counter[int | None]()
    world.state.live.rules = world.state.live.rules._replace(demo=(GAS,))
    world.price("1")
    while sent < FRAMES:
        some = list(messages(random, [key]))
        sent += len(some)
        codes[await _suffered(world, key if random.random() < 0.6 else None, some)] += 1
    assert set(codes) <= {None, 1003, 1007, 1009, 4400, 4401, 4409, 4429}, codes
    assert set(codes) >= {None, 1007, 1009, 4400, 4401, 4429}, codes
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    await _require_nothing_left(world, tasks)
    async with world.client(key) as fresh:
        await fresh.subscribed(id=1, channel="prices", instruments=[GAS])
        world.price("2", 1)
        await fresh.frame("update")


async def _suffered(world: World, key: str | None, some: list[Sent]) -> int | None:
    """With which code the connection ended; None where it lives on."""
    async with world.client(key) as client:
        reading = asyncio.ensure_future(_read(client.socket))
        with suppress(ConnectionClosed):
            for message in some:
                await _send(client.socket, message)
            await client.say("ping", id=LAST)
        async with asyncio.timeout(20):
            return await reading


async def _send(socket: ClientConnection, message: Sent) -> None:
    if isinstance(message, bytearray):
        await socket.send(bytes(message), text=True)
    else:
        await socket.send(message)


async def _read(socket: ClientConnection) -> int | None:
    """Reads up to the answer to the last message, or the end; each frame is as it is described."""
    try:
        async for text in socket:
            frame = json.loads(text)
            described.require(frame)
            if frame["type"] == "pong" and frame["id"] == LAST:
                return None
    except ConnectionClosed:
        pass
    close = socket.protocol.close_rcvd
    assert close is not None, "it was cut off"
    return close.code


async def _require_nothing_left(world: World, tasks: int) -> None:
    live = world.state.live
    await until_async(lambda: not list(live.hub.groups), what="no subscription is left")
    await until_async(lambda: world.state.metrics.value("stream_connections") == 0, what="no connection is left")
    await until_async(lambda: len(asyncio.all_tasks()) <= tasks, 20, "no task is left")


def test_what_is_made_up_comes_again_from_the_same_seed() -> None:
    first, again, another = (list(messages(Random(seed), ["k"])) for seed in (3, 3, 4))
    assert first == again != another


async def test_text_that_is_none_ends_the_connection_and_is_no_mistake_of_ours(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for message in (bytearray(b"\xa4"), [b"\xc3", b"\x28"]):
        async with world.client(world.key()) as client:
            await client.frame("welcome")
            await client.socket.send(bytes(message) if isinstance(message, bytearray) else message, text=True)
            assert (await client.closed())[0] == 1007
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_letter_may_be_cut_in_two(world: World) -> None:
    async with world.client(world.key()) as client:
        text = '{"op":"subscribe","id":1,"channel":"ticks","instruments":["\u00e9"]}'.encode()
        at = text.index("é".encode()) + 1
        await client.socket.send([text[:at], text[at:]], text=True)
        assert (await client.frame("subscribed"))["errors"][0]["instrument"] == "é"


async def test_who_sends_too_much_is_told_so_while_more_is_on_its_way(world: World) -> None:
    """What was not read would break the connection before the reason arrives."""
    large = Frame(Opcode.TEXT, b"x" * 70_000).serialize(mask=True)
    async with world.client(world.key()) as client:
        await client.frame("welcome")
        client.socket.transport.write(large * 40)
        assert (await client.closed())[0] == 1009
    await until_async(lambda: world.state.metrics.value("stream_connections") == 0)
