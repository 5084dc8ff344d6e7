"""Answers of MISO's pricing API, for which a key is needed: day-ahead and real-time prices, hourly and of five minutes.

`data` lists objects with `node, lmp, mec, mcc, mlc`, their interval by start and end in EST as `timeInterval` (or
`interval`), and in real-time ex-post answers `preliminaryFinal`. Energy is published. What an answer does not say is
whether it is of the day-ahead market or ex-ante: the sender or the file's name must.
"""

import json
import re
from typing import Final

import msgspec
import polars as pl

from pipeline import jsontable, stamps, times
from pipeline.documents import Document, ParsedDocument, refusal, refusals
from pipeline.markets import miso_reports, miso_rows
from pipeline.markets.miso_reports import DA, DA_EXANTE, EXANTE, FINAL, HOURLY, PRELIMINARY, RTD
from pipeline.markets.miso_rows import BEHIND, FIVE, HOUR
from pipeline.rejects import SHOWN
from pipeline.schema import within_bounds
from pipeline.text import utf8

_NAMES: Final = {
    "stamp": "timeInterval", "location": "node", "price": "lmp", "energy": "mec", "congestion": "mcc", "loss": "mlc",
}  # fmt: skip
_GRADE: Final = "preliminaryFinal"
_GRADES: Final = {"preliminary": PRELIMINARY, "final": FINAL}
_NULL: Final = msgspec.Raw(b"null")
_ASK: Final = "name the product, or the file as the API's path: day-ahead or real-time, lmp-exante or lmp-expost"


class _Element(msgspec.Struct, gc=False):
    """Where an element may hold its interval."""

    timeInterval: msgspec.Raw = _NULL
    interval: msgspec.Raw = _NULL


def parse(document: Document) -> ParsedDocument:
    """Every element as a tick or a refusal, but where its price is missing. Raises `DataProcessingError`."""
    miso_reports.refuse_other(document.product, document.product or DA)
    path = ("data",) if utf8(document.content).lstrip().startswith(b"{") else ()
    wanted = [name for role, name in _NAMES.items() if role != "stamp"]
    table = jsontable.objects(document.content, path, [*wanted, _GRADE])
    if not (table.cells.height or table.broken.height):
        raise refusal("the answer holds no price", "data", document.name)
    cells = table.cells.rename({name: role for role, name in _NAMES.items() if role != "stamp"})
    texts, which = _intervals(document.content, path)
    rows = cells.hstack(_places(texts)[which.gather(cells["row"] - 1)])
    ticks, refused = miso_rows.ticks(_told(rows, document), _NAMES)
    return ParsedDocument(ticks, refusals(table.broken, refused), table.rows, 0)


