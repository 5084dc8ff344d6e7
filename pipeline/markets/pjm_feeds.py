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
from pipeline.markets import pjm_columns
from pipeline.text import whole

PRODUCTS: Final[Mapping[str, timedelta]] = {
    "da_hourly": timedelta(hours=1), "rt_hourly": timedelta(hours=1), "rt_5min": timedelta(minutes=5),
}  # fmt: skip
_FEEDS: Final = re.compile(
    r"(?P<da>da_hrl_lmps)|(?P<five>rt_(?:unverified_)?five_?min\w*)|(?P<hourly>rt_(?:unverified_)?hrl_lmps)"
)
_OURS: Final = ("datetime_beginning_utc", "datetime_beginning_ept")
_MESSAGE: Final = ("message", "errors", "error", "statusCode")


class Feed(NamedTuple):
    """`derived`: the feed has no energy, but the other parts, from which it follows."""

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
    """The names of an API's answer, by its first rows. Raises `DataProcessingError` for its error answers."""
    path = items_path(content)
    names = jsontable.keys(content, path)
    if names:
        return names
    for key in _MESSAGE if path else ():
        if (told := jsontable.part(content, [key])) is not None:
            shown = whole(str(told))
            raise refusal(f"PJM's API answered with an error: {shown}", key, shown)
    where = ".".join(path) or "document"
    if jsontable.part(content, path) == []:
        raise refusal("the feed holds no data row", where)
    raise refusal("this is no answer of PJM's API: a list of records is expected in `items`, or alone", where)


def feed(document: Document, names: Sequence[str], held: Mapping[str, str], starts: pl.Series) -> Feed:
    """The feed of a document. Raises `DataProcessingError` where it is in doubt or not of the wanted product."""
    wanted = document.product
    within = _within(starts)
    steps = _by_steps(*within)
    certain = pjm_columns.market(names, held) or _by_address(document.content)
    told = certain or _real_time(document.name) or steps or wanted
    if told is None:
        reason = "stamps on the hour may be of rt_hourly or rt_5min: name the product or keep the feed's file name"
        raise refusal(reason, "document", document.name)
    if wanted not in (None, told):
        raise refusal(f"the feed is of {told}, not of {wanted}", "product", str(wanted))
    _refuse_other_steps(told, within, document.name, certain=certain is not None)
    if told == "rt_5min" and held["pnode"] != pjm_columns.ID:
        raise refusal(f"the feed has no column {pjm_columns.ID}", "header", ",".join(names))
    return Feed(told, derived="energy" not in held and held.keys() >= {"congestion", "loss"})


def _refuse_other_steps(told: str, steps: tuple[int, int], name: str, *, certain: bool) -> None:
    """A file under another's name would be read as prices that nobody published."""
    within, count = steps
    if told != "rt_5min" and 2 * within > count:
        raise refusal(f"most stamps lie within hours: this is no feed of {told}", "document", name)
    if told == "rt_5min" and not certain and count > 1 and not within:
        raise refusal(f"all stamps lie on the hour: this is no feed of {told}", "document", name)


def _real_time(text: str) -> str | None:
    """The real-time feed that a text names."""
    found = [each for each in _FEEDS.finditer(text.lower()) if not each["da"]]
    return None if not found else "rt_5min" if found[0]["five"] else "rt_hourly"


def _by_address(content: bytes) -> str | None:
    """By the address that an API's answer gives of itself."""
    if items_path(content) == () or not jsontable.is_json(content[:1024]):
        return None
    links = jsontable.part(content, ["links"])
    texts = [str(link) for link in cast("list[object]", links)] if isinstance(links, list) else []
    return next((found for text in texts if (found := _real_time(text))), None)


def _by_steps(within: int, count: int) -> str | None:
    """Five minutes where half of the stamps or more lie within hours; hours where several do and none does not."""
    if within and 2 * within >= count:
        return "rt_5min"
    return "rt_hourly" if count > 1 and not within else None


def _within(starts: pl.Series) -> tuple[int, int]:
    """(how many of the distinct stamps lie within hours, how many there are)."""
    distinct = starts.drop_nulls().unique()
    return int((distinct.dt.epoch("us") % 3_600_000_000 != 0).sum()), distinct.len()
