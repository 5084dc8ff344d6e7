"""The reference by names, kept as long as its version stands; the version is looked at once a second."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import polars as pl

from api.ports import Names

LOOK_S: Final = 1.0
MOST: Final = 20_000  # names, over all lists of them

_Asked = tuple[tuple[str, ...], tuple[str, ...]]


class References:
    """`changed` is called when the version has changed: what was made of the reference is old."""

    def __init__(
        self,
        version: Callable[[], Awaitable[int]],
        named: Callable[[Names, Names], Awaitable[pl.DataFrame]],
        changed: Callable[[], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._version = version
        self._named = named
        self._changed = changed
        self._monotonic = monotonic
        self._looking = asyncio.Lock()
        self._looked = float("-inf")
        self._held: dict[_Asked, pl.DataFrame] = {}
        self.present = -1

    def is_current(self) -> bool:
        """Whether the version was looked at within a second."""
        return self._monotonic() - self._looked <= LOOK_S

    async def look(self) -> int:
        """The version, at most a second old. Raises what reading it raises."""
        async with self._looking:
            if not self.is_current():
                began = self._monotonic()
                self._meet(await self._version())
                self._looked = began
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

    def _meet(self, version: int) -> None:
        if version != self.present:
            self.present = version
            self._held.clear()
            self._changed()

    def _keep(self, asked: _Asked, found: pl.DataFrame) -> None:
        self._held[asked] = found
        while sum(len(names) for _, names in self._held) > MOST:
            del self._held[next(iter(self._held))]
