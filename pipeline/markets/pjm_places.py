"""The places of PJM's prices: pnodes by their id, in the unverified hours by their name.

A feed repeats them for each interval, so they are worked out once for each distinct one.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline import rejects
from pipeline.markets import pjm_columns

ROLES: Final = ("pnode", "name", "type")
_ID: Final = (r"^ *[0-9]{1,15} *$", "is no pnode id")
_NAME: Final = (rejects.NAME, "is no name of a pnode (1 to 150 printable characters)")
_TEXT: Final = (r"^[^\x00-\x1f\x7f]{0,150}$", "is no text of at most 150 printable characters")
_MANY: Final = "stands for several prices of the interval and no pnode_id tells them apart: send rt_hrl_lmps"
_PRICES: Final = ("type", "price", "congestion", "loss")


def places(rows: pl.DataFrame, columns: Mapping[str, str], product: str) -> pl.DataFrame:
    """`location, location_name, location_type, instrument` of rows with `pnode`, perhaps `name` and `type`, and beside
    each of these its problem (`pnode problem`, null: none)."""
    held = [role for role in ROLES if role in columns]
    distinct = rows.select(held).unique()
    told = distinct.with_columns(*_described(columns, product), *(_problem(distinct, role, columns) for role in held))
    found = rows.select(held).join(told, on=held, how="left", maintain_order="left", nulls_equal=True).drop(held)
    if columns["pnode"] == pjm_columns.ID:
        return found
    return found.with_columns(found["pnode problem"].set(_of_many(rows), _MANY))


def _described(columns: Mapping[str, str], product: str) -> list[pl.Expr]:
    location = pl.col("pnode").str.strip_chars()
    if columns["pnode"] == pjm_columns.ID:
        location = location.cast(pl.Int64, strict=False).cast(pl.String)  # without zeros before it
    return [
        location.alias("location"),
        _text("name", columns).alias("location_name"),
        _text("type", columns).alias("location_type"),
        pl.format("pjm.{}.{}", pl.lit(product), location).alias("instrument"),
    ]


def _text(role: str, columns: Mapping[str, str]) -> pl.Expr:
    return pl.col(role).str.strip_chars().replace("", None) if role in columns else pl.lit(None, dtype=pl.String)


def _problem(distinct: pl.DataFrame, role: str, columns: Mapping[str, str]) -> pl.Series:
    shape, problem = _TEXT
    cells = distinct[role].fill_null("")
    if role == "pnode":
        shape, problem = _ID if columns["pnode"] == pjm_columns.ID else _NAME
        cells = cells if shape == _ID[0] else cells.str.strip_chars()
    return rejects.unless(cells, shape, problem).alias(f"{role} problem")


def _of_many(rows: pl.DataFrame) -> pl.Series:
    """Boolean: another row of the same name and interval says something else."""
    place = ("start", pl.col("pnode").str.strip_chars())
    said = pl.struct(role for role in _PRICES if role in rows.columns)
    return rows.select((said.n_unique().over(*place) > 1).alias("many"))["many"]
