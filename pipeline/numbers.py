"""Text to fixed point, exactly: no float on the way, nothing rounded, nothing accepted that cannot be held.

polars' own cast gives null for a blank before the number, rounds extra digits in silence and reads `1e-12` as 0;
so it is trusted only with short plain text, and every other text is read by `decimal`.
"""

import re
from decimal import Decimal, InvalidOperation, localcontext
from typing import Final

import polars as pl

from pipeline.rejects import no_problem
from pipeline.schema import DIGITS, PRICE, SCALE

_SHORT: Final = SCALE + 1  # bytes: with the point among them, at most 9 decimals can follow it
_PLAIN: Final = DIGITS + 2  # bytes: sign, point and all digits that can be held
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?", re.ASCII)
_LIMIT: Final = Decimal(10) ** (DIGITS - SCALE)
_LONGEST: Final = 400  # characters of a number worth reading
_BLANKS: Final = " \t"
_MISSING: Final = ("", "NaN", "N/A", "-")

NOT_A_NUMBER: Final = "is not a finite decimal number"
TOO_LARGE: Final = f"is outside ±10^{DIGITS - SCALE}"
TOO_FINE: Final = f"has more than {SCALE} decimals"


def missing(text: pl.Series) -> pl.Series:
    """Boolean: cells of an exchange document that say "no value": null, blank, `NaN`, `N/A` or `-`."""
    return text.is_null() | text.str.strip_chars(_BLANKS).str.to_lowercase().is_in(
        [marker.lower() for marker in _MISSING]
    )


def amounts(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(values, reasons) as `decimals` gives them, for an exchange's cells: one that says "no value" has no reason."""
    values, reasons = decimals(text)
    if reasons.null_count() < reasons.len():
        reasons = reasons.set(missing(text), None)
    return values, reasons


def decimals(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(`Decimal(18, 9)` values, reasons) of a text column.

    A blank or null cell has neither value nor reason; any other cell has exactly one of the two.
    Blanks and tabs around a number are ignored (right-aligned columns); `.05`, `-.37`, `+1`, `1.` and `1e2` are
    numbers; trailing zeros beyond the ninth decimal are no loss.
    """
    if not text.len():
        return pl.Series(dtype=PRICE), pl.Series(dtype=pl.String)
    plain = _plain(text)
    values = plain.cast(PRICE, strict=False)
    odd = (values.is_null() & text.is_not_null() & (text != "")).arg_true()
    if odd.len():  # right-aligned columns: what stands there without its blanks is plain too
        bare = text.gather(odd).str.strip_chars(_BLANKS)
        values = values.scatter(odd, _plain(bare).cast(PRICE, strict=False))
        odd = odd.filter(values.gather(odd).is_null() & (bare != ""))
    reasons = no_problem(text.len())
    return (values, reasons) if not odd.len() else _with_odd(text, values, reasons, odd)


def _plain(text: pl.Series) -> pl.Series:
    """The cells that polars reads exactly; null for the others."""
    size = text.str.len_bytes()
    longest, fine = size.max(), None
    if longest is not None and longest > _SHORT:  # pyright: ignore[reportOperatorIssue]
        decimals_and_point = size - text.str.find(".", literal=True).fill_null(size)
        fine = (decimals_and_point <= _SHORT) & (size <= _PLAIN)
    exponent = text.str.contains("[eE]")
    if exponent.any():
        fine = ~exponent if fine is None else fine & ~exponent
    return text if fine is None or fine.all() else text.zip_with(fine, pl.Series([None], dtype=pl.String))


def _with_odd(text: pl.Series, values: pl.Series, reasons: pl.Series, odd: pl.Series) -> tuple[pl.Series, pl.Series]:
    distinct = text.gather(odd).unique()
    read = [exact(cell) for cell in distinct]
    table = pl.DataFrame(
        {
            "text": distinct,
            "value": pl.Series([value for value, _ in read], dtype=PRICE),
            "reason": pl.Series([reason for _, reason in read], dtype=pl.String),
        }
    )
    found = pl.DataFrame({"text": text.gather(odd)}).join(
        table, on="text", how="left", maintain_order="left", nulls_equal=True
    )
    return values.scatter(odd, found["value"]), reasons.scatter(odd, found["reason"])


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
    if abs(value) >= _LIMIT:
        return None, TOO_LARGE
    if value and value.normalize().as_tuple().exponent < -SCALE:  # pyright: ignore[reportOperatorIssue]
        return None, TOO_FINE
    return value.quantize(Decimal(1).scaleb(-SCALE)), None
