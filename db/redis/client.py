"""Connections to Redis, and the few facts about a server that others ask for."""

from collections.abc import Awaitable
from typing import Final, cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

CONNECT_S: Final = 2.0
ANSWER_S: Final = 10.0
OUTAGE: Final = (RedisError, OSError)  # what a caller that survives an outage catches


def connect(url: str) -> Redis:
    """A blocking client; connects at first use. One retry, so that a restarted server is met quietly."""
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=ANSWER_S,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), 1),
        health_check_interval=15,
    )


def connect_async(url: str) -> AsyncRedis:
    """An asyncio client; connects at first use."""
    return AsyncRedis.from_url(url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S, health_check_interval=15)


async def ask_anew(url: str) -> None:
    """One round trip over a connection of its own; raises what the driver raises."""
    async with AsyncRedis.from_url(url, socket_connect_timeout=CONNECT_S) as redis:
        await cast("Awaitable[object]", redis.ping())


def run_id(redis: Redis) -> str:
    """The id of the server process: another one after every restart."""
    info = cast("dict[str, object]", redis.info("server"))
    return str(info["run_id"])


def ping(redis: Redis) -> None:
    """One round trip; raises what the driver raises."""
    redis.ping()
