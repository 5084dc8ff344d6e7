"""A taxonomy rule, how specific it is and which instruments it matches."""

from typing import Final, NamedTuple

import polars as pl

from pipeline.schema import PUBLIC
from pipeline.taxonomy.terms import FIELDS

_MARKET, _PRODUCT, _TYPE, _WORD, _EDGE, _PATTERN, _WHOLE = 0.7, 0.7, 0.5, 0.7, 0.6, 0.7, 0.9
_OTHER: Final = "[^A-Z0-9]+"  # what stands between words
_NONE: Final = pl.Series([], dtype=pl.UInt32)
_EXACT: Final = ("tenant", "market", "product", "location_type")


class Rule(NamedTuple):
    """A row of `taxonomy_rules`: conditions (null: any), then what it says of an instrument that meets them all."""

    tenant: str
    rule: str
    priority: int
    market: str | None
    product: str | None
    location_type: str | None
    field: str | None
    match: str | None
    text: str | None
    commodity: str | None
    region: str | None
    tier: str | None


def read(rules: pl.DataFrame) -> list[Rule]:
    """The rows as rules, in the order of the frame."""
    return [Rule._make(row) for row in rules.select(Rule._fields).iter_rows()]


def specificity(rule: Rule) -> float:
    """1 − Π (1 − weight) over the rule's conditions, between 0 and 1: it grows with each condition.

    Weights: market 0.7, product 0.7, location type 0.5, each word of a text 0.7, prefix or suffix 0.6, pattern 0.7,
    one that describes the whole text (`^…$`) 0.9.
    """
    missing = 1.0
    for weight in _weights(rule):
        missing *= 1 - weight
    return 1 - missing


def shown(rule: Rule) -> str:
    """The rule in words: its name, what it looks at, how specific it is."""
    named = [name for name in ("market", "product", "location_type") if getattr(rule, name) is not None]
    text = [f"{rule.match} in {rule.field}"] if rule.match else []
    whose = "" if rule.tenant == PUBLIC else f" of {rule.tenant}"
    conditions = ", ".join([*named, *text]).replace("_", " ")
    return f"rule {rule.rule}{whose} ({conditions}: {specificity(rule):.2f})"


def _weights(rule: Rule) -> list[float]:
    named = ((rule.market, _MARKET), (rule.product, _PRODUCT), (rule.location_type, _TYPE))
    return [weight for value, weight in named if value is not None] + _text_weights(rule.match, rule.text or "")


def _text_weights(match: str | None, text: str) -> list[float]:
    if match == "word":
        return [_WORD] * len(text.split())
    if match == "pattern":
        return [_WHOLE if text.startswith("^") and text.endswith("$") else _PATTERN]
    return [_EDGE] if match else []


def matched(instruments: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """(`rule`: place in `rules`, `row` of `instruments`) of every rule that matches.

    Instruments: `tenant, market, product, location_type` and the texts `instrument, location, name`. A word is what
    stands between characters that are neither letters nor digits (`_` is none of them), in any case; several words
    stand side by side in that order. Prefixes and suffixes are in any case; a pattern is as written, in RE2's syntax.
    """
    alike = instruments.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32)).group_by(_EXACT).agg("row")
    texts = _prepared(instruments, rules)
    rows = [_rows(rule, alike, texts) for rule in rules]
    places = pl.int_range(len(rules), dtype=pl.UInt32, eager=True).repeat_by(pl.Series(map(len, rows), dtype=pl.UInt32))
    return pl.DataFrame({"rule": places.explode(empty_as_null=False), "row": pl.concat([_NONE, *rows])})


def _rows(rule: Rule, alike: pl.DataFrame, texts: pl.DataFrame) -> pl.Series:
    """What the rule matches: texts are looked at only where all else is met."""
    met = alike.filter(pl.lit(value=True), *_exact(rule))["row"].explode(empty_as_null=False)
    mask = _text_mask(rule.field, rule.match, rule.text or "")
    return met if mask is None else met.filter(texts[met].select(mask.fill_null(value=False)).to_series())


def _exact(rule: Rule) -> list[pl.Expr]:
    own = None if rule.tenant == PUBLIC else rule.tenant
    wanted = zip(_EXACT, (own, rule.market, rule.product, rule.location_type), strict=True)
    return [pl.col(name) == value for name, value in wanted if value is not None]


def _prepared(instruments: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """The texts as they are, in capitals, and as words between blanks, as far as rules look at them."""
    wanted = {(rule.field, rule.match) for rule in rules if rule.field and rule.match != "pattern"}
    capitals = instruments.select(
        *FIELDS,
        *(pl.col(field).str.to_uppercase().alias(f"{field} capitals") for field in {each[0] for each in wanted}),
    )
    return capitals.with_columns(
        pl.format(" {} ", pl.col(f"{field} capitals").str.replace_all(_OTHER, " ")).alias(f"{field} words")
        for field, match in wanted
        if match == "word"
    )


def _text_mask(field: str | None, match: str | None, text: str) -> pl.Expr | None:
    match match:
        case "word":
            return pl.col(f"{field} words").str.contains(f" {text} ", literal=True)
        case "prefix":
            return pl.col(f"{field} capitals").str.starts_with(text.upper())
        case "suffix":
            return pl.col(f"{field} capitals").str.ends_with(text.upper())
        case "pattern":
            return pl.col(str(field)).str.contains(text, strict=False)
        case _:
            return None
