"""Whether the latest prices in Redis are whole: a generation bound to the server's run id.

An emptied or restarted Redis has no (or another server's) generation: it is `building` until everything stored
has been written again by the same compare-and-set, then `ready`.
"""

from dataclasses import dataclass
from typing import Final, Literal, cast
from uuid import uuid4

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from db.redis.client import run_id

State = Literal["missing", "building", "ready"]
KEY: Final = "generation"
BUILD_S: Final = 120  # a rebuild that takes longer than this is taken for dead

# Only the build that began may end: if Redis was emptied in between, its key is gone or another's.
_FINISH: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2])
  return 1
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Generation:
    """The state of the latest prices; `epoch` changes with every rebuild."""

    state: State
    epoch: str = ""


def read(redis: Redis) -> Generation:
    """The generation as it stands; another server process counts as missing."""
    stored = cast("bytes | None", redis.get(KEY))
    return _parse(stored, run_id(redis) if stored else "")


async def read_async(redis: AsyncRedis) -> Generation:
    """The same, for asyncio."""
    stored = cast("bytes | None", await redis.get(KEY))
    if not stored:
        return Generation("missing")
    info = cast("dict[str, object]", await redis.info("server"))
    return _parse(stored, str(info["run_id"]))


def begin(redis: Redis) -> str | None:
    """Claims the rebuild of a missing generation; nothing when it is ready or another builds it.

    Gives the token that `finish` wants.
    """
    present = read(redis)
    if present.state != "missing":
        return None
    server = run_id(redis)
    token = f"{server}:building:{uuid4().hex}"
    stale = cast("bytes | None", redis.get(KEY))
    if stale is not None and not stale.startswith(server.encode()):
        redis.delete(KEY)
    return token if redis.set(KEY, token, nx=True, ex=BUILD_S) else None


def finish(redis: Redis, token: str) -> bool:
    """Declares the generation ready; False when Redis was emptied or restarted since `begin`."""
    server, _, epoch = token.split(":")
    if server != run_id(redis):
        return False
    return bool(redis.eval(_FINISH, 1, KEY, token, f"{server}:ready:{epoch}"))


def _parse(stored: bytes | None, server: str) -> Generation:
    if not stored:
        return Generation("missing")
    bound, state, epoch = stored.decode().split(":")
    if bound != server:
        return Generation("missing")
    return Generation("ready" if state == "ready" else "building", epoch)
