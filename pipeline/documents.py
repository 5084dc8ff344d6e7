"""An exchange's document: what a message carries, and what its parser gives back."""

import binascii
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline.envelope import Payload
from pipeline.errors import DataProcessingError
from pipeline.rejects import REASON, SHOWN
from pipeline.schema import INSTANT, PRICE, Schema, empty

# What a parser fills of TICKS; the rest comes from the message.
PARSED: Schema = {
    "market": pl.String(),
    "product": pl.String(),
    "location": pl.String(),
    "location_type": pl.String(),
    "location_name": pl.String(),  # null where it is the location itself
    "instrument": pl.String(),
    "ts": INSTANT,
    "start": INSTANT,
    "end": INSTANT,
    "hold_end": INSTANT,
    "price": PRICE,
    "energy": PRICE,
    "congestion": PRICE,
    "loss": PRICE,
    "ghg": PRICE,
    "volume": PRICE,
    "derived": pl.Boolean(),  # the energy is not published but follows from the others; null: it is published
    "version": pl.Int64(),
    "row": pl.Int32(),
}

REFUSED_ROWS: Schema = {
    "row": pl.Int32(),
    "field": pl.String(),
    "value": pl.String(),
    "reason": pl.String(),
}


NO_TICKS: Final = empty(PARSED)
NO_REFUSALS: Final = empty(REFUSED_ROWS)


@dataclass(frozen=True, slots=True)
class Document:
    """One unpacked document. `market` and `product` as its sender named them (null: to be found out)."""

    content: bytes
    name: str
    market: str | None = None
    product: str | None = None


Joiner = Callable[[pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a document holds of ticks whose other parts may stand in its neighbours.

    `frame`: the parser's own columns, `row` (Int32) among them. `join` makes (PARSED, REFUSED_ROWS) of the frames
    of all neighbours, one below the other, their rows numbered on.
    """

    frame: pl.DataFrame
    join: Joiner


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """`ticks` (PARSED) and `rejects` (REFUSED_ROWS); `rows`: data rows of the document, numbered from 1.

    `header_line`: the line of the file, counted from 1, after which data row 1 stands. `parts`: only where an
    exchange spreads one price over several documents.
    """

    ticks: pl.DataFrame
    rejects: pl.DataFrame
    rows: int
    header_line: int = 1
    parts: Parts | None = None


_DISTINCT: Final = (pl.col("instrument").hash() ^ pl.col("ts").hash(1)).n_unique()


def published(ticks: pl.DataFrame) -> pl.DataFrame:
    """The ticks without rows that only repeat the one before them of the same price and version: pages of an API
    overlap. What differs is another publication, and so is a value that comes back after another one."""
    key = ["instrument", "ts", "version"]
    if _all_differ(ticks):
        return ticks
    values = [name for name in ticks.columns if name not in {"row", *key}]
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()).over(key) for name in values)
    return ticks.filter((pl.int_range(pl.len()).over(key) == 0) | ~same)


def _all_differ(ticks: pl.DataFrame) -> bool:
    """No price comes twice, by a quick look: where two do, so do their hashes."""
    return ticks.select(_DISTINCT).item() == ticks.height


def below(frames: Iterable[pl.DataFrame], nothing: pl.DataFrame) -> pl.DataFrame:
    """One frame below the other; `nothing` where none holds a row."""
    held = [frame for frame in frames if frame.height]
    return pl.concat(held) if held else nothing


def refusals(*frames: pl.DataFrame) -> pl.DataFrame:
    """REFUSED_ROWS of all frames in the order of the rows."""
    found = below(frames, NO_REFUSALS)
    return found.sort("row") if found.height else found


def refusal(reason: str, field: str, value: str = "") -> DataProcessingError:
    """The error by which a whole document is refused; the text is cut to what is kept of a refusal."""
    return DataProcessingError(reason[:REASON], "normalize", {"field": field[:SHOWN], "value": value[:SHOWN]})


def refuse_markup(content: bytes, whose: str) -> None:
    """Raises `DataProcessingError` for a web page, or other markup, in the place of a document."""
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        shown = content[:SHOWN].decode(errors="replace")
        raise refusal(f"this is a web page or other markup, no document of {whose}", "document", shown)


def refuse_unknown(product: str | None, known: Collection[str], whose: str) -> None:
    """Raises `DataProcessingError` for a product that its sender named and the exchange does not have."""
    if product is not None and product not in known:
        raise refusal(f"product {product[:64]!r} is none of {whose}'s ({', '.join(known)})", "product", product)


def packed_bytes(payload: Payload) -> bytes:
    """The document of a message as it was fetched, still packed. Raises `DataProcessingError`."""
    text = payload.document or ""
    encoding = payload.encoding or "utf-8"
    if encoding.lower() in ("utf-8", "utf8"):
        return text.encode()
    if encoding.lower() != "base64":
        raise refusal(f"payload.encoding {encoding[:40]!r} is neither utf-8 nor base64", "payload.encoding", encoding)
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError as error:
        raise refusal(f"payload.document is not base64: {error}", "payload.document", text) from None
