"""Outgoing events of curves: a changed snapshot as one JSON envelope.

An event's id is a digest of whose the snapshot is and what it holds, so that what is written again has the same id.
`timestamp` is when its newest change became known.
"""

from hashlib import blake2b
from typing import Final

import polars as pl

from pipeline import json_text
from pipeline.curves.shown import snapshots
from pipeline.events import TYPES

_SOURCE: Final = "gridtick.aggregation"
_DIGEST_BYTES: Final = 16
_UNSEEN: Final = "at"  # the newest price's instant moves without any price that does


def curves(heads: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """One event a snapshot (see `pipeline.curves.shown.snapshots`, and `ver`): `heads` with `text` (the snapshot as
    JSON), `key`, `value` and `state`, a hash of all that is told of it but `at` and `ver`.

    Of two events of one snapshot the one with the higher `ver` is the later.
    """
    told = snapshots(heads, points)
    ending = pl.format(',"ver":{}}}', "ver")
    payload = told.select(pl.col("text").str.strip_suffix("}") + ending).to_series()
    envelope = {
        "event_type": [f'"{TYPES["curve"]}"'],
        "event_id": ['"curve/', _digests(told["tenant"], payload), '"'],
        "timestamp": json_text.instants(told["known_at"]),
        "tenant_id": json_text.texts(told["tenant"]),
        "source": [f'"{_SOURCE}"'],
        "version": ['"1.0"'],
    }
    value = json_text.joined(json_text.members({"envelope": json_text.members(envelope), "payload": [payload]}))
    still = snapshots(heads.with_columns(pl.col("known_at").alias(_UNSEEN)), points)["text"]
    return told.with_columns(
        key=pl.col("curve").cast(pl.Binary), value=value.cast(pl.Binary), state=_states(told["tenant"], still)
    )


def _digests(tenants: pl.Series, payloads: pl.Series) -> pl.Series:
    return pl.Series([_digest(*each).hex() for each in zip(tenants, payloads, strict=True)], dtype=pl.String)


def _states(tenants: pl.Series, payloads: pl.Series) -> pl.Series:
    states = [int.from_bytes(_digest(*each)[:8]) for each in zip(tenants, payloads, strict=True)]
    return pl.Series(states, dtype=pl.UInt64)


def _digest(tenant: str, payload: str) -> bytes:
    return blake2b(f"{tenant} {payload}".encode(), digest_size=_DIGEST_BYTES).digest()
