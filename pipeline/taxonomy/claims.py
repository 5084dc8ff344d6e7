"""What facts, locations and rules say of each instrument, as columns in the order of the instruments.

What is said of an attribute stands in columns `A` (the value), `A points` (how sure the source is, 0 to 1), `A by`
(the source in words) and `A confirmed` (by hand).
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from pipeline.schema import PUBLIC
from pipeline.taxonomy import rules as rules_of
from pipeline.taxonomy.rules import Rule
from pipeline.taxonomy.terms import ATTRIBUTES

_UNCONFIRMED: Final = 0.9
_FACTS: Final = ("unit", "currency", "zone", "contract_size", "tick_size")


def valid(table: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows of an effective-dated table that hold on that day: [valid_from, valid_to)."""
    begun = pl.col("valid_from").is_null() | (pl.col("valid_from") <= day)
    return table.filter(begun & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day)))


def cells(instruments: pl.DataFrame, table: pl.DataFrame, on: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """`names` of the instruments' rows of `table`: the tenant's own, cell by cell, else the public ones."""
    public = pl.col("tenant") == PUBLIC
    keys, once = ["tenant", *on], table.select("tenant", *on, *names).unique(["tenant", *on], keep="last")
    own = instruments.select(keys).join(once.filter(~public), on=keys, how="left", maintain_order="left")
    shared = once.filter(public).drop("tenant")
    theirs = instruments.select(on).join(shared, on=list(on), how="left", maintain_order="left")
    return own.select(pl.coalesce(pl.col(name), theirs[name]).alias(name) for name in names)


def of_facts(instruments: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """What is said of each attribute, and `unit, currency, zone, contract_size, tick_size`."""
    confirmed = pl.col("confirmed").fill_null(value=False)
    by = pl.when(confirmed).then(pl.lit("fact confirmed by hand")).otherwise(pl.lit("fact, unconfirmed: 0.90"))
    points = pl.when(confirmed).then(1.0).otherwise(_UNCONFIRMED)
    said = facts.with_columns(
        pl.when(pl.col(name).is_not_null()).then(value).alias(f"{name} {suffix}")
        for name in ATTRIBUTES
        for suffix, value in (("points", points), ("by", by), ("confirmed", confirmed))
    )
    every = [name + suffix for name in ATTRIBUTES for suffix in ("", " points", " by", " confirmed")]
    return cells(instruments, said, ["instrument"], [*every, *_FACTS])


def of_locations(instruments: pl.DataFrame, locations: pl.DataFrame) -> pl.DataFrame:
    """`region` and what is said of it, `hub`, `load_zone`; a location is named exactly, so it is as sure as can be."""
    known = pl.col("region").is_not_null()
    said = locations.rename({"zone": "load_zone"}).with_columns(
        pl.when(known).then(1.0).alias("region points"),
        pl.when(known).then(pl.format("location {}", "location")).alias("region by"),
    )
    return cells(
        instruments, said, ["market", "location"], ["region", "region points", "region by", "hub", "load_zone"]
    )


def of_rules(instruments: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """What is said of each attribute. The highest priority speaks, at one priority a tenant's own rule before a public
    one, then the most specific. Two that contradict each other there leave no value, and `by` names both."""
    matched = rules_of.matched(instruments, rules)
    rows = instruments.select(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    said = [
        rows.join(_decided(matched, rules, name), on="row", how="left", maintain_order="left") for name in ATTRIBUTES
    ]
    return pl.concat([each.drop("row") for each in said], how="horizontal")


def _decided(matched: pl.DataFrame, rules: list[Rule], attribute: str) -> pl.DataFrame:
    claims = _claims(rules, attribute)
    found = matched.join(claims.select("rule", "order", "rank", "code"), on="rule").drop("rule")
    chosen = found.group_by("row").agg(pl.col("order").min()).join(claims, on="order")
    against = found.join(chosen.select("row", "rank", chosen="code"), on=["row", "rank"])
    rivals = against.filter(pl.col("code") != pl.col("chosen")).group_by("row").agg(pl.col("order").min())
    named = rivals.join(claims, on="order").select("row", rival=pl.format("{} ({})", "by", "value"))
    alone, both = pl.col("rival").is_null(), pl.format("{} ({}) and {} contradict each other", "by", "value", "rival")
    return chosen.join(named, on="row", how="left").select(
        "row",
        pl.when(alone).then("value").alias(attribute),
        pl.when(alone).then("points").alias(f"{attribute} points"),
        pl.when(alone).then("by").otherwise(both).alias(f"{attribute} by"),
    )


def _claims(rules: list[Rule], attribute: str) -> pl.DataFrame:
    """What rules say of an attribute by `order` of speaking; none of equal `rank` goes before another."""
    spoken = [
        (place, rule, str(getattr(rule, attribute))) for place, rule in enumerate(rules) if getattr(rule, attribute)
    ]
    claims = pl.DataFrame(
        [
            (place, -rule.priority, rule.tenant == PUBLIC, value, rules_of.specificity(rule), rules_of.shown(rule))
            for place, rule, value in spoken
        ],
        schema=_CLAIMS,
        orient="row",
    )
    return claims.sort("behind", "public", -pl.col("points"), "by", "rule").with_columns(
        rank=pl.struct("behind", "public").rle_id(),
        code=pl.col("value").rank("dense"),
        order=pl.int_range(pl.len(), dtype=pl.UInt32),
    )


_CLAIMS: Final = {
    "rule": pl.UInt32(),
    "behind": pl.Int64(),
    "public": pl.Boolean(),
    "value": pl.String(),
    "points": pl.Float64(),
    "by": pl.String(),
}
