"""The instruments of a snapshot of the reference, with what they are: found by id, name and class."""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from db.reference.snapshot import INSTRUMENTS, NAMES, Snapshot
from db.visible import Visible
from pipeline.reference.known import Held, held, known
from pipeline.schema import REFERENCE, conform

_KEYS: Final = ["tenant", "instrument"]


class Wanted(NamedTuple):
    """Which instruments: `search` is a part of id, location or any name in any case, the others are exact."""

    market: str | None = None
    product: str | None = None
    location: str | None = None
    search: str | None = None
    commodity: str | None = None
    region: str | None = None
    tier: str | None = None


class Catalogue:
    """What the instruments are today is kept from one version of the reference to the next. Blocks: for a thread."""

    def __init__(self) -> None:
        self._held: Held | None = None

    def find(self, snapshot: Snapshot, visible: Visible, wanted: Wanted, day: date, today: date) -> pl.DataFrame:
        """Instruments that may be seen (`KNOWN`, as of the day), in order of (instrument, tenant)."""
        rows = _plain(snapshot, visible, wanted)
        if day != today:
            found = known(rows, snapshot.tables, day)
        else:
            found = self._today(snapshot, day).join(rows.select(_KEYS), on=_KEYS, how="semi")
        of_class = (("commodity", wanted.commodity), ("region", wanted.region), ("tier", wanted.tier))
        exact = {name: value for name, value in of_class if value is not None}
        return found.filter(**exact).sort("instrument", "tenant")

    def one(self, snapshot: Snapshot, row: Mapping[str, object], day: date, today: date) -> dict[str, object]:
        """An instrument (a row of `REFERENCE`) with what it is on the day; a snapshot may not hold a new one yet."""
        if day == today:
            found = self._today(snapshot, day).filter(tenant=row["tenant"], instrument=row["instrument"])
            if found.height:
                return found.to_dicts()[0]
        [alone] = known(conform(pl.DataFrame([row]), REFERENCE), snapshot.tables, day).to_dicts()
        return alone

    def _today(self, snapshot: Snapshot, day: date) -> pl.DataFrame:
        instruments = snapshot.tables[INSTRUMENTS]
        self._held = held(instruments, snapshot.tables, snapshot.tables_version, day, self._held)
        return self._held.known


def _plain(snapshot: Snapshot, visible: Visible, wanted: Wanted) -> pl.DataFrame:
    named = (("market", wanted.market), ("product", wanted.product), ("location", wanted.location))
    exact = {name: value for name, value in named if value is not None}
    rows = snapshot.tables[INSTRUMENTS].filter(visible.condition(), **exact)
    if wanted.search is None:
        return rows
    part = pl.lit(wanted.search.lower())
    names = snapshot.tables[NAMES].filter(_holds("name", part)).select(_KEYS).with_columns(is_named=True)
    found = _holds("instrument", part) | _holds("location", part) | pl.col("is_named")
    joined = rows.join(names.unique(), on=_KEYS, how="left", maintain_order="left")
    return joined.filter(found).drop("is_named")


def _holds(column: str, part: pl.Expr) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.contains(part, literal=True).fill_null(value=False)
