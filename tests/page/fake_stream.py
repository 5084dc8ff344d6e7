"""`WS /v1/stream` from memory: a log of each channel, subscriptions, and faults when a test wants them."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.page.connections import Connection, Subscription
from tests.page.rows import Row, now, text

BEAT_S: Final = 1.0
_KEYS: Final = {"bars": ("instrument", "interval"), "curves": ("curve",)}


class FakeStream:
    """What a test publishes reaches every connection; `silent` sends nothing more, `refuse` closes at once.

    `away`: of a channel the codes of errors that answer the next subscriptions.
    """

    def __init__(self) -> None:
        self.seqs: dict[str, int] = defaultdict(int)
        self.log: list[tuple[str, int, list[Row]]] = []
        self.newest: dict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)
        self.connections: list[Connection] = []
        self.heard: list[dict[str, Any]] = []
        self.tickets: set[str] = set()
        self.silent = False
        self.refuse: int | None = None
        self.state = "live"
        self.demo = True
        self.lost = False
        self.away: dict[str, list[str]] = defaultdict(list)

    async def serve(self, socket: WebSocket) -> None:
        """One connection until it ends."""
        await socket.accept()
        if self.refuse is not None:
            await socket.close(self.refuse)
            return
        ticket = socket.query_params.get("ticket", "")
        connection = Connection(socket, ticket in self.tickets)
        self.tickets.discard(ticket)
        self.connections.append(connection)
        beats = asyncio.create_task(self._beat(connection))
        try:
            await self._send(connection, self._welcome(connection))
            while True:
                await self._heard(connection, await socket.receive_json())
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            beats.cancel()
            if connection in self.connections:
                self.connections.remove(connection)

    async def publish(self, channel: str, *rows: Row) -> None:
        """The next change of a channel."""
        self.seqs[channel] += 1
        seq = self.seqs[channel]
        self.log.append((channel, seq, list(rows)))
        self.put(channel, *rows)
        for connection in [*self.connections]:
            for each in [*connection.subscriptions.values()]:
                if each.channel == channel:
                    await self._update(connection, each, seq, list(rows), replayed=False)

    def put(self, channel: str, *rows: Row) -> None:
        """How things are, told by the next snapshot alone."""
        for row in rows:
            self.newest[channel][tuple(row[name] for name in _KEYS.get(channel, ("instrument",)))] = row

    async def everyone(self, frame: Row) -> None:
        """A frame for each subscription of its channel."""
        for connection in [*self.connections]:
            for each in connection.subscriptions.values():
                if each.channel == frame["channel"]:
                    await self._send(connection, frame | {"id": each.id})

    async def cut(self, code: int = 1012) -> None:
        """Closes every connection."""
        for connection in [*self.connections]:
            self.connections.remove(connection)
            await connection.socket.close(code)

    def said(self, op: str) -> list[dict[str, Any]]:
        """What browsers sent with that `op`."""
        return [each for each in self.heard if each["op"] == op]

    async def _heard(self, connection: Connection, message: dict[str, Any]) -> None:
        self.heard.append(message)
        if message["op"] == "ping":
            await self._send(connection, {"type": "pong", "id": message.get("id"), "server_time": text(now())})
        elif message["op"] == "unsubscribe":
            connection.subscriptions.pop(message["id"], None)
            await self._send(connection, self._subscribed(connection, message["id"]))
        elif message["op"] == "subscribe":
            await self._subscribe(connection, message)

    async def _subscribe(self, connection: Connection, message: dict[str, Any]) -> None:
        number, channel = message["id"], message["channel"]
        refused = self._refusal(connection, channel)
        if refused is not None:
            await self._send(connection, {"type": "error", "id": number, "fatal": False} | refused)
            return
        wanted = {name: message[name] for name in ("instruments", "filter", "interval") if name in message}
        made = connection.subscriptions[number] = Subscription(number, channel, wanted)
        await self._send(connection, self._subscribed(connection, number))
        if (resume := message.get("resume")) is None:
            await self._snapshot(connection, made)
        else:
            await self._resume(connection, made, int(resume.rpartition(":")[2]))
        await self._send(connection, {"type": "caught_up", "id": number, "channel": channel, "seq": made.seq})

    def _refusal(self, connection: Connection, channel: str) -> Row | None:
        if self.away[channel]:
            return {"code": self.away[channel].pop(0), "detail": "clickhouse does not answer."}
        if channel == "demo":
            return None if self.demo else {"code": "demo-off", "detail": "There is no demo here."}
        if connection.authenticated:
            return None
        return {"code": "unauthorized", "detail": f"The channel {channel} needs a key."}

    async def _resume(self, connection: Connection, made: Subscription, seq: int) -> None:
        made.seq = seq
        if self.lost:
            gap = {"type": "gap", "reason": "lost", "from_seq": seq, "to_seq": None, "since": text(now())}
            gap |= {"until": text(now()), "fill": [f"/v1/changes?channel={made.channel}"]}
            await self._send(connection, gap | {"id": made.id, "channel": made.channel, "skipped": None})
            await self._snapshot(connection, made)
            return
        for channel, at, rows in [*self.log]:
            if channel == made.channel and at > seq:
                await self._update(connection, made, at, rows, replayed=True)

    async def _snapshot(self, connection: Connection, made: Subscription) -> None:
        rows = [row for row in self.newest[made.channel].values() if made.wants(row)]
        made.seq = self.seqs[made.channel]
        half = (len(rows) + 1) // 2
        parts = [rows[:half], rows[half:]] if len(rows) > 8 else [rows]
        for at, part in enumerate(parts, 1):
            head = {"type": "snapshot", "prev_seq": None, "part": at, "parts": len(parts)}
            await self._send(connection, self._data(made, made.seq, part) | head)

    async def _update(
        self, connection: Connection, each: Subscription, seq: int, rows: list[Row], *, replayed: bool
    ) -> None:
        meant = [row for row in rows if each.wants(row)]
        if not meant:
            return
        head = {"type": "update", "prev_seq": each.seq, "replayed": replayed}
        each.seq = seq
        await self._send(connection, self._data(each, seq, meant) | head)

    @staticmethod
    def _data(each: Subscription, seq: int, rows: list[Row]) -> Row:
        return {"id": each.id, "channel": each.channel, "seq": seq, "resume": f"{each.channel}:{seq}", "data": rows}

    def _subscribed(self, connection: Connection, number: int) -> Row:
        every = [{"id": each.id, "channel": each.channel} for each in connection.subscriptions.values()]
        made = connection.subscriptions.get(number)
        named = made.wanted.get("instruments", []) if made and made.channel == "prices" else []
        unknown = [name for name in named if (name,) not in self.newest["prices"]]
        errors = [{"instrument": name, "code": "not-found", "detail": "there is no such one."} for name in unknown]
        return {"type": "subscribed", "id": number, "subscriptions": every, "errors": errors}

    @staticmethod
    def _welcome(connection: Connection) -> Row:
        return {
            "type": "welcome", "version": "1", "server_time": text(now()), "authenticated": connection.authenticated,
            "heartbeat_seconds": BEAT_S, "resume_window": {"seconds": 3600, "entries": 8000}, "limits": {},
        }  # fmt: skip

    async def _beat(self, connection: Connection) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            held = connection.subscriptions.values()
            known = [
                {"id": each.id, "seq": each.seq, "resume": f"{each.channel}:{self.seqs[each.channel]}"} for each in held
            ]
            beat = {"type": "heartbeat", "server_time": text(now()), "state": self.state}
            beat["known_until"] = text(now() - timedelta(seconds=1.8))
            await self._send(connection, beat | {"channels": dict(self.seqs), "subscriptions": known})

    async def _send(self, connection: Connection, frame: Row) -> None:
        if not self.silent:
            await connection.socket.send_json(frame)
