"""One-time tickets: what stands for a key, once and for some seconds. Only a hash of a ticket is kept."""

import hashlib
from typing import cast

from redis.asyncio import Redis


async def keep(redis: Redis, ticket: str, key_id: str, seconds: int) -> None:
    await redis.set(_name(ticket), key_id, ex=seconds)


async def take(redis: Redis, ticket: str) -> str | None:
    """The id of the key; None where the ticket was taken, has expired, or was never given."""
    found = cast("bytes | None", await redis.getdel(_name(ticket)))
    return None if found is None else found.decode()


def _name(ticket: str) -> str:
    return f"ticket:{hashlib.sha256(ticket.encode(errors='replace')).hexdigest()}"
