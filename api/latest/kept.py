"""Latest prices kept in this process while the landed log is followed: what is told to have changed is dropped.

Nobody is shown an older price than one that this process has shown them before. So all who ask for a price in the same
way share one read of it, and whatever else a read brings (its price was dropped meanwhile, or asked for in another way,
or nothing is followed) is shown to those who wait for it, is not kept, and drops what is kept of that price.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, cast

from api.latest.aging import Row
from api.reads.ports import Mode

MOST: Final = 20_000  # prices; about 1 KiB each
CONFIRMED_S: Final = 1.0  # without a word from the log for longer than this nothing is taken from here

Key = tuple[str, str]  # tenant, instrument


class Kind(NamedTuple):
    """As what prices are asked for: under which version of the reference, too. Of a price one kind is kept."""

    mode: Mode | None
    decimals_as_text: bool
    version: int


class Cell(NamedTuple):
    """A price, None where there is none. It may be kept until an instant, 0 not at all."""

    row: Row | None
    until_us: int


Cells = Mapping[Key, Cell]
Fetch = Callable[[Sequence[Key]], Awaitable[Cells]]
_Flight = asyncio.Task[Cells]


class Kept:
    """`changes` grows whenever something that was kept is not any more."""

    def __init__(self, monotonic: Callable[[], float], most: int = MOST) -> None:
        self._monotonic = monotonic
        self._most = most
        self._cells: dict[Key, tuple[Kind, Cell]] = {}
        self._flights: dict[Key, tuple[Kind, _Flight]] = {}
        self._confirmed = float("-inf")
        self.changes = 0

    def confirm(self, at: float) -> None:
        """All that had landed at this instant of the monotonic clock has been dropped."""
        self._confirmed = at

    def is_current(self) -> bool:
        """Whether prices may be taken from here."""
        return self._monotonic() - self._confirmed <= CONFIRMED_S

    def drop(self, keys: Iterable[Key]) -> None:
        """Forgets prices that have changed."""
        for key in keys:
            self._flights.pop(key, None)
            if self._cells.pop(key, None) is not None:
                self.changes += 1

    def clear(self) -> None:
        """Forgets everything, and keeps nothing until the next `confirm`."""
        self._flights.clear()
        self._cells.clear()
        self._confirmed = float("-inf")
        self.changes += 1

    async def cells(self, kind: Kind, keys: Sequence[Key], fetch: Fetch, now_us: int) -> Cells:
        """The prices; what is not here is read by `fetch`, which gives all it is asked for."""
        if not self.is_current():
            return await self._unkept(keys, fetch)
        found = {key: cell for key in keys if (cell := self._kept(kind, key, now_us)) is not None}
        flights = self._join(kind, [key for key in keys if key not in found], fetch)
        await asyncio.gather(*map(asyncio.shield, set(flights.values())))
        # Of each read only that for which it was joined: it may have begun before what is kept of the rest.
        return found | {key: flight.result()[key] for key, flight in flights.items()}

    def whole(self, kind: Kind, keys: Sequence[Key], now_us: int) -> list[Cell] | None:
        """The prices in order, if all of them are here."""
        cells = [self._kept(kind, key, now_us) for key in keys]
        return None if None in cells else cast("list[Cell]", cells)

    def _kept(self, kind: Kind, key: Key, now_us: int) -> Cell | None:
        held, cell = self._cells.get(key, (None, None))
        return cell if cell is not None and held == kind and now_us < cell.until_us else None

    async def _unkept(self, keys: Sequence[Key], fetch: Fetch) -> Cells:
        found = await fetch(keys)
        self.drop(keys)
        return found

    def _join(self, kind: Kind, missing: Sequence[Key], fetch: Fetch) -> Mapping[Key, _Flight]:
        """The reads that bring what is missing; a new one for what none is under way for."""
        under_way = ((key, *self._flights[key]) for key in missing if key in self._flights)
        found = {key: flight for key, of, flight in under_way if of == kind}
        if own := [key for key in missing if key not in found]:
            new = asyncio.ensure_future(self._flown(kind, own, fetch))
            found |= dict.fromkeys(own, new)
            self._flights |= dict.fromkeys(own, (kind, new))
        return found

    async def _flown(self, kind: Kind, keys: Sequence[Key], fetch: Fetch) -> Cells:
        cells: Cells = {}
        try:
            cells = await fetch(keys)
        finally:
            for key in keys:
                self._landed(kind, key, cells.get(key))
        return cells

    def _landed(self, kind: Kind, key: Key, cell: Cell | None) -> None:
        """Keeps what the present read of a price has brought; where that is not the present one, nothing is known."""
        _, present = self._flights.get(key, (None, None))
        self.drop([key])
        if present is asyncio.current_task() and cell is not None and cell.until_us:
            self._cells[key] = kind, cell
        while len(self._cells) > self._most:
            self.drop([next(iter(self._cells))])
