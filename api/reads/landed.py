"""Up to which instant everything that was published has landed: what was known before it cannot change any more."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from db.postgres.landed import Place, Reach

NEVER: Final = 0

Reaches = Callable[[Mapping[Place, Reach]], Awaitable[dict[Place, Reach]]]


class Landed:
    """Of these topics. It looks from where the look before ended: what has landed without a hole stays so."""

    def __init__(self, reaches: Reaches, topics: Collection[str]) -> None:
        self._reaches = reaches
        self._topics = topics
        self._found: dict[Place, Reach] = {}
        self._looking = asyncio.Lock()

    async def until_us(self, idle: Mapping[tuple[str, str, int], int]) -> int:
        """Microseconds since 1970: all that is known before this instant has landed; `NEVER` where nothing is sure.

        `idle`: of partitions (topic, topic id, number) before when all that was appended has landed (`db.redis.idle`).
        """
        async with self._looking:
            self._found = await self._reaches(self._found)
            return least(self._found, idle, self._topics)


def least(found: Mapping[Place, Reach], idle: Mapping[tuple[str, str, int], int], topics: Collection[str]) -> int:
    """The earliest instant of all partitions of the topics; of one that was made again those of its newest id count."""
    every = {place: reach.known_at_us for place, reach in found.items()}
    for where, at_us in idle.items():
        place = Place(*where)
        every[place] = max(at_us, every.get(place, NEVER))
    known = {place: at_us for place, at_us in every.items() if place.topic in topics}
    newest: dict[str, tuple[int, str]] = {}
    for place, at_us in known.items():
        newest[place.topic] = max(newest.get(place.topic, (NEVER, "")), (at_us, place.topic_id))
    return min((at_us for place, at_us in known.items() if newest[place.topic][1] == place.topic_id), default=NEVER)