def _intervals(content: bytes, path: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
    """(JSON of the distinct intervals, the place of each element's one among them)."""
    data: bytes | msgspec.Raw = utf8(content)
    if path:
        data = msgspec.json.decode(data, type=dict[str, msgspec.Raw])[path[0]]
    places = dict[bytes, int]()
    which = [places.setdefault(_json(element), len(places)) for element in _elements(data)]
    return pl.Series([text.decode() for text in places], dtype=pl.String), pl.Series(which, dtype=pl.UInt32)


def _json(element: _Element) -> bytes:
    text = bytes(element.timeInterval)
    return bytes(element.interval) if text == b"null" else text


def _elements(data: bytes | msgspec.Raw) -> list[_Element]:
    try:
        return msgspec.json.decode(data, type=list[_Element])
    except msgspec.ValidationError:
        return [_element(each) for each in msgspec.json.decode(data, type=list[msgspec.Raw])]


def _element(raw: msgspec.Raw) -> _Element:
    try:
        return msgspec.json.decode(raw, type=_Element)
    except msgspec.ValidationError:  # no object: refused already
        return _Element()


def _places(texts: pl.Series) -> pl.DataFrame:
    """`stamp, start, end, problem` of the intervals."""
    read = [_bounds(text) for text in texts]
    bounds = [pl.Series([each[bound] for each in read], dtype=pl.String) for bound in (0, 1)]
    start, end = ((stamps.local(each) + BEHIND).dt.replace_time_zone("UTC") for each in bounds)
    length = (pl.col("end") - pl.col("start")).dt.total_minutes()
    odd = (pl.col("end") - pl.col("start")).is_in([HOUR, FIVE]).not_()
    off_grid = (pl.col("start").dt.epoch("s") % (length * 60)) != 0
    problem = (
        pl.when(pl.col("start").is_null() | pl.col("end").is_null())
        .then(pl.lit("has no start and end such as 2026-08-04T00:00:00 (EST, without an offset)"))
        .when(odd)
        .then(pl.format("is an interval of {} minutes, prices are of 5 or 60", length))
        .when(off_grid)
        .then(pl.format("begins no interval of {} minutes", length))
        .when(~within_bounds(pl.col("start")))
        .then(pl.lit(times.OUT_OF_BOUNDS))
    )
    return pl.DataFrame({"stamp": texts, "start": start, "end": end}).with_columns(problem=problem)


def _bounds(text: str) -> tuple[str | None, str | None]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nothing but brackets
        return None, None
    if not isinstance(held, dict):
        return None, None
    start, end = (held.get(name) for name in ("start", "end"))
    return miso_rows.plain(start), miso_rows.plain(end)


def _told(rows: pl.DataFrame, document: Document) -> pl.DataFrame:
    """The rows with `product`, `version` and the `problem` of those that tell another one than is wanted."""
    five, graded = pl.col("end") - pl.col("start") == FIVE, pl.col(_GRADE).is_not_null()
    places = rows.filter(pl.col("problem").is_null())
    ungraded = places.filter(~graded)
    hours = _hourly(document) if not ungraded.filter(~five).is_empty() else None
    _refuse_contradiction(document, graded=ungraded.height < places.height, five=not ungraded.filter(five).is_empty())
    version = (
        pl.col(_GRADE).str.strip_chars().str.to_lowercase().replace_strict(_GRADES, default=None, return_dtype=pl.Int64)
    )
    told = rows.with_columns(
        product=pl.when(graded)
        .then(pl.when(five).then(pl.lit(RTD)).otherwise(pl.lit(HOURLY)))
        .otherwise(pl.when(five).then(pl.lit(EXANTE)).otherwise(pl.lit(hours))),
        version=pl.when(graded).then(version).otherwise(pl.lit(0, dtype=pl.Int64)),
    )
    return _of(told, document.product).with_columns(
        problem=pl.coalesce(
            "problem",
            pl.when(pl.col("version").is_null()).then(
                pl.format(
                    "has the grade {}, which is neither Preliminary nor Final", pl.col(_GRADE).str.slice(0, SHOWN)
                )
            ),
        )
    )


def _of(rows: pl.DataFrame, wanted: str | None) -> pl.DataFrame:
    """Rows of other products than the wanted one have a problem; an answer without any row of it is refused."""
    found = rows.filter(pl.col("problem").is_null())["product"].unique().sort().to_list()
    if found and wanted not in (None, *found):
        miso_reports.refuse_other(wanted, found[0])
    other = pl.when(pl.col("product") != (wanted or pl.col("product"))).then(
        pl.format("is of {}, not of {}", "product", pl.lit(wanted))
    )
    return rows.with_columns(problem=pl.coalesce("problem", other)) if wanted else rows


def _hourly(document: Document) -> str:
    """The product of hourly prices without a grade, by the file's name or what its sender says."""
    market, kind = _named(document.name)
    if market == "rt" or document.product in (HOURLY, RTD, EXANTE):
        reason = (
            f"these hourly prices have no {_GRADE}: they are day-ahead ones, or real-time ex-ante ones of no product"
        )
        raise refusal(reason, _GRADE, document.name)
    found = {"ante": DA_EXANTE, "post": DA}.get(kind or "") if market == "da" else document.product
    if found is None:
        reason = f"hourly prices may be day-ahead ex-ante or ex-post, the answer does not say it: {_ASK}"
        raise refusal(reason, "document", document.name)
    return found


def _named(name: str) -> tuple[str | None, str | None]:
    """(da or rt, ante or post) as the name says it."""
    own, whole = miso_reports.base(name), name.lower()
    markets = [
        market
        for market, long, short in (("da", "day.?ahead", "da"), ("rt", "real.?time", "rt"))
        if re.search(long, whole) or re.search(f"(?<![a-z]){short}(?![a-z])", own)
    ]
    kinds = [kind for kind in ("ante", "post") if re.search(f"ex.?{kind}", whole)]
    return (markets[0] if len(markets) == 1 else None), (kinds[0] if len(kinds) == 1 else None)


def _refuse_contradiction(document: Document, *, graded: bool, five: bool) -> None:
    """Real-time ex-post prices have a grade, five-minute ones without it are ex-ante: the name may not deny it."""
    market, kind = _named(document.name)
    if graded and (market == "da" or kind == "ante"):
        raise refusal(
            f"{_GRADE} stands in real-time ex-post answers only, the file name is of another", _GRADE, document.name
        )
    if five and (market == "da" or kind == "post"):
        reason = f"five-minute prices without {_GRADE} are real-time ex-ante ones, the file name is of others"
        raise refusal(reason, "timeInterval", document.name)
