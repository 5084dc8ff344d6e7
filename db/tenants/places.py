"""Where rows of a tenant lie. What is added there belongs here: a test compares both lists with the databases."""

from typing import Final

from pipeline.reference.tables import TABLES

POSTGRES: Final = ("api_keys", "idempotency", "instrument_names", "instruments", "usage", *TABLES)
CLICKHOUSE: Final = ("ticks", "bars", "tombstones", "told", "curve_points", "curve_told")
KEPT: Final = frozenset({"audit"})
"""Of PostgreSQL: the record of what was done outlives the tenant; it holds ids."""
