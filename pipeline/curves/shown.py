"""Snapshots as JSON text, column by column: what the API answers and what events carry."""

from typing import Final

import polars as pl

from pipeline import json_text, shown
from pipeline.curves.points import PointFlag
from pipeline.json_text import Pieces

_SNAPSHOT: Final = ("tenant", "curve", "session")


def snapshots(heads: pl.DataFrame, points: pl.DataFrame, *, decimals_as_text: bool = False) -> pl.DataFrame:
    """`heads` in their order with `text`: each as a JSON object with its `points` and `rejected`.

    `heads`: tenant, curve, unit and `pipeline.curves.snapshot.HEADS`, further columns as they are; `points`: tenant,
    curve and `pipeline.curves.points.POINTS`, in order.
    """
    listed = heads
    for role, name in (("point", "points"), ("rejected", "rejected")):
        made = _listed(points.filter(pl.col("role") == role), role, decimals_as_text=decimals_as_text)
        listed = listed.join(made.rename({"text": name}), on=_SNAPSHOT, how="left", maintain_order="left")
    written = {
        **{name: json_text.texts(heads[name]) for name in ("curve", "tenant")},
        "session": json_text.texts(heads["session"].cast(pl.String)),
        **{name: json_text.instants(heads[name]) for name in ("at", "known_at")},
        "version": json_text.numbers(heads["version"]),
        "partial": json_text.numbers(heads["partial"]),
        "unit": json_text.texts(heads["unit"]),
        **{name: ["[", listed[name].fill_null(""), "]"] for name in ("points", "rejected")},
    }
    return heads.with_columns(text=json_text.joined(json_text.members(written)))


def _listed(rows: pl.DataFrame, role: str, *, decimals_as_text: bool) -> pl.DataFrame:
    """`tenant`, `curve`, `session` and all rows of each as objects joined by commas."""
    if rows.is_empty():
        return rows.select(*_SNAPSHOT, text=pl.lit("", dtype=pl.String))
    amount = _quoted if decimals_as_text else json_text.amounts
    written: dict[str, Pieces] = {
        "start": json_text.instants(rows["start"]),
        "end": json_text.instants(rows["end"]),
        "product": json_text.texts(rows["product"]),
        "price": amount(rows["price"]),
        "kind": json_text.texts(rows["kind"]),
        "flags": json_text.texts(flag_names(rows["flags"])),
        "age": json_text.numbers(rows["age"]),
        "inputs": json_text.texts(rows["inputs"]),
    }
    if role == "rejected":
        written |= {"residual": amount(rows["residual"]), "reason": json_text.texts(rows["reason"])}
    texts = rows.select(*_SNAPSHOT, text=json_text.joined(json_text.members(written)))
    return texts.group_by(_SNAPSHOT, maintain_order=True).agg(pl.col("text").str.join(","))


def _quoted(column: pl.Series) -> Pieces:
    return json_text.texts(column.to_frame("a").select(shown.plain(pl.col("a"))).to_series())


def flag_names(bits: pl.Series) -> pl.Series:
    """The names (List[String]) of the flags of points."""
    distinct = bits.unique()
    names = [[flag.name or "" for flag in PointFlag if flag & each] for each in distinct]
    table = pl.DataFrame({"bits": distinct, "names": pl.Series(names, dtype=pl.List(pl.String))})
    return bits.to_frame("bits").join(table, on="bits", how="left", maintain_order="left")["names"]
