"""What the fake of the stream knows of who is connected."""

from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket

from tests.page.rows import Row


@dataclass
class Subscription:
    """One of a connection."""

    id: int
    channel: str
    wanted: dict[str, Any]
    seq: int | None = None

    def wants(self, row: Row) -> bool:
        """Whether a row is of it."""
        among = self.wanted.get("instruments")
        if among is not None and row.get("instrument", row.get("curve")) not in among:
            return False
        names = {**self.wanted.get("filter", {}), "interval": self.wanted.get("interval")}
        return all(value is None or row.get(name) == value for name, value in names.items())


@dataclass
class Connection:
    """A browser that is connected."""

    socket: WebSocket
    authenticated: bool
    subscriptions: dict[int, Subscription] = field(default_factory=dict[int, Subscription])
