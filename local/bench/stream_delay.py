"""How long a price and a bar take from the topic to a client, at 1,000 ticks a second through the whole pipeline."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from statistics import quantiles
from typing import Any, Final

from websockets.asyncio.client import connect

from local.bench import api_servers
from local.stack import API_PORT, Stack
from local.supervisor import Supervisor
from service import clock

Say = Callable[[str], None]
_MARKET: Final = "caiso"  # a fifth of the instruments
_SETTLE_S: Final = 10.0  # until the beginning is over
_KNOWN: Final = {"prices": "known_at", "bars": "updated_at"}


def measure(stack: Stack, supervisor: Supervisor, key: str, seconds: float, say: Say) -> dict[str, Any]:
    """Milliseconds from a message's append time to the client: p50, p99 and how many, of prices and 1-minute bars."""
    with api_servers.ingest(stack, supervisor):
        delays = asyncio.run(_listen(int(stack.environ[API_PORT]), key, seconds))
    found = {channel: _summary(each) for channel, each in delays.items()}
    say(f"from the topic to a client: {found}")
    return {"ticks_per_s": api_servers.INGESTED, **found}


async def _listen(port: int, key: str, seconds: float) -> dict[str, list[float]]:
    delays: dict[str, list[float]] = {"prices": [], "bars": []}
    headers = {"X-API-Key": key}
    async with connect(f"ws://127.0.0.1:{port}/v1/stream", additional_headers=headers, max_size=None) as socket:
        for number, channel in enumerate(delays, 1):
            more = {"interval": "1m", "policy": "conflate"} if channel == "bars" else {}
            which = {"filter": {"market": _MARKET}}
            await socket.send(json.dumps({"op": "subscribe", "id": number, "channel": channel, **which, **more}))
        begin = time.monotonic() + _SETTLE_S
        while time.monotonic() < begin + seconds:
            frame = json.loads(await socket.recv())
            if frame["type"] == "update" and time.monotonic() >= begin:
                delays[frame["channel"]] += _delays(frame, clock.now())
    return delays


def _delays(frame: dict[str, Any], now: datetime) -> list[float]:
    """Milliseconds."""
    known = (row[_KNOWN[frame["channel"]]] for row in frame["data"])
    return [(now - datetime.fromisoformat(each)).total_seconds() * 1000 for each in known if each]


def _summary(delays: Sequence[float]) -> dict[str, Any]:
    if len(delays) < 100:
        return {"rows": len(delays)}
    cuts = quantiles(delays, n=100)
    return {"p50_ms": round(cuts[49]), "p99_ms": round(cuts[98]), "rows": len(delays)}
