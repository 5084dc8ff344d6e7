"""Who of a process is told history: so many at most, for it takes much of the stores."""

from api.live.subscription import Subscription
from service.metrics import Metrics


class Replays:
    """`most` at a time."""

    most = 8

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._of: dict[Subscription, None] = {}

    @property
    def has_room(self) -> bool:
        return len(self._of) < self.most

    def add(self, subscription: Subscription) -> None:
        self._of[subscription] = None
        self._metrics.set("stream_replays", len(self._of))

    def remove(self, subscription: Subscription) -> None:
        """Nothing where it is none."""
        self._of.pop(subscription, None)
        self._metrics.set("stream_replays", len(self._of))
