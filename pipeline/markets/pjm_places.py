"""The places of PJM's prices: pnodes by their id, in the unverified hours by their name."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline import rejects
from pipeline.checks import Check, unless
from pipeline.markets import pjm_columns

_TEXTS: Final = ("name", "type")
_ID: Final = (r"^ *[0-9]{1,15} *$", "is no pnode id")
_PLAIN_ID: Final = "^(?:0|[1-9][0-9]{0,14})$"
_WITHOUT_ZEROS: Final = pl.col("pnode").str.strip_chars().cast(pl.Int64, strict=False).cast(pl.String)
_NOT_A_NAME: Final = "is no name of a pnode (1 to 150 printable characters)"
_TEXT: Final = (r"^[^\x00-\x1f\x7f]{0,150}$", "is no text of at most 150 printable characters")
_MANY: Final = "stands for several prices of the interval and no pnode_id tells them apart: send rt_hrl_lmps"
_PRICES: Final = ("type", "price", "congestion", "loss")


def located(rows: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """The rows with their `location`; of rows known by name, `many`: their name stands for several prices."""
    if columns["pnode"] != pjm_columns.ID:
        return rows.with_columns(pl.col("pnode").str.strip_chars().alias("location"), many=_of_many(rows))
    plain = rows.select(pl.col("pnode").str.contains(_PLAIN_ID).all()).item()
    return rows.with_columns(location=pl.col("pnode") if plain else _WITHOUT_ZEROS)


def checks(columns: Mapping[str, str]) -> list[Check]:
    """What may be wrong with located rows."""
    pnode = columns["pnode"]
    texts = [unless(columns[role], role, *_TEXT) for role in _TEXTS if role in columns]
    if pnode == pjm_columns.ID:
        return [unless(pnode, "pnode", *_ID), *texts]
    odd = ~pl.col("location").fill_null("").str.contains(rejects.NAME)
    many = Check(pnode, "pnode", pl.col("many"), pl.lit(_MANY))
    return [many, Check(pnode, "pnode", odd, pl.lit(_NOT_A_NAME)), *texts]


def described(columns: Mapping[str, str]) -> dict[str, pl.Expr | str]:
    """`location, location_name, location_type` of located rows."""
    texts = {f"location_{role}": pl.col(role).str.strip_chars() for role in _TEXTS if role in columns}
    return {"location": "location", **{role: pl.when(text != "").then(text) for role, text in texts.items()}}


def _of_many(rows: pl.DataFrame) -> pl.Series:
    """Boolean: another row of the same name and interval says something else."""
    place = ("start", pl.col("pnode").str.strip_chars())
    said = pl.struct(role for role in _PRICES if role in rows.columns)
    return rows.select((said.n_unique().over(*place) > 1).alias("many"))["many"]
