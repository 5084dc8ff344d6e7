"""A small client of our own: one subscription, resumed with the newest token, every frame written down."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.stream.truth import Frame, Wanted, read

Dial = Callable[..., connect]
_OPEN_S: Final = 3.0
_PATIENCE: Final = 2.1  # heartbeats: who hears nothing for longer is alone
_DOWN: Final = (ConnectionClosed, InvalidHandshake, OSError, TimeoutError, EOFError)


class Client:
    """`dial` connects. `frames` is what it was sent, with `opened` where it connected. `ends`: why they did."""

    def __init__(self, dial: Dial, key: str | None, wanted: Wanted, seed: int) -> None:
        self.wanted = wanted
        self.frames: list[Frame] = []
        self.ends: list[str] = []
        self.seq, self.epoch, self.is_live = 0, "", False
        self._dial = dial
        self._headers = {"X-API-Key": key} if key else {}
        self._token: str | None = None
        self._silence_s = _OPEN_S
        self._random = Random(seed)

    async def run(self) -> None:
        """Connects, and again after every end, until cancelled."""
        while True:
            with suppress(*_DOWN):
                await self._once()
            await asyncio.sleep(self._random.uniform(0.05, 0.3))

    async def _once(self) -> None:
        self._silence_s = _OPEN_S
        try:
            async with self._dial(
                additional_headers=self._headers, open_timeout=_OPEN_S, max_size=2**24, max_queue=4,
                ping_interval=None, compression=None, proxy=None, close_timeout=0.2,
            ) as socket:  # fmt: skip
                await self._follow(socket)
        except BaseException as error:
            close = getattr(error, "rcvd", None)
            self.ends.append(str(close.code) if close else type(error).__name__)
            raise
        finally:
            self.is_live = False

    async def _follow(self, socket: ClientConnection) -> None:
        resume = {} if self._token is None else {"resume": self._token}
        await socket.send(json.dumps({"op": "subscribe", "id": 1, **self.wanted.asked, **resume}))
        self.frames.append({"type": "opened", "resume": self._token})
        while True:
            async with asyncio.timeout(self._silence_s):
                text = await socket.recv()
            self._take(read(text))

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame["type"] == "welcome":
            self._silence_s = _PATIENCE * float(frame["heartbeat_seconds"])
        elif frame["type"] == "heartbeat":
            for each in frame["subscriptions"]:
                self._token = each["resume"]
        elif frame["type"] == "caught_up":
            self.is_live = True
        elif "data" in frame or frame["type"] == "gap":
            self._advance(frame)

    def _advance(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "gap":
            self.is_live = self.is_live and frame["reason"] == "slow"
            self.seq = frame["to_seq"] or 0
            return
        self.seq = frame["seq"]
        if frame["resume"]:
            self._token, self.epoch = frame["resume"], frame["resume"][1:33]
