"""Outgoing events: ticks and bars as JSON envelopes, one message each, for other consumers.

An event's id is computed from its source, so that what is written again has the same id: for a tick the position of
its row (topic id, partition, offset, row; in a document also the instant, and in a strip the location, for a row may
hold many), for a bar a digest of whose it is and what it holds. `timestamp` is when the source became known. Amounts
are JSON numbers with all their digits; what is absent is null.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, Literal

import polars as pl

from pipeline import json_text, products, shown
from pipeline.flags import Flag
from pipeline.json_text import Pieces

Kind = Literal["normalized", "enriched", "bar", "curve"]
TYPES: Final[Mapping[Kind, str]] = {
    "normalized": "normalized.market.ticks.v1",
    "enriched": "enriched.market.ticks.v1",
    "bar": "aggregation.bars.v1",
    "curve": "aggregation.curves.v1",
}
_SOURCES: Final[Mapping[Kind, str]] = {
    "normalized": "gridtick.normalization", "enriched": "gridtick.enrichment", "bar": "gridtick.aggregation",
}  # fmt: skip
_DESCRIBED: Final = ("market", "product", "location", "location_type", "location_name", "source")
_REFERENCE: Final = ("unit", "currency", "zone", "commodity", "region", "tier", "hub")
_BAR_AMOUNTS: Final = ("open", "high", "low", "close", "volume", "vwap", "twap", "covered_seconds")
_PRICES: Final = ("open", "high", "low", "close")  # null in a bar that has lost its last price
_DIGEST_BYTES: Final = 16


def normalized(ticks: pl.DataFrame) -> pl.DataFrame:
    """One event a tick (`pipeline.schema.TICKS`): `key` and `value`, both bytes."""
    return _ticks(ticks, "normalized", {})


def enriched(ticks: pl.DataFrame, reference_version: int) -> pl.DataFrame:
    """One event an enriched tick (`pipeline.enrich.Enriched.ticks`), with the reference that it was joined with."""
    missing = pl.when("complete").then(0).otherwise(int(Flag.MISSING_METADATA)).cast(pl.UInt32)
    flagged = ticks.with_columns(flags=pl.col("flags") | missing)
    known = {name: json_text.texts(_told(ticks, name)) for name in _REFERENCE}
    sure = {"confidence": json_text.amounts(_told(ticks, "confidence"))}
    return _ticks(flagged, "enriched", {**known, **sure, "reference_version": [str(reference_version)]})


def bars(found: pl.DataFrame) -> pl.DataFrame:
    """One event a bar (the columns of `db.clickhouse.shown.shown_bars`); `count` 0: the bar has no price any more.

    Of two events of one bar the one with the higher `ver` is the later; where these are equal, the one written later.
    """
    empty = pl.col("count") == 0
    priced = found.with_columns(pl.when(~empty).then(name).alias(name) for name in _PRICES)
    payload = json_text.members(_bar(priced))
    told = priced.select("instrument", "tenant", "updated_at", payload=json_text.joined(payload))
    return _events(told, "bar", [_digests(told)], "updated_at", [told["payload"]])


def _bar(found: pl.DataFrame) -> dict[str, Pieces]:
    return {
        "instrument_id": json_text.texts(found["instrument"]),
        "interval": json_text.texts(found["interval"]),
        "start": json_text.instants(found["start"]),
        "end": json_text.instants(found["end"]),
        **{name: json_text.amounts(found[name]) for name in _BAR_AMOUNTS},
        "count": json_text.numbers(found["count"]),
        "quality_flags": json_text.flag_names(found["flags"]),
        "revision": json_text.numbers(found["revision"]),
        "ver": json_text.numbers(found["ver"]),
        "updated_at": json_text.instants(found["updated_at"]),
    }


def _digests(told: pl.DataFrame) -> pl.Series:
    """Of each bar's tenant and payload."""
    sources = told.select(pl.concat_str("tenant", pl.lit(" "), "payload").cast(pl.Binary)).to_series()
    digests = [blake2b(source, digest_size=_DIGEST_BYTES).hexdigest() for source in sources]
    return pl.Series(digests, dtype=pl.String)


def _ticks(ticks: pl.DataFrame, kind: Kind, metadata: Mapping[str, Pieces]) -> pl.DataFrame:
    described = {name: json_text.texts(_told(ticks, name)) for name in _DESCRIBED}
    source_id = {"source_event_id": json_text.texts(ticks["event_id"].replace("", None))}
    payload = {
        "instrument_id": json_text.texts(ticks["instrument"]),
        "timestamp": json_text.instants(ticks["start"]),
        "interval_end": json_text.instants(ticks["end"]),
        **{name: json_text.amounts(ticks[name]) for name in shown.AMOUNTS},
        "quality_flags": json_text.flag_names(ticks["flags"]),
        "version": json_text.numbers(ticks["version"]),
        "metadata": json_text.members({**described, **source_id, **metadata}),
    }
    return _events(ticks, kind, _positions(ticks), "known_at", json_text.members(payload))


def _told(ticks: pl.DataFrame, name: str) -> pl.Series:
    """Nulls for what ticks that were stored or sent before it was told do not have."""
    return ticks[name] if name in ticks.columns else pl.Series([None], dtype=pl.String).new_from_index(0, ticks.height)


def _positions(ticks: pl.DataFrame) -> Pieces:
    places = (json_text.numbers(ticks[name]) for name in ("partition", "offset", "row"))
    at = pl.when(pl.col("source_rank") == 0).then(pl.format("/{}{}", pl.col("ts").dt.epoch("us"), _place()))
    document = at.otherwise(pl.lit(""))
    pieces = [piece for place in places for piece in ("/", *place)]
    return [*json_text.plain(ticks["topic_id"]), *pieces, *json_text.plain(ticks.select(document).to_series())]


def _place() -> pl.Expr:
    """What tells the prices of one row and instant apart, where a row holds several."""
    strips = [each for each in products.PRODUCTS.values() if each.strips]
    of_one = [(pl.col("market") == each.market) & (pl.col("product") == each.name) for each in strips]
    return pl.when(pl.any_horizontal(*of_one)).then(pl.format("/{}", "location")).otherwise(pl.lit(""))


def _events(frame: pl.DataFrame, kind: Kind, identity: Pieces, known: str, payload: Pieces) -> pl.DataFrame:
    envelope: dict[str, Pieces] = {
        "event_type": [f'"{TYPES[kind]}"'],
        "event_id": [f'"{kind}/', *identity, '"'],
        "timestamp": json_text.instants(frame[known]),
        "tenant_id": json_text.texts(frame["tenant"]),
        "source": [f'"{_SOURCES[kind]}"'],
        "version": ['"1.0"'],
    }
    value = json_text.joined(json_text.members({"envelope": json_text.members(envelope), "payload": payload}))
    return frame.select(key=pl.col("instrument").cast(pl.Binary), value=value.cast(pl.Binary))
