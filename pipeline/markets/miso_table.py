"""MISO's public tables of the newest prices: GetLmpConsolidatedTable, some nodes in up to four blocks, and
GetExAnteLmp, the hubs in one.

The date stands only in `RefId`, "02-Oct-2026 - Interval 16:50 EST". A block says `16:50`, the end of five minutes, or
`HE 16`, the hour that ends at 16:00: the day-ahead blocks name the hour that runs, the real-time one the hour that is
over. Of the days around, the one is meant that brings the block nearest to RefId: HE 24 at 00:05 is yesterday's. A
node's `region` is no type of location, nor is the list's name `Hub`: interfaces stand in it too. The prices of
ancillary services beside a node are none of energy.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
import polars as pl

from pipeline import jsontable, stamps
from pipeline.documents import Document, ParsedDocument, refusal, refusals
from pipeline.markets import miso_reports, miso_rows
from pipeline.markets.miso_reports import DA, DA_EXANTE, EXANTE, HOURLY, RTD
from pipeline.markets.miso_rows import BEHIND, FIVE, HOUR
from pipeline.schema import EARLIEST, INSTANT, LATEST
from pipeline.text import utf8


class _Form(NamedTuple):
    """`blocks`: the product of each; `nodes`: what a block's list is called; `names`: what the texts are called."""

    blocks: Mapping[str, str]
    nodes: str
    names: Mapping[str, str]


_TABLE: Final = _Form(
    {"FiveMinLMP": RTD, "HourlyIntegratedLMP": HOURLY, "DayAheadExAnteLMP": DA_EXANTE, "DayAheadExPostLMP": DA},
    "PricingNode",
    {"stamp": "HourAndMin", "location": "name", "price": "LMP", "congestion": "MCC", "loss": "MLC"},
)
_HUBS: Final = _Form(
    {"ExAnteLMP": EXANTE},
    "Hub",
    {"stamp": "HourAndMin", "location": "name", "price": "LMP", "congestion": "congestion", "loss": "loss"},
)
_FIVES: Final = (RTD, EXANTE)  # products of five minutes
_REFERENCE: Final = re.compile(
    r"\s*(?P<day>[0-9]{1,2})-(?P<month>[A-Z]{3})[a-z]*-(?P<year>[0-9]{4})\b.*?\b(?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])"
    r"(?::00)?\s*(?P<zone>[A-Z]*)\s*",
    re.IGNORECASE,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK: Final = re.compile(r"\s*([0-9]{1,2}):([0-5][05])(?::00)?(?:\s*EST)?\s*", re.IGNORECASE)
_HOUR: Final = re.compile(r"\s*HE\s*([0-9]{1,2})\s*", re.IGNORECASE)
_DAY: Final = timedelta(days=1)


def parse(document: Document) -> ParsedDocument:
    """The nodes of all blocks of GetLmpConsolidatedTable. Raises `DataProcessingError`."""
    return _parsed(document, _TABLE)


def hubs(document: Document) -> ParsedDocument:
    """The hubs of GetExAnteLmp. Raises `DataProcessingError`."""
    return _parsed(document, _HUBS)


def _parsed(document: Document, form: _Form) -> ParsedDocument:
    """The nodes of all blocks, counted on from one block to the next."""
    if document.product not in (None, *form.blocks.values()):
        miso_reports.refuse_other(document.product, next(iter(form.blocks.values())))
    near = _reference(jsontable.part(document.content, ("LMPData", "RefId")))
    parts, blocks, elements = list[pl.DataFrame](), list[int](), list[msgspec.Raw]()
    for name, stamp, nodes in _blocks(utf8(document.content), form):
        parts.append(_place((name, form.blocks[name]), stamp, near, document.product))
        blocks += [len(parts) - 1] * len(nodes)
        elements += nodes
    wanted = [name for name, product in form.blocks.items() if document.product in (None, product)]
    if not any(list(form.blocks)[block] in wanted for block in blocks):
        raise refusal(f"the table holds no node in any of {', '.join(wanted)}", "LMPData", document.name)
    texts = {name: role for role, name in form.names.items() if role != "stamp"}
    table = jsontable.objects(b"[" + b",".join(elements) + b"]", (), list(texts))
    places = pl.concat(parts)[blocks].with_columns(row=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))
    cells = table.cells.rename(texts).join(places, on="row", how="left", maintain_order="left")
    ticks, refused = miso_rows.ticks(cells, form.names)
    return ParsedDocument(ticks, refusals(table.broken, refused), table.rows, 0)


