"""How sure a classification is, by one formula, and the same in words."""

from typing import Final

import polars as pl

from pipeline.taxonomy.terms import ATTRIBUTES

_METADATA: Final = ("market", "product", "unit", "currency", "zone")
_BARE: Final = 0.75  # what remains of a source's points where nothing is known of the instrument
_ALL: Final = len(ATTRIBUTES)


def judged(said: pl.DataFrame) -> pl.DataFrame:
    """With `confidence` (Decimal(3, 2), 0 to 1) and `reason`, from what is said of each attribute (`claims`) and the
    metadata `market, product, unit, currency, zone`.

    confidence = (decided ÷ 3) × the least points of the decided attributes, rounded down to hundredths. The points of
    an attribute are 1 where a fact confirmed by hand gives it, else s × M:
    s, how specific its source is: a rule by its conditions (`rules.specificity`), a location 1, another fact 0.9;
    M, how complete the metadata is: 0.75 + 0.05 for each of market, product, unit, currency and zone that is known.
    """
    known = pl.sum_horizontal(pl.col(name).is_not_null() for name in _METADATA)
    counted = said.with_columns(
        known=known,
        complete=_BARE + (1 - _BARE) * known / len(_METADATA),
        decided=pl.sum_horizontal(pl.col(name).is_not_null() for name in ATTRIBUTES),
    )
    weighed = counted.with_columns(least=pl.min_horizontal(_points(name) for name in ATTRIBUTES).fill_null(0))
    share = pl.col("decided") * pl.col("least") / _ALL
    return weighed.with_columns(confidence=_hundredths(share)).with_columns(reason=_reason())


def _points(attribute: str) -> pl.Expr:
    points, confirmed = pl.col(f"{attribute} points"), pl.col(f"{attribute} confirmed")
    return pl.when(confirmed).then(points).otherwise(points * pl.col("complete"))


def _hundredths(value: pl.Expr) -> pl.Expr:
    """Rounded down; a product of decimals that misses a hundredth by its binary form alone is that hundredth."""
    return ((value * 100 + 1e-9).floor() / 100).round(2).cast(pl.Decimal(3, 2))


def _reason() -> pl.Expr:
    """Such as: commodity power by rule pjm_da (market, product: 0.91); …; metadata 5/5 × 1.00; 3/3 decided × 0.91."""
    metadata = pl.format("metadata {}/5{} × {}", "known", _without(), _hundredths(pl.col("complete")))
    decided = pl.format("{}/3 decided × {} = {}", "decided", _hundredths(pl.col("least")), "confidence")
    return pl.concat_str([*(_told(name) for name in ATTRIBUTES), metadata, decided], separator="; ")


def _told(attribute: str) -> pl.Expr:
    by = pl.col(f"{attribute} by").fill_null("nothing says it")
    value = pl.format(f"{attribute} {{}} by {{}}", attribute, by)
    return pl.coalesce(value, pl.format(f"{attribute} unknown: {{}}", by))


def _without() -> pl.Expr:
    """The metadata that is not known, in words."""
    absent = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in _METADATA]
    names = pl.concat_str(absent, separator=", ", ignore_nulls=True)
    return pl.when(names == "").then(pl.lit("")).otherwise(pl.format(" (without {})", names))
