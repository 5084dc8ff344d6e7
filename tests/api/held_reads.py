"""Reads that wait until a test answers them, and those who ask for what they bring."""

import asyncio
from collections.abc import Sequence
from typing import Final

from api.latest.aging import FOR_EVER, Row
from api.latest.kept import Cell, Cells, Kept, Key, Kind

NUMBERS: Final = Kind(None, decimals_as_text=False, version=1)
TEXTS: Final = Kind(None, decimals_as_text=True, version=1)
A: Final = ("public", "A")
B: Final = ("public", "B")


def priced(price: str, until_us: int = FOR_EVER) -> Cell:
    return Cell(Row(price.encode(), 0, 0, 0, 0, None), until_us)


class Store:
    """A store whose reads wait until the test answers them."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Key]] = []
        self._answers: list[asyncio.Future[Cells]] = []

    async def fetch(self, keys: Sequence[Key]) -> Cells:
        self.asked.append(keys)
        self._answers.append(asyncio.get_running_loop().create_future())
        return await self._answers[-1]

    async def answer(self, read: int, **prices: Cell) -> None:
        self._answers[read].set_result({("public", name): cell for name, cell in prices.items()})
        await turns()

    async def fail(self, read: int) -> None:
        self._answers[read].set_exception(ConnectionError("gone"))
        await turns()


async def turns() -> None:
    """Lets everything that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


class Asking:
    """Callers of one `Kept`; each call is a task that has begun."""

    def __init__(self, kept: Kept, store: Store) -> None:
        self._kept = kept
        self._store = store

    async def __call__(self, *keys: Key, kind: Kind = NUMBERS, now_us: int = 0) -> asyncio.Task[Cells]:
        task = asyncio.ensure_future(self._kept.cells(kind, keys, self._store.fetch, now_us))
        await turns()
        return task
