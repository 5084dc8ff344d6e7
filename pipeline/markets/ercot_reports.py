"""Which report of ERCOT a document is: by its columns alone, whose names differ between archive, API and workbook."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, cast

from pipeline import jsontable
from pipeline.documents import refusal, refuse_unknown

DA: Final = "da_hourly"
QUARTERS: Final = "rt_15min"
SCED: Final = "rt_sced"
_LENGTHS: Final[Mapping[str, timedelta | None]] = {DA: timedelta(hours=1), QUARTERS: timedelta(minutes=15), SCED: None}

# Names without case, blanks and underscores.
_TIMES: Final[Mapping[str, tuple[str, ...]]] = {
    "stamp": ("scedtimestamp",),
    "date": ("deliverydate",),
    "hour": ("hourending", "deliveryhour"),
    "quarter": ("deliveryinterval",),
}
_USED: Final = {DA: ("date", "hour"), QUARTERS: ("date", "hour", "quarter"), SCED: ("stamp",)}
_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "flag": ("dstflag", "repeatedhourflag", "repeathourflag"),
    "point": ("settlementpoint", "settlementpointname"),
    "type": ("settlementpointtype",),
    "corrected": ("pricecorrectiontime",),
}
_SETTLED: Final = ("settlementpointprice", "sppcorrected")
_PRICES: Final = {DA: _SETTLED, QUARTERS: _SETTLED, SCED: ("lmp", "lmpcorrected")}
_CORRECTED: Final = "corrected"  # ends the name of a correction's price; the price before it has a column of its own

_OTHER_REPORTS: Final = {
    "settlementloadzone": "the list of settlement points",
    "electricalbus": "prices of electrical buses",
    "busname": "prices of electrical buses",
    "rtdtimestamp": "indicative prices, which bind nobody",
}
_OURS: Final = {"deliverydate", "scedtimestamp", "settlementpoint", "operatingday", "operday", *_OTHER_REPORTS}
_IN_JSON: Final = re.compile(rb'"reportEMIL"|"(?:settlementPoint|deliveryDate|SCEDTimestamp)', re.IGNORECASE)


class Report(NamedTuple):
    """`columns`: the document's name of each role."""

    product: str
    columns: dict[str, str]

    @property
    def length(self) -> timedelta | None:
        """Of the interval; null where only the next run ends it."""
        return _LENGTHS[self.product]

    @property
    def corrects(self) -> bool:
        """It corrects prices that were published before (NP4-196, NP4-197)."""
        return _bare(self.columns["price"]).endswith(_CORRECTED)


def is_ours(head: bytes) -> bool:
    """By the names of the first line, or of an answer's fields."""
    if jsontable.is_json(head):
        return _IN_JSON.search(head) is not None
    return bool(_OURS & {_bare(name) for name in _first_line(head)})


def json_names(content: bytes) -> tuple[list[str], list[str], bool]:
    """(path of the rows, names of their cells, the rows are lists) of an answer, or of its rows saved as objects.

    Raises `DataProcessingError` for another answer.
    """
    fields = jsontable.part(content, ["fields"])
    listed = cast("list[Any]", fields) if isinstance(fields, list) else []
    names = [str(cast("dict[str, Any]", each).get("name")) for each in listed if isinstance(each, dict)]
    if names and len(names) == len(listed):
        return ["data"], names, True
    for path in ([], ["data"]):
        if keys := jsontable.keys(content, path):
            return path, keys, False
    told = jsontable.part(content, ["message"]) or jsontable.part(content, ["error"])
    if told:
        raise refusal(f"ERCOT's API answered with an error: {told}", "message", str(told))
    raise refusal("this is no answer of ERCOT's API: it names no fields", "fields")


def report(names: Sequence[str], wanted: str | None) -> Report:
    """The report of a document. Raises `DataProcessingError` where it holds no prices of settlement points, or of
    another product than the wanted one."""
    refuse_unknown(wanted, _LENGTHS, "ERCOT")
    bares = _bares(names)
    product = _product(bares)
    if product is None:
        what = next((f" but {other}" for name, other in _OTHER_REPORTS.items() if name in bares), "")
        reason = f"this report holds no settlement point prices of ERCOT{what}: a time, a point and its price"
        raise refusal(f"{reason} are expected; send NP4-190, NP6-905 or NP6-788", "header", ",".join(names))
    if wanted not in (None, product):
        raise refusal(f"the report is of {product}, not of {wanted}", "product", str(wanted))
    roles = {**{role: _TIMES[role] for role in _USED[product]}, **_OTHERS, "price": _PRICES[product]}
    read = Report(product, {role: name for role, known in roles.items() if (name := _found(known, bares))})
    if product == QUARTERS and "type" not in read.columns:
        reason = "the report lacks SettlementPointType, without which a load zone's name stands for two points"
        raise refusal(reason, "header", ",".join(names))
    if read.corrects and "corrected" not in read.columns:
        raise refusal("the report of corrections lacks their time (PriceCorrectionTime)", "header", ",".join(names))
    return read


def _product(bares: Mapping[str, str]) -> str | None:
    """The first product whose time stands there, where its price and a point do so too."""
    for product in (SCED, QUARTERS, DA):
        needed = [*(_TIMES[role] for role in _USED[product]), _OTHERS["point"]]
        if all(_found(known, bares) for known in needed):
            return product if _found(_PRICES[product], bares) else None
    return None


def _found(known: Sequence[str], bares: Mapping[str, str]) -> str | None:
    return next((bares[name] for name in known if name in bares), None)


def _bares(names: Sequence[str]) -> dict[str, str]:
    """The names as they stand there (the first of those alike), by their bare form."""
    return {_bare(name): name for name in reversed(names)}


def _bare(name: str) -> str:
    return re.sub(r"[\s_]", "", name).lower()


def _first_line(head: bytes) -> list[str]:
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0].decode(errors="replace")
    return [name.strip().strip('"') for name in line.strip().split(",")]
