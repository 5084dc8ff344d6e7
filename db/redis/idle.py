"""What the bridge says of partitions in which nothing waits: everything appended before an instant has landed.

One hash: `topic/topic id/partition` → microseconds. What was noted once stays true; 0: nothing was noted
yet, and the ledger alone says how far all has landed.
"""

from collections.abc import Collection, Mapping
from typing import Final, cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

KEY: Final = "idle"


def note(redis: Redis, topic: str, topic_id: str, partitions: Collection[int], instants: Mapping[int, int]) -> None:
    """Notes the instants of some partitions of a topic, and that there are all these partitions."""
    with redis.pipeline(transaction=False) as pipe:
        for partition in partitions:
            name = f"{topic}/{topic_id}/{partition}"
            pipe.hset(KEY, name, instants[partition]) if partition in instants else pipe.hsetnx(KEY, name, "0")
        pipe.execute()


async def read_async(redis: AsyncRedis) -> dict[tuple[str, str, int], int]:
    """The instants (µs) by topic, topic id and partition."""
    stored = cast("dict[bytes, bytes]", await redis.hgetall(KEY))  # pyright: ignore[reportGeneralTypeIssues]
    found: dict[tuple[str, str, int], int] = {}
    for name, at in stored.items():
        topic, rest = name.decode().split("/", 1)  # a topic's name holds no slash, its id may
        topic_id, partition = rest.rsplit("/", 1)
        found[topic, topic_id, int(partition)] = int(at)
    return found
