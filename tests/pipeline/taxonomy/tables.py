"""The project's own reference as `classify` takes it, and instruments for it."""

from datetime import date
from pathlib import Path

import polars as pl

from pipeline import products
from pipeline.reference.tables import TABLES

DATA = Path(__file__).parents[3] / "db" / "reference" / "data"
LABELLED = Path(__file__).with_name("labelled.csv")
DAY = date(2026, 11, 1)


def rows(table: str, *given: dict[str, object]) -> pl.DataFrame:
    """Rows of a table; what is not given is null, the tenant `public`."""
    return pl.DataFrame([{"tenant": "public", **row} for row in given], schema=dict(TABLES[table].schema))


def shipped(table: str) -> pl.DataFrame:
    """A table as the project ships it."""
    schema = TABLES[table].schema
    cells = pl.read_csv(DATA / f"{table}.csv", schema_overrides=schema)
    assert cells.columns == [name for name in schema if name != "tenant"]
    return cells.select(pl.lit("public").alias("tenant"), pl.all())


def own() -> dict[str, pl.DataFrame]:
    """The shipped rules and locations, without facts and contracts."""
    return {
        **{name: shipped(name) for name in ("taxonomy_rules", "locations")},
        **{name: rows(name) for name in ("instrument_facts", "contracts")},
    }


def instruments(cells: pl.DataFrame) -> pl.DataFrame:
    """Those of `instrument, market, product` and, if there, `tenant, location, location_type, name`, with the unit,
    currency and zone that enrichment registers (a spread is registered with those of its definition)."""
    markets = [products.MARKETS.get(name) for name in cells["market"]]
    spread = pl.col("market") == "spread"
    registered = [
        pl.Series(name, [getattr(market, name, None) for market in markets], dtype=pl.String)
        for name in ("unit", "currency", "zone")
    ]
    defined = {"unit": "USD/MWh", "currency": "USD", "zone": "America/New_York"}
    optional = {"tenant": "public", "location": None, "location_type": None, "name": None}
    return cells.with_columns(
        *(pl.lit(value, pl.String).alias(name) for name, value in optional.items() if name not in cells.columns),
        *registered,
    ).with_columns(pl.when(spread).then(pl.lit(value)).otherwise(name).alias(name) for name, value in defined.items())


def one(instrument: str, market: str = "powerx", product: str = "tick", **cells: str) -> pl.DataFrame:
    """One instrument."""
    return instruments(pl.DataFrame([{"instrument": instrument, "market": market, "product": product, **cells}]))
