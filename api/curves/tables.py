"""Snapshots of curves in the formats that are no JSON: a snapshot a line, or a point a row."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import polars as pl
from fastapi import Request
from starlette.responses import Response

from api import answers
from api.curves.query import SnapshotsQuery
from api.formats.media import FormatName
from api.formats.naming import disposition
from api.formats.writers import whole
from api.listing import Around
from pipeline.schema import INSTANT, Schema

# Points that follow from others have more decimals than prices.
_AMOUNT: Final = pl.Decimal(38, 12)
POINTS: Final[Schema] = {
    **dict.fromkeys(("curve", "tenant", "session"), pl.String()), **dict.fromkeys(("at", "known_at"), INSTANT),
    "version": pl.Int64(), "partial": pl.Boolean(), "unit": pl.String(), "complete": pl.Boolean(),
    "start": INSTANT, "end": INSTANT, "product": pl.String(), "price": _AMOUNT, "kind": pl.String(),
    "flags": pl.List(pl.String), "age": pl.Int64(), "inputs": pl.List(pl.String),
}  # fmt: skip
_INSTANTS: Final = frozenset({"at", "known_at", "start", "end"})
_LISTS: Final = ("points", "rejected")
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


def table(snapshots: bytes) -> pl.DataFrame:
    """`POINTS` of snapshots (JSON objects joined by commas): what was rejected stands in JSON and NDJSON alone."""
    rows = [row for each in _parts(snapshots) for row in _points(_DECODER.decode(each))]
    return pl.DataFrame(rows, schema=dict(POINTS), orient="row")


def _written(name: FormatName, snapshots: bytes) -> bytes:
    if name == "ndjson":
        return b"".join(bytes(each) + b"\n" for each in _parts(snapshots))
    return whole(name, table(snapshots), decimals_as_text=False)


def _parts(snapshots: bytes) -> list[msgspec.Raw]:
    return msgspec.json.decode(b"[" + snapshots + b"]", type=list[msgspec.Raw])


def _points(snapshot: dict[str, Any]) -> Iterator[dict[str, Any]]:
    head = {field: _value(field, value) for field, value in snapshot.items() if field not in _LISTS}
    for point in snapshot["points"]:
        yield head | {field: _value(field, value) for field, value in point.items()}


def _value(field: str, value: Any) -> Any:
    if field == "price":
        return Decimal(value)
    return datetime.fromisoformat(value) if field in _INSTANTS else value


async def answer(request: Request, ask: SnapshotsQuery, text: bytes, around: Around) -> Response:
    """The response of snapshots, given as JSON."""
    if (name := answers.format_of(request, ask)) == "json":
        return around.response(text)
    body = await asyncio.to_thread(_written, name, text)
    return around.file(body, name, disposition(request.url.path, ask.model_dump(), name))
