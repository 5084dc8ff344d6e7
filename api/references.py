"""The reference by names, kept as long as its version stands; the version is looked at once a second."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import polars as pl

from api.reads.ports import Names
from db.visible import Visible

LOOK_S: Final = 1.0
SLOW_S: Final = 5.0  # the oldest version that is gone on with while PostgreSQL takes long to tell
PATIENCE_S: Final = 0.05
NEVER_SEEN: Final = -1
MOST: Final = 20_000  # names over all lists of them, up to 1 KiB each
_LIST: Final = 8  # what a list without names counts as

_Asked = tuple[Visible, tuple[str, ...]]


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
        self.present = NEVER_SEEN

    async def look(self) -> int:
        """The version, at most a second old; up to `SLOW_S` where a look takes longer than `PATIENCE_S`.

        Raises what reading it raises, to all who wait for the same read.
        """
        if not self.is_current():
            looking = self._under_way()
            if self._monotonic() - self._looked > SLOW_S:
                await asyncio.shield(looking)
            elif (await asyncio.wait({looking}, timeout=PATIENCE_S))[0]:
                looking.result()
        return self.present

    async def named(self, visible: Visible, names: Names) -> pl.DataFrame:
        """The instruments of those names that may be seen. A name that none has is always asked for."""
        version, asked = await self.look(), (visible, tuple(names))
        if (held := self._held.get(asked)) is not None:
            return held
        found = visible.of(await self._named(visible.tenants, names))
        if version == self.present and set(names) <= set(found["instrument"]):
            self._keep(asked, found)
        return found

    def is_current(self) -> bool:
        """Whether `present` is as old as `look` would give it without a look."""
        return self._monotonic() - self._looked <= LOOK_S

    def _under_way(self) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
            self._looking.add_done_callback(_seen)
        return self._looking

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


def _seen(looking: asyncio.Task[None]) -> None:
    """What it raised was raised to who waited, if anybody did."""
    if not looking.cancelled():
        looking.exception()
