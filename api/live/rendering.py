"""Entries of the landed log as rows of JSON: the fields of the REST interface, for whoever may see them."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import msgspec
import polars as pl

from api import render, shapes
from api.latest import aging
from api.live.row import CHANNEL_OF, Change, Row
from api.reads.register import TICK
from api.shapes import BAR
from db.redis import landed
from db.redis.contents import decoded
from db.redis.landed import Entry
from db.reference.snapshot import INSTRUMENTS, Snapshot
from pipeline.curves.definitions import curves_of
from pipeline.schema import PUBLIC, Schema
from pipeline.shown import FIELDS
from service import clock

_BAR: Final[Schema] = {**BAR, "ver": pl.UInt64()}
_MANY: Final = 2_000  # rows that take long enough to be made in a thread
_CURVE_END: Final = b',"complete":null}'

Snapshots = Callable[..., Awaitable[Snapshot]]


class Renderer:
    """Knows instruments and curves from the reference."""

    def __init__(self, snapshot: Snapshots) -> None:
        self._snapshot = snapshot

    async def changes(self, entries: Sequence[Entry], past: datetime) -> list[Change]:
        """Of entries that are not ticks, in their order. `past`: the instant up to which prices have arrived."""
        snapshot = await self._snapshot()
        if not known(entries, snapshot):
            snapshot = await self._snapshot(fresh=True)
        if sum(len(entry.changes) for entry in entries) > _MANY:
            return await to_thread(_changes, entries, snapshot, past)
        return _changes(entries, snapshot, past)


def known(entries: Sequence[Entry], snapshot: Snapshot) -> bool:
    """Whether the reference has all instruments whose prices or bars have changed."""
    told = {(entry.tenant, change.instrument) for entry in entries if entry.kind != "curve" for change in entry.changes}
    if not told:
        return True
    named = pl.col("instrument").is_in([name for _, name in told])
    return told.issubset(snapshot.tables[INSTRUMENTS].filter(named).select("tenant", "instrument").iter_rows())


def _changes(entries: Sequence[Entry], snapshot: Snapshot, past: datetime) -> list[Change]:
    made = dict[str, list[Row]]()
    for kind, some in groupby(sorted(entries, key=lambda entry: entry.kind), key=lambda entry: entry.kind):
        of_kind = list(some)
        if kind == "latest":
            made |= prices_of(of_kind, snapshot)
        elif kind == "bar":
            made |= bars_of(of_kind, snapshot, past)
        elif kind == "curve":
            made |= curves_of_entries(of_kind, snapshot)
    return [Change(CHANNEL_OF[each.kind], each.seq, each.id, made.get(each.id, [])) for each in entries]


def prices_of(entries: Sequence[Entry], snapshot: Snapshot) -> dict[str, list[Row]]:
    """Rows by entry."""
    priced, gone = list[dict[str, Any]](), dict[str, list[Row]]()
    for entry in entries:
        held = {each["instrument"]: each for each in _contents(entry)}
        for change in entry.changes:
            if change.start_us is not None and (content := held.get(change.instrument)) is not None:
                priced.append(content | {"entry": entry.id})
            else:
                gone.setdefault(entry.id, []).append(without_price(entry.tenant, change.instrument, snapshot))
    rows = _by_entry(priced, price_rows(decoded(priced, TICK), snapshot.tables[INSTRUMENTS]))
    return {name: rows.get(name, []) + gone.get(name, []) for name in rows.keys() | gone.keys()}


def price_rows(latest: pl.DataFrame, reference: pl.DataFrame) -> list[Row]:
    """Latest ticks (TICK) as rows, in their order; an instrument that the reference has not is left out."""
    latest = latest.join(reference, on=["tenant", "instrument"], how="semi", maintain_order="left")
    if latest.is_empty():
        return []
    starts = latest.select("market", "product", pl.col("start").dt.epoch("us")).iter_rows()
    ages = [aging.newest_row(*each) for each in starts]
    known = reference.join(latest, on=["tenant", "instrument"], how="semi")
    shown = shapes.shown_ticks(latest, known).with_columns(
        mode=pl.lit("newest"),
        cadence_seconds=pl.Series([age.cadence for age in ages], dtype=pl.Float64),
        live_until=_instants([age.live_us for age in ages]),
        late_until=_instants([age.late_us for age in ages]),
    )
    facts = latest.select("tenant", "instrument", "market", "product", pl.col("start").dt.epoch("us")).iter_rows()
    lines = render.lines(shown)
    return [
        Row(t, i, m, p, "", 0, at_us, 0, line.encode()) for (t, i, m, p, at_us), line in zip(facts, lines, strict=True)
    ]


def without_price(tenant: str, name: str, snapshot: Snapshot) -> Row:
    """The row of an instrument that has no price any more."""
    found = snapshot.tables[INSTRUMENTS].filter(tenant=tenant, instrument=name).to_dicts()
    of: Mapping[str, Any] = found[0] if found else {"market": "", "product": ""}
    more = dict.fromkeys(("cadence_seconds", "live_until", "late_until"))
    same = {"instrument": name, "tenant": tenant, "flags": [], "market": of["market"], "product": of["product"]}
    text = msgspec.json.encode({**dict.fromkeys(FIELDS), **same, "mode": "newest", **more})
    return Row(tenant, name, of["market"], of["product"], "", 0, aging.FOR_EVER, 0, text)


def bars_of(entries: Sequence[Entry], snapshot: Snapshot, past: datetime) -> dict[str, list[Row]]:
    """Rows by entry."""
    rows = list[dict[str, Any]]()
    for entry in entries:
        held = {(each["instrument"], each["interval"], each["start"]): each for each in _contents(entry)}
        rows += [held[change[:3]] | {"entry": entry.id} for change in entry.changes if change[:3] in held]
    frame = decoded(rows, _BAR)
    found = dict[str, list[Row]]()
    for at, row in bar_rows(frame, snapshot.tables[INSTRUMENTS], past):
        found.setdefault(rows[at]["entry"], []).append(row)
    return found


def bar_rows(bars: pl.DataFrame, reference: pl.DataFrame, past: datetime) -> list[tuple[int, Row]]:
    """Bars (`_BAR`) of any intervals as rows, each with its place among them; an instrument that the reference has not
    is left out."""
    known = reference.select("tenant", "instrument", "market", "product")
    placed = bars.with_row_index("at").join(known, on=["tenant", "instrument"], maintain_order="left")
    made = list[tuple[int, Row]]()
    for (interval,), some in placed.group_by("interval", maintain_order=True):
        of = known.join(some, on=["tenant", "instrument"], how="semi")
        emptied = _emptied(some.drop("market", "product"))
        shown = shapes.shown_bars(emptied, of, past, also=("at",))
        facts = some.select("at", "tenant", "instrument", "market", "product", pl.col("start").dt.epoch("us"), "ver")
        by_place = {row[0]: row[1:] for row in facts.iter_rows()}
        for at, line in zip(shown["at"], render.lines(shown.drop("at")), strict=True):
            tenant, name, market, product, start_us, ver = by_place[at]
            made.append((at, Row(tenant, name, market, product, str(interval), start_us, start_us, ver, line.encode())))
    return sorted(made, key=lambda each: each[0])


def _emptied(bars: pl.DataFrame) -> pl.DataFrame:
    """A bar that has lost its last price has none."""
    priced = pl.col("count") > 0
    return bars.with_columns(pl.when(priced).then(name).alias(name) for name in ("open", "high", "low", "close"))


def curves_of_entries(entries: Sequence[Entry], snapshot: Snapshot) -> dict[str, list[Row]]:
    """Rows by entry."""
    found = {(each.tenant, each.curve): (each.market, each.product) for each in curves_of(snapshot.tables["curves"])}
    made = dict[str, list[Row]]()
    for entry in entries:
        held = {msgspec.json.decode(text)["curve"]: text for text in landed.contents(entry)}
        for change in entry.changes:
            name = change.instrument
            of = found.get((entry.tenant, name)) or found.get((PUBLIC, name))
            if of is not None and name in held:
                made.setdefault(entry.id, []).append(
                    curve_row(entry.tenant, name, of, change.start_us or 0, held[name])
                )
    return made


def curve_row(tenant: str, curve: str, of: tuple[str, str], session_us: int, text: bytes) -> Row:
    """A snapshot (`pipeline.curves.shown`) of a curve of this market and product."""
    market, product = of
    return Row(tenant, curve, market, product, "", session_us, session_us, 0, text[:-1] + _CURVE_END)


def tick_rows(ticks: pl.DataFrame, reference: pl.DataFrame) -> list[Row]:
    """Ticks (TICK) of instruments of the reference as rows, in their order."""
    if ticks.is_empty():
        return []
    known = reference.join(ticks, on=["tenant", "instrument"], how="semi")
    facts = ticks.select("tenant", "instrument", "market", "product", start=pl.col("start").dt.epoch("us")).iter_rows()
    lines = render.lines(shapes.shown_ticks(ticks, known))
    return [Row(t, i, m, p, "", us, us, 0, line.encode()) for (t, i, m, p, us), line in zip(facts, lines, strict=True)]


def _contents(entry: Entry) -> list[dict[str, Any]]:
    return [msgspec.json.decode(each) for each in landed.contents(entry)]


def _by_entry(priced: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows in the order of what they are of, from which some may be left out."""
    found, left = dict[str, list[Row]](), iter(priced)
    for row in rows:
        content = next(each for each in left if (each["tenant"], each["instrument"]) == (row.tenant, row.name))
        found.setdefault(content["entry"], []).append(row)
    return found


def _instants(us: Sequence[int]) -> pl.Series:
    """Null for an instant that never comes."""
    far = clock.to_us(aging.NEVER)
    return pl.Series([each if each < far else None for each in us], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
