"""What the operator sets of the live stream."""

from typing import NamedTuple

from db.redis.landed import Bounds


class Rules(NamedTuple):
    """`bounds` of the log: how far behind a connection may be. `connections` in all, and of one key; pages of `origins`
    may connect; of the instruments `demo` everybody may have the prices."""

    bounds: Bounds = Bounds(3600, 8000)
    connections: int = 2000
    of_key: int = 50
    origins: tuple[str, ...] = ()
    demo: tuple[str, ...] = ()
