"""Queries for latest prices as they were understood: the same address of those who see the same is not read again."""

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from starlette.responses import Response

from api.latest import aging
from api.latest.aging import Aged
from api.latest.kept import Cell, Cells, Kept, Key, Kind
from api.listing import Around
from api.reads.ports import Reads
from api.references import References
from api.security.principal import Whose
from pipeline import products
from service import clock

MOST: Final = 50_000  # rows over all pages, about 1 KiB each
_PAGE: Final = 8  # what a page without rows counts as
LOOKED_UP_US: Final = 1_000_000  # a price in force is kept no longer: the log tells of the newest prices alone


class Page:
    """Which prices a query means, as what, and what stands around them."""

    def __init__(self, kind: Kind, reference: pl.DataFrame, around: Around) -> None:
        self.kind = kind
        self.reference = reference
        self.around = around
        self.keys: Sequence[Key] = reference.select("tenant", "instrument").rows()
        self._aged: Aged | None = None
        self._changes = -1

    def text(self, kept: Kept, now_us: int) -> bytes | None:
        """The rows as JSON, where all of them are kept."""
        if self._aged is None or self._changes != kept.changes or not self._aged.holds(now_us):
            cells = kept.whole(self.kind, self.keys, now_us)
            if cells is None:
                return None
            self._aged, self._changes = _aged(cells, now_us), kept.changes
        return self._aged.text(now_us)


class Pages:
    """The pages that are remembered, and what they are answered from."""

    def __init__(self, reads: Reads, kept: Kept, references: References) -> None:
        self._reads = reads
        self._kept = kept
        self._references = references
        self._held: dict[bytes, dict[Whose, Page]] = {}
        self._weight = 0

    async def remembered(self, query: bytes, whose: Whose) -> Page | None:
        """The page of a query string; nothing once the reference has changed."""
        return self.held(query, whose, await self._references.look())

    def held(self, query: bytes, whose: Whose, version: int) -> Page | None:
        """The page of a query string under a version of the reference."""
        page = self._held.get(query, {}).get(whose)
        return page if page is not None and page.kind.version == version else None

    def kept(self, page: Page) -> bytes | None:
        """The whole answer, as things are now, where all of it is kept."""
        text = page.text(self._kept, clock.now_us()) if self._kept.is_current() else None
        return None if text is None else page.around.body(text)

    def knows(self, query: bytes) -> bool:
        """Whether anybody's page is remembered for a query string."""
        return query in self._held

    def remember(self, query: bytes, whose: Whose, page: Page) -> None:
        """Keeps a page, unless the reference has changed while it was made."""
        if page.kind.version != self._references.present:
            return
        of = self._held.setdefault(query, {})
        self._weight += _weight(query, page) - (_weight(query, of[whose]) if whose in of else 0)
        of[whose] = page
        while self._weight > MOST:
            oldest = next(iter(self._held))
            self._weight -= sum(_weight(oldest, each) for each in self._held.pop(oldest).values())

    async def answer(self, page: Page) -> Response:
        """The response, as things are now."""
        now_us = clock.now_us()
        text = page.text(self._kept, now_us) if self._kept.is_current() else None
        return page.around.response(await self._read(page, now_us) if text is None else text)

    async def _read(self, page: Page, now_us: int) -> bytes:
        async def fetch(keys: Sequence[Key]) -> Cells:
            tenants, names = ({key[at] for key in keys} for at in (0, 1))
            now = clock.now()
            found = await self._reads.latest(sorted(tenants), sorted(names), page.kind.mode, now)
            return _cells(found, page, keys, clock.to_us(now))

        cells = await self._kept.cells(page.kind, page.keys, fetch, now_us)
        now_us = clock.now_us()
        return _aged([cells[key] for key in page.keys], now_us).text(now_us)


def _weight(query: bytes, page: Page) -> int:
    return _PAGE + len(page.keys) + len(query) // 256  # an address is held about four times


def _aged(cells: Iterable[Cell], now_us: int) -> Aged:
    kept = list(cells)
    until_us = min((cell.until_us for cell in kept), default=aging.FOR_EVER)
    return aging.aged([cell.row for cell in kept if cell.row is not None], now_us, until_us)


def _cells(found: pl.DataFrame, page: Page, keys: Sequence[Key], now_us: int) -> Cells:
    """What was found of the wanted instruments, and how long it may be kept."""
    text, mode = page.kind.decimals_as_text, page.kind.mode
    found = found.join(page.reference, on=["tenant", "instrument"], how="semi", maintain_order="left")
    nothing = Cell(None, 0 if mode == "in_force" else aging.FOR_EVER)
    cells = dict.fromkeys(keys, nothing)
    ends = pl.coalesce("end", "hold_end").dt.epoch("us")
    facts = found.select("tenant", "instrument", "mode", ends, "market", "product").iter_rows()
    rows = aging.rows(found, page.reference, decimals_as_text=text)
    for row, (tenant, instrument, shown, end_us, *product) in zip(rows, facts, strict=True):
        is_newest = mode == "newest" or (mode is None and not products.product(*product).forward)
        until_us = aging.FOR_EVER if is_newest else _until(shown, end_us, now_us)
        cells[tenant, instrument] = Cell(row, until_us)
    return cells


def _until(shown: str, end_us: int | None, now_us: int) -> int:
    """Of a price that is shown because it is in force, or because none is: not at all, the next one may begin."""
    if shown == "newest":
        return 0
    return now_us + LOOKED_UP_US if end_us is None else min(end_us, now_us + LOOKED_UP_US)
