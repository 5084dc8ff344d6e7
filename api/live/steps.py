"""What became known, cut into steps: each is told together."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from api.live.selection import Selection
from api.live.snapshots import instruments
from api.reads.ports import Reads
from db.clickhouse.replay import BECAME, Known, Whose

A_PAGE: Final = 20_000  # prices that became known, of one read
A_STEP: Final = 1_000  # of one step, but for those of one instant
INSTANT: Final = timedelta(microseconds=1)


class Page(NamedTuple):
    """BECAME of a selection, in known order; `until`: nothing more became known up to then. `reference`: the rows of
    its instruments."""

    became: pl.DataFrame
    until: datetime
    whole: bool
    reference: pl.DataFrame


class Step(NamedTuple):
    """What became known in a span: `prices` (BECAME) of instruments of the `reference`."""

    span: Known
    prices: pl.DataFrame
    reference: pl.DataFrame


async def page(reads: Reads, selection: Selection, span: Known) -> Page:
    """What became known in a span, from its beginning on; `whole`: up to its end."""
    reference = await instruments(reads, selection)
    if reference.is_empty():
        return Page(pl.DataFrame(schema=dict(BECAME)), span.until, whole=True, reference=reference)
    found = await reads.became_known(whose(selection, reference), span, A_PAGE)
    of = found.join(reference, on=["tenant", "instrument"], how="semi", maintain_order="left")
    whole = found.height < A_PAGE
    return Page(of, span.until if whole else found["known_at"][-1], whole, reference)


def whose(selection: Selection, reference: pl.DataFrame) -> Whose:
    """Of whom it is read: of all that a market has where no instruments are named."""
    tenants = reference["tenant"].unique().sort().to_list()
    if selection.names is not None:
        return Whose(tenants, reference["instrument"].unique().sort().to_list())
    return Whose(tenants, None, selection.market or "", selection.product or "")


def first(became: pl.DataFrame, width: timedelta, now: datetime) -> pl.DataFrame:
    """Of what became known the first that is told together: what may be told by now, or at least what became known
    within a width; whole instants."""
    begin = became["known_at"][0]
    within = became.filter(pl.col("known_at") <= max(begin + width, now))
    if within.height <= A_STEP:
        return within
    border = within["known_at"][A_STEP]
    return within.filter((pl.col("known_at") < border) | (pl.col("known_at") == begin))
