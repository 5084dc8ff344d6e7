"""Outgoing events: ticks and bars as JSON envelopes, one message each, for other consumers.

An event's id is computed from its source, so that what is written again has the same id: for a tick the position of
its row (topic id, partition, offset, row), for a bar its place and what distinguishes its contents. `timestamp` is
when the source became known. Amounts are JSON numbers with all their digits; what is absent is null.
"""

from collections.abc import Mapping
from typing import Final, Literal

import polars as pl

from pipeline import shown

Kind = Literal["normalized", "enriched", "bar"]
TYPES: Final[Mapping[Kind, str]] = {
    "normalized": "normalized.market.ticks.v1",
    "enriched": "enriched.market.ticks.v1",
    "bar": "aggregation.bars.v1",
}
_SOURCES: Final[Mapping[Kind, str]] = {
    "normalized": "gridtick.normalization", "enriched": "gridtick.enrichment", "bar": "gridtick.aggregation",
}  # fmt: skip
_BAR_AMOUNTS: Final = ("open", "high", "low", "close", "volume", "vwap", "twap", "covered_seconds")
_PRICES: Final = ("open", "high", "low", "close")  # null in a bar that has lost its last price


def normalized(ticks: pl.DataFrame) -> pl.DataFrame:
    """One event a tick (`pipeline.schema.TICKS`): `key` and `value`, both bytes."""
    return _ticks(ticks, "normalized", {})


def enriched(ticks: pl.DataFrame, reference_version: int) -> pl.DataFrame:
    """One event an enriched tick (`pipeline.enrich.Enriched.ticks`), with the reference that it was joined with."""
    known = {name: _text(name) for name in ("unit", "currency", "zone")}
    return _ticks(ticks, "enriched", {**known, "reference_version": pl.lit(str(reference_version))})


def bars(found: pl.DataFrame) -> pl.DataFrame:
    """One event a bar (the columns of `db.clickhouse.shown.shown_bars`); `count` 0: the bar has no price any more."""
    empty = pl.col("count") == 0
    priced = found.with_columns(pl.when(~empty).then(name).alias(name) for name in _PRICES)
    payload = {
        "instrument_id": _text("instrument"), "interval": _text("interval"),
        "start": _instant("start"), "end": _instant("end"),
        **{name: _amount(name) for name in _BAR_AMOUNTS},
        "count": _number("count"), "quality_flags": _flags(found), "revision": _number("revision"),
        "updated_at": _instant("updated_at"),
    }  # fmt: skip
    place = [pl.col(name).cast(pl.String) for name in ("interval", "instrument")]
    content = [pl.col("start").dt.epoch("us"), pl.col("updated_at").dt.epoch("us"), pl.col("count"), pl.col("revision")]
    identity = pl.concat_str(*place, *(each.cast(pl.String) for each in content), separator="/")
    return _events(priced.with_columns(identity=identity), "bar", payload, "updated_at")


def _ticks(ticks: pl.DataFrame, kind: Kind, metadata: Mapping[str, pl.Expr]) -> pl.DataFrame:
    described = {name: _text(name) for name in ("market", "product", "location", "location_type", "source")}
    payload = {
        "instrument_id": _text("instrument"),
        "timestamp": _instant("start"),
        "interval_end": _instant("end"),
        **{name: _amount(name) for name in shown.AMOUNTS},
        "quality_flags": _flags(ticks),
        "version": _number("version"),
        "metadata": _object({**described, **metadata}),
    }
    position = [pl.col(name).cast(pl.String) for name in ("topic_id", "partition", "offset", "row")]
    identified = ticks.with_columns(identity=pl.concat_str(*position, separator="/"))
    return _events(identified, kind, payload, "known_at")


def _events(frame: pl.DataFrame, kind: Kind, payload: Mapping[str, pl.Expr], known: str) -> pl.DataFrame:
    envelope = {
        "event_type": pl.lit(f'"{TYPES[kind]}"'),
        "event_id": _quoted(pl.concat_str(pl.lit(f"{kind}/"), "identity")),
        "timestamp": _instant(known),
        "tenant_id": _text("tenant"),
        "source": pl.lit(f'"{_SOURCES[kind]}"'),
        "version": pl.lit('"1.0"'),
    }
    value = _object({"envelope": _object(envelope), "payload": _object(payload)})
    return frame.select(key=pl.col("instrument").cast(pl.Binary), value=value.cast(pl.Binary))


def _object(members: Mapping[str, pl.Expr]) -> pl.Expr:
    pieces: list[pl.Expr] = []
    for number, (name, value) in enumerate(members.items()):
        pieces += [pl.lit(f'{"," if number else "{"}"{name}":'), value]
    return pl.concat_str(*pieces, pl.lit("}"))


def _text(name: str) -> pl.Expr:
    return _quoted(pl.col(name))


def _quoted(text: pl.Expr) -> pl.Expr:
    """JSON strings; null stays null."""
    escaped = pl.struct(text.alias("a")).struct.json_encode().str.slice(len('{"a":'))
    return escaped.str.strip_suffix("}")


def _amount(name: str) -> pl.Expr:
    return shown.plain(pl.col(name)).fill_null("null")


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).fill_null("null")


def _instant(name: str) -> pl.Expr:
    return pl.concat_str(pl.lit('"'), shown.iso(pl.col(name)), pl.lit('"')).fill_null("null")


def _flags(frame: pl.DataFrame) -> pl.Expr:
    """The names of the flags as a JSON array."""
    names = shown.flag_names(frame["flags"])
    return pl.lit(names.list.eval('"' + pl.element() + '"').list.join(",")).pipe(lambda each: "[" + each + "]")
