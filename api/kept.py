"""Latest prices kept in this process while the landed log is followed: what is told to have changed is dropped.

One read of a price is under way at a time and all who ask for it share it, so that no answer shows an older price
than one that began after it had ended. A read during which its price was dropped is shown to those who wait for it,
and not kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, cast

from api.aging import Row
from api.ports import Mode

MOST: Final = 20_000  # instruments; about 1 KiB each
CONFIRMED_S: Final = 1.0  # without a word from the log for longer than this nothing is taken from here

Key = tuple[str, str]  # tenant, instrument


class Kind(NamedTuple):
    """As what prices are asked for."""

    mode: Mode | None
    decimals_as_text: bool


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
        self._cells: dict[Key, dict[Kind, Cell]] = {}
        self._flights: dict[Key, dict[Kind, _Flight]] = {}
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
        self.forget()
        self._confirmed = float("-inf")

    def forget(self) -> None:
        """Forgets everything."""
        self._flights.clear()
        self._cells.clear()
        self.changes += 1

    async def cells(self, kind: Kind, keys: Sequence[Key], fetch: Fetch, now_us: int) -> Cells:
        """The prices; what is not here is read by `fetch`, which gives all it is asked for."""
        if not self.is_current():
            return await fetch(keys)
        found: dict[Key, Cell] = {key: cell for key in keys if (cell := self._kept(kind, key, now_us)) is not None}
        for flight in self._join(kind, [key for key in keys if key not in found], fetch):
            found |= await asyncio.shield(flight)
        return found

    def whole(self, kind: Kind, keys: Sequence[Key], now_us: int) -> list[Cell] | None:
        """The prices in order, if all of them are here."""
        cells = [self._kept(kind, key, now_us) for key in keys]
        return None if None in cells else cast("list[Cell]", cells)

    def _kept(self, kind: Kind, key: Key, now_us: int) -> Cell | None:
        kinds = self._cells.get(key)
        cell = kinds.get(kind) if kinds is not None else None
        return cell if cell is not None and now_us < cell.until_us else None

    def _join(self, kind: Kind, missing: Sequence[Key], fetch: Fetch) -> set[_Flight]:
        """The reads that bring what is missing; a new one for what none is under way for."""
        found = {key: self._flights.get(key, {}).get(kind) for key in missing}
        if own := [key for key, flight in found.items() if flight is None]:
            new = asyncio.ensure_future(self._flown(kind, own, fetch))
            for key in own:
                self._flights.setdefault(key, {})[kind] = found[key] = new
        return {flight for flight in found.values() if flight is not None}

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
        flights = self._flights.get(key, {})
        if flights.get(kind) is not asyncio.current_task():
            self.drop([key])
            return
        del flights[kind]
        if not flights:
            del self._flights[key]
        if cell is not None and cell.until_us:
            self._cells.setdefault(key, {})[kind] = cell
        while len(self._cells) > self._most:
            self.drop([next(iter(self._cells))])
