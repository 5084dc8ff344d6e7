"""Whatever fails, each client gets exactly what the log holds of its own, or is told exactly what it does not get.

The log is read beside the stream, from before the start. The long form: `STREAM_FAULTS=… STREAM_SECONDS=…
STREAM_CLIENTS=… STREAM_SEED=…`.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from db.postgres.access import StoredKey, create_key
from db.postgres.engine import make_engine
from db.redis.client import connect
from local.stack import Stack
from service import apikey
from service.settings import Settings
from tests.api import running_api
from tests.polling import until_async
from tests.stream import cast, faults, server
from tests.stream.checker import violations
from tests.stream.client import Client
from tests.stream.faults import KEEP, Scene
from tests.stream.history import History
from tests.stream.proxy import opened
from tests.stream.recipe import Recipe
from tests.stream.recorder import Recorder
from tests.stream.truth import Told, log_of
from tests.stream.writer import Writer, rebuild
from tests.workers.tasks.passing import OUTGOING, worker_settings

pytestmark = pytest.mark.e2e

FAULTS = int(os.environ.get("STREAM_FAULTS", str(len(faults.A_ROUND))))
SECONDS = float(os.environ.get("STREAM_SECONDS", "0"))  # at the least
CLIENTS = int(os.environ.get("STREAM_CLIENTS", str(cast.COUNT)))
SEED = int(os.environ.get("STREAM_SEED", "7"))


async def test_each_client_has_what_the_log_holds_or_was_told_what_it_lacks(
    settings: Settings, stack: Stack, tmp_path: Path
) -> None:
    async with _scene(settings, stack, tmp_path / "api.log") as scene:
        await _suffer(scene)
        scene.writer.end()
        await scene.until(lambda: scene.writer.is_over, "the last batch has landed")
        log = log_of(await asyncio.to_thread(scene.recorder.whole), scene.recipe.ticks)
        await until_async(lambda: _behind(log, scene.clients) == [], 60, "all have caught up")
    found = {number: violations(log, each.frames, each.wanted, KEEP) for number, each in enumerate(scene.clients)}
    assert {number: each[:3] for number, each in found.items() if each} == {}
    _require_faults(scene, log)


async def _suffer(scene: Scene) -> None:
    """Faults in an order of chance; each kind once before any comes again."""
    begun, done = time.monotonic(), 0
    await scene.batches(2)
    await scene.until(lambda: all(each.is_live for each in scene.clients), "all have begun")
    while done < FAULTS or time.monotonic() - begun < SECONDS:
        for name in scene.random.sample(faults.A_ROUND, len(faults.A_ROUND)):
            if done >= FAULTS and time.monotonic() - begun >= SECONDS:
                break
            await faults.inject(name, scene)
            done += 1


def _behind(log: list[Told], clients: list[Client] | object) -> list[int]:
    """Clients that have not got all yet."""
    assert isinstance(clients, list)
    behind = list[int]()
    for number, each in enumerate(clients):
        told = [one for one in History(log, each.wanted).between(log[-1].epoch, each.seq) if one.facts]
        if not each.is_live or each.epoch != log[-1].epoch or told:
            behind.append(number)
    return behind


def _require_faults(scene: Scene, log: list[Told]) -> None:
    """Nothing was proved where nothing went wrong."""
    frames = [frame for each in scene.clients for frame in each.frames]
    reasons = [frame["reason"] for frame in frames if frame["type"] == "gap"]
    ends = [end for each in scene.clients for end in each.ends]
    figures = {
        "faults": scene.happened, "batches": scene.writer.landed, "repeats": scene.writer.repeats, "entries": len(log),
        "frames": len(frames), "rows": sum(len(frame.get("data", ())) for frame in frames),
        "replayed": sum(1 for frame in frames if frame.get("replayed")),
        "conflated": sum(frame.get("conflated", 0) for frame in frames),
        "gaps": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "ends": {end: ends.count(end) for end in sorted(set(ends))},
    }  # fmt: skip
    print(json.dumps(figures))  # noqa: T201  shown by -s
    assert figures["replayed"]
    if set(scene.happened) == set(faults.A_ROUND):
        assert set(reasons) >= {"lost", "window"}
        assert "slow" in reasons or "4508" in ends or figures["conflated"], "a flood met who did not read"
        assert "TimeoutError" in ends, "a dead connection was noticed"


@asynccontextmanager
async def _scene(settings: Settings, stack: Stack, output: Path) -> AsyncGenerator[Scene]:
    recipe = Recipe(SEED, uuid4().hex[:8])
    environ = {**stack.environ, "DATA_PROC_LANDED_KEEP_ENTRIES": str(KEEP)}
    keys = await _keys(settings, recipe)
    own = {**environ, "DATA_PROC_API_DEMO_INSTRUMENTS": recipe.demo}
    worker = await asyncio.to_thread(worker_settings, settings, environ, OUTGOING)
    async with AsyncExitStack() as exits:
        recorder, writer = exits.enter_context(_written(settings, Writer(worker, recipe)))
        api = await asyncio.to_thread(exits.enter_context, _api(own, output))
        proxies = [await exits.enter_async_context(opened(api.port)) for _ in range(CLIENTS)]
        clients = cast.clients(recipe, keys, [f"ws://127.0.0.1:{each.port}/v1/stream" for each in proxies])
        running = [asyncio.ensure_future(each.run()) for each in clients]
        try:
            yield Scene(api, writer, recorder, recipe, clients, proxies, Random(SEED))
        finally:
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)


@contextmanager
def _written(settings: Settings, writer: Writer) -> Generator[tuple[Recorder, Writer]]:
    """The log from its beginning on."""
    redis = connect(settings.redis.url.get_secret_value())
    redis.flushall()
    with Recorder(redis) as recorder:
        writer.ask(rebuild)
        with writer:
            yield recorder, writer
    redis.close()


@contextmanager
def _api(environ: dict[str, str], output: Path) -> Generator[server.Server]:
    with output.open("wb") as file, server.running(environ, file) as running:
        yield running
    assert b'"level": "ERROR"' not in output.read_bytes()


async def _keys(settings: Settings, recipe: Recipe) -> dict[str, str]:
    """Of each tenant, whose instruments are registered with it."""
    engine, keys = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False), dict[str, str]()
    for tenant in recipe.tenants:
        named = [(each.name, each.market, "tick") for each in recipe.instruments if each.tenant == tenant]
        await running_api.access(settings, tenant, *named)
        key = apikey.make()
        digest = key.digest(running_api.PEPPER)
        await create_key(engine, StoredKey(key.id, tenant, "s", "analyst", None, digest, None, None))
        keys[tenant] = key.text()
    await engine.dispose()
    return keys
