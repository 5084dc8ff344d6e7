"""The live stream of a process, put together: what its routes are given, and what runs beside them."""

import asyncio
from collections.abc import Callable
from typing import Final

from api.live.closing import Closing
from api.live.connection import Connection, Way
from api.live.hub import Hub
from api.live.keys import Keys
from api.live.meaning import Meaning
from api.live.rules import Rules
from api.live.sights import Sights
from api.live.subscription import Subscription
from api.problems import Problem
from api.reads.ports import Reads
from api.security.sight import Sight
from service import clock
from service.metrics import Metrics

_LOOK_S: Final = 0.25
_SURE_S: Final = 1.0


class Live:
    def __init__(self, reads: Reads, sight: Sight, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self.hub = Hub(reads, metrics, monotonic)
        self.keys = Keys(reads, monotonic)
        self.sights = Sights(reads, self.keys, monotonic)
        self.closing = Closing(self.hub)
        self.rules = Rules()
        self._reads, self._sight = reads, sight
        self._connections: dict[Connection, None] = {}
        self.hub.lost = self._lost

    @property
    def is_full(self) -> bool:
        return len(self._connections) >= self.rules.connections

    def open(self, way: Way) -> Connection:
        connection = Connection(self.hub, Meaning(self._reads, self._sight, self.rules.demo), way)
        self._connections[connection] = None
        self.hub.metrics.set("stream_connections", len(self._connections))
        return connection

    def close(self, connection: Connection) -> None:
        connection.close()
        self.keys.forget(connection)
        self.sights.forget(connection)
        self._connections.pop(connection, None)
        self.hub.metrics.set("stream_connections", len(self._connections))

    def stop(self) -> None:
        """Sends everybody away: the process ends, or is replaced."""
        for connection in list(self._connections):
            connection.way.send_away(1012, "The server restarts. Come again, and resume.")
            connection.close()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            for part in (self.hub, self.keys, self.sights, self.closing):
                group.create_task(part.run())
            group.create_task(self._look())
            group.create_task(self._be_sure())

    async def _look(self) -> None:
        while True:
            for connection in list(self._connections):
                connection.look()
            await asyncio.sleep(_LOOK_S)

    async def _be_sure(self) -> None:
        """Asks up to when everything has landed; of what was told by then the log's end knows."""
        while True:
            try:
                known = await self.hub.reads.known_until()
                head = await self.hub.reads.log_head()
                self.hub.places.sure(head.position, clock.to_us(known))
            except Problem:
                pass  # what was sure stays so
            await asyncio.sleep(_SURE_S)

    def _lost(self, subscription: Subscription) -> None:
        for connection in list(self._connections):
            if connection.owns(subscription):
                connection.lost(subscription)
