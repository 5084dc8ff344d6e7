"""A WebSocket of the live stream, from the handshake to its end."""

import asyncio
from typing import Final

from starlette.websockets import WebSocket

from api.live.asked import Asked, Auth, Ping, Subscribe, Unsubscribe, read
from api.live.connection import HEARTBEAT_S, SUBSCRIPTIONS
from api.live.frames import Frame, plain
from api.live.gaps import iso
from api.live.live import Live
from api.live.meaning import Refused
from api.live.pace import Pace
from api.live.wire import MESSAGE_BYTES, Wire
from api.problems import Problem
from api.security.principal import Principal
from api.state import State
from service import clock

VERSION: Final = "1"
AUTHENTICATE_S: Final = 10.0  # for a key, or a subscription to what needs none
INSTRUMENTS: Final = 1000
_BAD: Final = 20  # messages of one connection that are none


class Session:
    """Reads what a client sends, one message after the other."""

    def __init__(self, state: State, live: Live, wire: Wire) -> None:
        self._state = state
        self._live = live
        self._wire = wire
        self._pace = Pace(live.hub.monotonic)
        self._bad = 0
        self.connection = live.open(Outgoing(wire, live))

    async def run(self, websocket: WebSocket, principal: Principal | None) -> None:
        """Until either side closes."""
        if principal is not None:
            self._live.keys.watch(self.connection, principal)
        self._welcome()
        late = asyncio.get_running_loop().call_later(AUTHENTICATE_S, self._be_somebody)
        try:
            while (text := await _message(websocket)) is not None:
                await self._take(text)
                await self._wire.room()  # who does not read what was answered is not answered more
        finally:
            late.cancel()
            self._live.close(self.connection)

    def _be_somebody(self) -> None:
        if self.connection.principal is None and not self.connection.is_used:
            self.connection.dismiss(
                4408, "no-key", 'Send {"op":"auth","key":…} first, or subscribe to the channel demo.'
            )

    async def _take(self, text: str | bytes) -> None:
        if not self._pace.allows():
            self.connection.dismiss(4429, "too-many-messages", "At most 20 messages a second, 60 at once.")
            return
        asked: Asked | None = None
        try:
            asked = read(text)
            await self._do(asked)
        except ValueError as error:
            self._refuse_bad(str(error))
        except Refused as refused:
            self.connection.refuse(getattr(asked, "id", None), refused)
        except Problem as problem:
            self.connection.refuse(getattr(asked, "id", None), Refused(problem.kind, problem.detail))

    async def _do(self, asked: Asked) -> None:
        match asked:
            case Auth():
                await self._authenticate(asked.key)
            case Subscribe():
                await self.connection.subscribe(asked)
            case Unsubscribe():
                self.connection.unsubscribe(asked.id)
            case Ping():
                self.connection.way.write(plain(type="pong", id=asked.id, server_time=iso(clock.now_us())))

    async def _authenticate(self, key: str) -> None:
        if self.connection.principal is not None:
            raise Refused("authenticated", "This connection has a key. Open another one for another key.")
        known = await self._state.principals.of(key)
        principal = None if known is None else await self._live.keys.admitted(known.key_id)
        if principal is None:
            self._state.metrics.count("auth_refusals", reason="unknown")
            self.connection.dismiss(4401, "unauthorized", "This API key is malformed, unknown, expired or revoked.")
        elif self._live.keys.count(principal.key_id) >= self._live.rules.of_key:
            self.connection.dismiss(4409, "too-many-connections", too_many(self._live))
        else:
            self._live.keys.watch(self.connection, principal)
            self._welcome()

    def _refuse_bad(self, why: str) -> None:
        self._bad += 1
        if self._bad >= _BAD:
            self.connection.dismiss(
                4400, "bad-message", "Too many messages that are none. /asyncapi.json describes them."
            )
        else:
            self.connection.refuse(None, Refused("bad-message", f"{why}. /asyncapi.json describes the messages."))

    def _welcome(self) -> None:
        bounds = self._live.rules.bounds
        limits = {
            "subscriptions": SUBSCRIPTIONS, "instruments": INSTRUMENTS, "message_bytes": MESSAGE_BYTES,
            "messages_per_second": Pace.PER_SECOND, "connections_of_key": self._live.rules.of_key,
            "authenticate_seconds": AUTHENTICATE_S,
        }  # fmt: skip
        self.connection.way.write(
            plain(
                type="welcome", version=VERSION, server_time=iso(clock.now_us()),
                authenticated=self.connection.principal is not None, heartbeat_seconds=HEARTBEAT_S,
                resume_window={"seconds": bounds.seconds, "entries": bounds.entries}, limits=limits,
            )
        )  # fmt: skip


class Outgoing:
    """The way over a wire (`api.live.connection.Way`)."""

    def __init__(self, wire: Wire, live: Live) -> None:
        self._wire = wire
        self._metrics = live.hub.metrics
        self.room = wire.room
        self.send_away = wire.send_away

    @property
    def ready(self) -> bool:
        return self._wire.ready

    def write(self, frame: Frame) -> None:
        self._metrics.count("stream_frames", type=frame.type)
        self._wire.write(frame)


def too_many(live: Live) -> str:
    return f"A key has at most {live.rules.of_key} connections. Close one, or subscribe to more on one of them."


async def _message(websocket: WebSocket) -> str | bytes | None:
    """The next one; None at the end."""
    found = await websocket.receive()
    if found["type"] != "websocket.receive":
        return None
    text = found.get("text")
    return text if text is not None else found.get("bytes") or b""
