"""Text to fixed point, exactly: no float on the way, nothing rounded, nothing accepted that cannot be held.

polars' own cast gives null for a blank before the number, rounds extra digits in silence and reads `1e-12` as 0;
so it is trusted only with short plain text, and every other text is read by `decimal`.
"""

import re
from decimal import Decimal, InvalidOperation, localcontext
from typing import Final

import polars as pl

from pipeline.rejects import no_problem
from pipeline.schema import DIGITS, LIMIT, PRICE, SCALE

_SHORT: Final = SCALE + 1  # bytes: with the point among them, at most 9 decimals can follow it
_LONG: Final = DIGITS + 2  # bytes: sign, point and all digits that can be held
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?", re.ASCII)
_LONGEST: Final = 400  # characters of a number worth reading
_PART: Final = 4
_BLANKS: Final = " \t"
_EXPONENT: Final = "[eE]"  # polars reads `1e-12` as 0
_MISSING: Final = ("", "NaN", "N/A", "-")

NOT_A_NUMBER: Final = "is not a finite decimal number"
TOO_LARGE: Final = f"is outside ±10^{DIGITS - SCALE}"
TOO_FINE: Final = f"has more than {SCALE} decimals"


def missing(text: pl.Series) -> pl.Series:
    """Boolean: cells of an exchange document that say "no value": null, blank, `NaN`, `N/A` or `-`."""
    return text.is_null() | text.str.strip_chars(_BLANKS).str.to_lowercase().is_in(
        [marker.lower() for marker in _MISSING]
    )


def decimals(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(`Decimal(18, 9)` values, reasons) of a text column.

    A blank or null cell has neither value nor reason; any other cell has exactly one of the two.
    Blanks and tabs around a number are ignored (right-aligned columns); `.05`, `-.37`, `+1`, `1.` and `1e2` are
    numbers; trailing zeros beyond the ninth decimal are no loss.
    """
    values, reasons = columns(text.to_frame("text"), of_exchange=False)
    return values["text"], reasons.get("text", no_problem(text.len()))


def columns(cells: pl.DataFrame, *, of_exchange: bool = True) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """(values, reasons) of text columns as `decimals` gives them, by their names; reasons only of those with one.

    `of_exchange`: a cell that says "no value" has no reason either.
    """
    found, reasons = list[pl.Series](), dict[str, pl.Series]()
    for text, read in zip(cells.iter_columns(), _short(cells).iter_columns(), strict=True):
        values, odd = _with_long(text, read) if read.null_count() else (read, None)
        if odd is not None:
            values, reason = _with_odd(text, values, odd, of_exchange=of_exchange)
            reasons |= {text.name: reason} if reason.null_count() < reason.len() else {}
        found.append(values)
    return pl.DataFrame(found), reasons


def _short(cells: pl.DataFrame) -> pl.DataFrame:
    """The values of cells that polars reads exactly, null for the others; where few are long, for the long ones too."""
    told, width = cells.select(_ABOUT).row(0), cells.width
    mostly = [long * _PART > cells.height for long in told[:width]]
    return cells.select(map(_cast, cells.columns, told, mostly, told[width:], told[2 * width :]))


def _cast(name: str, long: int, mostly: bool, exponent: bool | None, indented: bool | None) -> pl.Expr:  # noqa: FBT001
    text = pl.col(name).str.strip_chars(_BLANKS) if indented else pl.col(name)
    if mostly or exponent:
        return pl.when(_plain(text)).then(text).cast(PRICE, strict=False).alias(name)
    short = pl.when(text.str.len_bytes() <= _SHORT).then(text) if long else text
    return short.cast(PRICE, strict=False).alias(name)


def _with_long(text: pl.Series, values: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """The values with those of plain numbers that are long or have blanks around them (right-aligned columns), and
    the places of the cells that are neither (null: there are none)."""
    both = pl.DataFrame([text.alias("text"), values.alias("value")]).with_row_index("at")
    odd = both.filter(_ODD)
    if not odd.height:
        return values, None
    bare = odd.select("at", bare=pl.col("text").str.strip_chars(_BLANKS))
    read = bare.with_columns(value=pl.when(_PLAIN).then("bare").cast(PRICE, strict=False))
    values = values.scatter(read["at"], read["value"])
    left = read.filter(_UNREAD)["at"] if read["value"].null_count() else read["at"].clear()
    return values, left if left.len() else None


def _with_odd(text: pl.Series, values: pl.Series, odd: pl.Series, *, of_exchange: bool) -> tuple[pl.Series, pl.Series]:
    """(values, reasons) with the cells at these places read one by one."""
    cells = text.gather(odd).alias("text")
    distinct = cells.unique()
    read = [exact(cell) for cell in distinct]
    reasons = pl.Series([reason for _, reason in read], dtype=pl.String)
    table = pl.DataFrame({
        "text": distinct,
        "value": pl.Series([value for value, _ in read], dtype=PRICE),
        "reason": reasons.set(missing(distinct), None) if of_exchange else reasons,
    })  # fmt: skip
    found = cells.to_frame().join(table, on="text", how="left", maintain_order="left", nulls_equal=True)
    return values.scatter(odd, found["value"]), no_problem(text.len()).scatter(odd, found["reason"])


def exact(text: str) -> tuple[Decimal | None, str | None]:
    """(value, reason) of one cell, by the same rules as `decimals`."""
    bare = text.strip(_BLANKS)
    if not bare:
        return None, None
    if len(bare) > _LONGEST or _NUMBER.fullmatch(bare) is None:
        return None, NOT_A_NUMBER
    try:
        with localcontext(prec=2 * _LONGEST):
            return _held(Decimal(bare))
    except InvalidOperation:
        return None, NOT_A_NUMBER


def _held(value: Decimal) -> tuple[Decimal | None, str | None]:
    if abs(value) >= LIMIT:
        return None, TOO_LARGE
    if value and value.normalize().as_tuple().exponent < -SCALE:  # pyright: ignore[reportOperatorIssue]
        return None, TOO_FINE
    return value.quantize(Decimal(1).scaleb(-SCALE)), None


def _plain(text: pl.Expr) -> pl.Expr:
    """Boolean: polars reads the cell exactly."""
    size = text.str.len_bytes()
    decimals_and_point = size - text.str.find(".", literal=True).fill_null(size)
    return (decimals_and_point <= _SHORT) & (size <= _LONG) & ~text.str.contains(_EXPONENT)


_ABOUT: Final = (
    (pl.all().str.len_bytes() > _SHORT).sum(), pl.all().str.join("").str.contains(_EXPONENT).name.suffix(" e"),
    pl.all().str.starts_with(" ").any().name.suffix(" i"),
)  # fmt: skip
_PLAIN: Final = _plain(pl.col("bare"))
_ODD: Final = pl.col("value").is_null() & (pl.col("text") != "")
_UNREAD: Final = pl.col("value").is_null() & (pl.col("bare") != "")
