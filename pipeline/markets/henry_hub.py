"""Henry Hub natural gas: futures chains and daily bars of quote vendors, nearby strips, daily spot prices. USD/MMBtu.

Days are UTC dates: a settlement or spot price of a date holds from its midnight to the next. A contract of a chain has
the instant of its own last update and no end. A chain's `volume` is the day's running total and no tick's: it is left
away, that of a daily bar is its own.
"""

from typing import Final

import polars as pl

from pipeline import documents, numbers, rejects
from pipeline.documents import PARSED, REFUSED_ROWS, Document, ParsedDocument, refusal
from pipeline.markets import henry_hub_forms
from pipeline.markets.henry_hub_forms import Block, Form
from pipeline.rejects import Verdict
from pipeline.schema import conform

_PRODUCTS: Final = ("futures", "spot")
_VAGUE: Final = (Form.BARS, Form.SPOT)  # their columns may be of anything: the file's name must tell


def claims(name: str, head: bytes) -> bool:
    """Chains and strips by their columns, daily bars and spot prices by the file's name too, and gas calendars."""
    form = henry_hub_forms.form(head)
    return form is not None and (form not in _VAGUE or henry_hub_forms.is_named(name))


def detect(name: str, head: bytes) -> str | None:
    """The product by the form."""
    form = henry_hub_forms.form(head) if claims(name, head) else None
    return henry_hub_forms.PRODUCTS.get(form) if form is not None else None


def parse(document: Document) -> ParsedDocument:
    """Every cell with a price as a tick or a refusal; a missing price is neither.

    Raises `DataProcessingError` for a document that holds no prices of Henry Hub, or of the other product.
    """
    documents.refuse_markup(document.content, "a gas curve")
    form = _form(document)
    read = henry_hub_forms.read(form, document.content)
    if not read.rows or not (read.broken.height or any(block.cells.height for block in read.blocks)):
        raise refusal("the document holds no data row", "document", document.name)
    found = [_ticks(block, henry_hub_forms.PRODUCTS[form]) for block in read.blocks]
    ticks = pl.concat([ticks for ticks, _ in found]).sort("row", maintain_order=True)
    refused = pl.concat([read.broken, *(bad for _, bad in found)]).unique(maintain_order=True)
    return ParsedDocument(documents.published(ticks), refused.sort("row"), read.rows, read.header_line)


def _form(document: Document) -> Form:
    form, wanted = henry_hub_forms.form(document.content[: 64 * 1024]), document.product
    if form is None or form is Form.CALENDAR:
        reason = "this is no chain, strip, daily bar or spot price of Henry Hub"
        told = "this is a calendar of contracts or holidays, no price document"
        raise refusal(told if form else reason, "document", document.name)
    if wanted is not None and wanted not in _PRODUCTS:
        raise refusal(f"product {wanted[:64]!r} is none of Henry Hub's ({', '.join(_PRODUCTS)})", "product", wanted)
    if wanted not in (None, product := henry_hub_forms.PRODUCTS[form]):
        raise refusal(f"the document is of {product}, not of {wanted}", "product", str(wanted))
    return form


def _ticks(block: Block, product: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of the prices of a column."""
    cells = block.cells
    (price, unread), (volume, odd) = (numbers.decimals(cells[name]) for name in ("price", "volume"))
    verdicts = [
        Verdict(block.time, cells["time"], cells["time problem"]),
        Verdict(block.place, cells["location"], cells["place problem"]),
        Verdict(block.price, cells["price"], unread.set(numbers.missing(cells["price"]), None)),
        Verdict("volume", cells["volume"], odd.set(numbers.missing(cells["volume"]), None)),
    ]
    refused = rejects.first_of_each(cells.select("row"), verdicts).select(list(REFUSED_ROWS))
    there = price.is_not_null() & ~cells["row"].is_in(refused["row"].implode())
    return _shaped(cells.with_columns(price=price, volume=volume).filter(there), block.kind, product), refused


def _shaped(cells: pl.DataFrame, kind: str, product: str) -> pl.DataFrame:
    return conform(
        cells.select(
            *("location", "start", "end", "price", "volume", "row"),
            market=pl.lit("henry_hub"),
            product=pl.lit(product),
            location_type=pl.lit(kind),
            instrument=pl.format("henry_hub.{}.{}", pl.lit(product), "location"),
            ts=pl.col("start"),
            hold_end=pl.col("end"),
            version=pl.lit(0, dtype=pl.Int64),
        ),
        PARSED,
    )
