"""The first stage: the messages of a batch to ticks and refusals. Pure: the same batch gives the same rows."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline import documents, envelope, flags, generic, members, rejects
from pipeline.bands import REGISTERED, Bands
from pipeline.documents import REFUSED_ROWS
from pipeline.envelope import Carried, Payload, RawBatch
from pipeline.errors import DataProcessingError
from pipeline.rejects import Reject
from pipeline.schema import INSTANT, NORMALIZED, REJECTS, conform

_LONGEST: Final = 200  # characters of a source that are kept

__all__ = ["Normalized", "RawBatch", "normalize"]


@dataclass(frozen=True, slots=True)
class Normalized:
    """`ticks` (NORMALIZED) and `rejects` (REJECTS) of one batch; nothing of the batch is in neither."""

    ticks: pl.DataFrame
    rejects: pl.DataFrame


def normalize(batch: RawBatch, default_tenant: str, bands: Bands = REGISTERED) -> Normalized:
    """Every message as ticks, or as a refusal with its reason. Never raises for bad data."""
    read = envelope.read(batch)
    ticks, refused = generic.ticks(read.generic, batch, default_tenant)
    found, refusals = [ticks], [refused, rejects.frame(read.rejects)]
    for carried in read.documents:
        more, bad = _document(carried, batch, default_tenant)
        found.append(more)
        refusals.append(bad)
    together = pl.concat([pl.DataFrame(schema={"end": INSTANT}), *found], how="diagonal")
    together_bad = rejects.bounded(_placed(pl.concat(refusals, how="diagonal"), batch))
    return Normalized(conform(flags.flagged(together, bands), NORMALIZED), conform(together_bad, REJECTS))


def _document(carried: Carried, batch: RawBatch, default_tenant: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(ticks without flags, refusals with `index`) of one message's document."""
    tenant = carried.envelope.tenant_id or default_tenant
    try:
        _check_tenant(tenant)
        ticks, refused = _members(carried.payload)
    except DataProcessingError as error:
        field, value = str(error.context.get("field", "")), str(error.context.get("value", ""))
        whole = Reject(carried.index, field, value, error.message)
        return pl.DataFrame(), rejects.frame([whole])
    index = pl.lit(carried.index, dtype=pl.UInt32)
    sent = ticks.with_columns(
        index=index,
        tenant=pl.lit(tenant),
        source=pl.lit((carried.envelope.source or "")[:_LONGEST]),
        source_rank=pl.lit(0, dtype=pl.UInt8),
        event_id=pl.lit(""),
    )
    known_at = pl.lit(batch.known_at_us[carried.index], dtype=pl.Int64).cast(INSTANT)
    return (
        _placed(sent, batch).with_columns(known_at=known_at),
        refused.with_columns(index=index, whole=pl.lit(value=False)),
    )


def _check_tenant(tenant: str) -> None:
    problem = generic.tenant_problem(tenant)
    if problem:
        field = "envelope.tenant_id"
        raise documents.refusal(rejects.sentence(field, tenant, problem), field, tenant)


def _members(payload: Payload) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of all documents of a message, their rows numbered on from one to the next.

    A refused document is one refusal beside the others; where all are refused, the first one's error is raised.
    """
    _refuse_both(payload)
    market, product = (each.lower() if each is not None else None for each in (payload.market, payload.product))
    read = members.read(documents.packed_bytes(payload), payload.name or "", market, product)
    if len(read.refused) == read.documents:
        raise read.refused[0][1]
    several = read.documents > 1
    reason = pl.format("{} line {}: {}", "member", "line", "reason") if several else pl.col("reason")
    rows = read.rejects.with_columns(reason=reason).select(list(REFUSED_ROWS))
    return read.ticks, pl.concat([*(_refused_member(name, error) for name, error in read.refused), rows])


def _refuse_both(payload: Payload) -> None:
    """A message is a document or a tick: of both, one would be lost."""
    raw = payload.raw_data
    numbers = (raw.price, raw.volume, raw.bid, raw.ask)
    if raw.timestamp is not None or any(bytes(each) not in (b"", b"null") for each in numbers):
        reason = "payload.document and payload.raw_data are both there: send a message for each of them"
        raise documents.refusal(reason, "payload.raw_data")


def _refused_member(name: str, error: DataProcessingError) -> pl.DataFrame:
    told = (0, str(error.context.get("field", "")), str(error.context.get("value", "")), f"{name}: {error.message}")
    return pl.DataFrame([told], schema=dict(REFUSED_ROWS), orient="row")


def _placed(rows: pl.DataFrame, batch: RawBatch) -> pl.DataFrame:
    """The rows with their message's position instead of its `index` in the batch."""
    return rows.drop("index").with_columns(
        pl.Series("offset", batch.offsets, dtype=pl.Int64).gather(rows["index"]),
        topic_id=pl.lit(batch.topic_id),
        partition=pl.lit(batch.partition, dtype=pl.Int32),
    )
