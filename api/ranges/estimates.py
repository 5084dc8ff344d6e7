"""What an answer would hold, said without reading a price: rows, bytes, pages, and what it would cost."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec
from starlette.responses import Response

from api.formats.media import FormatName

Kind = Literal["ticks", "bars", "latest", "snapshots", "basis"]

# Bytes of a row as they were measured of a day of five markets, before compression on the way.
_BYTES: Final[Mapping[Kind, Mapping[FormatName, int]]] = {
    "ticks": {"json": 460, "ndjson": 460, "csv": 190, "parquet": 20, "arrow": 40},
    "bars": {"json": 390, "ndjson": 390, "csv": 190, "parquet": 40, "arrow": 70},
    "latest": {"json": 540, "ndjson": 540, "csv": 220, "parquet": 60, "arrow": 90},
    "snapshots": {"json": 16_000, "ndjson": 16_000, "csv": 11_000, "parquet": 1_500, "arrow": 3_000},
    "basis": {"json": 350, "ndjson": 350, "csv": 180, "parquet": 30, "arrow": 60},
}


class Counted(NamedTuple):
    """How many rows there are; where that is not `exact`, there are hardly more. `page`: the most that one page holds,
    whatever its limit."""

    rows: int
    exact: bool
    page: int | None = None


def told(kind: Kind, found: Counted, limit: int | None, left: int, query: Mapping[str, object]) -> Response:
    """The answer: `limit` rows of a page, None where all come at once; `left` of the day's limit of rows."""
    body = {
        "rows": found.rows,
        "rows_exact": found.exact,
        "bytes_estimate": {name: found.rows * size for name, size in _BYTES[kind].items()},
        "requests": 1 if limit is None else max(1, -(-found.rows // min(limit, found.page or limit))),
        "cost": {"rows": found.rows, "rows_left_today": left},
        "query": query,
    }
    return Response(msgspec.json.encode(body), media_type="application/json")
