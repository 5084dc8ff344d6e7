"""What workers tell the bridge: landed ranges, data errors, and which batches a worker has in hand.

Everything is named by the assignment, so that an earlier one's late tasks cannot speak for the present one.
"""

from typing import Any, Final, cast

import msgspec
from redis import Redis

TTL_S: Final = 3600
_OPENED: Final = b"opened"  # a field that no batch has: its absence shows that Redis was emptied


class Ack(msgspec.Struct, frozen=True):
    """The range [first, next) has landed, or (with `error`) a worker refuses its data.

    The counts are deterministic for a range; `lead`, `trail`, `longest` and `parts` are runs of refused messages.
    """

    partition: int
    first: int
    next: int
    messages: int = 0
    ticks: int = 0
    rejects: int = 0
    dead_letters: int = 0
    invalid: int = 0
    lead: int = 0
    trail: int = 0
    longest: int = 0
    parts: tuple[int, ...] = ()
    error: str = ""


_DECODER: Final = msgspec.msgpack.Decoder(Ack)

Batch = tuple[str, str]
"""Assignment and batch id."""


def push(redis: Redis, assignment: str, ack: Ack) -> None:
    """Reports to the bridge."""
    key = _acks(assignment)
    with redis.pipeline(transaction=False) as pipe:
        pipe.rpush(key, msgspec.msgpack.encode(ack))
        pipe.expire(key, TTL_S)
        pipe.execute()


def pop(redis: Redis, assignment: str, most: int, wait_s: float = 0.0) -> list[Ack]:
    """Takes up to `most` reports, oldest first; waits up to `wait_s` for the first one."""
    key = _acks(assignment)
    blobs = cast("list[bytes] | None", redis.lpop(key, most)) or []
    if not blobs and wait_s > 0:
        found = cast("tuple[bytes, bytes] | None", redis.blpop([key], timeout=wait_s))
        blobs = [found[1]] if found else []
    return [_DECODER.decode(blob) for blob in blobs]


def open_starts(redis: Redis, assignment: str) -> None:
    """Begins the record of what workers have in hand."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.hset(_starts(assignment), key=cast("Any", _OPENED), value="1")
        pipe.expire(_starts(assignment), TTL_S)
        pipe.execute()


def is_open(redis: Redis, assignment: str) -> bool:
    """Whether the record is still there; if not, Redis has lost everything, queues included."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.hexists(_starts(assignment), cast("Any", _OPENED))
        pipe.expire(_starts(assignment), TTL_S)
        return bool(pipe.execute()[0])


def start(redis: Redis, *batches: Batch, stage: str) -> None:
    """A worker takes batches in hand."""
    with redis.pipeline(transaction=False) as pipe:
        for assignment, batch_id in batches:
            pipe.hset(_starts(assignment), batch_id, stage)
        pipe.execute()


def finish(redis: Redis, *batches: Batch) -> None:
    """The worker lets go of them, whatever the outcome: only a death leaves the record standing."""
    with redis.pipeline(transaction=False) as pipe:
        for assignment, batch_id in batches:
            pipe.hdel(_starts(assignment), batch_id)
        pipe.execute()


def take_started(redis: Redis, assignment: str, batch_id: str) -> str | None:
    """The stage in which a worker took the batch in hand and did not let go; told once, so that a death counts once."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.hget(_starts(assignment), batch_id)
        pipe.hdel(_starts(assignment), batch_id)
        stage = cast("bytes | None", pipe.execute()[0])
    return stage.decode() if stage is not None else None


def _acks(assignment: str) -> str:
    return f"acks:{assignment}"


def _starts(assignment: str) -> str:
    return f"starts:{assignment}"
