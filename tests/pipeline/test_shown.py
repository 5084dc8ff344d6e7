import json
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from pipeline import shown
from pipeline.normalize import normalize
from pipeline.schema import TICKS
from tests.pipeline.making import batch, document, interval, oasis, tick


def test_ndjson_is_exact_and_without_trailing_zeros() -> None:
    ticks = normalize(batch(tick({"price": "999999999.123456789", "volume": 100, "bid": "-0.10", "ask": 0})), "t").ticks
    [line] = shown.ndjson(shown.shown(ticks))
    found = json.loads(line, parse_float=Decimal)
    assert list(found) == list(shown.FIELDS)
    assert b'"price":999999999.123456789,' in line
    assert b'"volume":100,"bid":-0.1,"ask":0,' in line
    assert (found["interval_start"], found["interval_end"]) == ("2024-01-01T00:00:00Z", None)
    assert found["known_at"] == "2024-01-01T00:00:00Z"
    assert (found["unit"], found["flags"]) == ("USD/MWh", ["VALID", "OUT_OF_RANGE"])


@pytest.mark.parametrize(("micros", "text"), [(0, "00Z"), (120_000, "00.12Z"), (1, "00.000001Z")])
def test_instants_keep_the_decimals_that_are_there(micros: int, text: str) -> None:
    at = pl.Series("at", [datetime(2024, 1, 1, microsecond=micros, tzinfo=UTC)], dtype=TICKS["ts"])
    assert at.to_frame().select(shown.iso(pl.col("at"))).item() == f"2024-01-01T00:00:{text}"


def test_an_incomplete_reference_shows_as_missing_metadata() -> None:
    ticks = normalize(batch(tick()), "t").ticks
    reference = {"unit": pl.lit("GJ"), "currency": pl.lit(None, dtype=pl.String)}
    frame = shown.shown(ticks.with_columns(**reference, complete=pl.lit(value=False)))
    assert frame.select("unit", "currency", "flags").row(0) == ("GJ", None, ["VALID", "MISSING_METADATA"])


def revisions(*publications: tuple[str, int]) -> list[int]:
    values = [document(oasis(*interval(LMP=price)).decode()) for price, _ in publications]
    ticks = normalize(batch(*values), "t").ticks
    versions = pl.Series("version", [version for _, version in publications], dtype=pl.Int64)
    return shown.with_revisions(ticks.with_columns(versions))["revision"].to_list()


@pytest.mark.parametrize(
    ("publications", "expected"),
    [([("1", 0)], [0]), ([("1", 0), ("1", 0)], [0, 0]), ([("1", 0), ("2", 0), ("1", 0)], [0, 1, 2]),
     ([("1", 2), ("9", 1), ("3", 2)], [0, 0, 1]), ([("1", 1), ("1", 2), ("2", 3)], [0, 0, 1])],
)  # fmt: skip
def test_revisions_count_effective_publications(publications: list[tuple[str, int]], expected: list[int]) -> None:
    assert revisions(*publications) == expected


def test_a_corrected_component_under_the_same_price_is_a_revision() -> None:
    values = [document(oasis(*interval(LMP="1", MCC=congestion)).decode()) for congestion in ("0", "0", "2")]
    ticks = normalize(batch(*values), "t").ticks
    assert shown.with_revisions(ticks)["revision"].to_list() == [0, 0, 1]


def test_a_price_from_a_lower_version_never_makes_a_later_equal_one_effective() -> None:
    assert revisions(("1", 2), ("9", 1), ("1", 2)) == [0, 0, 0]
