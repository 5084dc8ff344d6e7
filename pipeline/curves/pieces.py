"""Sessions whose deliveries overlap, and the days within pieces: the mathematics of curves on frames of snapshots."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import polars as pl

from pipeline.curves.bootstrap import Bootstrapped, Checked, Piece, bootstrap
from pipeline.curves.definitions import Curve
from pipeline.curves.deliveries import Input, Weights
from pipeline.curves.inputs import KINDS
from pipeline.curves.shape import fitted
from pipeline.curves.smooth import smooth
from pipeline.curves.weights import by_hours, weighed

GAS_SEASONS: Final = (4, 11)  # months that begin a season: summer, winter
_PRICE: Final = pl.Decimal(38, 12)
# What `points` makes of a session: a row a piece or a refused input.
MADE: Final = {
    "session": pl.Date(), "role": pl.String(), "delivery_start": pl.Date(), "delivery_end": pl.Date(), "price": _PRICE,
    "kind": pl.String(), "implausible": pl.Boolean(), "age": pl.UInt16(), "inputs": pl.List(pl.String()),
    "residual": _PRICE, "reason": pl.String(),
}  # fmt: skip
_KEY: Final = ("tenant", "curve", "session")


def pieced(curve: Curve, inputs: pl.DataFrame) -> pl.DataFrame:
    """MADE of the inputs (`pipeline.curves.points.points`) of sessions, in order of session.

    Consistent pieces, and what contradicts them."""
    sessions = inputs.partition_by("session", maintain_order=True)
    return pl.DataFrame([row for each in sessions for row in _session(curve, each)], schema=MADE)


def _session(curve: Curve, inputs: pl.DataFrame) -> Iterator[dict[str, Any]]:
    rows = {row["contract"]: row for row in inputs.iter_rows(named=True)}
    given = [
        Input(name, row["delivery_start"], row["delivery_end"], row["price"], KINDS[row["kind"]], curve.tick)
        for name, row in rows.items()
    ]
    made = bootstrap(given, _weights(curve, min(each.start for each in given), max(each.end for each in given)))
    session = inputs["session"][0]
    for row in (*map(_point, made.pieces), *_refused(made)):
        ages = [rows[name]["age"] for name in row["inputs"]]
        kind = row["kind"] or KINDS[rows[row["inputs"][0]]["kind"]]
        yield {**row, "session": session, "age": max(ages), "kind": kind}


def _point(piece: Piece) -> dict[str, Any]:
    """`kind` is null where it is that of the input."""
    return {
        "role": "point", "delivery_start": piece.start, "delivery_end": piece.end, "price": piece.price,
        "kind": None if piece.given else "averaged", "implausible": piece.implausible, "inputs": list(piece.inputs),
    }  # fmt: skip


def _refused(made: Bootstrapped) -> Iterator[dict[str, Any]]:
    for each in made.checked:
        if each.standing == "rejected":
            yield {
                "role": "rejected", "delivery_start": each.input.start, "delivery_end": each.input.end,
                "price": each.input.price, "kind": None, "implausible": False, "inputs": [each.input.name],
                "residual": each.residual, "reason": _reason(each),
            }  # fmt: skip


def _reason(checked: Checked) -> str:
    return f"contradicts {', '.join(checked.against)} by more than {checked.tolerance.normalize():f}"


def smoothed(curve: Curve, days: pl.DataFrame) -> pl.DataFrame:
    """`days` (see `pipeline.curves.granular`) with the prices of the smooth curve through the pieces."""
    snapshots = days.partition_by(_KEY, maintain_order=True)
    return pl.concat([_smooth(curve, each) for each in snapshots]) if snapshots else days


def _smooth(curve: Curve, days: pl.DataFrame) -> pl.DataFrame:
    ordered = days.sort("day")
    seasons = () if by_hours(curve) else GAS_SEASONS
    return ordered.with_columns(smooth(ordered, shape=fitted(ordered), seasons=seasons).alias("price"))


def _weights(curve: Curve, start: date, end: date) -> Weights:
    days = weighed(curve, pl.select(day=pl.date_range(start, end, closed="left")))
    return dict(zip(days["day"].to_list(), days["weight"].to_list(), strict=True))
