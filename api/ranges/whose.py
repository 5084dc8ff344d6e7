"""Reads of just the pairs of tenant and instrument that may be seen.

The stores read all of some names of some tenants. Where an own instrument bears the name of a public one that the
caller may not see, beside public ones that it may, each tenant is read for itself: no page, and no position at which
one ends, follows from a row that is hidden.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import polars as pl

from api.ranges import slices
from api.reads import positions
from api.reads.ports import Names, Page, Window
from db.clickhouse.bounds import BarPosition, HistoryPosition, TickPosition

TICKS: Final = TickPosition._fields
REVISIONS: Final = HistoryPosition._fields
BARS: Final = BarPosition._fields

Read = Callable[[Names, Names, Window], Awaitable[Page]]


def groups(reference: pl.DataFrame) -> list[tuple[list[str], list[str]]]:
    """(tenants, names) that are together the pairs of these rows of the reference, and no other: one where that is
    possible."""
    of = {tenant: rows["instrument"].sort().to_list() for (tenant,), rows in reference.group_by("tenant")}
    names = list(of.values())
    if all(each == names[0] for each in names):
        return [(sorted(map(str, of)), names[0])]
    return [([str(tenant)], mine) for tenant, mine in sorted(of.items(), key=lambda each: str(each[0]))]


async def whole(read: Read, reference: pl.DataFrame, window: Window) -> pl.DataFrame:
    """All rows of all pairs, in no order; each read takes so many as the window's limit says."""
    return pl.concat([await slices.whole(partial(read, *group), window) for group in groups(reference)])


async def page(read: Read, reference: pl.DataFrame, window: Window, order: Sequence[str]) -> Page:
    """A page of all pairs in their order, whose columns are `TICKS`, `REVISIONS` or `BARS`."""
    pages = [await read(*group, window) for group in groups(reference)]
    if len(pages) == 1:
        return pages[0]
    rows = pl.concat([each.rows for each in pages]).sort(order)
    if rows.height <= window.limit and all(each.following is None for each in pages):
        return Page(rows, None)
    shown = rows.head(window.limit)
    return Page(shown, positions.plain(dict(zip(order, shown.select(order).row(-1), strict=True))))
