"""Which report of ERCOT a document is: by its columns alone, whose names differ between archive, API and workbook."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, cast

from pipeline import jsontable
from pipeline.documents import refusal

DA: Final = "da_hourly"
QUARTERS: Final = "rt_15min"
SCED: Final = "rt_sced"
_LENGTHS: Final[Mapping[str, timedelta | None]] = {DA: timedelta(hours=1), QUARTERS: timedelta(minutes=15), SCED: None}

# Names without case, blanks and underscores. A price correction holds the price that was and the one that is.
_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "stamp": ("scedtimestamp",),
    "date": ("deliverydate",),
    "hour": ("hourending", "deliveryhour"),
    "quarter": ("deliveryinterval",),
    "flag": ("dstflag", "repeatedhourflag", "repeathourflag"),
    "point": ("settlementpoint", "settlementpointname"),
    "type": ("settlementpointtype",),
    "price": ("settlementpointprice", "sppcorrected", "lmp", "spp"),
}
_OURS: Final = {"deliverydate", "scedtimestamp", "settlementpoint", "settlementloadzone", "operatingday"}
_IN_JSON: Final = re.compile(rb'"reportEMIL"|"(?:settlementPoint|deliveryDate|SCEDTimestamp)', re.IGNORECASE)


class Report(NamedTuple):
    """`columns`: the document's name of each role; `length`: of the interval, null where only the next run ends it."""

    product: str
    columns: dict[str, str]

    @property
    def length(self) -> timedelta | None:
        return _LENGTHS[self.product]


def is_ours(head: bytes) -> bool:
    """By the names of the first line, or of an answer's fields."""
    if jsontable.is_json(head):
        return _IN_JSON.search(head) is not None
    return bool(_OURS & {_bare(name) for name in _first_line(head)})


def guessed(head: bytes) -> str | None:
    """The product as far as the beginning of a document tells it."""
    named = re.findall(rb'"name"\s*:\s*"(\w+)"', head) if jsontable.is_json(head) else []
    names = [name.decode(errors="replace") for name in named] or _first_line(head)
    held = _held(names)
    return _product(held) if {"point", "price"} <= set(held) else None


def json_names(content: bytes) -> list[str]:
    """The names of an answer's cells. Raises `DataProcessingError` for another answer."""
    fields = jsontable.part(content, ["fields"])
    listed = cast("list[Any]", fields) if isinstance(fields, list) else []
    names = [str(cast("dict[str, Any]", each).get("name")) for each in listed if isinstance(each, dict)]
    if names and len(names) == len(listed):
        return names
    told = jsontable.part(content, ["message"]) or jsontable.part(content, ["error"])
    if told:
        raise refusal(f"ERCOT's API answered with an error: {told}", "message", str(told))
    raise refusal("this is no answer of ERCOT's API: it names no fields", "fields")


def report(names: Sequence[str], wanted: str | None) -> Report:
    """The report of a document. Raises `DataProcessingError` where it holds no prices of settlement points, or of
    another product than the wanted one."""
    if wanted is not None and wanted not in _LENGTHS:
        raise refusal(f"product {wanted[:64]!r} is none of ERCOT's ({', '.join(_LENGTHS)})", "product", wanted)
    held = _held(names)
    product = _product(held)
    if product is None or not {"point", "price"} <= set(held):
        reason = "this is no report of settlement point prices by ERCOT: a point, a price and its time are expected"
        raise refusal(f"{reason}; send NP4-190, NP6-905 or NP6-788", "header", ",".join(names))
    if product == QUARTERS and "type" not in held:
        reason = "the report has no column SettlementPointType, and a load zone's name stands for two points"
        raise refusal(reason, "header", ",".join(names))
    if wanted not in (None, product):
        raise refusal(f"the report is of {product}, not of {wanted}", "product", str(wanted))
    used = {"stamp"} if product == SCED else {"date", "hour", "quarter"}
    return Report(product, {role: name for role, name in held.items() if role in used | _ALWAYS})


_ALWAYS: Final = {"flag", "point", "type", "price"}


def _product(held: Mapping[str, str]) -> str | None:
    if "stamp" in held:
        return SCED
    if {"date", "hour", "quarter"} <= set(held):
        return QUARTERS
    return DA if {"date", "hour"} <= set(held) else None


def _held(names: Sequence[str]) -> dict[str, str]:
    bare = {_bare(name): name for name in reversed(names)}
    found = {role: [bare[each] for each in known if each in bare] for role, known in _ROLES.items()}
    return {role: names[0] for role, names in found.items() if names}


def _bare(name: str) -> str:
    return re.sub(r"[\s_]", "", name).lower()


def _first_line(head: bytes) -> list[str]:
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0].decode(errors="replace")
    return [name.strip().strip('"') for name in line.strip().split(",")]
