"""Which feed of Data Miner a document is: by its columns, its address or name, and the steps of its stamps.

An export does not say its feed. Day-ahead and real-time have columns of their own; hours and five minutes have not.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple, cast

import polars as pl

from pipeline import jsontable
from pipeline.documents import Document, refusal

PRODUCTS: Final[Mapping[str, timedelta]] = {
    "da_hourly": timedelta(hours=1), "rt_hourly": timedelta(hours=1), "rt_5min": timedelta(minutes=5),
}  # fmt: skip
_FEEDS: Final = re.compile(
    r"(?P<da>da_hrl_lmps)|(?P<five>rt_(?:unverified_)?five_?min\w*)|(?P<hourly>rt_(?:unverified_)?hrl_lmps)"
)
_OURS: Final = ("datetime_beginning_utc", "datetime_beginning_ept", "pnode_id")
_LMP: Final = re.compile(r"total_lmp_(da|rt)")
_NEEDED: Final = {"pnode": "pnode_id", "price": "total_lmp_{}", "congestion": "congestion_price_{}",
                  "loss": "marginal_loss_price_{}"}  # fmt: skip
_OPTIONAL: Final = {"utc": "datetime_beginning_utc", "ept": "datetime_beginning_ept", "type": "type",
                    "energy": "system_energy_price_{}", "version": "version_nbr"}  # fmt: skip
_NAMES: Final = ("pnode_name", "name")
_MESSAGE: Final = ("message", "errors", "error", "statusCode")


class Feed(NamedTuple):
    """`derived`: the feed has no energy, it follows from the other parts."""

    product: str
    derived: bool

    @property
    def length(self) -> timedelta:
        return PRODUCTS[self.product]


def is_ours(name: str, head: bytes) -> bool:
    """By the names of columns that Data Miner's feeds share, or a feed's name in an API's address."""
    text = head[:4096].decode(errors="replace").lower()
    return any(each in text for each in _OURS) or "api.pjm.com" in text or _FEEDS.search(name.lower()) is not None


def items_path(content: bytes) -> Sequence[str]:
    """Where the rows of an API's answer stand; a bare list is one too."""
    return () if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[" else ("items",)


def json_names(content: bytes) -> list[str]:
    """The names of an API's answer, by its first row. Raises `DataProcessingError` for its error answers."""
    path = items_path(content)
    names = jsontable.keys(content, path)
    if names or not path:
        return names
    for key in _MESSAGE:
        if (told := jsontable.part(content, [key])) is not None:
            raise refusal(f"PJM's API answered with an error: {told}", key, str(told))
    if jsontable.part(content, path) == []:
        raise refusal("the feed holds no data row", "items")
    raise refusal("this is no answer of PJM's API: it has no rows in `items`", "items")


def columns(names: Sequence[str]) -> dict[str, str]:
    """The column of each role: pnode, price, congestion, loss, and utc, ept, name, type, energy, version where they
    are. Raises `DataProcessingError` for a feed without LMP."""
    sides = sorted({found[1] for each in names if (found := _LMP.fullmatch(each))})
    if len(sides) != 1:
        reason = "this is no LMP feed of PJM: one column total_lmp_da or total_lmp_rt is expected"
        raise refusal(f"{reason}; send da_hrl_lmps, rt_hrl_lmps or rt_fivemin_hrl_lmps", "header", ",".join(names))
    needed = {role: form.format(sides[0]) for role, form in _NEEDED.items()}
    optional = {role: form.format(sides[0]) for role, form in _OPTIONAL.items()}
    lacking = [name for name in needed.values() if name not in names]
    if lacking or not {optional["utc"], optional["ept"]} & set(names):
        lacking = lacking or [optional["utc"]]
        raise refusal(f"the feed has no column {', '.join(lacking)}", "header", ",".join(names))
    found = needed | {role: name for role, name in optional.items() if name in names}
    named = [name for name in _NAMES if name in names]
    return found | ({"name": named[0]} if named else {})


def guessed(name: str, head: bytes) -> str | None:
    """The product as far as the beginning of a document tells it."""
    text = head.decode(errors="replace")
    found = _named(name) or _named(text[:4096])
    if found or "total_lmp_da" in text:
        return found or "da_hourly"
    return None if "total_lmp_rt" not in text else "rt_5min" if re.search(r":(?!00)\d\d:00", text) else None


def feed(document: Document, names: Sequence[str], held: Mapping[str, str], starts: pl.Series) -> Feed:
    """The feed of a document. Raises `DataProcessingError` where it is in doubt or not of the wanted product."""
    wanted = document.product
    if wanted is not None and wanted not in PRODUCTS:
        raise refusal(f"product {wanted[:64]!r} is none of PJM's ({', '.join(PRODUCTS)})", "product", wanted)
    by_columns = "da_hourly" if "total_lmp_da" in names else None
    steps = _by_steps(starts)
    told = by_columns or _named(document.name) or _by_address(document.content) or steps or wanted
    if told is None:
        reason = "one stamp on the hour may be of rt_hourly or rt_5min: name the product or keep the feed's file name"
        raise refusal(reason, "document", document.name)
    if wanted not in (None, told):
        raise refusal(f"the feed is of {told}, not of {wanted}", "product", str(wanted))
    if steps == "rt_5min" and told != steps:
        raise refusal(f"most stamps lie within hours: this is no feed of {told}", "document", document.name)
    return Feed(told, derived="energy" not in held)


def _named(text: str) -> str | None:
    found = _FEEDS.search(text.lower())
    return None if found is None else "da_hourly" if found["da"] else "rt_5min" if found["five"] else "rt_hourly"


def _by_address(content: bytes) -> str | None:
    """By the address that an API's answer gives of itself."""
    if items_path(content) == () or not jsontable.is_json(content[:1024]):
        return None
    links = jsontable.part(content, ["links"])
    texts = [str(link) for link in cast("list[object]", links)] if isinstance(links, list) else []
    return next((found for text in texts if (found := _named(text))), None)


def _by_steps(starts: pl.Series) -> str | None:
    """Five minutes where most stamps lie within hours; hours where there are several and all lie on them."""
    distinct = starts.drop_nulls().unique().sort()
    within = int((distinct.dt.minute() != 0).sum())
    if 2 * within > distinct.len():
        return "rt_5min"
    return "rt_hourly" if distinct.len() > 1 and not within else None
