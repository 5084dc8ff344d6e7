"""Lists of any content, in the types that answers have."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import polars as pl
from hypothesis import strategies as st

from pipeline.schema import INSTANT, PRICE, Schema

COLUMNS: Final[Schema] = {
    "instrument": pl.String(), "interval_start": INSTANT, "price": PRICE, "volume": pl.Decimal(38, 9),
    "flags": pl.List(pl.String()), "revision": pl.Int64(), "is_final": pl.Boolean(),
}  # fmt: skip
ODD: Final = [
    "",
    "=1+1",
    "+A1",
    "@SUM",
    "-2+3",
    "-31.5",
    "\tx",
    "\rx",
    "'s",
    'a"b',
    "a,b",
    "a\r\nb",
    " x ",
    "＝1",
    "ä|ö",
    "null",
]

_texts = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_instants = st.integers(0, 3_155_760_000_000_000).map(
    lambda us: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)
_flags = st.lists(st.sampled_from(["VALID", "OUT_OF_RANGE", "ADVISORY"]), unique=True)


def _amounts(digits: int) -> st.SearchStrategy[Decimal]:
    return st.integers(1 - 10**digits, 10**digits - 1).map(lambda number: Decimal(number).scaleb(-9))


_ROWS: Final = st.fixed_dictionaries({
    "instrument": st.none() | _texts, "interval_start": st.none() | _instants, "price": st.none() | _amounts(18),
    "volume": st.none() | _amounts(28), "flags": _flags, "revision": st.integers(0, 2**62),
    "is_final": st.none() | st.booleans(),
})  # fmt: skip

frames: Final = st.lists(_ROWS, max_size=6).map(lambda rows: pl.DataFrame(rows, schema=dict(COLUMNS)))
