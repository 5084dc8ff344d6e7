"""How things are, and at which number of their channel: what the sequence of a subscription begins with."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from api.live.rendering import bar_rows, curve_row, price_rows
from api.live.row import KIND_OF, Channel, Row, Shown
from api.live.selection import Selection
from api.reads.ports import Reads
from api.reads.register import TICK
from db.redis.contents import decoded
from db.redis.live import Head
from db.reference.snapshot import INSTRUMENTS
from pipeline.bars import INTERVALS
from pipeline.curves import shown
from pipeline.curves.definitions import Curve, curves_of, for_tenant
from pipeline.schema import LATEST
from service import clock


async def shown_now(reads: Reads, selection: Selection, past: datetime) -> Shown | None:
    """All that changes beyond the number come after it; some of what comes may be in it already. None while it cannot
    be told. `past`: the instant up to which prices have arrived."""
    if selection.channel == "prices":
        return await _prices(reads, selection)
    head = await reads.log_head()
    if selection.channel == "bars":
        return _at(head, "bars", await _bars(reads, selection, past))
    rows = await _curves(reads, selection) if selection.channel == "curves" else []
    return _at(head, selection.channel, rows)


def _at(head: Head, channel: Channel, rows: Sequence[Row]) -> Shown:
    return Shown(head.counters.epoch, head.counters.last.get(KIND_OF[channel], 0), head.position, rows)


async def instruments(reads: Reads, selection: Selection) -> pl.DataFrame:
    """The rows of the reference that are of a selection, in order of (instrument, tenant)."""
    reference = (await reads.snapshot()).tables[INSTRUMENTS]
    if selection.names is not None:
        found = reference.filter(pl.col("instrument").is_in(selection.names))
    else:
        found = reference.filter(pl.col("market") == selection.market)
    known = zip(*(found[name] for name in ("tenant", "instrument", "market", "product")), strict=True)
    return found.filter(pl.Series([selection.is_of(*each) for each in known], dtype=pl.Boolean)).sort(
        "instrument", "tenant"
    )


async def _prices(reads: Reads, selection: Selection) -> Shown | None:
    reference = await instruments(reads, selection)
    names: Mapping[str, list[str]] = {
        str(tenant): some["instrument"].to_list() for (tenant,), some in reference.group_by("tenant")
    }
    found = await reads.log_prices(names)
    if found is None:
        return None
    pairs = reference.select("tenant", "instrument").iter_rows()
    held = decoded([found.prices[pair] for pair in pairs if pair in found.prices], TICK)
    return _at(found.head, "prices", await asyncio.to_thread(price_rows, held, reference))


async def _bars(reads: Reads, selection: Selection, past: datetime) -> Sequence[Row]:
    reference = await instruments(reads, selection)
    if reference.is_empty():
        return []
    intervals = [selection.interval] if selection.interval else [each for each in INTERVALS if each != "10s"]
    tenants, names = (reference[name].unique().to_list() for name in ("tenant", "instrument"))
    found = await reads.newest_bars(tenants, names, intervals)
    of = found.join(reference, on=["tenant", "instrument"], how="semi").sort("instrument", "tenant", "start")
    return [row for _, row in await asyncio.to_thread(bar_rows, of, reference, past)]


async def _curves(reads: Reads, selection: Selection) -> Sequence[Row]:
    every = curves_of((await reads.snapshot()).tables["curves"])
    wanted = [
        (tenant, curve)
        for tenant in selection.visible.tenants
        for curve in for_tenant(every, tenant)
        if selection.is_of(tenant, curve.curve, curve.market, curve.product)
    ]
    found = await asyncio.gather(*(_newest(reads, tenant, curve) for tenant, curve in wanted))
    return [row for row in found if row is not None]


async def _newest(reads: Reads, tenant: str, curve: Curve) -> Row | None:
    heads, points = await reads.curve_until(tenant, curve.curve, LATEST)
    if heads.is_empty():
        return None
    made = shown.snapshots(heads.with_columns(unit=pl.lit(curve.unit, dtype=pl.String)), points)
    session = datetime.combine(heads["session"][0], datetime.min.time(), LATEST.tzinfo)
    return curve_row(tenant, curve.curve, (curve.market, curve.product), clock.to_us(session), made["text"][0].encode())
