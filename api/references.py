"""The reference by names, kept as long as its version stands; the version is looked at once a second."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import polars as pl

from api.ports import Names

LOOK_S: Final = 1.0
MOST: Final = 20_000  # names over all lists of them, up to 1 KiB each
_LIST: Final = 8  # what a list without names counts as

_Asked = tuple[tuple[str, ...], tuple[str, ...]]


class References:
    """What is made of the reference holds as long as `present`, the version that was seen last, does."""

    def __init__(
        self,
        version: Callable[[], Awaitable[int]],
        named: Callable[[Names, Names], Awaitable[pl.DataFrame]],
        monotonic: Callable[[], float],
    ) -> None:
        self._version = version
        self._named = named
        self._monotonic = monotonic
        self._looking: asyncio.Task[None] | None = None
        self._looked = float("-inf")
        self._held: dict[_Asked, pl.DataFrame] = {}
        self.present = -1

    async def look(self) -> int:
        """The version, at most a second old. Raises what reading it raises, to all who wait for the same read."""
        if not self._is_current():
            if self._looking is None or self._looking.done():
                self._looking = asyncio.ensure_future(self._look())
            await asyncio.shield(self._looking)
        return self.present

    async def named(self, tenants: Names, names: Names) -> pl.DataFrame:
        """The instruments of those names that the tenants have. A name that none of them has is always asked for."""
        version, asked = await self.look(), (tuple(tenants), tuple(names))
        if (held := self._held.get(asked)) is not None:
            return held
        found = await self._named(tenants, names)
        if version == self.present and set(names) <= set(found["instrument"]):
            self._keep(asked, found)
        return found

    def _is_current(self) -> bool:
        return self._monotonic() - self._looked <= LOOK_S

    async def _look(self) -> None:
        began = self._monotonic()
        version = await self._version()
        if version != self.present:
            self.present = version
            self._held.clear()
        self._looked = began

    def _keep(self, asked: _Asked, found: pl.DataFrame) -> None:
        self._held[asked] = found
        while sum(_LIST + len(names) for _, names in self._held) > MOST:
            del self._held[next(iter(self._held))]
