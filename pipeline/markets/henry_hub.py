"""Henry Hub natural gas: futures chains and daily bars of quote vendors, nearby strips, daily spot prices. USD/MMBtu.

Days are UTC dates: a settlement or spot price of a date holds from its midnight to the next. A contract of a chain has
the instant of its own last update and no end. A chain's `volume` is the day's running total and no tick's: it is left
away, that of a daily bar is its own.
"""

import re
from typing import Final

import polars as pl

from pipeline import checks, documents, numbers
from pipeline.documents import PARSED, Document, ParsedDocument, refusal
from pipeline.markets import henry_hub_cells, henry_hub_forms
from pipeline.markets.henry_hub_cells import Block
from pipeline.markets.henry_hub_forms import Form
from pipeline.schema import shaped

_PRODUCTS: Final = ("futures", "spot")
_HEAD: Final = 64 * 1024
_NO_PRICES: Final = {
    Form.CALENDAR: "a calendar of contracts or holidays", Form.MEANS: "a table of means of weeks, months or years",
}  # fmt: skip
_FUTURE: Final = re.compile(r"futur|front|nearby|settle|strip", re.IGNORECASE)


def claims(name: str, head: bytes) -> bool:
    """Chains and strips by their columns, daily bars and bare spot prices by the file's name too, and gas calendars."""
    form = henry_hub_forms.form(head)
    return form is not None and henry_hub_forms.is_ours(form, name, head)


def parse(document: Document) -> ParsedDocument:
    """Every cell with a price as a tick or a refusal; a missing price is neither.

    Raises `DataProcessingError` for a document that holds no prices of Henry Hub, or of the other product.
    """
    documents.refuse_markup(document.content, "Henry Hub")
    form = _form(document)
    read = henry_hub_cells.read(form, document.content)
    if not read.rows or not (read.broken.height or any(block.cells.height for block in read.blocks)):
        raise refusal("the document holds no data row", "document", document.name)
    found = [_ticks(block, henry_hub_forms.PRODUCTS[form]) for block in read.blocks]
    ticks = pl.concat([ticks for ticks, _ in found]).sort("row", maintain_order=True)
    refused = pl.concat([read.broken, *(bad for _, bad in found)]).unique(maintain_order=True)
    return ParsedDocument(documents.published(ticks), refused.sort("row"), read.rows, read.header_line)


def _form(document: Document) -> Form:
    form, wanted = henry_hub_forms.form(document.content[:_HEAD]), document.product
    if form is None:
        raise refusal("this is no chain, strip, daily bar or spot price of Henry Hub", "document", document.name)
    if form in _NO_PRICES:
        raise refusal(f"this is {_NO_PRICES[form]}, no price document", "document", document.name)
    documents.refuse_unknown(wanted, _PRODUCTS, "Henry Hub")
    if wanted not in (None, product := henry_hub_forms.PRODUCTS[form]):
        raise refusal(f"the document is of {product}, not of {wanted}", "product", str(wanted))
    if wanted is None and _doubtful(form, document.name):
        reason = "by its columns it is of spot prices, by its name of futures: name the product (spot)"
        raise refusal(reason, "document", document.name)
    return form


def _doubtful(form: Form, name: str) -> bool:
    return form is Form.SPOT and _FUTURE.search(name) is not None


def _ticks(block: Block, product: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of the prices of a column."""
    values, unread = numbers.columns(block.cells.select("price", "volume"))
    odd = [problem.alias(f"{name} problem") for name, problem in unread.items()]
    rows = block.cells.hstack([*(each.alias(f"{each.name} value") for each in values.iter_columns()), *odd])
    names = {"price": block.price, "volume": "volume"}
    good, refused = checks.parted(rows, [
        checks.told(block.time, "time", "time problem"),
        checks.told(block.place, "location", "place problem"),
        *(checks.told(names[name], name, f"{name} problem") for name in unread),
    ])  # fmt: skip
    return _shaped(good.filter(pl.col("price value").is_not_null()), block.kind, product), refused


def _shaped(cells: pl.DataFrame, kind: str, product: str) -> pl.DataFrame:
    return shaped(cells, PARSED, {
        "market": pl.lit("henry_hub"), "product": pl.lit(product), "location": "location",
        "location_type": pl.lit(kind), "instrument": pl.format("henry_hub.{}.{}", pl.lit(product), "location"),
        "ts": "start", "start": "start", "end": "end", "hold_end": "end", "price": "price value",
        "volume": "volume value", "version": pl.lit(0), "row": "row",
    })  # fmt: skip