def _reference(stamp: object) -> datetime:
    """The instant of RefId."""
    found = _REFERENCE.fullmatch(stamp) if isinstance(stamp, str) else None
    month = found["month"].lower() if found else ""
    if not found or month not in _MONTHS or found["zone"].upper() not in ("", "EST") or int(found["hour"]) > 24:
        raise refusal(
            "RefId is no time such as 02-Oct-2026 - Interval 16:50 EST", "LMPData.RefId", miso_rows.plain(stamp)
        )
    text = f"{found['year']}-{_MONTHS.index(month) + 1:02}-{int(found['day']):02}"
    midnight = (stamps.local(pl.Series([text])) + BEHIND).dt.replace_time_zone("UTC").item()
    if midnight is None or not EARLIEST + 2 * _DAY <= midnight < LATEST - 3 * _DAY:
        raise refusal("RefId is of no day that prices can be of", "LMPData.RefId", found[0])
    return midnight + timedelta(hours=int(found["hour"]), minutes=int(found["minute"]))


def _blocks(data: bytes, form: _Form) -> Iterator[tuple[str, str | None, list[msgspec.Raw]]]:
    """Name, HourAndMin and nodes of the blocks that are there. A single node may stand without a list."""
    held = _members(_members(data).get("LMPData", b"{}"))
    for name in form.blocks:
        block = _members(held.get(name, b"{}"))
        nodes = block.get(form.nodes, b"null")
        yield name, _text(block.get("HourAndMin", b"null")), _elements(nodes)


def _members(raw: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:  # null, or a text where a block would be
        return {}


def _elements(raw: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        return [msgspec.Raw(bytes(raw))] if bytes(raw)[:1] == b"{" else []


def _text(raw: bytes | msgspec.Raw) -> str | None:
    try:
        return miso_rows.plain(msgspec.json.decode(raw, type=str))
    except msgspec.DecodeError:  # null, or no text
        return None if bytes(raw) == b"null" else miso_rows.plain(bytes(raw).decode(errors="replace"))


def _place(block: tuple[str, str], stamp: str | None, near: datetime, wanted: str | None) -> pl.DataFrame:
    """`stamp, product, start, end, version, problem` of a block (its name, its product), as one row."""
    name, product = block
    length = FIVE if product in _FIVES else HOUR
    after = _since_midnight(stamp or "", _CLOCK if length == FIVE else _HOUR)
    other = f"is of {product}, not of {wanted}" if wanted not in (None, product) else None
    example = "16:50" if length == FIVE else "HE 16"
    problem = other or (f"of {name} is no interval such as {example}" if after is None else None)
    end = None if after is None else _nearest(near, after)
    return pl.DataFrame(
        {
            "stamp": [stamp], "product": [product], "start": [end and end - length], "end": [end], "version": [0],
            "problem": [problem],
        },
        schema={
            "stamp": pl.String, "product": pl.String, "start": INSTANT, "end": INSTANT, "version": pl.Int64,
            "problem": pl.String,
        },
    )  # fmt: skip


def _since_midnight(stamp: str, shape: "re.Pattern[str]") -> timedelta | None:
    found = shape.fullmatch(stamp)
    if not found:
        return None
    after = timedelta(hours=int(found[1]), minutes=int(found[2]) if shape is _CLOCK else 0)
    first = timedelta(0) if shape is _CLOCK else HOUR
    return after if first <= after <= _DAY else None


def _nearest(near: datetime, after: timedelta) -> datetime:
    """The instant so long after a midnight of EST that lies nearest."""
    midnight = (near - BEHIND).replace(hour=0, minute=0) + BEHIND
    return min((midnight + _DAY * n + after for n in (-1, 0, 1)), key=lambda at: abs(at - near))
