"""Reads the landed log from before the start, with redis-py alone: what was told, whoever else heard of it."""

import json
import threading
from typing import Any, Final, Self, cast

from redis import Redis

from service import zstd
from tests.stream.truth import Raw

_LOOK_S: Final = 0.02


class Recorder:
    """Follows the log in a thread of its own."""

    def __init__(self, redis: Redis) -> None:
        self.raws: list[Raw] = []
        self.epoch = ""
        self._redis = redis
        self._last = dict[str, int]()
        self._position = "0-0"
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._failures: list[Exception] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def empty(self) -> None:
        """Empties Redis; what was told up to that very moment is known."""
        self.look(emptied=True)

    def look(self, *, emptied: bool = False) -> None:
        """Reads on to the end."""
        with self._turn, self._redis.pipeline(transaction=True) as pipe:
            pipe.xrange("landed", min=f"({self._position}")
            pipe.hgetall("landed:seq")
            if emptied:
                pipe.flushall()
            found, counters = pipe.execute()[:2]
            self._take(found, cast("dict[bytes, bytes]", counters).get(b"epoch", b"").decode())
            if emptied:
                self._last.clear()

    def whole(self) -> list[Raw]:
        """All that was told; fails where something was dropped before it was read."""
        self.look()
        assert self._failures == []
        return list(self.raws)

    def count(self) -> int:
        return len(self.raws)

    def _follow(self) -> None:
        while not self._ended.wait(_LOOK_S):
            try:
                self.look()
            except Exception as error:
                self._failures.append(error)
                return

    def _take(self, found: list[Any], epoch: str) -> None:
        for key, fields in found:
            raw = _raw(epoch, fields)
            assert raw.seq == self._last.get(raw.kind, 0) + 1, f"the log was cut before {raw} was read"
            self._last[raw.kind], self._position, self.epoch = raw.seq, key.decode(), epoch
            self.raws.append(raw)


def _raw(epoch: str, fields: dict[bytes, bytes]) -> Raw:
    seq, tenant, kind = int(fields[b"seq"]), fields[b"tenant"].decode(), fields[b"kind"].decode()
    packed = fields[b"values"]
    values = json.loads(zstd.ZstdDecompressor().decompress(packed)) if packed else []
    return Raw(epoch, seq, tenant, kind, json.loads(fields[b"rows"]), values)
