"""Latest prices as a frame, for the formats that hold columns."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import polars as pl

from api import shapes
from api.latest import aging
from api.ranges.local_time import TICK_INSTANTS, with_local
from service import clock

_SECONDS: Final = pl.Decimal(18, 3)


def table(latest: pl.DataFrame, reference: pl.DataFrame, at: datetime, timezone: str | None = None) -> pl.DataFrame:
    """Latest ticks (`Reads.latest`) as they are shown at an instant, in the order of their instruments."""
    who = reference.select("tenant", "instrument")
    ordered = who.join(latest, on=["tenant", "instrument"], maintain_order="left").select(latest.columns)
    now_us, rows = clock.to_us(at), list(aging.rows(ordered, reference, decimals_as_text=False))
    cadences = [None if row.cadence is None else Decimal(str(row.cadence)) for row in rows]
    shown = with_local(shapes.shown_ticks(ordered, reference), reference, timezone, TICK_INSTANTS)
    return shown.with_columns(
        ordered["mode"],
        pl.Series("age_seconds", [_seconds(now_us - row.start_us) for row in rows], dtype=_SECONDS),
        pl.Series("cadence_seconds", cadences, dtype=_SECONDS),
        pl.Series("status", [row.status(now_us)[0] for row in rows], dtype=pl.String),
    )


def _seconds(us: int) -> Decimal:
    """Cut to milliseconds."""
    return Decimal(us // 1000 if us >= 0 else -(-us // 1000)).scaleb(-3)
