"""The curve and the calendar of the tests as tables of the reference."""

import polars as pl

from pipeline.reference.tables import TABLES
from tests.pipeline.curves.making import CALENDAR, CURVE, HOLIDAY


def tables() -> dict[str, pl.DataFrame]:
    """`curves`, `holidays` and `contracts`."""
    given = {name: getattr(CURVE, name) for name in CURVE.__slots__} | {"session_end": "17:00"}
    holiday = {"tenant": "public", "calendar": "nymex", "day": HOLIDAY, "name": "none", "source": "test"}
    contracts = CALENDAR.contracts.with_columns(source=pl.lit("test"))
    made = {"curves": pl.DataFrame([given]), "holidays": pl.DataFrame([holiday]), "contracts": contracts}
    return {name: _whole(name, rows) for name, rows in made.items()}


def _whole(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        (pl.col(column) if column in rows.columns else pl.lit(None)).cast(dtype).alias(column)
        for column, dtype in TABLES[name].schema.items()
    )
