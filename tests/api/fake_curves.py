"""What the routes read of curves, computed from publications in a list."""

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from db.clickhouse.curves import STORED_HEADS, STORED_POINTS, Inputs, Stored
from pipeline.curves.snapshot import build
from pipeline.schema import conform
from tests.db.clickhouse.rows import publications
from tests.pipeline.curves.making import CALENDAR, CURVE, Row


class FakeCurves:
    """That part of the reads of tests; `published` are the publications of `CURVE`."""

    def __init__(self) -> None:
        super().__init__()
        super().__init__()
        self.published: list[Row] = []

    async def curve_snapshots(self, tenant: str, curve: str, first: date, last: date, limit: int) -> Stored:
        held = self._stored(tenant, curve)
        heads = held.heads.filter(pl.col("session").is_between(first, last)).head(limit)
        return Stored(heads, held.points.join(heads, on="session", how="semi", maintain_order="left"))

    async def curve_until(self, tenant: str, curve: str, at: datetime) -> Stored:
        held = self._stored(tenant, curve)
        heads = held.heads.filter(pl.col("at") <= at).tail(1)
        return Stored(heads, held.points.join(heads, on="session", how="semi", maintain_order="left"))

    async def curve_sessions(
        self, tenant: str, curve: str, span: tuple[date, date], known: datetime, limit: int, *, newest: bool
    ) -> Sequence[date]:
        heads = self._stored(tenant, curve).heads.filter(pl.col("first_known") <= known)
        days = heads.filter(pl.col("session").is_between(*span))["session"].sort(descending=newest)
        return days.head(limit).to_list()

    async def curve_publications(self, of: Inputs, known: datetime | None) -> pl.DataFrame:
        rows = [row for row in self._published_for(of.tenant) if of.low <= row["ts"] <= of.high]
        return publications([row for row in rows if known is None or row["known_at"] <= known])

    def _published_for(self, tenant: str) -> list[Row]:
        return [row for row in self.published if row["tenant"] == tenant]

    def _stored(self, tenant: str, curve: str) -> Stored:
        built = build(CURVE, publications(self._published_for(tenant) if curve == CURVE.curve else []), CALENDAR)
        whose = {"tenant": pl.lit(tenant), "curve": pl.lit(curve)}
        heads = built.heads.with_columns(**whose).select(list(STORED_HEADS))
        return Stored(conform(heads, STORED_HEADS), conform(built.points.with_columns(**whose), STORED_POINTS))
