"""Snapshots of either sort of curve as JSON. What takes long: the routes call it in a thread."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from api import render
from api.coverage import Instrument
from api.curves.meant import Snapshots
from api.curves.snapshots import Which, Working
from api.problems import invalid
from pipeline import json_text
from pipeline.curves import granular, shown
from pipeline.errors import DataProcessingError


class How(NamedTuple):
    """How snapshots are shown; `complete`: null for those of now."""

    granularity: str
    block: str
    as_text: bool
    complete: bool | None


def listed(which: Which, parts: Sequence[Snapshots], how: How) -> bytes:
    """Each snapshot as a JSON object, joined by commas."""
    return ",".join(text for part in parts for text in _texts(which, part, how)).encode()


def explained(which: Which, found: Working, complete: bool | None) -> str:  # noqa: FBT001
    """The working as one JSON object."""
    [snapshot] = _texts(which, found.snapshots, How("native", "atc", as_text=False, complete=complete))
    return f'{{"snapshot":{snapshot},"inputs":[{render.rows(found.inputs)}]}}'


def _texts(which: Which, found: Snapshots, how: How) -> list[str]:
    if found.heads.is_empty():
        return []
    made = shown.snapshots(found.heads, _granular(which, found, how), decimals_as_text=how.as_text)
    whole = "null" if how.complete is None else json_text.numbers(pl.Series([how.complete]))[0]
    return [f'{text[:-1]},"complete":{whole}}}' for text in made["text"]]


def _granular(which: Which, found: Snapshots, how: How) -> pl.DataFrame:
    if isinstance(which, Instrument):
        if how.granularity not in {"native", "day"}:
            raise invalid("granularity", "of a day-ahead curve is native (its hours) or day (their mean).")
        try:
            return granular.of_hours(found.points, which.row["market"], which.zone, how.granularity, how.block)
        except DataProcessingError as error:
            raise invalid("block", error.message) from None
    if how.block != "atc":
        held = which[0].curve.block
        raise invalid(
            "block", f"takes hours of day-ahead curves apart; this curve is of contracts for {held} delivery."
        )
    return granular.of_pieces(which[0].curve, found.points, how.granularity)
